"""engramctl queue pause, resume, status and engramctl cancel, on keys of a Redis without daemons."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

from harness import Case, PATIENCE, clean_environment, eventually, main, program

EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 64, 69, 75, 77, 78
PAUSED, CANCEL = "engram:paused", "engram:cancel"


class QueueCase(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.client = self.redis.client

    def now_ms(self):
        seconds, microseconds = self.client.time()
        return seconds * 1000 + microseconds // 1000

    def put_instance(self, name, **status):
        self.client.zadd("engram:instances", {name: self.now_ms() + 60_000})
        if status:
            self.client.set("engram:status:" + name, json.dumps(status))

    def put_delay(self, lane, due_in_ms, reason=None):
        self.client.zadd("engram:delayed", {lane: self.now_ms() + due_in_ms})
        if reason is not None:
            self.client.hset("engram:delays", lane, reason)

    def queue(self, *arguments, **options):
        return self.ctl("queue", *arguments, **options)

    def view(self, expected=0):
        answer = self.queue("status", "--json")
        self.assertEqual((answer.status, answer.err), (expected, ""), answer)
        return json.loads(answer.out)

    def assert_complains(self, answer, status, *parts):
        self.assertEqual((answer.status, len(answer.err.splitlines())), (status, 1), answer)
        for part in ("engramctl: ", *parts):
            self.assertIn(part, answer.err)


class Pause(QueueCase):
    def test_a_pause_is_kept_in_redis_with_who_when_and_why(self):
        before = self.now_ms()
        answer = self.queue("pause", "--reason", "provider maintenance", env={"USER": "ada"})
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assertIn("jobs are no longer taken; nothing is under way", answer.out)
        self.assertIn("engramctl queue resume", answer.out)
        note = json.loads(self.client.get(PAUSED))
        self.assertEqual(
            (note["by"], note["reason"]), ("ada@" + socket.gethostname(), "provider maintenance")
        )
        self.assertTrue(before <= note["at"] <= self.now_ms(), note)
        self.assertEqual(self.client.ttl(PAUSED), -1, "an operator ends it, no clock")

    def test_what_is_under_way_is_counted(self):
        for name, lanes in (("a-1", 2), ("b-2", 1), ("c-3", 0)):
            self.put_instance(name)
            for n in range(lanes):
                self.client.hset("engram:owned:" + name, f"1:u:{name}{n}", f"t.{n}")
        self.assertIn("3 are under way and will end", self.queue("pause").out)
        self.client.delete("engram:owned:a-1")
        self.assertIn("1 is under way and will end", self.queue("pause").out)
        answer = json.loads(self.queue("pause", "--json", "--reason", "x").out)
        self.assertEqual((answer["under_way"], answer["paused"]["reason"]), (1, "x"))
        self.client.set("engram:owned:b-2", "no hash")
        self.assertIn("what is under way will end", self.queue("pause").out)
        self.assertIsNone(json.loads(self.queue("pause", "--json").out)["under_way"])

    def test_a_resume_ends_it_and_a_second_one_is_no_error(self):
        self.queue("pause")
        answer = self.queue("resume")
        self.assertEqual((answer.status, answer.out, answer.err), (0, "jobs are taken again\n", ""))
        self.assertEqual(self.keys(), [])
        answer = self.queue("resume")
        self.assertEqual((answer.status, answer.out, answer.err), (0, "the queue was not paused\n", ""))
        self.queue("pause")
        self.assertEqual(json.loads(self.queue("resume", "--json").out), {"resumed": True})
        self.assertEqual(json.loads(self.queue("resume", "--json").out), {"resumed": False})

    def test_a_new_pause_replaces_the_note(self):
        self.queue("pause", "--reason", "one")
        self.assertEqual(self.queue("pause", "--reason", "two").status, 0)
        self.assertEqual(json.loads(self.client.get(PAUSED))["reason"], "two")

    def test_another_prefix_is_another_queue(self):
        self.ctl("--prefix", "{other}", "queue", "pause")
        self.assertEqual(self.keys(), ["{other}:paused"])

    def test_odd_reasons(self):
        reason = 'say "when"\n\t€ \u202e'
        self.assertEqual(self.queue("pause", "--reason", reason).status, 0)
        self.assertEqual(json.loads(self.client.get(PAUSED))["reason"], reason)
        page = self.queue("status").out
        self.assertIn(r'say "when"\n\t€ \u202e', page)
        self.assert_complains(self.queue("pause", "--reason", "x" * 501), EX_USAGE, "--reason")
        self.assert_complains(self.queue("pause", "--reason", b"\xff"), EX_USAGE, "--reason")
        longest = "\x1f" * 500
        self.assertEqual(self.queue("pause", "--reason", longest).status, 0)
        self.assertEqual(self.view(EX_TEMPFAIL)["paused"]["reason"], longest)

    def test_no_redis_no_right_no_room(self):
        for command in (["pause"], ["resume"]):
            with self.subTest(command=command):
                answer = self.queue(*command, url="unix:///nonexistent/redis.sock")
                self.assert_complains(answer, EX_UNAVAILABLE, "--redis")
                self.assertEqual(answer.out, "")
        self.client.execute_command("ACL", "SETUSER", "reader", "on", ">x", "%R~*", "+@all")
        for command in (["pause"], ["resume"]):
            with self.subTest(command=command):
                answer = self.queue(*command, url=f"unix://reader:x@{self.redis.socket}")
                self.assert_complains(answer, EX_NOPERM)
        self.client.config_set("maxmemory", 1)
        self.assert_complains(self.queue("pause"), EX_TEMPFAIL, "maxmemory")
        self.assertEqual(self.queue("resume").status, 0)
        self.assertEqual(self.keys(), [])

    def test_wrong_arguments(self):
        for line in ("queue pause now", "queue resume --reason x", "queue pause --reason", "queue stop"):
            with self.subTest(line=line):
                self.assert_complains(self.ctl(*line.split()), EX_USAGE)
        self.assertEqual(self.keys(), [])


class Status(QueueCase):
    def test_nothing_is_delayed(self):
        self.put_instance("a-1")
        self.assertEqual(self.view()["delayed"], {"count": 0, "next_ms": None, "lanes": []})
        self.assertIsNone(self.view()["paused"])
        page = self.queue("status").out
        self.assertIn("delayed       0\n", page)
        self.assertNotIn("NEXT TRY", page)

    def test_the_delayed_are_shown_by_the_time_when_they_are_due(self):
        self.put_instance("a-1")
        for n in range(12, 0, -1):
            self.put_delay(f"2:u{n % 10}:s{n}", n * 600_000, f"reason {n}")
        delayed = self.view()["delayed"]
        self.assertEqual(delayed["count"], 12)
        self.assertTrue(0 < delayed["next_ms"] <= 600_000, delayed)
        self.assertEqual(
            [(lane["user"], lane["session"], lane["reason"]) for lane in delayed["lanes"]],
            [(f"u{n % 10}", f"s{n}", f"reason {n}") for n in range(1, 11)],
        )
        waits = [lane["due_ms"] for lane in delayed["lanes"]]
        for n, wait in enumerate(waits, 1):
            self.assertTrue((n - 1) * 600_000 < wait <= n * 600_000, waits)
        page = self.queue("status").out
        self.assertRegex(page, r"delayed       12, the next in (600|59\d) s\n")
        self.assertRegex(page, r"u1 +s1 +(600|59\d) s +reason 1\n")
        self.assertNotIn("reason 11", page)

    def test_lanes_of_any_kind_and_without_a_reason(self):
        self.put_instance("a-1")
        self.put_delay("~id:3:a:b:job", -5_000)
        self.put_delay("~t-1.1", 60_000, "no connection")
        self.put_delay(b"2:\xff\x1b:\n\xfe", 90_000, b"\x1b[2J\xff\n")
        lanes = self.view()["delayed"]["lanes"]
        self.assertEqual(
            [(one["user"], one["session"], one["reason"]) for one in lanes[:2]],
            [("a:b", None, None), (None, None, "no connection")],
        )
        self.assertLess(lanes[0]["due_ms"], 0)
        self.assertEqual(self.view()["delayed"]["next_ms"], 0)
        page = self.queue("status").out
        self.assertIn("3, the next now\n", page)
        self.assertIsNone(re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", page))

    def test_a_paused_queue_is_not_served_and_says_by_whom(self):
        self.put_instance("a-1", ready=True, paused=True, state="paused")
        self.queue("pause", "--reason", "maintenance", env={"USER": "ada"})
        answer = self.queue("status")
        self.assertEqual((answer.status, answer.err), (EX_TEMPFAIL, ""), answer)
        self.assertRegex(answer.out, r'\npaused by ada@\S+ since 20\S+ \S+Z: "maintenance" \(engramctl ')
        paused = self.view(EX_TEMPFAIL)["paused"]
        self.assertEqual((sorted(paused), paused["reason"]), (["at", "by", "reason"], "maintenance"))
        self.queue("resume")
        self.assertEqual(self.queue("status").status, 0)

    def test_a_pause_by_hand_is_one_whatever_the_key_holds(self):
        self.put_instance("a-1")
        for put in (
            lambda: self.client.set(PAUSED, ""),
            lambda: self.client.set(PAUSED, "since tuesday"),
            lambda: self.client.set(PAUSED, b"\xff" * 100_000),
        ):
            put()
            answer = self.queue("status")
            self.assertEqual((answer.status, answer.err), (EX_TEMPFAIL, ""), answer)
            self.assertIn("paused by an operator", answer.out)
        self.client.delete(PAUSED)
        self.client.lpush(PAUSED, "no string")
        answer = self.queue("status")
        self.assert_complains(answer, EX_TEMPFAIL, PAUSED)
        self.assertIn("paused by an operator", answer.out)
        self.assertEqual(self.queue("resume").status, 0)

    def start_status(self):
        child = subprocess.Popen(
            [program("engramctl"), "queue", "status"],
            stdout=subprocess.DEVNULL,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url),
        )
        self.addCleanup(child.kill)
        looks = self.client.info("commandstats").get("cmdstat_xlen", {"calls": 0})["calls"]
        eventually(
            lambda: self.client.info("commandstats").get("cmdstat_xlen", {"calls": 0})["calls"] > looks,
            "it has looked",
        )
        return child

    def test_only_an_instance_that_is_ready_serves(self):
        self.put_instance("a-1", ready=False, state="cut off")
        answer = self.queue("status")
        self.assertEqual((answer.status, answer.err), (EX_TEMPFAIL, ""), answer)
        self.assertIn("no instance is ready", answer.out)
        child = self.start_status()
        self.put_instance("b-2", ready=True)
        self.assertEqual(child.wait(PATIENCE), 0, "what an instance says may be a second old")
        self.assertEqual(self.queue("status").status, 0)
        self.client.zrem("engram:instances", "b-2")
        self.put_instance("c-3")
        self.assertEqual(self.queue("status").status, 0, "one that has not said anything yet counts as ready")

    def test_what_instances_say_of_claude(self):
        api = {
            "state": "shut",
            "kind": "spend_limit",
            "cause": "HTTP status 402 billing_error",
            "cure": "add credit; it is tried by itself",
            "next_try_ms": 31_000,
            "refused": 7,
        }
        models = [
            {"model": "claude-old", "retires_at": "2020-01-01T00:00:00Z", "gone": False},
            {"model": "claude-lasting", "retires_at": None, "gone": False},
            {"model": "claude-gone", "retires_at": None, "gone": True},
        ]
        said = {"ready": False, "paused": False, "delayed": 5, "api": api, "models": models}
        self.put_instance("a-1", **said)
        self.put_instance("b-2", api={"state": "open"}, models=models[:2])
        one, two = self.view()["instances"]
        self.assertEqual({name: one[name] for name in said}, said)
        self.assertEqual((two["api"], two["models"], two["delayed"]), ({"state": "open"}, models[:2], None))
        page = self.queue("status").out
        self.assertIn(
            "a-1: Claude refuses every call: HTTP status 402 billing_error; add credit; it is tried by "
            "itself; the next try in 31 s\n",
            page,
        )
        self.assertNotIn("b-2:", page)
        self.assertEqual(page.count("claude-old ends on 2020-01-01 (now): "), 1)
        self.assertIn("claude-gone is gone: ", page)
        self.assertNotIn("claude-lasting", page)

    def test_keys_of_the_wrong_type_are_unknown(self):
        self.put_instance("a-1")
        self.client.set("engram:delayed", "precious")
        answer = self.queue("status")
        self.assert_complains(answer, 0, "engram:delayed", "--prefix")
        self.assertIn("delayed       -\n", answer.out)
        self.client.delete("engram:delayed")
        self.put_delay("1:u:s", 60_000)
        self.client.set("engram:delays", "precious")
        answer = self.queue("status")
        self.assert_complains(answer, 0, "engram:delays")
        self.assertRegex(answer.out, r"u +s +\d+ s +-\n")


class Watch(QueueCase):
    def watch(self, *arguments, stdout=subprocess.PIPE):
        child = subprocess.Popen(
            [program("engramctl"), "queue", "status", "--watch", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url, TERM="xterm"),
        )
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.kill)
        if stdout == subprocess.PIPE:
            self.addCleanup(child.stdout.close)
        return child

    def read_until(self, fd, condition, seen=b""):
        deadline = time.monotonic() + PATIENCE
        while not condition(seen):
            self.assertTrue(select.select([fd], [], [], max(0, deadline - time.monotonic()))[0], seen)
            got = os.read(fd, 65536)
            self.assertTrue(got, f"the output ended: {seen!r}")
            seen += got
        return seen

    def end(self, child):
        child.send_signal(signal.SIGINT)
        return child.wait(PATIENCE)

    def test_pages_come_with_an_empty_line_between_until_ctrl_c(self):
        self.put_instance("a-1")
        child = self.watch()
        first = self.read_until(child.stdout.fileno(), lambda seen: b"a-1 " in seen)
        self.client.lpush("engram:jobs", "x", "x", "x")
        seen = self.read_until(child.stdout.fileno(), lambda seen: b"\n\njobs waiting  3\n" in seen, first)
        self.assertNotIn(b"\x1b", seen)
        self.assertEqual(self.end(child), 0)

    def test_json_is_a_document_a_line(self):
        child = self.watch("--json")
        seen = self.read_until(child.stdout.fileno(), lambda seen: seen.count(b"\n") >= 2)
        self.assertEqual(self.end(child), 0)
        for line in seen.splitlines()[:2]:
            self.assertEqual(json.loads(line)["waiting"], 0)

    def test_a_terminal_is_cleared_before_each_page(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, ours)
        child = self.watch(stdout=theirs)
        os.close(theirs)
        seen = self.read_until(ours, lambda seen: seen.count(b"jobs waiting") >= 2)
        self.assertTrue(seen.startswith(b"\x1b[H\x1b[J"), seen)
        self.assertEqual(seen.count(b"\x1b[H\x1b[J"), seen.count(b"jobs waiting"))
        self.assertEqual(self.end(child), 0)

    def test_a_pause_is_as_long_as_was_said(self):
        child = self.watch("2")
        seen = self.read_until(child.stdout.fileno(), lambda seen: b"jobs waiting" in seen)
        first = time.monotonic()
        self.read_until(child.stdout.fileno(), lambda seen: seen.count(b"jobs waiting") >= 2, seen)
        self.assertGreaterEqual(time.monotonic() - first, 1.8)
        self.assertEqual(self.end(child), 0)

    def test_it_goes_on_when_redis_has_been_away(self):
        child = self.watch("1")
        self.read_until(child.stdout.fileno(), lambda seen: b"nobody takes jobs\n" in seen)
        self.redis.kill()
        self.read_until(child.stderr.fileno(), lambda seen: b"\n" in seen)
        self.redis.start()
        self.client.lpush("engram:jobs", "x")
        self.read_until(child.stdout.fileno(), lambda seen: b"jobs waiting  1\n" in seen)
        self.assertEqual(self.end(child), 0)

    def test_an_output_that_cannot_be_written_ends_it(self):
        with open("/dev/full", "wb") as full:
            child = self.watch(stdout=full)
        self.assertEqual(child.wait(PATIENCE), 74)

    def test_wrong_pauses(self):
        for value in ("0", "-1", "x", "4000"):
            with self.subTest(value=value):
                self.assert_complains(self.queue("status", "--watch", value), EX_USAGE)


class Cancel(QueueCase):
    """A daemon takes an entry from the right end of P:cancel and removes it when it has carried it out."""

    def cancel(self, *arguments, **options):
        return self.ctl("cancel", *arguments, **options)

    def carry_out_one(self):
        """Plays the daemon; returns the entry."""
        raw = eventually(lambda: self.client.lindex(CANCEL, -1), "a cancel is asked for")
        self.client.lrem(CANCEL, -1, raw)
        return json.loads(raw)

    def while_one_is_carried_out(self, *arguments):
        taken = []
        daemon = threading.Thread(target=lambda: taken.append(self.carry_out_one()), daemon=True)
        daemon.start()
        answer = self.cancel(*arguments)
        daemon.join(PATIENCE)
        return answer, taken[0]

    def test_it_waits_until_a_daemon_has_carried_it_out(self):
        answer, taken = self.while_one_is_carried_out("--user", "ada", "job-7")
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assertIn('a job that waited has ended with "cancelled"', answer.out)
        self.assertEqual(taken, {"user_id": "ada", "id": "job-7"})
        self.assertEqual(self.keys(), [])

    def test_json_and_the_login_name(self):
        answer, taken = self.while_one_is_carried_out("job-7", "--json")
        self.assertEqual((answer.status, json.loads(answer.out)), (0, {"carried_out": True}), answer)
        self.assertEqual(taken, {"user_id": "tester", "id": "job-7"})

    def test_odd_names_arrive_as_they_are(self):
        user = 'é "\\\n'
        _, taken = self.while_one_is_carried_out("--user", user, "a:b-c.d_1")
        self.assertEqual(taken, {"user_id": user, "id": "a:b-c.d_1"})

    def test_others_wait_before_it(self):
        self.client.lpush(CANCEL, "first")
        child = subprocess.Popen(
            [program("engramctl"), "cancel", "j"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url, USER="u"),
        )
        self.addCleanup(child.kill)
        eventually(lambda: self.client.llen(CANCEL) == 2, "it is asked for")
        self.assertEqual(self.client.rpop(CANCEL), b"first", "who came first is next")
        self.assertIsNone(child.poll())
        self.client.rpop(CANCEL)
        out, err = child.communicate(timeout=PATIENCE)
        self.assertEqual((child.returncode, err), (0, b""), out)

    def test_what_no_daemon_takes_is_taken_back(self):
        self.client.lpush(CANCEL, "of somebody else")
        answer = self.cancel("--timeout", "1", "job-7")
        self.assert_complains(answer, EX_TEMPFAIL, "within 1 s", "taken back", "--prefix")
        self.assertEqual(answer.out, "")
        self.assertEqual(self.client.lrange(CANCEL, 0, -1), [b"of somebody else"])

    def test_a_key_of_the_wrong_type_and_a_lack_of_rights(self):
        self.client.set(CANCEL, "precious")
        self.assert_complains(self.cancel("j"), EX_CONFIG, "--prefix")
        self.assertEqual(self.client.get(CANCEL), b"precious")
        self.client.delete(CANCEL)
        rights = ["%W~engram:cancel", "+lpush", "+ping"]
        self.client.execute_command("ACL", "SETUSER", "chat", "on", ">x", *rights)
        answer = self.cancel("j", url=f"unix://chat:x@{self.redis.socket}")
        self.assert_complains(answer, EX_NOPERM, "was asked for")
        self.assertEqual(self.client.llen(CANCEL), 1)

    def test_no_redis(self):
        answer = self.cancel("j", url="unix:///nonexistent/redis.sock")
        self.assert_complains(answer, EX_UNAVAILABLE, "--redis")

    def test_wrong_arguments(self):
        for line in (
            ["cancel"],
            ["cancel", "--user", "u"],
            ["cancel", ""],
            ["cancel", "--user", "", "j"],
            ["cancel", "j", "k"],
            ["cancel", b"\xff"],
            ["cancel", "--timeout", "0", "j"],
        ):
            with self.subTest(line=line):
                self.assert_complains(self.ctl(*line), EX_USAGE)
        self.assertEqual(self.keys(), [])


if __name__ == "__main__":
    main()
