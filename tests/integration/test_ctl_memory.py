"""engramctl memory, session, user and stats: what they ask of P:admin and what they make of the answers."""

import json
import os
import re
import signal
import stat
import subprocess
import threading

from harness import Case, PATIENCE, clean_environment, eventually, main, program
from test_ctl import Terminal
from test_dead import Forgetful

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_UNAVAILABLE, EX_SOFTWARE = 64, 65, 66, 69, 70
EX_CANTCREAT, EX_IOERR, EX_TEMPFAIL, EX_PROTOCOL, EX_CONFIG = 73, 74, 75, 76, 78
ADMIN = "engram:admin"
DELETED = {"memories": 2, "turns": 2, "summaries": 0, "index_entries": 2, "vectors": 0, "replies": 1}


def memory(**changes):
    return {
        "id": 7,
        "label": 12,
        "type": "fact",
        "content": "lives in Paris",
        "created_at": "2026-11-23 10:00:00.123",
        "updated_at": "2026-11-23 10:00:00.123",
        "last_seen": "2026-11-23 10:00:00.123",
        "times_seen": 1,
        "pinned": False,
        "valid_from": "2026-11-23 10:00:00.123",
        "valid_to": None,
        "superseded_by": None,
        "expires_at": None,
        "session_id": "s",
        "job_id": "j",
        **changes,
    }


def turn(**changes):
    return {
        "id": 3,
        "session_id": "s",
        "role": "user",
        "content": "I live in Paris",
        "created_at": "2026-11-23 10:00:00.000",
        "summarized": False,
        **changes,
    }


def source(**changes):
    return {"session_id": "s", "job_id": "j", "at": "2026-11-23 10:00:00.100", "turns": [turn()], **changes}


class StandIn(threading.Thread):
    """Answers P:admin from a script: of each operation one answer after the other, the last one for ever. A
    dictionary is a result, bytes are a reply as they are. What was asked is in `requests`."""

    def __init__(self, client, answers):
        super().__init__(daemon=True)
        self.client, self.answers, self.requests = client, answers, []
        self._closing = threading.Event()
        self.start()

    def run(self):
        while not self._closing.is_set():
            popped = self.client.brpop(ADMIN, 0.05)
            if popped:
                self._answer(json.loads(popped[1]))

    def _answer(self, request):
        self.requests.append(request)
        script = self.answers[request["op"]]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if not isinstance(answer, bytes):
            reply = {"id": request["id"], "op": request["op"], "status": "ok", "result": answer}
            answer = json.dumps(reply).encode()
        key = f"engram:reply:{request['id']}"
        with self.client.pipeline() as step:
            step.rpush(key, answer).pexpire(key, 3_600_000).publish(key, answer).execute()

    def asked(self):
        """Without what differs from call to call."""
        return [{k: v for k, v in request.items() if k != "id"} for request in self.requests]

    def close(self):
        self._closing.set()
        self.join()


def error(kind, message="no luck", retryable=False):
    said = {"type": kind, "message": message, "retryable": retryable}
    return json.dumps({"id": "a", "op": "x", "status": "error", "error": said}).encode()


