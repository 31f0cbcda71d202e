"""engramctl dead and engramctl queue: dead letters looked at, put back and dropped; how the queue stands."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import threading

from harness import Case, PATIENCE, Response, clean_environment, error_body, eventually, main, program
from test_ctl import Terminal

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_IOERR, EX_TEMPFAIL = 64, 65, 66, 69, 74, 75
EX_NOPERM, EX_CONFIG = 77, 78
# What concerns one job, however many get it.
REJECTED = Response(error_body("request_too_large", "not like this"), 413)
JOBS, DEAD = "engram:jobs", "engram:dead"


class DeadCase(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()

    def dead(self, *arguments, **options):
        return self.ctl("dead", *arguments, **options)

    def json_of(self, answer, status=0):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(len(answer.out.splitlines()), 1, answer)
        return json.loads(answer.out)

    def assert_complains(self, answer, status, *words):
        """One line on standard error."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(len(answer.err.splitlines()), 1, answer)
        self.assertTrue(answer.err.startswith("engramctl: "), answer)
        for word in words:
            self.assertIn(word, answer.err)

    def bury(self, job=b'{"user_id":"u","message":"hi"}', client=None, **changes):
        """A dead letter as engramd writes them; a field that is None is left out."""
        fields = {
            "id": "a",
            "reason": "claude_unavailable",
            "message": "no luck",
            "job": job,
            "at": "1767225600000",
            "attempts": "1",
            **changes,
        }
        fields = {k: v for k, v in fields.items() if v is not None}
        added = (client or self.redis.client).xadd(DEAD, fields)
        return added.decode() if client is None else None

    def bury_many(self, letters):
        """Their entries; each letter is what bury() takes."""
        pipeline = self.redis.client.pipeline(transaction=False)
        for letter in letters:
            self.bury(client=pipeline, **letter)
        return [entry.decode() for entry in pipeline.execute()]

    def entries(self):
        return [entry.decode() for entry, _ in self.redis.client.xrange(DEAD)]

    def jobs(self):
        """Those that were put back, the next to run first."""
        return self.redis.client.lrange(JOBS, 0, -1)[::-1]

    def output(self, *arguments):
        """The bytes that a command prints."""
        environment = clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url)
        done = subprocess.run(
            [program("engramctl"), "dead", *arguments], capture_output=True, env=environment, timeout=PATIENCE
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout


class Looking(DeadCase):
    def test_a_list_without_entries(self):
        answer = self.dead("list")
        self.assertEqual((answer.status, answer.out, answer.err), (0, "no dead letters\n", ""))
        self.assertEqual(self.json_of(self.dead("list", "--json")), {"entries": [], "cursor": None})
        self.assertEqual(self.keys(), [])

    def test_a_list_is_a_table_with_the_newest_first(self):
        first, second = self.bury(id="one"), self.bury(id="two", message="x" * 500)
        answer = self.dead("list")
        lines = answer.out.splitlines()
        self.assertEqual((answer.status, answer.err, len(lines)), (0, "", 3), answer)
        self.assertEqual([line.split()[0] for line in lines], ["ENTRY", second, first])
        self.assertRegex(
            lines[2], rf"^{first}  2026-01-01 00:00:00.000Z  claude_unavailable  one +1 +no luck$"
        )
        self.assertLess(len(lines[1]), 200)

    def test_a_list_as_json_leaves_the_jobs_out(self):
        entry = self.bury(job=b"secret words")
        self.assertEqual(
            self.json_of(self.dead("list", "--json")),
            {
                "entries": [
                    {
                        "entry": entry,
                        "at": 1767225600000,
                        "reason": "claude_unavailable",
                        "id": "a",
                        "attempts": 1,
                        "message": "no luck",
                        "job_bytes": 12,
                    }
                ],
                "cursor": None,
            },
        )

    def test_a_thousand_entries_come_in_pages_each_once(self):
        buried = self.bury_many(
            {"id": f"j{n}", "reason": "internal" if n % 10 == 0 else "poisoned"} for n in range(1000)
        )
        for wanted, limit, pages in (
            ([], 300, [300, 300, 300, 100]),
            ([], 500, [500, 500]),
            (["--reason", "internal"], 40, [40, 40, 20]),
        ):
            with self.subTest(wanted=wanted, limit=limit):
                seen, sizes, cursor = [], [], None
                while not sizes or cursor:
                    more = ["--cursor", cursor] if cursor else []
                    page = self.json_of(self.dead("list", "--json", "--limit", str(limit), *wanted, *more))
                    seen += [e["entry"] for e in page["entries"]]
                    sizes.append(len(page["entries"]))
                    cursor = page["cursor"]
                self.assertEqual(sizes, pages)
                self.assertEqual(seen, (buried[::10] if wanted else buried)[::-1])
        lines = self.dead("list").out.splitlines()
        self.assertEqual((len(lines), lines[-1]), (52, "more: --cursor " + buried[-50]))

    def test_one_is_shown_whole(self):
        job = '{"user_id":"u","id":"a","message":"é \\" \\n"}'
        entry = self.bury(job=job.encode(), note="by hand")
        shown = self.dead("show", entry).out
        for part in (entry, "2026-01-01", "claude_unavailable", "no luck", "by hand", f"\n{job}\n"):
            self.assertIn(part, shown)
        document = self.json_of(self.dead("show", entry, "--json"))
        self.assertEqual((document["job"], document["other_fields"]), (job, {"note": "by hand"}))
        self.assertEqual(self.output("show", entry, "--raw"), job.encode())

    def test_odd_bytes_are_given_back_exactly_and_never_obeyed_by_a_terminal(self):
        odd = bytes(range(256)) + "\u009b31m \u202e \u2028".encode() + b"\r\n\x1b]0;title\x07"
        entry = self.bury(job=odd, id=odd, reason=odd, message=odd, at=odd, attempts=odd, **{"odd\x1b": odd})
        self.assertEqual(self.output("show", entry, "--raw"), odd)
        document = json.loads(self.output("show", entry, "--json"))
        self.assertIsNone(document["job"])
        self.assertEqual(base64.b64decode(document["job_base64"]), odd)
        for arguments in (["list"], ["list", "--json"], ["show", entry], ["show", entry, "--json"]):
            with self.subTest(arguments=arguments):
                text = self.output(*arguments).decode()
                self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]", text))

    def test_an_entry_of_others_has_dashes(self):
        entry = self.redis.client.xadd(DEAD, {"what": "ever"}).decode()
        self.assertRegex(self.dead("list").out, rf"{entry} +- +- +- +- +-\n")
        self.assertIn("missing", self.dead("show", entry).out)
        self.assert_complains(self.dead("show", entry, "--raw"), EX_DATAERR, entry)

    def test_an_entry_that_is_not_there(self):
        entry = self.bury()
        self.redis.client.xdel(DEAD, entry)
        self.assert_complains(self.dead("show", entry), EX_NOINPUT, entry)
        self.assert_complains(self.dead("show", "1-1"), EX_NOINPUT, "1-1")

    def test_what_is_no_entry(self):
        self.bury()
        for given in ("nonsense", "1", "1-", "+", "\x1b[31m", "1-2-3", "99999999999999999999-0"):
            for command in (["show"], ["retry"], ["drop", "--yes"], ["list", "--cursor"]):
                with self.subTest(given=given, command=command):
                    answer = self.dead(*command, given)
                    self.assert_complains(answer, EX_USAGE, "dead list")
                    self.assertNotIn("\x1b", answer.err)
        self.assertEqual((len(self.entries()), self.jobs()), (1, []))

    def test_large_jobs_are_listed_and_put_back(self):
        jobs = [bytes([ord("a") + n]) * 1_500_000 for n in range(12)]
        for job in jobs:
            self.bury(job=job)
        listed = self.json_of(self.dead("list", "--json"))["entries"]
        self.assertEqual([e["job_bytes"] for e in listed], [1_500_000] * 12)
        self.assertEqual(self.json_of(self.dead("retry", "--all", "--json"))["retried"], 12)
        self.assertEqual((self.entries(), self.jobs()), ([], jobs))


