"""Claude misbehaves: what is tried again at once, what is answered. What waits: test_patience.py and test_gate.py."""

import json
import threading

from harness import API_KEY, Case, PATIENCE, Response, error_body, main, message_body

UNAUTHORIZED = Response(error_body("authentication_error", "invalid x-api-key"), 401)


def status(code, kind, **more):
    return Response(error_body(kind, f"fault {code}"), code, **more)


class Retries(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()

    def test_what_passes_is_tried_again(self):
        cases = {
            "529": status(529, "overloaded_error"),
            "500": status(500, "api_error"),
            "503": status(503, "api_error"),
            "504": status(504, "timeout_error"),
            "408": status(408, "timeout_error"),
            "409": status(409, "conflict_error"),
            "429": status(429, "rate_limit_error"),
            "a page of a proxy": Response(b"<html>Bad gateway</html>", 502, {"content-type": "text/html"}),
            "a cut body": Response(
                raw=b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"
            ),
            "no JSON": Response(b"hello", 200),
            "JSON of another kind": Response(b"[1,2,3]", 200),
            "no body": Response(b"", 200),
            "not UTF-8": Response(
                b'{"id":"m","type":"message","role":"assistant","content":[{"type":"text",'
                b'"text":"\xff\xfe"}],"model":"m","stop_reason":"end_turn","usage":{}}',
                200,
            ),
            "no HTTP": Response(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            "nothing at all": Response(raw=b""),
            "a broken connection": Response(reset=True),
            "a head without end": Response(raw=b"HTTP/1.1 200 OK\r\ncontent-"),
        }
        remaining = dict(cases)
        self.claude.default = lambda request: remaining.pop(request.new_message, "fine now")
        self.start_daemon()
        ids = {what: self.push(what, session_id=what) for what in cases}
        for what, job in ids.items():
            with self.subTest(what=what):
                reply = self.reply(job)
                self.assertEqual(reply["status"], "ok", reply)
                # Bytes that are no UTF-8 may be mended instead.
                if what != "not UTF-8":
                    self.assertEqual(reply["reply"], "fine now")
        self.assert_idle()

    def test_retry_after_is_obeyed(self):
        self.claude.put(status(429, "rate_limit_error", headers={"retry-after": "2"}), "ok")
        self.start_daemon()
        self.assertEqual(self.ask()["reply"], "ok")
        first, second = self.claude.requests
        self.assertGreaterEqual(second.at - first.at, 1.9)

    def test_the_server_decides_whether_to_retry(self):
        self.claude.put(status(500, "api_error", headers={"x-should-retry": "false"}))
        self.start_daemon()
        self.assert_error(self.reply(self.push()), "claude_unavailable")
        self.assertEqual(len(self.claude.requests), 1)

    def test_the_same_request_is_sent_again(self):
        self.claude.put(status(529, "overloaded_error"), "ok")
        self.start_daemon()
        self.ask("again")
        first, second = self.claude.requests
        self.assertEqual(first.raw, second.raw)

    def test_after_the_last_try_it_is_claude_unavailable(self):
        self.claude.default = lambda request: status(500, "api_error")
        daemon = self.start_daemon(claude_max_retries=1, queue_retry_for_ms=0)
        job = self.push(metadata={"m": 1})
        reply = self.reply(job)
        self.assert_error(reply, "claude_unavailable")
        self.assertTrue(reply["error"]["retryable"])
        self.assertEqual(reply["metadata"], {"m": 1})
        self.assertEqual(len(self.claude.requests), 2)
        letters = self.dead_letters()
        self.assertEqual([(d[b"id"].decode(), d[b"reason"]) for d in letters], [(job, b"claude_unavailable")])
        self.assertEqual(json.loads(letters[0][b"job"])["id"], job)
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history"), [(0,)])
        self.claude.default = lambda request: "back"
        self.assertEqual(self.ask("once more")["reply"], "back")
        self.assertIsNone(daemon.status)
        self.assert_idle()

    def test_nobody_at_the_address_is_claude_unavailable(self):
        self.start_daemon(
            claude_base_url="http://127.0.0.1:9", claude_max_retries=0, queue_retry_for_ms=0
        )
        self.assert_error(self.reply(self.push()), "claude_unavailable")

    def test_an_address_without_a_name_is_claude_unavailable(self):
        self.start_daemon(
            claude_base_url="http://no-such-host.invalid", claude_max_retries=0, queue_retry_for_ms=0
        )
        self.assert_error(self.reply(self.push()), "claude_unavailable")

    def test_a_request_that_is_refused_is_claude_rejected_and_not_repeated(self):
        for n, (code, kind) in enumerate(
            [
                (400, "invalid_request_error"),
                (413, "request_too_large"),
                (422, "invalid_request_error"),
            ]
        ):
            with self.subTest(code=code):
                self.claude.put(Response(error_body(kind, f"reason number {code}"), code))
                if n == 0:
                    self.start_daemon()
                reply = self.reply(self.push())
                self.assert_error(reply, "claude_rejected")
                self.assertFalse(reply["error"]["retryable"])
                self.assertIn(f"reason number {code}", reply["error"]["message"])
                self.assertEqual(len(self.claude.requests), n + 1)
        self.assertEqual(self.ask("and now")["status"], "ok")

    def test_a_too_large_request_in_the_form_of_the_proxy_is_claude_rejected(self):
        self.claude.put(
            Response(
                {"error": {"type": "request_too_large", "message": "Request exceeds the maximum size"}}, 413
            )
        )
        self.start_daemon()
        self.assert_error(self.reply(self.push()), "claude_rejected")

    def test_an_answer_too_large_to_keep_is_an_error(self):
        self.claude.default = lambda request: message_body("x" * 200_000)
        self.start_daemon(
            claude_max_response_bytes=100_000, claude_max_retries=0, queue_retry_for_ms=0
        )
        self.assert_error(self.reply(self.push()), "claude_unavailable")

    def test_an_answer_that_does_not_come_in_time_is_an_error(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def late(request):
            gate.wait(PATIENCE)
            return "late"

        self.claude.default = late
        self.start_daemon(claude_timeout_ms=300, claude_max_retries=1, queue_retry_for_ms=0)
        self.assert_error(self.reply(self.push()), "claude_unavailable")
        self.assertEqual(len(self.claude.requests), 2)

    def test_a_deadline_ends_the_wait(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def late(request):
            gate.wait(PATIENCE)
            return "late"

        self.claude.default = late
        self.start_daemon()
        job = self.push("slow", deadline_ms=400)
        reply = self.reply(job)
        self.assert_error(reply, "deadline_exceeded")
        self.assertEqual(self.dead_letters()[0][b"reason"], b"deadline_exceeded")
        gate.set()
        # The late answer has no effect.
        self.assertEqual(self.ask("next")["status"], "ok")
        self.assertEqual([text for _, text in self.turns()], ["next", "late"])
        self.assert_idle()

    def test_a_deadline_ends_the_retries(self):
        self.claude.default = lambda request: status(529, "overloaded_error", headers={"retry-after": "30"})
        self.start_daemon(claude_max_retries=10)
        self.assert_error(self.reply(self.push(deadline_ms=1500), timeout=10), "deadline_exceeded")

    def test_the_configured_deadline_is_for_jobs_without_one(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.claude.default = lambda request: "late" if gate.wait(PATIENCE) else ""
        self.start_daemon(queue_deadline_ms=300)
        self.assert_error(self.reply(self.push()), "deadline_exceeded")

    def test_waiting_behind_others_counts_towards_the_deadline(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.claude.default = lambda request: "done" if gate.wait(PATIENCE) else ""
        self.start_daemon()
        first = self.push("first")
        self.claude.wait_for_requests(1)
        second = self.push("second", deadline_ms=1)
        third = self.push("third", session_id="other", deadline_ms=300)
        # Its own deadline has passed by the time another job's has.
        self.assert_error(self.reply(third), "deadline_exceeded")
        gate.set()
        self.assertEqual(self.reply(first)["status"], "ok")
        self.assert_error(self.reply(second), "deadline_exceeded")
        self.assertEqual(len([r for r in self.claude.requests if r.new_message == "second"]), 0)


class OddAnswers(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()
        self.start_daemon()

    def answer(self, body):
        self.claude.put(body)
        return self.ask("go on", session_id=None)

    def test_blocks_are_chosen_by_their_type(self):
        reply = self.answer(
            message_body(
                content=[
                    {"type": "thinking", "thinking": "[MEMORY: fact|a thought] hm", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "xx"},
                    {"type": "text", "text": "Part one, "},
                    {"type": "a_block_of_the_future", "text": "not this", "x": {"y": []}},
                    {"type": "text", "text": "part two.", "citations": None},
                ]
            )
        )
        self.assertEqual((reply["reply"], reply["memories"]), ("Part one, part two.", []))

    def test_no_content_is_an_empty_reply(self):
        reply = self.answer(message_body(content=[]))
        self.assertEqual((reply["reply"], reply["stop_reason"]), ("", "end_turn"))
        reply = self.answer(
            message_body(
                content=[{"type": "thinking", "thinking": "hm", "signature": "s"}], stop_reason="max_tokens"
            )
        )
        self.assertEqual((reply["reply"], reply["stop_reason"]), ("", "max_tokens"))

    def test_a_refusal_is_ok_with_its_stop_reason(self):
        details = {"type": "refusal", "category": "x", "explanation": "no"}
        reply = self.answer(message_body(content=[], stop_reason="refusal", stop_details=details))
        self.assertEqual((reply["status"], reply["reply"], reply["stop_reason"]), ("ok", "", "refusal"))
        reply = self.answer(message_body("I will not", stop_reason="refusal", stop_details=details))
        self.assertEqual((reply["status"], reply["stop_reason"]), ("ok", "refusal"))

    def test_half_a_tag_at_the_end_of_a_cut_answer_is_not_shown(self):
        for tail in ["[MEMORY: fact|The user", "[MEMORY: fa", "[MEMORY:", "[MEMORY: fact|x] [MEMORY: pref"]:
            with self.subTest(tail=tail):
                reply = self.answer(message_body("An answer.\n" + tail, stop_reason="max_tokens"))
                self.assertEqual(reply["reply"], "An answer.")
                self.assertEqual(reply["stop_reason"], "max_tokens")

    def test_usage_may_be_null_or_missing(self):
        for usage in (
            None,
            {},
            {
                "input_tokens": 3,
                "output_tokens": 4,
                "cache_read_input_tokens": None,
                "cache_creation_input_tokens": None,
                "cache_creation": None,
                "service_tier": "standard",
            },
        ):
            with self.subTest(usage=usage):
                body = message_body("ok")
                body["usage"] = usage
                counted = self.answer(body)["usage"]
                self.assertEqual(counted["input_tokens"], (usage or {}).get("input_tokens", 0))
                self.assertEqual(counted["cache_read_input_tokens"], 0)
        body = message_body("ok")
        del body["usage"]
        self.assertEqual(self.answer(body)["usage"]["output_tokens"], 0)

    def test_unknown_members_and_stop_reasons_pass(self):
        reply = self.answer(
            message_body(
                "ok",
                stop_reason="reason_of_the_future",
                container={"id": "c"},
                diagnostics=[1],
                usage={"input_tokens": 1, "output_tokens": 2, "iterations": [{"a": 1}]},
            )
        )
        self.assertEqual((reply["reply"], reply["stop_reason"]), ("ok", "reason_of_the_future"))

    def test_a_chunked_answer_is_read(self):
        payload = json.dumps(message_body("in pieces")).encode()
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(payload[i : i + 7]), payload[i : i + 7]) for i in range(0, len(payload), 7)
        )
        self.claude.put(
            Response(
                raw=b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked"
                b"\r\n\r\n" + chunks + b"0\r\n\r\n"
            )
        )
        self.assertEqual(self.ask()["reply"], "in pieces")


class WithTheSimulator(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_simulator()

    def test_a_connection_that_died_idle_is_replaced_without_a_retry(self):
        self.claude.script({"text": "one", "fault": "reset", "at": "next_request"}, {"text": "two"})
        self.start_daemon(claude_max_retries=0, queue_retry_for_ms=0)
        self.assertEqual(self.ask("first")["reply"], "one")
        self.assertEqual(self.ask("second")["reply"], "two")

    def test_faults_of_the_connection_are_tried_again(self):
        faults = [
            {"fault": "reset", "at": "before_reply"},
            {"fault": "reset", "at": "after_headers"},
            {"fault": "reset", "at": "mid_body"},
            {"fault": "close", "at": "before_reply"},
            {"fault": "close", "at": "mid_body"},
            {"fault": "truncated"},
            {"fault": "garbage_body"},
            {"fault": "garbage_http"},
            {"fault": "overloaded"},
            {"status": 500},
        ]
        self.claude.script(
            *[{**fault, "match": f"case {n}."} for n, fault in enumerate(faults)],
            {"text": "fine", "repeat": -1},
        )
        self.start_daemon()
        ids = [self.push(f"case {n}.", session_id=f"s{n}") for n in range(len(faults))]
        for fault, job in zip(faults, ids):
            with self.subTest(fault=fault):
                self.assertEqual(self.reply(job).get("reply"), "fine")
        self.assertEqual(self.claude.stats()["steps_left"], 1)

    def test_a_stalled_answer_is_given_up_after_the_timeout_and_asked_again(self):
        self.claude.script({"fault": "stall", "at": "mid_body"}, {"text": "fine"})
        self.start_daemon(claude_timeout_ms=500)
        self.assertEqual(self.ask()["reply"], "fine")

    def test_the_simulator_accepts_what_it_is_sent(self):
        """It checks requests as the API does, by model and version."""
        self.start_daemon(claude_api_version="2026-10-21", claude_auth="bearer")
        self.ask("one")
        self.ask("two")
        self.assertEqual(self.claude.stats()["by_status"].get("400", 0), 0)


class Secrecy(Case):
    SECRETS = ("the-cat-is-called-Mimi", "the-answer-is-blue", "the-memory-is-green", "the-failing-text")

    def log_of_a_busy_daemon(self, level):
        self.start_redis()
        self.start_fake(
            lambda request: UNAUTHORIZED
            if "fail auth" in request.new_message
            else Response(error_body("invalid_request_error", "bad: " + request.new_message), 400)
            if "fail" in request.new_message
            else f"{self.SECRETS[1]}\n[MEMORY: fact|{self.SECRETS[2]}]\n[MEMORY: broken]"
        )
        daemon = self.start_daemon(log_level=level, claude_pause_retry_ms=50)
        self.ask("hello " + self.SECRETS[0])
        self.reply(self.push("fail " + self.SECRETS[3]))
        self.push_raw(b'{"user_id":"u","message":"' + self.SECRETS[0].encode() + b'","id":"x","stream":7}')
        self.reply("x")
        self.push_raw(b"not json " + self.SECRETS[0].encode())
        self.reply(self.push("fail auth " + self.SECRETS[3]))
        self.ask("hello again")
        self.assertEqual(daemon.stop(), 0)
        return daemon.log()

    def check_level(self, level):
        log = self.log_of_a_busy_daemon(level)
        for secret in self.SECRETS:
            self.assertNotIn(secret, log)
        self.assertNotIn(API_KEY, log)
        return log

    def test_info_shows_ids_but_neither_text_nor_key(self):
        log = self.check_level("info")
        self.assertIn("job answered", log)
        self.assertIn("session=s", log)

    def test_debug_shows_neither_text_nor_key(self):
        self.check_level("debug")

    def test_trace_does_not_show_the_key(self):
        self.assertNotIn(API_KEY, self.log_of_a_busy_daemon("trace"))


if __name__ == "__main__":
    main()