class AdminCase(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()

    def answer_with(self, **scripts):
        """`memory_list=x` or a list of answers, for memory.list."""
        answers = {k.replace("_", ".", 1): v if isinstance(v, list) else [v] for k, v in scripts.items()}
        self.daemon = StandIn(self.redis.connect(), answers)
        self.addCleanup(self.daemon.close)

    def output(self, *arguments, asked=None, **options):
        answer = self.ctl(*arguments, **options)
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        if asked is not None:
            self.assertEqual(self.daemon.asked(), asked if isinstance(asked, list) else [asked])
        return answer.out

    def documents(self, *arguments, **options):
        return [json.loads(line) for line in self.output(*arguments, "--json", **options).splitlines()]

    def assert_complains(self, answer, status, *words):
        """Nothing but one line on standard error."""
        self.assertEqual((answer.status, answer.out), (status, ""), answer)
        self.assertEqual(len(answer.err.splitlines()), 1, answer)
        self.assertTrue(answer.err.startswith("engramctl: "), answer)
        for word in words:
            self.assertIn(word, answer.err)

    def terminal(self, *arguments):
        environment = clean_environment(
            self.folder, ENGRAMD_REDIS_URL=self.redis.url, TERM="xterm", USER="tester"
        )
        terminal = Terminal([program("engramctl"), *arguments], environment)
        self.addCleanup(terminal.close)
        return terminal


class Memories(AdminCase):
    def test_a_list_is_a_table(self):
        self.answer_with(memory_list={"memories": [memory()], "cursor": None})
        out = self.output("memory", "list", asked={"op": "memory.list", "user_id": "tester"})
        lines = out.splitlines()
        self.assertEqual(len(lines), 2, out)
        self.assertEqual(lines[0].split(), ["ID", "LABEL", "TYPE", "UPDATED", "SEEN", "STATE", "CONTENT"])
        self.assertRegex(lines[1], r"^7 +#12 +fact +2026-11-23 10:00:00.123 +1 +- +lives in Paris$")
        self.assertEqual(self.keys(), [])

    def test_an_empty_list_says_so(self):
        self.answer_with(memory_list={"memories": [], "cursor": None})
        self.assertEqual(self.output("memory", "list"), "no memories\n")
        self.assertEqual(self.documents("memory", "list"), [{"memories": [], "cursor": None}])

    def test_what_is_asked_for_is_asked_of_the_daemon(self):
        self.answer_with(memory_list={"memories": [], "cursor": None})
        self.output(
            *"memory list --user ada --type preference --past --limit 3 --cursor abc".split(),
            asked={
                "op": "memory.list",
                "user_id": "ada",
                "type": "preference",
                "past": True,
                "limit": 3,
                "cursor": "abc",
            },
        )

    def test_a_page_names_the_next_one(self):
        self.answer_with(memory_list={"memories": [memory()], "cursor": "n\x1bext"})
        self.assertTrue(self.output("memory", "list").endswith("\nmore: --cursor n\\u001bext\n"))

    def test_all_follows_the_cursor_to_the_end(self):
        pages = [
            {"memories": [memory(id=n)], "cursor": str(n) if n < 3 else None, "more": n} for n in range(1, 4)
        ]
        self.answer_with(memory_list=[*pages, *pages])
        lines = self.output("memory", "list", "--all", "--limit", "1").splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["ID", "1", "2", "3"])
        self.assertEqual([r.get("cursor") for r in self.daemon.requests], [None, "1", "2"])
        self.assertEqual({r["limit"] for r in self.daemon.requests}, {1})
        self.assertEqual(self.documents("memory", "list", "--all"), pages)

    def test_a_huge_list_is_shown_whole(self):
        def page(n):
            return {
                "memories": [memory(id=n * 500 + i, content="x" * 2000) for i in range(500)],
                "cursor": str(n) if n < 9 else None,
            }

        self.answer_with(memory_list=[page(n) for n in range(10)])
        lines = self.output("memory", "list", "--all", "--limit", "500").splitlines()
        self.assertEqual([line.split()[0] for line in lines[1:]], [str(n) for n in range(5000)])

    def test_a_search_shows_both_kinds(self):
        self.answer_with(
            memory_search={
                "memories": [memory(score=0.926, why="words: paris")],
                "turns": [turn(score=1, why="session")],
            }
        )
        asked = {"op": "memory.search", "user_id": "tester", "query": "where is home?", "limit": 5}
        out = self.output("memory", "search", "where is home?", "--limit", "5", asked=asked)
        self.assertRegex(out, r"(?m)^0\.93 +7 +#12 +fact .* lives in Paris +words: paris$")
        self.assertRegex(out, r"(?m)^1\.00 +s +2026-11-23 10:00:00.000 +user +I live in Paris +session$")

    def test_a_memory_is_added(self):
        self.answer_with(memory_add={"memory": memory(), "action": "added"})
        asked = {"op": "memory.add", "user_id": "tester", "content": "lives in Paris"}
        out = self.output("memory", "add", "lives in Paris", asked=asked)
        self.assertEqual(out, "added 7 (#12), fact\n    lives in Paris\n")
        self.output("memory", "add", "--pinned", "--type", "preference", "--", "-x é")
        self.assertEqual(
            self.daemon.asked()[1],
            {
                "op": "memory.add",
                "user_id": "tester",
                "content": "-x é",
                "type": "preference",
                "pinned": True,
            },
        )

    def test_a_memory_is_edited(self):
        self.answer_with(memory_update={"memory": memory(id=9), "action": "updated", "superseded": 7})
        common = {"op": "memory.update", "user_id": "tester", "memory_id": 7}
        for arguments, fields in (
            (["lives in Rome"], {"content": "lives in Rome"}),
            (["--type", "preference"], {"type": "preference"}),
            (["--pin"], {"pinned": True}),
            (["--unpin", "new"], {"pinned": False, "content": "new"}),
        ):
            with self.subTest(arguments=arguments):
                out = self.output("memory", "edit", "7", *arguments)
                self.assertEqual(out.splitlines()[0], "updated 9 (#12), fact, in place of 7")
                self.assertEqual(self.daemon.asked()[-1], {**common, **fields})

    def test_a_history_shows_versions_and_sources(self):
        old = memory(valid_to="2026-11-24 00:00:00.000", superseded_by=9)
        result = {"memories": [old, memory(id=9, content="lives in Rome")], "sources": [source()]}
        self.answer_with(memory_history=result)
        asked = {"op": "memory.history", "user_id": "tester", "memory_id": 7}
        out = self.output("memory", "history", "7", asked=asked)
        for part in ("lives in Paris", "until 2026-11-24", "lives in Rome", "session s", "I live in Paris"):
            self.assertIn(part, out)
        self.assertEqual(self.documents("memory", "history", "7"), [result])

    def test_a_past_version_is_restored(self):
        self.answer_with(memory_restore={"memory": memory()})
        asked = {"op": "memory.restore", "user_id": "tester", "memory_id": 7}
        out = self.output("memory", "restore", "7", asked=asked)
        self.assertEqual(out, "restored 7 (#12), fact\n    lives in Paris\n")

    def test_json_is_the_result_in_one_line(self):
        result = {"memory": memory(content="a\nb\x1b\u009b\u202e"), "action": "added", "more": [1, 2.5]}
        self.answer_with(memory_add=result)
        out = self.output("memory", "add", "x", "--json")
        self.assertEqual((json.loads(out), out.count("\n")), (result, 1))
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out))