class PuttingBack(DeadCase):
    def test_an_entry_is_gone_when_its_job_is_pushed(self):
        entries = [self.bury(job=b"job %d" % n) for n in range(3)]
        answer = self.dead("retry", entries[1])
        self.assertEqual(
            (answer.status, answer.out, answer.err), (0, "1 job put back into engram:jobs\n", "")
        )
        self.assertEqual((self.entries(), self.jobs()), ([entries[0], entries[2]], [b"job 1"]))

    def test_a_second_retry_says_that_it_is_gone_and_pushes_nothing(self):
        entry = self.bury(job=b"job")
        self.assertEqual(self.dead("retry", entry, entry).status, 0)
        self.assert_complains(self.dead("retry", entry), EX_NOINPUT, entry, "gone")
        self.assertEqual(
            self.json_of(self.dead("retry", entry, "--json"), EX_NOINPUT),
            {"retried": 0, "gone": [entry], "without_job": []},
        )
        self.assertEqual(self.jobs(), [b"job"])

    def test_some_gone_do_not_hinder_the_others(self):
        gone, there, later = (self.bury(job=job) for job in (b"1", b"2", b"3"))
        self.redis.client.xdel(DEAD, gone)
        answer = self.dead("retry", there, gone, later)
        self.assert_complains(answer, EX_NOINPUT, gone)
        self.assertIn("2 jobs", answer.out)
        self.assertEqual((self.entries(), self.jobs()), ([], [b"2", b"3"]))

    def test_an_entry_without_a_job_is_kept(self):
        for kept in (
            self.bury(job=b""),
            self.bury(job=None),
            self.redis.client.xadd(DEAD, {"x": "y"}).decode(),
        ):
            with self.subTest(kept=kept):
                self.assert_complains(self.dead("retry", kept), EX_DATAERR, kept)
                self.assertIn(kept, self.entries())
        good = self.bury(job=b"good")
        self.assert_complains(self.dead("retry", "--all"), EX_DATAERR)
        self.assertEqual((len(self.entries()), self.jobs()), (3, [b"good"]))
        self.assertNotIn(good, self.entries())

    def test_any_bytes_are_put_back_as_they_were(self):
        jobs = [bytes(range(256)), b"\x00", b"\r\n", b"\xff" * 100, b" "]
        for job in jobs:
            self.bury(job=job)
        self.assertEqual(self.dead("retry", "--all").status, 0)
        self.assertEqual((self.entries(), self.jobs()), ([], jobs))

    def test_all_with_a_reason_leaves_the_others_and_the_order(self):
        self.bury_many(
            {"job": b"%d" % n, "reason": "claude_auth" if n % 3 else "poisoned"} for n in range(1000)
        )
        self.assertEqual(
            self.json_of(self.dead("retry", "--all", "--reason", "claude_auth", "--json")),
            {"retried": 666, "gone": [], "without_job": []},
        )
        self.assertEqual(self.jobs(), [b"%d" % n for n in range(1000) if n % 3])
        self.assertEqual(len(self.entries()), 334)
        self.assertEqual(
            self.dead("retry", "--all", "--reason", "nothing").out, "0 jobs put back into engram:jobs\n"
        )

    def test_a_kill_at_any_moment_neither_loses_nor_doubles(self):
        everything = {b"job %d" % n for n in range(2000)}
        self.bury_many({"job": job} for job in sorted(everything))
        environment = clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url)
        kills = 0
        for goal in range(200, 1800, 200):
            child = subprocess.Popen(
                [program("engramctl"), "dead", "retry", "--all"], env=environment, stdout=subprocess.DEVNULL
            )
            eventually(
                lambda: self.redis.client.llen(JOBS) >= goal or child.poll() is not None,
                f"{goal} are put back",
            )
            child.kill()
            kills += child.wait() == -signal.SIGKILL
        self.assertGreater(kills, 0)
        left = [fields[b"job"] for _, fields in self.redis.client.xrange(DEAD)]
        self.assertEqual(sorted(left + self.jobs()), sorted(everything))
        self.assertEqual(self.dead("retry", "--all").status, 0)
        self.assertEqual((self.entries(), sorted(self.jobs())), ([], sorted(everything)))

    def test_an_answer_that_is_lost_neither_loses_nor_doubles(self):
        entry = self.bury(job=b"job")
        relay = Forgetful(self.redis.socket, os.path.join(self.folder, "relay.sock"), b"XDEL")
        self.addCleanup(relay.close)
        self.assert_complains(self.dead("retry", entry, url=relay.url), EX_UNAVAILABLE, "run it again")
        self.assertEqual((self.entries(), self.jobs()), ([], [b"job"]))
        self.assert_complains(self.dead("retry", entry), EX_NOINPUT)
        self.assertEqual(self.jobs(), [b"job"])

    def test_many_at_once_put_each_back_once(self):
        self.bury_many({"job": b"%d" % n} for n in range(300))
        environment = clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url)
        children = [
            subprocess.Popen(
                [program("engramctl"), "dead", "retry", "--all", "--json"],
                env=environment,
                stdout=subprocess.PIPE,
            )
            for _ in range(4)
        ]
        retried = 0
        for child in children:
            out, _ = child.communicate(timeout=PATIENCE)
            self.assertEqual(child.returncode, 0, out)
            retried += json.loads(out)["retried"]
        self.assertEqual(retried, 300)
        self.assertEqual(sorted(self.jobs()), sorted(b"%d" % n for n in range(300)))

    def test_a_full_redis_takes_them_back(self):
        entry = self.bury(job=b"job")
        self.redis.client.config_set("maxmemory", "1")
        self.assertEqual(self.dead("retry", entry).status, 0)
        self.assertEqual((self.entries(), self.jobs()), ([], [b"job"]))

    def test_a_replica_changes_nothing(self):
        entry = self.bury()
        self.redis.client.slaveof("127.0.0.1", "1")
        for command in (["retry", entry], ["drop", "--yes", "--all"]):
            with self.subTest(command=command):
                self.assert_complains(self.dead(*command), EX_UNAVAILABLE, "replica")
        self.redis.client.slaveof()
        self.assertEqual((self.entries(), self.jobs()), ([entry], []))

    def test_a_user_who_may_do_half_of_it_loses_nothing(self):
        entry = self.bury(job=b"job")
        for missing in ("lpush", "xdel"):
            with self.subTest(missing=missing):
                self.redis.client.execute_command(
                    *f"ACL SETUSER half reset on >secret ~engram:* &* +@all -{missing}".split()
                )
                answer = self.dead("retry", entry, url=f"unix://half:secret@{self.redis.socket}")
                self.assert_complains(answer, EX_NOPERM)
                self.assertEqual((self.entries(), self.jobs()), ([entry], []))


