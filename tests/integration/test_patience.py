"""Trouble that passes costs no job: it waits in its place, holds no slot, and is tried again."""

import json
import signal
import threading

from harness import PATIENCE, Response, eventually, free_port, main, message_body
from trouble_case import BEATS, CONVERSATIONS, DELAYED, TroubleCase, page, refusal, tests_of

OVERLOADED = refusal(529, "overloaded_error")
A_LONG_WHILE = refusal(529, "overloaded_error", headers={"retry-after": "30"})

# What is answered, and what operators see as the reason; None: in words that this test does not know.
PASSING = {
    "529": (OVERLOADED, "HTTP status 529 overloaded_error"),
    "429": (refusal(429, "rate_limit_error"), "HTTP status 429 rate_limit_error"),
    "429_wish": (
        refusal(429, "rate_limit_error", headers={"retry-after": "1"}),
        "HTTP status 429 rate_limit_error",
    ),
    "429_ramp": (
        refusal(429, "rate_limit_error", code="ramp_limit_exceeded"),
        "HTTP status 429 rate_limit_error/ramp_limit_exceeded",
    ),
    "408": (refusal(408, "timeout_error"), "HTTP status 408 timeout_error"),
    "409": (refusal(409, "conflict_error"), "HTTP status 409 conflict_error"),
    "500": (refusal(500, "api_error"), "HTTP status 500 api_error"),
    "502_page": (page(502), "HTTP status 502"),
    "503": (refusal(503, "api_error"), "HTTP status 503 api_error"),
    "503_cmek": (
        refusal(503, "api_error", code="cmek_unavailable"),
        "HTTP status 503 api_error/cmek_unavailable",
    ),
    "504": (refusal(504, "timeout_error"), "HTTP status 504 timeout_error"),
    "400_that_may_be_tried_again": (
        refusal(400, "invalid_request_error", headers={"x-should-retry": "true"}),
        "HTTP status 400 invalid_request_error",
    ),
    "reset": (Response(reset=True), None),
    "nothing": (Response(raw=b""), None),
    "cut": (
        Response(raw=b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"),
        None,
    ),
    "garbage": (Response(b"qzwording", 200), None),
    "no_http": (Response(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), None),
}


@tests_of(PASSING, "what_passes_costs_no_job", "check_passing")
class WhatPasses(TroubleCase):
    """A hundred jobs of twenty conversations meet a provider in trouble."""

    def check_passing(self, trouble, why):
        self.trouble = trouble
        daemon = self.start_daemon(claude_max_retries=0, **BEATS)
        ids = self.push_backlog()
        self.watch_them_wait(why)
        eventually(
            lambda: len(self.claude.requests) >= 2 * CONVERSATIONS, "each conversation is tried again in vain"
        )
        self.trouble = None
        replies = self.check_backlog(ids)
        self.assertTrue(any(reply["attempts"] > 1 for reply in replies.values()))
        self.assertNotIn("qzwording", daemon.log())

    def watch_them_wait(self, why):
        seen = eventually(lambda: self.delayed() >= CONVERSATIONS // 2 and self.reasons(), "jobs are delayed")
        if why:
            self.assertEqual(seen, {why})
        for reason in seen:
            self.assertTrue(reason)
            self.assertNotIn("qzwording", reason)
            self.assertNotIn("m0", reason)
        self.assertEqual((self.replies_that_wait(), self.dead_letters()), ([], []))

    def test_what_passes_costs_no_job_dead_address(self):
        port = free_port()
        self.start_daemon(claude_max_retries=0, claude_base_url=f"http://127.0.0.1:{port}", **BEATS)
        ids = self.push_backlog()
        self.watch_them_wait(None)
        self.start_fake(self.speak, port)
        self.check_backlog(ids)

    def test_what_passes_costs_no_job_stall(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.trouble = lambda request: "late" if gate.wait(PATIENCE) else ""
        self.start_daemon(claude_max_retries=0, claude_timeout_ms=300, **BEATS)
        ids = self.push_backlog()
        self.watch_them_wait(None)
        self.trouble = None
        self.check_backlog(ids)

    def test_an_address_without_a_name_is_waited_for(self):
        self.start_daemon(claude_max_retries=0, claude_base_url="http://no-such-host.invalid", **BEATS)
        job = self.push(deadline_ms=4000)
        eventually(self.reasons, "it is delayed")
        self.assert_error(self.reply(job), "deadline_exceeded")

    def test_what_passes_between_good_answers_costs_no_job_either(self):
        answers = [0]
        lock = threading.Lock()

        def every_third_fails(request):
            with lock:
                answers[0] += 1
                return OVERLOADED if answers[0] % 3 == 0 else None

        self.trouble = every_third_fails
        self.start_daemon(claude_max_retries=0, **BEATS)
        self.check_backlog(self.push_backlog())

    def test_a_server_that_says_no_is_not_asked_again(self):
        self.trouble = refusal(500, "api_error", headers={"x-should-retry": "false"})
        self.start_daemon(**BEATS)
        ids = [self.push(session_id=f"s{n}") for n in range(5)]
        for job in ids:
            self.assert_error(self.reply(job), "claude_unavailable")
        self.assertEqual(len(self.claude.requests), 5)


class InTheirPlace(TroubleCase):
    def start(self, **changes):
        return self.start_daemon(**{"claude_max_retries": 0, **BEATS, **changes})

    def test_delayed_jobs_hold_no_place(self):
        self.trouble = lambda request: A_LONG_WHILE if request.new_message.startswith("m") else None
        daemon = self.start(queue_max_in_flight=4)
        ids = self.push_backlog(40, 40)
        self.wait_until_delayed(40)
        eventually(lambda: self.said(daemon).get("in_flight") == 0, "nothing is in hand")
        self.assertEqual([key for key in self.keys() if ":owned:" in key], [])
        self.assertEqual(self.ask("beside", session_id="beside")["attempts"], 1)
        said = eventually(lambda: (s := self.said(daemon)).get("delayed", 0) >= 40 and s, "it counts them")
        self.assertTrue(said["ready"], said)
        answer = self.ctl("queue", "status", "--json")
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        delayed = json.loads(answer.out)["delayed"]
        self.assertEqual((delayed["count"], len(delayed["lanes"])), (40, 10))
        self.assertTrue(0 < delayed["next_ms"] <= 33_000, delayed)
        self.assertEqual({lane["user"] for lane in delayed["lanes"]}, {"u"})
        self.assertEqual({lane["reason"] for lane in delayed["lanes"]}, {"HTTP status 529 overloaded_error"})
        self.assertEqual(self.waiting_jobs(), 40)
        self.trouble = None
        self.wake()
        replies = self.check_backlog(ids, conversations=40)
        self.assertEqual({reply["attempts"] for reply in replies.values()}, {2})

    def test_the_conversation_waits_in_order_and_others_go_on(self):
        self.trouble = lambda request: A_LONG_WHILE if request.new_message == "first" else None
        self.start()
        ids = [self.push(text) for text in ("first", "second", "third")]
        self.wait_until_delayed(1)
        for n in range(3):
            self.ask(f"beside {n}", session_id="beside")
        self.ask("of another user", user_id="v")
        self.assertEqual((self.asked("first"), self.asked("second"), self.asked("third")), (1, 0, 0))
        self.trouble = None
        self.wake()
        self.assertEqual([self.reply(job)["attempts"] for job in ids], [2, 1, 1])
        self.assertEqual([t for role, t in self.turns() if role == "user"], ["first", "second", "third"])
        self.assert_idle()

    def test_a_long_wish_is_waited_for_without_a_place(self):
        for answer in (refusal(429, "rate_limit_error", headers={"retry-after": "6"}), "at last"):
            self.claude.put(answer)
        daemon = self.start(claude_max_retries=2)
        job = self.push()
        self.wait_until_delayed(1)
        eventually(lambda: self.said(daemon).get("in_flight") == 0, "nothing is in hand")
        self.assertEqual(self.reply(job)["reply"], "at last")
        first, second = self.claude.requests
        self.assertGreaterEqual(second.at - first.at, 5.9)

    def test_a_short_wish_is_waited_for_in_place(self):
        for answer in (refusal(429, "rate_limit_error", headers={"retry-after": "1"}), "at last"):
            self.claude.put(answer)
        self.start(claude_max_retries=2)
        reply = self.ask()
        self.assertEqual((reply["reply"], reply["attempts"]), ("at last", 1))

    def test_the_pauses_grow(self):
        self.trouble = OVERLOADED
        self.start()
        self.push()
        times = [request.at for request in self.claude.wait_for_requests(5)]
        pauses = [later - earlier for earlier, later in zip(times, times[1:])]
        self.assertGreaterEqual(pauses[0], 0.7)
        self.assertGreater(pauses[3], 1.3 * pauses[0], pauses)

    def test_a_repeat_waits_for_the_delayed_one_and_shares_its_answer(self):
        self.trouble = A_LONG_WHILE
        self.start()
        for _ in range(2):
            self.push("hello", id="the-same")
        self.wait_until_delayed(1)
        self.trouble = None
        self.wake()
        self.assertEqual([self.reply("the-same")["reply"] for _ in range(2)], ["re: hello"] * 2)
        self.assertEqual(self.asked("hello"), 2)
        self.assertEqual(len(self.turns()), 2)


class HowLong(TroubleCase):
    """Until queue.retry_for_ms is over, or the deadline comes."""

    def setUp(self):
        super().setUp()
        self.trouble = OVERLOADED

    def start(self, **changes):
        return self.start_daemon(**{"claude_max_retries": 0, **BEATS, **changes})

    def test_without_patience_the_first_failure_is_the_last(self):
        self.start(queue_retry_for_ms=0)
        reply = self.reply(self.push())
        self.assert_error(reply, "claude_unavailable")
        self.assertEqual((reply["attempts"], len(self.claude.requests)), (1, 1))
        self.assert_idle()

    def test_patience_ends(self):
        self.start(queue_retry_for_ms=3000)
        ids = [self.push("one"), self.push("two")]
        reply = self.reply(ids[0])
        self.assert_error(reply, "claude_unavailable")
        self.assertTrue(reply["error"]["retryable"])
        self.assertGreater(reply["attempts"], 1)
        times = [request.at for request in self.claude.requests if request.new_message == "one"]
        self.assertLess(times[-1] - times[0], 4.5)
        # The next one has patience of its own.
        self.trouble = None
        self.assertEqual(self.reply(ids[1])["reply"], "re: two")
        self.assertEqual([d[b"reason"] for d in self.dead_letters()], [b"claude_unavailable"])
        self.assertEqual(self.client.zcard(DELAYED), 0)
        self.assert_idle()

    def test_patience_is_over_though_another_daemon_began_it(self):
        first = self.start(queue_retry_for_ms=6000)
        job = self.push()
        self.claude.wait_for_requests(3)
        self.wait_until_delayed(1)
        self.assertEqual(first.stop(), 0)
        self.start(queue_retry_for_ms=6000)
        self.assert_error(self.reply(job), "claude_unavailable")
        times = [request.at for request in self.claude.requests]
        self.assertLess(times[-1] - times[0], 6.7)

    def test_a_deadline_ends_it_and_says_what_failed(self):
        self.start()
        reply = self.reply(self.push(deadline_ms=3000), timeout=10)
        self.assert_error(reply, "deadline_exceeded")
        self.assertIn("529", reply["error"]["message"])
        self.assertEqual(self.dead_letters()[0][b"reason"], b"deadline_exceeded")
        self.assert_idle()

    def test_a_pause_that_would_reach_the_deadline_is_not_begun(self):
        self.trouble = A_LONG_WHILE
        self.start()
        self.assert_error(self.reply(self.push(deadline_ms=20_000), timeout=10), "deadline_exceeded")
        self.assertEqual(len(self.claude.requests), 1)

    def test_a_backlog_ends_by_its_deadlines_alone(self):
        self.start(queue_deadline_ms=4000)
        ids = self.push_backlog(20, 5)
        for job in ids:
            self.assert_error(self.reply(job), "deadline_exceeded")
        self.assertEqual({d[b"reason"] for d in self.dead_letters()}, {b"deadline_exceeded"})
        self.assert_idle()


class WhoeverWakesThem(TroubleCase):
    def setUp(self):
        super().setUp()
        self.trouble = A_LONG_WHILE

    def start(self, **changes):
        return self.start_daemon(**{"claude_max_retries": 0, **BEATS, **changes})

    def check_the_next_one_answers(self, ids, conversations):
        self.assertEqual(self.delayed(), conversations)
        self.trouble = None
        self.wake()
        replies = self.check_backlog(ids, conversations=conversations)
        self.assertLessEqual(max(reply["attempts"] for reply in replies.values()), 2)

    def test_a_stop_leaves_them_delayed_and_the_next_daemon_wakes_them(self):
        daemon = self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        self.assertEqual(daemon.stop(), 0)
        self.start()
        self.check_the_next_one_answers(ids, 10)

    def test_a_death_leaves_them_delayed_and_counts_against_none(self):
        daemon = self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        eventually(lambda: self.said(daemon).get("in_flight") == 0, "nothing is in hand")
        daemon.kill()
        self.start(queue_max_deliveries=1)
        self.check_the_next_one_answers(ids, 10)

    def test_any_of_two_wakes_what_the_other_delayed(self):
        one = self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        two = self.start()
        one.send(signal.SIGSTOP)
        self.addCleanup(one.send, signal.SIGCONT)
        self.check_the_next_one_answers(ids, 10)
        self.assertIsNone(two.status)

    def test_two_daemons_share_what_comes_back(self):
        for _ in range(2):
            self.start()
        ids = self.push_backlog()
        self.wait_until_delayed(CONVERSATIONS)
        self.trouble = None
        self.wake()
        self.check_backlog(ids)
        self.assertEqual(len(self.claude.requests), len(ids) + CONVERSATIONS)

    def test_redis_restarts_meanwhile(self):
        self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        self.redis.kill()
        self.redis.start()
        self.client = self.redis.client
        self.check_the_next_one_answers(ids, 10)


class WhatIsErased(TroubleCase):
    def setUp(self):
        super().setUp()
        self.start_daemon(claude_max_retries=0, **BEATS)
        self.ask("before")
        self.trouble = A_LONG_WHILE

    def test_a_user_who_is_forgotten_has_no_delayed_job_left(self):
        mine = [self.push("one", session_id="a"), self.push("two", session_id="a"), self.push("three")]
        other = self.push("of another", user_id="v")
        self.wait_until_delayed(3)
        self.assertEqual(self.admin("user.forget")["redis"]["cancelled_jobs"], 3)
        for job in mine:
            self.assert_error(self.reply(job), "cancelled")
        self.assertEqual(self.delayed(), 1)
        self.trouble = None
        self.wake()
        self.assertEqual(self.reply(other)["reply"], "re: of another")
        self.assertEqual((self.asked("one"), self.asked("two")), (1, 0))
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE user_id = 'u'"), [(0,)])
        self.assert_idle()

    def test_a_conversation_that_is_deleted_goes_on_with_what_waits(self):
        job = self.push("after")
        self.wait_until_delayed(1)
        self.admin("session.delete", session_id="s")
        self.trouble = None
        self.wake()
        self.assertEqual(self.reply(job)["reply"], "re: after")
        self.assertEqual([text for _, text in self.turns()], ["after", "re: after"])
        self.assert_idle()


class WithoutText(TroubleCase):
    def test_an_answer_without_text_is_no_trouble(self):
        self.trouble = lambda request: message_body(content=[])
        self.start_daemon()
        reply = self.ask()
        self.assertEqual((reply["reply"], reply["attempts"]), ("", 1))
        self.assertEqual(len(self.claude.requests), 1)


if __name__ == "__main__":
    main()