class Sessions(AdminCase):
    def test_sessions_are_a_table(self):
        one = {"session_id": "s1", "turns": 8, "updated_at": "2026-11-23 10:00:00.123"}
        self.answer_with(session_list={"sessions": [one], "cursor": None})
        out = self.output("session", "list", asked={"op": "session.list", "user_id": "tester"})
        self.assertEqual(out, "SESSION  TURNS  UPDATED\ns1       8      2026-11-23 10:00:00.123\n")

    def test_a_session_is_told_turn_by_turn(self):
        pages = [
            {"turns": [turn(content="hello\nthere")], "cursor": "c"},
            {"turns": [turn(role="assistant", content="", summarized=True)], "cursor": None},
        ]
        self.answer_with(session_history=pages * 3)
        first = "2026-11-23 10:00:00.000  user\n    hello\n    there\n"
        second = "2026-11-23 10:00:00.000  assistant  (summarized)  (blank)\n"
        self.assertEqual(self.output("session", "show", "s", "--all"), first + second)
        self.assertEqual(
            self.daemon.asked(),
            [
                {"op": "session.history", "user_id": "tester", "session_id": "s"},
                {"op": "session.history", "user_id": "tester", "session_id": "s", "cursor": "c"},
            ],
        )
        self.assertEqual(self.output("session", "show", "s"), first + "more: --cursor c\n")
        self.assertEqual(self.output("session", "show", "s", "--cursor", "c"), second)
        self.assertEqual(self.documents("session", "show", "s", "--all"), pages)

    def test_a_session_is_deleted(self):
        self.answer_with(session_delete={"deleted": DELETED})
        asked = {"op": "session.delete", "user_id": "tester", "session_id": "s"}
        out = self.output("session", "delete", "s", "--yes", asked=asked)
        self.assertRegex(out, r"^deleted:\nmemories +2\nturns +2\n")
        self.output("session", "delete", "s", "--yes", "--memories")
        self.assertEqual(self.daemon.asked()[1], {**asked, "memories": True})