class Forgetful(threading.Thread):
    """Stands between a client and Redis, and hangs up instead of passing on the answer to a request with
    `word` in it."""

    def __init__(self, server, path, word):
        super().__init__(daemon=True)
        self.server, self.word, self.url = server, word, "unix://" + path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.start()

    def run(self):
        try:
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()
        except OSError:  # closed
            return

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server)
            while request := client.recv(1 << 20):
                server.sendall(request)
                answer = server.recv(1 << 20)
                if self.word in request:
                    return
                client.sendall(answer)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


class WithADaemon(DeadCase):
    def setUp(self):
        super().setUp()
        self.start_fake(lambda request: REJECTED)
        self.daemon = self.start_daemon()

    def mend(self):
        self.claude.default = lambda request: "fine now"

    def fail(self, **fields):
        """A job that ends as a dead letter: the entry."""
        before = set(self.entries())
        self.assert_error(self.reply(self.push(**fields)), "claude_rejected")
        return eventually(lambda: set(self.entries()) - before, "a dead letter").pop()

    def test_a_rejected_job_has_one_good_reply_and_one_effect_when_the_cause_is_gone(self):
        entry = self.fail(id="again", message="remember", metadata={"k": 1})
        self.mend()
        self.assertEqual(self.dead("retry", entry).status, 0)
        reply = self.reply("again")
        self.assertEqual((reply["status"], reply["reply"], reply["metadata"]), ("ok", "fine now", {"k": 1}))
        self.assertEqual(self.turns(), [("user", "remember"), ("assistant", "fine now")])
        self.assert_complains(self.dead("retry", entry), EX_NOINPUT, entry)
        self.assertEqual(self.dead_letters(), [])
        self.assert_idle()
        self.assertEqual(self.redis.client.llen("engram:reply:again"), 0)

    def test_a_job_that_was_pushed_again_meanwhile_still_has_one_effect(self):
        entry = self.fail(id="twice", message="remember")
        job = self.redis.client.xrange(DEAD)[0][1][b"job"]
        self.mend()
        self.push_raw(job)
        first = self.reply("twice")
        self.assertEqual(self.dead("retry", entry).status, 0)
        second = self.reply("twice")
        self.assertEqual((first["status"], second["reply"]), ("ok", first["reply"]))
        self.assertEqual(len(self.turns()), 2)
        self.assertEqual(len(self.claude.requests), 2)

    def test_a_job_without_an_id_gets_a_new_one_and_answers_at_the_same_place(self):
        self.push_raw(b'{"user_id":"u","session_id":"s","message":"hi","reply_to":"engram:reply:here"}')
        first = self.reply("here")
        self.assert_error(first, "claude_rejected")
        entry = eventually(self.entries, "a dead letter")[0]
        self.mend()
        self.assertEqual(self.dead("retry", entry).status, 0)
        second = self.reply("here")
        self.assertEqual(second["status"], "ok")
        self.assertNotEqual(second["id"], first.get("id"))

    def test_a_conversation_is_put_back_in_its_order(self):
        for n in range(5):
            self.fail(message=f"m{n}")
        self.mend()
        self.assertEqual(self.json_of(self.dead("retry", "--all", "--json"))["retried"], 5)
        eventually(lambda: len(self.turns()) == 10, "all are answered")
        self.assertEqual([text for role, text in self.turns() if role == "user"], [f"m{n}" for n in range(5)])

    def test_all_ends_though_what_it_puts_back_fails_again(self):
        entries = {self.fail(message=f"m{n}", session_id=f"s{n}") for n in range(5)}
        self.assertEqual(self.json_of(self.dead("retry", "--all", "--json"))["retried"], 5)
        eventually(lambda: len(self.entries()) == 5, "all have failed again")
        self.assertFalse(set(self.entries()) & entries)
        self.assertEqual(len(self.claude.requests), 10)
        self.assert_idle()

    def test_what_was_no_job_comes_back_as_a_dead_letter(self):
        self.push_raw(b"\xffno job")
        entry = eventually(self.entries, "a dead letter")[0]
        self.assertEqual(self.dead("retry", entry).status, 0)
        again = eventually(lambda: self.entries() not in ([], [entry]) and self.entries(), "another one")
        self.assertEqual(len(again), 1)
        self.assertEqual(self.output("show", again[0], "--raw"), b"\xffno job")


