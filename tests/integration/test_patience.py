"""Trouble that passes costs no job: it is tried again, for as long as was wanted."""

import threading

from harness import PATIENCE, Response, eventually, free_port, main, message_body
from trouble_case import BEATS, CONVERSATIONS, DELAYED, JOBS, TroubleCase, page, refusal, tests_of

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
        "the answer was cut",
    ),
    "garbage": (Response(b"qzwording", 200), None),
    "no_http": (Response(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), None),
}


@tests_of(PASSING, "what_passes_costs_no_job", "check_passing")
class WhatPasses(TroubleCase):
    """A hundred jobs of twenty conversations meet a provider in trouble."""

    def check_passing(self, trouble, why):
        self.trouble = trouble
        self.daemon = daemon = self.start_daemon(claude_max_retries=0, **BEATS)
        ids = self.push_backlog()
        if trouble.status == 429:
            self.watch_few_ask(why)
        else:
            self.watch_them_wait(why)
            eventually(
                lambda: len(self.claude.requests) >= 2 * CONVERSATIONS,
                "each conversation is tried again in vain",
            )
        self.trouble = None
        replies = self.check_backlog(ids)
        self.assertTrue(any(reply["attempts"] > 1 for reply in replies.values()))
        self.assertNotIn("qzwording", daemon.log())

    def watch_few_ask(self, why):
        """Who is told to slow down does: one call now and then, and the others wait in Redis, without a slot."""
        self.check_reasons(eventually(self.reasons, "jobs are delayed"), why)
        eventually(lambda: self.in_flight() <= 2, "most places are free")
        asked = len(self.claude.requests)
        eventually(lambda: len(self.claude.requests) >= asked + 2, "it is tried again in vain")
        self.assertLess(len(self.claude.requests), CONVERSATIONS)

    def in_flight(self):
        return self.said(self.daemon).get("in_flight", JOBS)

    def watch_them_wait(self, why):
        seen = eventually(lambda: self.delayed() >= CONVERSATIONS // 2 and self.reasons(), "jobs are delayed")
        self.check_reasons(seen, why)

    def check_reasons(self, seen, why):
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
        self.watch_them_wait("no connection")
        self.start_fake(self.speak, port)
        self.check_backlog(ids)

    def test_what_passes_costs_no_job_stall(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.trouble = lambda request: "late" if gate.wait(PATIENCE) else ""
        self.start_daemon(claude_max_retries=0, claude_timeout_ms=300, **BEATS)
        ids = self.push_backlog()
        self.watch_them_wait("no answer in time")
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
        ids = [self.push(session_id=f"s{n}") for n in range(4)]
        for job in ids:
            self.assert_error(self.reply(job), "claude_unavailable")
        self.assertEqual(len(self.claude.requests), 4)


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


class WithoutText(TroubleCase):
    def test_an_answer_without_text_is_no_trouble(self):
        self.trouble = lambda request: message_body(content=[])
        self.start_daemon()
        reply = self.ask()
        self.assertEqual((reply["reply"], reply["attempts"]), ("", 1))
        self.assertEqual(len(self.claude.requests), 1)


if __name__ == "__main__":
    main()