class Users(AdminCase):
    LINES = ['{"kind":"memory","n":1.50}', '{"kind":"turn","content":"é\u202e\\u001b"}', '{"kind":"turn"}']

    def setUp(self):
        super().setUp()
        self.pages = [
            {"lines": self.LINES[:2], "cursor": "a"},
            {"lines": [], "cursor": "b"},
            {"lines": self.LINES[2:], "cursor": None},
        ]

    def test_an_export_is_json_lines_and_nothing_else(self):
        self.answer_with(user_export=self.pages * 2)
        out = self.output("user", "export", "--user", "ada")
        self.assertEqual(out, "\n".join(self.LINES).replace("\u202e", "\\u202e") + "\n")
        self.assertEqual(
            [json.loads(line) for line in out.splitlines()], [json.loads(line) for line in self.LINES]
        )
        self.assertEqual([r.get("cursor") for r in self.daemon.requests], [None, "a", "b"])
        self.assertEqual({r["user_id"] for r in self.daemon.requests}, {"ada"})
        self.assertEqual(self.output("user", "export", "--json"), out)

    def test_an_export_into_a_file_is_for_its_owner_alone(self):
        self.answer_with(user_export=self.pages)
        path = os.path.join(self.folder, "ada.jsonl")
        self.assertEqual(self.output("user", "export", "--output", path), "")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        with open(path, encoding="utf-8") as f:
            self.assertEqual([json.loads(line) for line in f], [json.loads(line) for line in self.LINES])

    def test_a_file_that_is_there_is_left_alone(self):
        self.answer_with(user_export=self.pages)
        path = os.path.join(self.folder, "precious")
        with open(path, "w") as f:
            f.write("precious")
        for name in (path, self.folder, os.path.join(self.folder, "no", "such", "folder")):
            answer = self.ctl("user", "export", "--output", name)
            self.assert_complains(answer, EX_CANTCREAT, "name another file")
        with open(path) as f:
            self.assertEqual(f.read(), "precious")
        self.assertEqual(self.daemon.requests, [])

    def test_half_an_export_leaves_no_file(self):
        self.answer_with(user_export=[self.pages[0], error("internal")])
        path = os.path.join(self.folder, "ada.jsonl")
        self.assert_complains(self.ctl("user", "export", "--output", path), EX_SOFTWARE, "internal")
        self.assertEqual(self.files_of_export(), [])

    def files_of_export(self):
        return [name for name in os.listdir(self.folder) if "ada.jsonl" in name]

    def export_under_way(self):
        """An export whose first page is in the file; nobody has answered for the second."""
        path = os.path.join(self.folder, "ada.jsonl")
        child = subprocess.Popen(
            [program("engramctl"), "user", "export", "--output", path],
            stderr=subprocess.PIPE,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url),
        )
        self.addCleanup(child.kill)
        requests = self.redis.connect()
        self.answer_next(requests, self.pages[0])
        second = requests.brpop(ADMIN, PATIENCE)
        self.assertIsNotNone(second)
        return path, child, json.loads(second[1])

    def answer_next(self, client, result):
        popped = client.brpop(ADMIN, PATIENCE)
        self.assertIsNotNone(popped)
        self.answer(json.loads(popped[1]), result)

    def answer(self, request, result):
        reply = json.dumps({"id": request["id"], "status": "ok", "result": result})
        self.redis.client.rpush(f"engram:reply:{request['id']}", reply)

    def test_an_export_that_is_interrupted_never_has_the_files_name(self):
        path, child, _ = self.export_under_way()
        (part,) = self.files_of_export()
        self.assertRegex(part, r"^ada\.jsonl\.part-[0-9a-f]{16}$")
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.folder, part)).st_mode), 0o600)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE)
        self.assertNotEqual(child.returncode, 0)
        self.assertFalse(os.path.exists(path))

    def test_a_file_that_came_meanwhile_is_left_alone(self):
        path, child, request = self.export_under_way()
        with open(path, "w") as f:
            f.write("precious")
        self.answer(request, {"lines": [], "cursor": None})
        _, err = child.communicate(timeout=PATIENCE)
        self.assertEqual(child.returncode, EX_CANTCREAT, err)
        self.assertIn(b"name another file", err)
        self.assertEqual(self.files_of_export(), ["ada.jsonl"])
        with open(path) as f:
            self.assertEqual(f.read(), "precious")

    def test_a_full_disk_is_told(self):
        self.answer_with(user_export=self.pages)
        for command in (["user", "export"], ["user", "export", "--json"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run(
                    [program("engramctl"), *command],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url),
                    timeout=PATIENCE,
                )
            self.assertEqual(done.returncode, EX_IOERR, done.stderr)

    def test_a_user_is_forgotten(self):
        self.answer_with(
            user_forget={
                "deleted": {**DELETED, "sessions": 1},
                "redis": {"cancelled_jobs": 4, "replies": 0, "dead_letters": 0},
                "at": "2026-11-23 10:00:00.000",
            }
        )
        asked = {"op": "user.forget", "user_id": "ada"}
        out = self.output("user", "forget", "--user", "ada", "--yes", asked=asked)
        self.assertRegex(out, r"(?s)^deleted:\nmemories +2\n.*in Redis:\ncancelled jobs +4\n")

    def test_stats_are_of_all_or_of_one(self):
        self.answer_with(stats={"users": 1, "memories": 10, "database_bytes": 123})
        out = self.output("stats", asked={"op": "stats"})
        self.assertEqual(out, "users           1\nmemories        10\ndatabase bytes  123\n")
        self.output("stats", "--user", "ada")
        self.assertEqual(self.daemon.asked()[1], {"op": "stats", "user_id": "ada"})
        self.assertEqual(self.documents("stats"), [{"users": 1, "memories": 10, "database_bytes": 123}])


class Asking(AdminCase):
    """What destroys asks first."""

    COMMANDS = (["memory", "delete", "7"], ["session", "delete", "s"], ["user", "forget"])

    def setUp(self):
        super().setUp()
        self.answer_with(
            memory_history={"memories": [memory()], "sources": [source(), source()]},
            memory_delete={"deleted": DELETED},
            session_delete={"deleted": DELETED},
            user_forget={"deleted": DELETED, "redis": {}},
            stats={"memories": 10, "past_memories": 1, "turns": 40, "sessions": 3},
        )

    def test_nobody_to_ask_is_an_error(self):
        for command in self.COMMANDS:
            with self.subTest(command=command):
                self.assert_complains(self.ctl(*command, given=b"yes\ntester\n"), EX_USAGE, "--yes")
        self.assertEqual(self.daemon.requests, [])

    def test_yes_does_not_ask(self):
        out = self.output(
            "memory",
            "delete",
            "7",
            "--yes",
            asked={"op": "memory.delete", "user_id": "tester", "memory_id": 7},
        )
        self.assertRegex(out, r"^deleted:\nmemories +2\n")

    def answer_question(self, command, question, typed):
        """What was seen until the end."""
        terminal = self.terminal(*command)
        terminal.read_until(lambda seen: question in seen, "the question")
        terminal.write(typed)
        self.assertEqual(terminal.wait(), 0, terminal.seen)
        return terminal.seen.decode()

    def ops(self):
        return [r["op"] for r in self.daemon.requests]

    def test_only_the_asked_for_word_destroys(self):
        for command, question, word, op in (
            (self.COMMANDS[0], b"Type yes: ", b"yes", "memory.delete"),
            (self.COMMANDS[1], b"Type yes: ", b"yes", "session.delete"),
            (self.COMMANDS[2], b"to go on: ", b"tester", "user.forget"),
        ):
            for typed in (b"\n", b"n\n", b"y\n", word.upper() + b"\n", word + b" \n", b"\x04"):
                with self.subTest(op=op, typed=typed):
                    self.assertIn("Nothing was", self.answer_question(command, question, typed))
                    self.assertNotIn(op, self.ops())
            seen = self.answer_question(command, question, word + b"\n")
            self.assertIn("deleted:", seen)
            self.assertEqual(self.ops().count(op), 1)

    def test_yes_does_not_forget_a_user(self):
        self.assertIn("Nothing was", self.answer_question(["user", "forget"], b"to go on: ", b"yes\n"))
        self.assertNotIn("user.forget", self.ops())

    def test_a_memory_is_shown_before_it_goes(self):
        seen = self.answer_question(["memory", "delete", "7"], b"Type yes: ", b"n\n")
        for part in ("lives in Paris", "all its versions", "merged into or from", "confirmed in are erased"):
            self.assertIn(part, seen)
        self.assertEqual(self.ops(), ["memory.history"])

    def test_what_a_user_has_is_counted_before_it_goes(self):
        seen = self.answer_question(["user", "forget", "--user", "ada"], b"to go on: ", b"\n")
        for part in ("ada", "(10 and 1 past)", "(40)", "(3)"):
            self.assertIn(part, seen)
        self.assertEqual(self.daemon.asked(), [{"op": "stats", "user_id": "ada"}])

    def test_memories_of_a_session_are_spoken_of_if_they_go(self):
        for arguments, words in (
            (["--memories"], "and the memories learnt there"),
            ([], "learnt there stay"),
        ):
            seen = self.answer_question(["session", "delete", "s", *arguments], b"Type yes: ", b"\n")
            self.assertIn(words, seen)

    def test_a_memory_that_is_not_there_is_not_asked_about(self):
        self.daemon.answers["memory.history"] = [error("not_found", "there is no memory 7")]
        terminal = self.terminal("memory", "delete", "7")
        self.assertEqual(terminal.wait(), EX_NOINPUT, terminal.seen)
        self.assertNotIn(b"Type", terminal.seen)
        self.assertEqual(self.ops(), ["memory.history"])


class Trouble(AdminCase):
    def test_errors_have_their_exit_codes(self):
        for reply, status, words in (
            (error("not_found", "there is no memory 7"), EX_NOINPUT, "not_found: there is no memory 7"),
            (error("invalid_job", "limit is 1 to 500"), EX_DATAERR, "limit is 1 to 500"),
            (error("internal", "the disk", True), EX_TEMPFAIL, "the disk"),
            (error("internal", "the disk"), EX_SOFTWARE, "the disk"),
        ):
            self.answer_with(memory_history=reply)
            for form in ([], ["--json"]):
                with self.subTest(words=words, form=form):
                    self.assert_complains(self.ctl("memory", "history", "7", *form), status, words)
            self.daemon.close()

    def test_replies_that_make_no_sense(self):
        replies = [
            b"",
            b"\xff\x00",
            b"null",
            b"{}",
            b'{"status":"ok"}',
            b'{"status":"ok","result":[]}',
            b'{"status":"ok","result":{}}',
            b'{"status":"ok","result":{"memories":[7],"cursor":null}}',
            b'{"status":"ok","result":{"memories":[],"cursor":7}}',
            b'{"status":"error","error":"x"}',
            b'{"status":"ok","result":{"memories":' + b"[" * 100_000,
        ]
        self.answer_with(memory_list=[reply for reply in replies for _ in range(2)])
        for reply in replies:
            for form in ([], ["--json"]):
                with self.subTest(reply=reply[:80], form=form):
                    self.assert_complains(self.ctl("memory", "list", *form), EX_PROTOCOL, "makes no sense")

    def test_a_cursor_that_goes_round_in_circles(self):
        self.answer_with(memory_list={"memories": [memory()], "cursor": "again"})
        self.assert_complains(self.ctl("memory", "list", "--all"), EX_PROTOCOL)
        self.assertEqual(len(self.daemon.requests), 2)

    def test_cursors_that_go_round_in_a_larger_circle(self):
        pages = [{"memories": [memory()], "cursor": cursor} for cursor in "abcab"]
        self.answer_with(memory_list=pages)
        self.assert_complains(self.ctl("memory", "list", "--all"), EX_PROTOCOL)
        self.assertEqual(len(self.daemon.requests), 4)

    def test_an_export_with_a_line_that_is_no_document(self):
        for line in ("x", "[]", "{}\n{}"):
            self.answer_with(user_export={"lines": ["{}", line], "cursor": None})
            self.assert_complains(self.ctl("user", "export"), EX_PROTOCOL)
            self.daemon.close()

    def test_contents_are_shown_and_never_obeyed(self):
        odd = "\x1b]0;owned\x07\u009b2J\u202e\r\x00\nlast"
        strings = {k: odd for k, v in memory().items() if isinstance(v, str)}
        self.answer_with(
            memory_list={"memories": [memory(**strings)], "cursor": odd},
            memory_search={
                "memories": [memory(why=odd, **strings)],
                "turns": [turn(role=odd, content=odd, why=odd)],
            },
            memory_history={"memories": [memory(**strings)], "sources": [source(session_id=odd, at=odd)]},
            memory_add={"memory": memory(**strings), "action": odd},
            session_list={"sessions": [{"session_id": odd, "turns": odd, "updated_at": odd}], "cursor": odd},
            session_history={"turns": [turn(role=odd, content=odd, created_at=odd)], "cursor": odd},
            session_delete={"deleted": {odd: 1, "turns": odd}},
            stats={odd: 1},
        )
        for command in (
            "memory list",
            "memory search x",
            "memory history 7",
            "memory add x",
            "session list",
            "session show s",
            "session delete s --yes",
            "stats",
        ):
            for form in ([], ["--json"]):
                with self.subTest(command=command, form=form):
                    out = self.output(*command.split(), *form)
                    self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out), out)
                    self.assertIn("\\u001b]0;owned\\u0007", out)

    def test_nobody_answers_and_the_request_is_taken_back(self):
        for command in (["memory", "list"], ["user", "forget", "--yes"], ["stats"]):
            with self.subTest(command=command):
                answer = self.ctl(*command, "--timeout", "1")
                self.assert_complains(answer, EX_TEMPFAIL, "no engramd answers within 1 s", "taken back")
                self.assertEqual(self.keys(), [])

    def test_a_request_that_was_taken_may_still_be_carried_out(self):
        thief = threading.Thread(target=lambda: self.redis.connect().brpop(ADMIN, PATIENCE))
        thief.start()
        self.addCleanup(thief.join)
        answer = self.ctl("user", "forget", "--yes", "--timeout", "1")
        self.assert_complains(answer, EX_TEMPFAIL, "no engramd answers within 1 s", "may still")

    def test_a_push_whose_answer_is_lost_is_taken_back(self):
        relay = Forgetful(self.redis.socket, os.path.join(self.folder, "relay.sock"), b"LPUSH")
        self.addCleanup(relay.close)
        answer = self.ctl("user", "forget", "--yes", url=relay.url)
        self.assert_complains(answer, EX_UNAVAILABLE, "connection to Redis was lost", "taken back")
        self.assertEqual(self.keys(), [])

    def test_a_push_whose_answer_is_lost_may_have_been_taken(self):
        thief = threading.Thread(target=lambda: self.redis.connect().brpop(ADMIN, PATIENCE))
        thief.start()
        self.addCleanup(thief.join)
        eventually(lambda: self.redis.client.info("clients")["blocked_clients"], "somebody waits for it")
        relay = Forgetful(self.redis.socket, os.path.join(self.folder, "relay.sock"), b"LPUSH")
        self.addCleanup(relay.close)
        answer = self.ctl("user", "forget", "--yes", url=relay.url)
        self.assert_complains(answer, EX_UNAVAILABLE, "may still be carried out", "Run it again")

    def test_only_the_own_request_is_taken_back(self):
        self.redis.client.lpush(ADMIN, "other")
        self.ctl("stats", "--timeout", "1")
        self.assertEqual(self.redis.client.lrange(ADMIN, 0, -1), [b"other"])

    def test_a_redis_that_restarts_while_an_answer_is_awaited(self):
        child = subprocess.Popen(
            [program("engramctl"), "stats"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url),
        )
        self.addCleanup(child.kill)
        eventually(lambda: self.redis.client.llen(ADMIN), "the request is there")
        self.redis.kill()
        self.redis.start()
        self.answer_with(stats={"users": 5})
        out, err = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, out, err), (0, b"users  5\n", b""))

    def test_something_else_where_the_requests_should_be(self):
        self.redis.client.set(ADMIN, "precious")
        self.assert_complains(self.ctl("stats"), EX_CONFIG, "--prefix")
        self.assertEqual(self.redis.client.get(ADMIN), b"precious")

    def test_no_redis(self):
        answer = self.ctl("memory", "list", url="unix:///nonexistent/redis.sock")
        self.assert_complains(answer, EX_UNAVAILABLE, "--redis")

    def test_arguments_that_are_no_utf8(self):
        for command in (
            ["memory", "add", b"a\xff"],
            ["memory", "list", "--user", b"\xff"],
            ["session", "delete", "--yes", b"\xc3"],
        ):
            with self.subTest(command=command):
                self.assert_complains(self.ctl(*command), EX_USAGE, "UTF-8")
        self.assertEqual(self.keys(), [])

    def test_wrong_arguments(self):
        for line in (
            "memory",
            "memory nonsense",
            "memory list x",
            "memory list --limit 0",
            "memory list --limit 501",
            "memory list --timeout 0",
            "memory search",
            "memory add",
            "memory edit",
            "memory edit 7",
            "memory edit 7 --pin --unpin",
            "memory edit #7 x",
            "memory delete",
            "memory delete #7 --yes",
            "memory delete 0 --yes",
            "memory delete seven --yes",
            "memory history #7",
            "memory restore 7 8",
            "session",
            "session show",
            "session delete --yes",
            "user",
            "user forget ada --yes",
            "stats x",
        ):
            with self.subTest(line=line):
                self.assert_complains(self.ctl(*line.split()), EX_USAGE)
        self.assertEqual(self.keys(), [])

    def test_a_label_is_told_from_an_id(self):
        self.assert_complains(self.ctl("memory", "history", "#7"), EX_USAGE, "label")

    def test_another_prefix(self):
        self.answer_with(stats={"users": 1})
        answer = self.ctl("--prefix", "other", "stats", "--timeout", "1")
        self.assert_complains(answer, EX_TEMPFAIL)
        self.assertEqual(self.daemon.requests, [])