class Dropping(DeadCase):
    def test_named_ones_are_dropped(self):
        entries = [self.bury() for _ in range(3)]
        answer = self.dead("drop", "--yes", entries[0], entries[2])
        self.assertEqual((answer.status, answer.out, answer.err), (0, "2 dead letters dropped\n", ""))
        self.assertEqual((self.entries(), self.jobs()), ([entries[1]], []))
        answer = self.dead("drop", "--yes", entries[0], entries[1], "--json")
        self.assertEqual(self.json_of(answer, EX_NOINPUT), {"dropped": 1, "gone": [entries[0]]})

    def test_all_or_all_of_a_reason_are_dropped(self):
        self.bury_many({"reason": "internal" if n % 5 else "poisoned"} for n in range(500))
        self.assertEqual(
            self.json_of(self.dead("drop", "--yes", "--all", "--reason", "internal", "--json")),
            {"dropped": 400, "gone": []},
        )
        self.assertEqual(len(self.entries()), 100)
        self.assertEqual(self.dead("drop", "--yes", "--all").out, "100 dead letters dropped\n")
        self.assertEqual(self.dead("drop", "--yes", "--all").out, "0 dead letters dropped\n")

    def test_an_entry_without_a_job_can_be_dropped(self):
        self.assertEqual(self.dead("drop", "--yes", self.bury(job=b"")).status, 0)
        self.assertEqual(self.entries(), [])

    def test_nobody_to_ask_is_an_error(self):
        entry = self.bury()
        for arguments in ([entry], ["--all"]):
            self.assert_complains(self.dead("drop", *arguments, given=b"y\n"), EX_USAGE, "--yes")
        self.assertEqual(self.entries(), [entry])

    def test_it_asks_on_a_terminal(self):
        entry = self.bury()
        environment = clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url, TERM="xterm")
        for typed, left in ((b"\n", 1), (b"n\n", 1), (b"\x04", 1), (b"y\n", 0)):
            with self.subTest(typed=typed):
                terminal = Terminal([program("engramctl"), "dead", "drop", entry], environment)
                self.addCleanup(terminal.close)
                terminal.read_until(lambda seen: b"[y/N]" in seen, "the question")
                terminal.write(typed)
                self.assertEqual(terminal.wait(), 0, terminal.seen)
                self.assertEqual(len(self.entries()), left)


