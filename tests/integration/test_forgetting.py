"""Forgetting a user who is talking: each of their jobs ends with one reply, nothing of them is left, and nobody
else notices."""

import json
import signal

from erasing_case import COUNTERS, Callers, ErasingCase
from harness import PATIENCE, Response, error_body, eventually, main

USER = "qzada"
NOTHING = {**dict.fromkeys(COUNTERS, 0), "sessions": 0}


class ForgettingCase(ErasingCase):
    def talk(self):
        """Whatever there can be of a user, each text with a token of its own."""
        self.tell("I own a qzboat", "The user owns a qzboat", user_id=USER, session_id="qzsea")
        self.answers["I sold the qzboat for a qzcar"] = "[MEMORY: update #1|The user owns a qzcar]"
        self.ask("I sold the qzboat for a qzcar", user_id=USER, session_id="qzland")
        self.admin("memory.add", USER, content="The user is the qzmayor", pinned=True)
        about = {"user_id": USER, "session_id": "qzsea", "metadata": {"tag": "qzmeta"}}
        self.waiting = self.push("hello qzkettle", **about)
        eventually(lambda: self.redis.client.exists("engram:reply:" + self.waiting), "a reply waits")
        self.answers["a qzfailure"] = Response(error_body("invalid_request_error", "not qzthis"), status=400)
        self.assert_error(self.reply(self.push("a qzfailure", user_id=USER)), "claude_rejected")

    def check_forgotten(self):
        """No text of the user is anywhere. The ids of the user and of the conversations may be in logs."""
        texts = ("qzboat", "qzcar", "qzmayor", "qzkettle", "qzmeta", "qzfailure", "qzthis")
        self.assertEqual(self.places_that_hold(*texts), [])
        self.assertEqual(
            [p for p in self.places_that_hold(USER, "qzsea", "qzland") if not p.endswith(".log")], []
        )

    def forget(self, user_id=USER):
        result = self.admin("user.forget", user_id)
        self.assertEqual(sorted(result), ["at", "deleted", "redis"])
        self.assertEqual(sorted(result["deleted"]), sorted(NOTHING))
        self.assertRegex(result["at"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$")
        return result

    def check_cancelled(self, job, user_id=USER):
        reply = self.one_reply(job)
        self.refused(reply, "cancelled")
        self.assertEqual((reply["id"], reply["user_id"]), (job, user_id))
        return reply

    def check_new_beginning(self):
        reply = self.ask("who am I?", user_id=USER, session_id="s")
        self.assertEqual(reply["reply"], "re: who am I?")
        self.assertNotIn(b"qz", self.calls_for("who am I?")[-1].raw)
        self.tell("I am new", "The user is new", user_id=USER)
        (memory,) = self.admin("memory.list", USER, past=True)["memories"]
        self.assertEqual(memory["label"], 1)
        self.assertEqual(self.admin("session.list", USER)["sessions"][0]["turns"], 4)


class Forgotten(ForgettingCase):
    def test_a_user_is_forgotten_with_all_that_they_said_and_begins_anew_at_once(self):
        self.start()
        self.talk()
        self.tell("I own a boat", "The user owns a boat", user_id="v", session_id="qzv")
        beside = self.stored("v")
        for place in ("engram.db-wal", "dump.rdb", "engram:dead"):
            self.assertIn(place, self.places_that_hold("qzkettle", "qzfailure"))
        receipt = self.forget()
        deleted = receipt["deleted"]
        self.assertEqual((deleted["memories"], deleted["turns"], deleted["sessions"]), (3, 6, 2), deleted)
        self.assertEqual(receipt["redis"], {"cancelled_jobs": 0, "replies": 1, "dead_letters": 1})
        self.check_forgotten()
        self.assertEqual(self.stored("v"), beside)
        self.check_new_beginning()
        self.assert_idle()

    def test_from_the_command_line(self):
        self.start()
        self.talk()
        answer = self.ctl("user", "forget", "--user", USER, "--yes", "--json")
        self.assertEqual(answer.status, 0, answer)
        self.assertEqual(json.loads(answer.out)["deleted"]["memories"], 3)
        self.check_forgotten()

    def test_twice_and_a_nobody(self):
        self.start()
        self.talk()
        self.forget()
        for user in (USER, "qznobody"):
            receipt = self.forget(user)
            self.assertEqual(receipt["deleted"], NOTHING)
            self.assertEqual(receipt["redis"], {"cancelled_jobs": 0, "replies": 0, "dead_letters": 0})
        self.check_forgotten()
        self.assertEqual(self.database_places_that_hold("qznobody"), [])

    def test_while_he_talks_on_and_on_each_caller_gets_one_reply(self):
        self.start()
        ids = [f"j{n:02}" for n in range(60)]
        callers = Callers(self.redis.connect(), ids)
        for n, id in enumerate(ids):
            self.push(f"qzboat {n}", id=id, user_id=USER, session_id=f"s{n % 3}")
            if n % 20 == 19:
                self.assertEqual(self.one_reply(self.request("user.forget", USER))["status"], "ok")
        for id, replies in callers.finish().items():
            self.assertEqual(len(replies), 1, (id, replies))
            if replies[0]["status"] == "error":
                self.refused(replies[0], "cancelled")
            self.assertEqual(self.redis.client.exists("engram:reply:" + id), 0)
        self.check_forgotten()
        self.check_new_beginning()


class WhileTheUserTalks(ForgettingCase):
    def start_two(self):
        return [
            self.start(queue_max_in_flight=3, queue_max_parked_per_user=5, queue_max_parked=7)
            for _ in range(2)
        ]

    def crowd(self):
        """Jobs of the user in every place: running in both daemons, behind those, in the backlog beyond the share,
        and not looked at yet. And another user's between them. Returns the ids of both."""
        self.hold(*(f"qzboat {n}" for n in range(4)), "one")
        mine = [self.push(f"qzboat {n}", user_id=USER, session_id=f"qzsea{n}") for n in range(4)]
        mine.append(self.push("behind qzboat", user_id=USER, session_id="qzsea0", metadata={"n": 1}))
        self.claude.wait_for_requests(4)
        other = [self.push("one", user_id="v", session_id="s"), self.push("two", user_id="v", session_id="s")]
        self.wait_for_calls("one")
        eventually(lambda: self.redis.client.hlen("engram:body") == 7, "the lanes are full")
        mine += [self.push(f"over qzboat {n}", user_id=USER, session_id="qzland") for n in range(2)]
        eventually(lambda: self.redis.client.llen(f"engram:backlog:{USER}") == 2, "two are in the backlog")
        other.append(self.push("three", user_id="v", session_id="s"))
        mine += [self.push(f"last qzboat {n}", user_id=USER, session_id=None) for n in range(2)]
        owned = [self.redis.client.hlen(key) for key in self.redis.client.keys("engram:owned:*")]
        self.assertEqual((len(owned), sum(owned)), (2, 5))
        self.assertEqual(self.redis.client.llen("engram:jobs"), 3)
        return mine, other

    def check_others(self, other):
        self.release_all()
        replies = [self.one_reply(job) for job in other]
        self.assertEqual([r["reply"] for r in replies], ["re: one", "re: two", "re: three"])
        said = [text for role, text in self.turns("v") if role == "user"]
        self.assertEqual(said, ["one", "two", "three"])

    def test_each_of_the_users_jobs_wherever_it_is_gets_one_reply(self):
        daemons = self.start_two()
        done = self.push("hello qzkettle", user_id=USER, session_id="qzsea0")
        self.assertEqual(self.one_reply(done)["status"], "ok")
        mine, other = self.crowd()
        receipt = self.forget()
        self.assertEqual(receipt["redis"]["cancelled_jobs"], len(mine))
        self.assertEqual(receipt["deleted"]["turns"], 2)
        replies = [self.check_cancelled(job) for job in mine]
        self.assertEqual(replies[4]["metadata"], {"n": 1})
        self.assertEqual(self.redis.client.xlen("engram:dead"), 0)
        self.check_others(other)
        asked = {r.new_message.split()[0] for r in self.claude.requests}
        self.assertEqual(asked, {"hello", "qzboat", "one", "two", "three"})
        self.assert_idle()
        for daemon in daemons:
            self.assertEqual(daemon.stop(), 0)  # the calls for the user are over
        self.check_forgotten()
        for job in mine:
            self.assertEqual(self.redis.client.exists("engram:reply:" + job), 0)

    def test_what_comes_after_the_receipt_runs_while_calls_of_before_are_still_held(self):
        self.start_two()
        mine, other = self.crowd()
        self.forget()
        self.check_new_beginning()
        self.check_others(other)
        for job in mine:
            self.check_cancelled(job)
        self.assertEqual(self.admin("stats", USER)["turns"], 4)
        self.assert_idle()

    def test_the_users_other_requests_are_cancelled_and_those_of_others_are_not(self):
        mine = [self.request("memory.add", USER, content=f"qzboat {n}") for n in range(3)]
        forget = self.request("user.forget", USER)
        later = [self.request("memory.add", USER, content=f"qzboat {n}") for n in range(3, 6)]
        other = [self.request("memory.add", "v", content=f"tea {n}") for n in range(3)]
        self.start()
        for request in mine:
            self.assertEqual(self.one_reply(request)["status"], "ok")
        self.assertEqual(self.one_reply(forget)["result"]["deleted"]["memories"], 3)
        for request in later:
            self.refused(self.one_reply(request), "cancelled")
        for request in other:
            self.assertEqual(self.one_reply(request)["result"]["action"], "added")
        self.check_forgotten()


class InTrouble(ForgettingCase):
    def test_a_store_that_is_locked_for_too_long_is_an_error_and_a_repeat_finishes(self):
        daemon = self.start(store_busy_timeout_ms=100)
        self.talk()
        with self.locked_store():
            reply = self.reply(self.request("user.forget", USER), timeout=PATIENCE + 40)
            self.assertIn("the store cannot be used now", self.refused(reply, "internal", retryable=True))
        self.assertIsNone(daemon.status)
        self.assertEqual(self.forget()["deleted"]["memories"], 3)
        self.check_forgotten()

    def fail_at_redis(self):
        self.start()
        self.talk()
        client = self.redis.client
        client.execute_command("ACL", "SETUSER", "default", "-lrange")
        failed = self.request("user.forget", USER)
        message = self.refused(self.reply(failed), "internal", retryable=True)
        self.assertIn("Redis could not be asked", message)
        client.execute_command("ACL", "SETUSER", "default", "+lrange")

    def test_a_step_that_redis_refuses_is_an_error_and_a_repeat_finishes(self):
        self.fail_at_redis()
        self.reply(self.waiting)
        self.assertEqual(self.forget()["redis"]["dead_letters"], 1)
        self.check_forgotten()

    def test_a_repeat_finds_the_replies_that_waited_before_the_first_attempt(self):
        self.fail_at_redis()
        receipt = self.forget()
        self.assertEqual((receipt["redis"]["replies"], receipt["deleted"]["replies"]), (1, 0))
        self.check_forgotten()

    def test_without_a_repeat_the_daemon_finishes_it(self):
        self.fail_at_redis()
        eventually(lambda: self.redis.client.xlen("engram:dead") == 0, "the dead letters are gone")
        eventually(lambda: self.rows("SELECT count(*) FROM engram_erasure") == [(0,)], "nothing is left to do")
        self.check_forgotten()

    def test_a_request_that_a_stalled_daemon_is_about_to_carry_out_is_waited_for(self):
        daemons = [self.start(store_busy_timeout_ms=5000, queue_lease_ms=15000) for _ in range(2)]
        taken = lambda: self.redis.client.keys("engram:admin:taken:*")  # noqa: E731
        with self.locked_store():
            add = self.request("memory.add", USER, content="The user owns a qzboat")
            key = eventually(taken, "the request is taken")[0].decode()
            (stalled,) = [d for d in daemons if f":{d.name}-" in key]
            stalled.send(signal.SIGSTOP)
            forget = self.request("user.forget", USER)
            eventually(lambda: len(taken()) == 2, "the other is taken, too")
        early = self.redis.client.blpop("engram:reply:" + forget, 1)
        stalled.send(signal.SIGCONT)
        self.assertIsNone(early)
        self.assertEqual(self.one_reply(add)["status"], "ok")
        self.assertEqual(self.one_reply(forget)["result"]["deleted"]["memories"], 1)
        self.check_forgotten()

    def test_a_restart_of_redis_delays_it(self):
        self.start(store_busy_timeout_ms=100)
        self.talk()
        self.hold("qzboat now")
        job = self.push("qzboat now", user_id=USER)
        self.wait_for_calls("qzboat now")
        with self.locked_store():
            request = self.request("user.forget", USER)
            eventually(lambda: self.redis.client.keys("engram:admin:taken:*"), "the request is taken")
            self.redis.kill()
        self.redis.start()
        receipt = self.one_reply(request)["result"]
        self.assertEqual(receipt["redis"]["cancelled_jobs"], 1)
        self.release_all()
        self.check_cancelled(job)
        self.check_forgotten()
        self.assert_idle()

    def test_a_daemon_that_dies_in_the_middle_leaves_it_to_another(self):
        first = self.start(env={"ENGRAM_FAILPOINT": "forgotten:1"})
        self.talk()
        self.reply(self.waiting)
        self.hold("qzboat now")
        jobs = [self.push("qzboat now", user_id=USER), self.push("and qzcar", user_id=USER)]
        self.wait_for_calls("qzboat now")
        request = self.request("user.forget", USER)
        self.assertEqual(first.wait(), -signal.SIGKILL)
        self.assertEqual(self.memories(USER), [])
        self.assertIn("engram:dead", self.places_that_hold("qzfailure"))
        self.start()
        self.assertEqual(self.one_reply(request)["result"]["redis"]["dead_letters"], 1)
        for job in jobs:
            self.check_cancelled(job)
        self.release_all()
        self.check_forgotten()
        self.check_new_beginning()
        self.assert_idle()


if __name__ == "__main__":
    main()