class WithDaemon(AdminCase):
    """The same commands against the real engramd."""

    def setUp(self):
        super().setUp()
        self.start_fake(lambda request: "Noted.\n[MEMORY: fact|lives in Paris]")
        self.start_daemon()

    def list_of(self, *arguments):
        (document,) = self.documents("memory", "list", "--user", "u", *arguments)
        return document["memories"]

    def learn(self):
        """The memory that a conversation left."""
        self.ask("I live in Paris")
        (one,) = self.list_of()
        return one

    def stored_texts(self):
        return [text for _, text in self.turns()] + [text for _, text in self.memories()]

    def test_what_was_learnt_is_listed_found_and_explained(self):
        one = self.learn()
        self.assertEqual((one["type"], one["content"], one["session_id"]), ("fact", "lives in Paris", "s"))
        (found,) = self.documents("memory", "search", "Paris", "--user", "u")
        self.assertEqual([m["id"] for m in found["memories"]], [one["id"]])
        self.assertIn("I live in Paris", [t["content"] for t in found["turns"]])
        (history,) = self.documents("memory", "history", str(one["id"]), "--user", "u")
        self.assertEqual([m["id"] for m in history["memories"]], [one["id"]])
        self.assertEqual(history["sources"][0]["turns"][0]["content"], "I live in Paris")
        page = self.output("memory", "list", "--user", "u")
        self.assertRegex(page, rf"(?m)^{one['id']} +#{one['label']} +fact .*lives in Paris$")

    def test_a_memory_is_added_once(self):
        actions = [self.documents("memory", "add", "likes tea", "--user", "u")[0]["action"] for _ in range(2)]
        self.assertEqual(actions, ["added", "confirmed"])
        self.assertEqual(len(self.list_of()), 1)

    def test_an_edit_leaves_a_past_that_can_be_restored(self):
        one = self.learn()
        (edited,) = self.documents("memory", "edit", str(one["id"]), "lives in Rome", "--user", "u")
        self.assertEqual((edited["action"], edited["superseded"]), ("updated", one["id"]))
        self.assertEqual([m["content"] for m in self.list_of()], ["lives in Rome"])
        self.assertEqual({m["content"] for m in self.list_of("--past")}, {"lives in Rome", "lives in Paris"})
        self.output("memory", "restore", str(one["id"]), "--user", "u")
        self.assertEqual([m["content"] for m in self.list_of()], ["lives in Paris"])

    def test_pinning_changes_nothing_else(self):
        one = self.learn()
        for flag, pinned in (("--pin", True), ("--unpin", False)):
            self.output("memory", "edit", str(one["id"]), flag, "--user", "u")
            (now,) = self.list_of()
            self.assertEqual((now["pinned"], now["content"]), (pinned, one["content"]))

    def test_a_deleted_memory_and_its_exchange_are_gone(self):
        one = self.learn()
        (done,) = self.documents("memory", "delete", str(one["id"]), "--yes", "--user", "u")
        self.assertEqual((done["deleted"]["memories"], done["deleted"]["turns"]), (1, 2))
        self.assertEqual(self.list_of(), [])
        self.assertFalse([text for text in self.stored_texts() if "Paris" in text])
        answer = self.ctl("memory", "delete", str(one["id"]), "--yes", "--user", "u")
        self.assert_complains(answer, EX_NOINPUT, "not_found")

    def test_a_memory_of_another_user_is_not_found(self):
        one = self.learn()
        wrong = [
            self.ctl("memory", command, str(number), *more, "--user", user)
            for command, more in (("history", []), ("delete", ["--yes"]), ("edit", ["x"]), ("restore", []))
            for user, number in (("other", one["id"]), ("other", 999_999))
        ]
        for answer in wrong:
            self.assert_complains(answer, EX_NOINPUT, "not_found")
        self.assertEqual(len(self.list_of()), 1)

    def test_a_thousand_memories_come_in_pages_each_once(self):
        for n in range(1000):
            request = {"op": "memory.add", "user_id": "u", "id": f"a{n}", "content": f"number {n} is {n * n}"}
            self.redis.client.lpush(ADMIN, json.dumps(request))
        self.reply("a999")
        pages = self.documents("memory", "list", "--user", "u", "--all")
        ids = [m["id"] for page in pages for m in page["memories"]]
        self.assertEqual((len(ids), ids), (1000, sorted(set(ids), reverse=True)))

    def test_sessions_are_listed_shown_and_deleted(self):
        self.learn()
        self.ask("hello", session_id="s2")
        (page,) = self.documents("session", "list", "--user", "u")
        self.assertEqual([(s["session_id"], s["turns"]) for s in page["sessions"]], [("s2", 2), ("s", 2)])
        (shown,) = self.documents("session", "show", "s", "--user", "u")
        self.assertEqual([t["role"] for t in shown["turns"]], ["user", "assistant"])
        self.output("session", "delete", "s", "--yes", "--user", "u")
        self.assertEqual(self.turns(), [])
        (page,) = self.documents("session", "list", "--user", "u")
        self.assertEqual([s["session_id"] for s in page["sessions"]], ["s2"])
        answer = self.ctl("session", "delete", "s", "--yes", "--user", "u")
        self.assert_complains(answer, EX_NOINPUT, "not_found")

    def test_an_export_has_all_and_after_forgetting_nothing_is_left(self):
        self.learn()
        lines = [json.loads(line) for line in self.output("user", "export", "--user", "u").splitlines()]
        self.assertEqual({line["kind"] for line in lines} & {"memory", "turn"}, {"memory", "turn"})
        self.assertIn("I live in Paris", json.dumps(lines))
        self.output("user", "forget", "--yes", "--user", "u")
        self.assertEqual((self.turns(), self.memories()), ([], []))
        self.assertNotIn("Paris", self.output("user", "export", "--user", "u"))
        self.assert_idle()

    def test_stats_count_what_is_there(self):
        self.learn()
        (stats,) = self.documents("stats")
        self.assertEqual((stats["users"], stats["memories"], stats["turns"], stats["sessions"]), (1, 1, 2, 1))
        (stats,) = self.documents("stats", "--user", "nobody")
        self.assertEqual((stats["memories"], stats["turns"]), (0, 0))

    def test_what_the_daemon_refuses_is_told(self):
        for command in (
            ["memory", "add", "   "],
            ["memory", "list", "--type", "nonsense"],
            ["memory", "list", "--user", "u" * 129],
        ):
            with self.subTest(command=command):
                self.assert_complains(self.ctl(*command), EX_DATAERR, "invalid_job")


if __name__ == "__main__":
    main()