class Trouble(DeadCase):
    COMMANDS = (
        ["list"],
        ["show", "1-1"],
        ["retry", "1-1"],
        ["retry", "--all"],
        ["drop", "--yes", "1-1"],
        ["drop", "--yes", "--all"],
    )

    def test_something_else_where_the_dead_letters_should_be(self):
        self.redis.client.set(DEAD, "precious")
        for command in self.COMMANDS:
            with self.subTest(command=command):
                self.assert_complains(self.dead(*command), EX_CONFIG, "--prefix")
        self.assertEqual(self.redis.client.get(DEAD), b"precious")

    def test_something_else_where_the_jobs_should_be(self):
        entry = self.bury()
        self.redis.client.set(JOBS, "precious")
        for which in (entry, "--all"):
            self.assert_complains(self.dead("retry", which), EX_CONFIG, "--prefix")
        self.assertEqual((self.entries(), self.redis.client.get(JOBS)), ([entry], b"precious"))

    def test_no_redis(self):
        for command in (["dead", "retry", "--all"], ["queue", "status"]):
            with self.subTest(command=command):
                answer = self.ctl(*command, url="unix:///nonexistent/redis.sock")
                self.assert_complains(answer, EX_UNAVAILABLE, "--redis")
                self.assertEqual(answer.out, "")

    def test_wrong_arguments(self):
        entry = self.bury()
        for line in (
            "dead",
            "queue",
            "dead nonsense",
            "dead show",
            "dead show {e} {e}",
            "dead show {e} --raw --json",
            "dead retry",
            "dead retry --all {e}",
            "dead retry {e} --reason x",
            "dead retry --reason x",
            "dead drop --yes",
            "dead drop --yes --all {e}",
            "dead list {e}",
            "dead list --limit 0",
            "dead list --limit x",
        ):
            with self.subTest(line=line):
                self.assert_complains(self.ctl(*line.format(e=entry).split()), EX_USAGE)
        self.assertEqual((self.entries(), self.jobs()), ([entry], []))

    def test_output_that_cannot_be_written(self):
        self.bury()
        environment = clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url)
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [program("engramctl"), "dead", "list"],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment,
                timeout=PATIENCE,
            )
        self.assertEqual(done.returncode, EX_IOERR, done.stderr)


