"""One effect however often a job comes, order within a session, no waiting between sessions."""

import collections
import json
import threading

from harness import Case, PATIENCE, Response, error_body, eventually, main


def without(reply, *names):
    return {k: v for k, v in reply.items() if k not in names}


class Repeats(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()

    def test_a_repeat_after_success_is_answered_from_the_store(self):
        self.claude.put("Hello Ada. [MEMORY: fact|The user's name is Ada]", "another answer")
        self.start_daemon()
        first = self.reply(self.push("I am Ada", id="once", metadata={"a": 1}))
        for _ in range(3):
            again = self.reply(self.push("I am Ada", id="once", metadata={"a": 1}))
            self.assertEqual(without(again, "timing_ms", "attempts"), without(first, "timing_ms", "attempts"))
        self.assertEqual(len(self.claude.requests), 1)
        self.assertEqual(len(self.turns()), 2)
        self.assertEqual(len(self.memories()), 1)
        self.assertEqual(self.dead_letters(), [])
        self.assert_idle()

    def test_a_repeat_after_a_restart_and_after_redis_forgot_is_answered_from_the_store(self):
        first = self.start_daemon()
        reply = self.reply(self.push(id="once"))
        first.kill()
        self.redis.client.flushall()
        self.start_daemon()
        again = self.reply(self.push(id="once"))
        self.assertEqual(without(again, "timing_ms", "attempts"), without(reply, "timing_ms", "attempts"))
        self.assertEqual(len(self.claude.requests), 1)

    def test_a_repeat_while_the_first_is_under_way_shares_its_call(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.claude.default = lambda request: "slow" if gate.wait(PATIENCE) else ""
        self.start_daemon()
        self.push(id="once")
        self.claude.wait_for_requests(1)
        for _ in range(4):
            self.push(id="once")
        self.ask_other(gate)
        replies = [self.reply("once") for _ in range(5)]
        self.assertEqual({r["reply"] for r in replies}, {"slow"})
        self.assertEqual(len([r for r in self.claude.requests if r.new_message == "hi"]), 1)
        self.assertEqual(len(self.turns()), 2)

    def ask_other(self, gate):
        """A job of another session, pushed later, is asked: the repeats before it have been taken as well."""
        other = self.push("other", session_id="other")
        eventually(
            lambda: [r for r in self.claude.requests if r.new_message == "other"], "the other job is asked"
        )
        gate.set()
        self.assertEqual(self.reply(other)["status"], "ok")

    def test_the_same_bytes_pushed_a_hundred_times_have_one_effect(self):
        self.start_daemon()
        self.start_daemon()
        raw = json.dumps({"user_id": "u", "session_id": "s", "id": "once", "message": "hi"}).encode()
        self.redis.client.lpush("engram:jobs", *[raw] * 100)
        replies = [self.reply("once") for _ in range(100)]
        self.assertEqual({r["status"] for r in replies}, {"ok"})
        self.assertEqual(len(self.claude.requests), 1)
        self.assertEqual(len(self.turns()), 2)
        self.assert_idle()

    def test_without_a_session_a_repeat_goes_to_the_session_that_was_made(self):
        self.start_daemon()
        first = self.reply(self.push(id="once", session_id=None))
        again = self.reply(self.push(id="once", session_id=None))
        self.assertEqual(first["session_id"], again["session_id"])
        self.assertEqual(len(self.claude.requests), 1)

    def test_a_repeat_after_an_error_runs_anew(self):
        self.claude.put(Response(error_body("invalid_request_error", "no"), 400), "yes")
        self.start_daemon()
        self.assert_error(self.reply(self.push(id="twice")), "claude_rejected")
        self.assertEqual(self.reply(self.push(id="twice"))["reply"], "yes")
        self.assertEqual(self.reply(self.push(id="twice"))["reply"], "yes")
        self.assertEqual(len(self.claude.requests), 2)
        self.assertEqual(len(self.turns()), 2)

    def test_other_bytes_after_an_error_run_too(self):
        self.start_daemon()
        self.assert_error(self.reply(self.push("", id="mended")), "invalid_job")
        self.assertEqual(self.reply(self.push("now with text", id="mended"))["status"], "ok")

    def test_the_same_id_with_other_bytes_is_a_conflict(self):
        self.start_daemon()
        first = self.reply(self.push("one", id="mine"))
        for n, changes in enumerate(
            [{"message": "two"}, {"session_id": "t"}, {"user_id": "somebody"}, {"metadata": {"x": 1}}]
        ):
            with self.subTest(changes=changes):
                conflict = self.reply(self.push(id="mine", **{"message": "one", **changes}))
                self.assert_error(conflict, "id_conflict")
                self.assertEqual(len(self.dead_letters()), n + 1)
                self.assertEqual(self.dead_letters()[-1][b"reason"], b"id_conflict")
        again = self.reply(self.push("one", id="mine"))
        self.assertEqual(without(again, "timing_ms", "attempts"), without(first, "timing_ms", "attempts"))
        self.assertEqual(len(self.claude.requests), 1)
        self.assertEqual(self.turns(user_id="somebody"), [])

    def test_a_conflict_while_the_first_is_under_way_leaves_one_exchange(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.claude.default = lambda request: "slow" if gate.wait(PATIENCE) else ""
        self.start_daemon()
        self.push("one", id="mine", session_id="a", reply_to="engram:reply:a")
        self.push("two", id="mine", session_id="b", reply_to="engram:reply:b")
        self.claude.wait_for_requests(2)
        gate.set()
        replies = [self.reply("a"), self.reply("b")]
        self.assertEqual(sorted(r["status"] for r in replies), ["error", "ok"])
        self.assert_error(next(r for r in replies if r["status"] == "error"), "id_conflict")
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history"), [(2,)])


class Order(Case):
    """The fake notes who is being answered at the same time."""

    def setUp(self):
        super().setUp()
        self.lock = threading.Lock()
        self.running = collections.Counter()
        self.overlaps = []
        self.heard = collections.defaultdict(list)
        self.start_redis()
        self.start_fake(self.listen)

    def listen(self, request):
        session, number = request.new_message.split()
        with self.lock:
            self.running[session] += 1
            if self.running[session] > 1:
                self.overlaps.append(session)
            self.heard[session].append(int(number))
        # Another thread of the fake gets a turn here.
        threading.Event().wait(0.001)
        with self.lock:
            self.running[session] -= 1
        return f"re: {number}"

    def check_order(self, daemons, sessions, jobs):
        for _ in range(daemons):
            self.start_daemon(queue_max_in_flight=16, summary_enabled="false")
        ids = []
        pipeline = self.redis.client.pipeline()
        for n in range(jobs):
            for s in range(sessions):
                ids.append(f"s{s}-{n}")
                pipeline.lpush(
                    "engram:jobs",
                    json.dumps(
                        {"user_id": "u", "session_id": f"s{s}", "id": ids[-1], "message": f"s{s} {n}"}
                    ),
                )
        pipeline.execute()
        for job in ids:
            self.assertEqual(self.reply(job)["reply"], "re: " + job.split("-")[1])
        self.assertEqual(self.overlaps, [])
        for s in range(sessions):
            self.assertEqual(self.heard[f"s{s}"], list(range(jobs)))
            self.assertEqual(
                [t for r, t in self.turns(session_id=f"s{s}") if r == "user"],
                [f"s{s} {n}" for n in range(jobs)],
            )
        self.assert_idle()

    def test_the_jobs_of_a_session_run_one_by_one_in_order(self):
        self.check_order(daemons=1, sessions=4, jobs=40)

    def test_also_when_three_daemons_share_the_work(self):
        self.check_order(daemons=3, sessions=8, jobs=25)

    def test_a_flooding_session_does_not_hold_up_another(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.claude.default = (
            lambda request: "ok" if "quiet" in request.new_message or gate.wait(PATIENCE) else ""
        )
        self.start_daemon(queue_max_in_flight=4, queue_max_parked=50)
        pipeline = self.redis.client.pipeline()
        for n in range(40):
            pipeline.lpush(
                "engram:jobs", json.dumps({"user_id": "loud", "session_id": "s", "message": f"loud {n}"})
            )
        pipeline.execute()
        self.claude.wait_for_requests(1)
        self.assertEqual(self.ask("quiet 1", user_id="quiet")["reply"], "ok")
        gate.set()

    def test_sessions_run_beside_each_other(self):
        together = threading.Barrier(32)

        def meet(request):
            together.wait(PATIENCE)
            return "met"

        self.claude.default = meet
        self.start_daemon(queue_max_in_flight=32)
        ids = [self.push(session_id=f"s{n}") for n in range(32)]
        self.assertEqual({self.reply(job)["reply"] for job in ids}, {"met"})

    def test_no_more_are_taken_than_configured(self):
        lock, seen, most = threading.Lock(), [0, 0], threading.Event()
        gate = threading.Event()
        self.addCleanup(gate.set)

        def count(request):
            with lock:
                seen[0] += 1
                seen[1] = max(seen)
                if seen[0] == 5:
                    most.set()
            gate.wait(PATIENCE)
            with lock:
                seen[0] -= 1
            return "ok"

        self.claude.default = count
        self.start_daemon(queue_max_in_flight=5)
        ids = [self.push(session_id=f"s{n}") for n in range(30)]
        self.assertTrue(most.wait(PATIENCE))
        gate.set()
        for job in ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.assertEqual(seen[1], 5)


if __name__ == "__main__":
    main()