class QueueStatus(DeadCase):
    def status(self, expected=0):
        return self.json_of(self.ctl("queue", "status", "--json"), expected)

    def test_an_empty_queue_without_daemons(self):
        answer = self.ctl("queue", "status")
        self.assertEqual((answer.status, answer.err), (EX_TEMPFAIL, ""), answer)
        self.assertIn("jobs waiting  0\n", answer.out)
        self.assertIn("no instance is alive", answer.out)
        self.assertEqual(
            self.status(EX_TEMPFAIL),
            {
                "prefix": "engram",
                "waiting": 0,
                "parked": 0,
                "dead": 0,
                "delayed": {"count": 0, "next_ms": None, "lanes": []},
                "paused": None,
                "instances": [],
            },
        )
        self.assertEqual(self.keys(), [])

    def test_a_daemon_at_work_and_then_dead(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.start_fake(lambda request: "at last" if gate.wait(PATIENCE) else "")
        daemon = self.start_daemon(queue_lease_ms=1000)
        for n in range(3):
            self.push(session_id="s")
        self.claude.wait_for_requests(1)
        self.bury()
        view = eventually(lambda: (v := self.status())["parked"] == 3 and v, "all are parked")
        self.assertEqual((view["waiting"], view["dead"]), (0, 1))
        (one,) = view["instances"]
        self.assertTrue(one["instance"].startswith(daemon.name + "-"), one)
        self.assertEqual((one["alive"], one["lanes"]), (True, 1))
        self.assertTrue(0 < one["lease_left_ms"] <= 1000, one)
        self.assertIn(one["instance"], self.ctl("queue", "status").out)
        said = eventually(
            lambda: (v := self.status()["instances"][0])["in_flight"] and v, "it tells of itself"
        )
        self.assertEqual((said["state"], said["in_flight"], said["pid"]), ("taking", 1, daemon.pid))
        daemon.kill()
        answer = eventually(lambda: (a := self.ctl("queue", "status")).status and a, "the lease is over")
        self.assertEqual((answer.status, answer.err), (EX_TEMPFAIL, ""), answer)
        self.assertRegex(answer.out, rf"{one['instance']} .*over")
        (one,) = self.status(EX_TEMPFAIL)["instances"]
        self.assertEqual((one["alive"], one["lanes"]), (False, 1))

    def put_instance(self, name, lease_left_ms, status=None):
        seconds, _ = self.redis.client.time()
        self.redis.client.zadd("engram:instances", {name: seconds * 1000 + lease_left_ms})
        if status is not None:
            self.redis.client.set(b"engram:status:" + name, status)

    def test_what_an_instance_says_of_itself_is_shown(self):
        said = {
            "state": "paused",
            "in_flight": 3,
            "limit": 8,
            "taken": 70,
            "finished": 60,
            "released": 5,
            "delayed": 11,
            "lost": 2,
            "trouble": "the key is rejected",
            "version": "0.1.0",
            "pid": 4242,
            "host": "box",
        }
        self.put_instance(b"a-1", 60_000, json.dumps(said))
        (one,) = self.status()["instances"]
        self.assertEqual({k: one[k] for k in said}, said)
        page = self.ctl("queue", "status").out
        for value in said.values():
            self.assertIn(str(value), page)

    def test_odd_bytes_of_others_are_tolerated_and_never_obeyed(self):
        odd = [
            b"",
            b"{",
            b"[]",
            bytes(range(256)),
            b'{"state":"\\u001b[2J","host":7,"pid":"x","lost":-1}',
            b"{}" * 99_999,
        ]
        for n, status in enumerate(odd):
            self.put_instance(b"i%d\x1b\xff\n" % n, 60_000, status)
        self.redis.client.zadd("engram:instances", {"forever": float("inf"), "never": float("-inf")})
        self.redis.client.lpush("engram:status:forever", "no string")
        self.redis.client.set("engram:owned:never", "no hash")
        answer = self.ctl("queue", "status")
        self.assert_complains(answer, 0, "engram:")
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", answer.out))
        view = json.loads(self.ctl("queue", "status", "--json").out)
        self.assertEqual(len(view["instances"]), 8)
        self.assertEqual(sum(one["alive"] for one in view["instances"]), 6)

    def test_keys_of_the_wrong_type_are_unknown(self):
        self.put_instance(b"a-1", 60_000)
        for key in ("engram:jobs", "engram:body", "engram:dead"):
            self.redis.client.set(key, "precious")
        answer = self.ctl("queue", "status")
        self.assert_complains(answer, 0, "engram:jobs", "--prefix")
        for name in ("jobs waiting", "jobs parked", "dead letters"):
            self.assertRegex(answer.out, rf"{name} +-\n")
        self.redis.client.delete("engram:instances")
        self.redis.client.set("engram:instances", "precious")
        self.assertEqual(self.ctl("queue", "status").status, EX_TEMPFAIL)


if __name__ == "__main__":
    main()
