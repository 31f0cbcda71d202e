"""A whole turn: a job is pushed, a reply comes."""

import json
import subprocess

from harness import (
    API_KEY,
    Case,
    Listener,
    PATIENCE,
    eventually,
    main,
    memory_lines,
    message_body,
    prompt_turns,
    system_text,
)


class WholeTurn(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()

    def test_a_pushed_job_is_answered_in_the_documented_shape(self):
        self.claude.put(
            message_body(
                "Hello Ada.\n[MEMORY: fact|The user's name is Ada]\n[MEMORY: preference|Prefers tea]",
                usage={
                    "input_tokens": 1000,
                    "output_tokens": 100,
                    "cache_creation_input_tokens": 2000,
                    "cache_read_input_tokens": 4000,
                },
            )
        )
        self.start_daemon()
        reply = self.reply(
            self.push(
                "My name is Ada", user_id="ada", session_id="first", id="job.1:a_B-9", metadata={"trace": 7}
            )
        )
        self.assertEqual(
            set(reply),
            {
                "id",
                "status",
                "user_id",
                "session_id",
                "reply",
                "memories",
                "model",
                "stop_reason",
                "usage",
                "timing_ms",
                "attempts",
                "metadata",
            },
        )
        self.assertEqual(
            (reply["id"], reply["status"], reply["user_id"], reply["session_id"], reply["reply"]),
            ("job.1:a_B-9", "ok", "ada", "first", "Hello Ada."),
        )
        self.assertEqual(reply["model"], "claude-opus-5-5")
        self.assertEqual(reply["stop_reason"], "end_turn")
        self.assertEqual(reply["attempts"], 1)
        self.assertEqual(reply["metadata"], {"trace": 7})
        self.assertEqual(
            [{k: m[k] for k in ("type", "content", "action")} for m in reply["memories"]],
            [
                {"type": "fact", "content": "The user's name is Ada", "action": "added"},
                {"type": "preference", "content": "Prefers tea", "action": "added"},
            ],
        )
        for memory in reply["memories"]:
            self.assertEqual(set(memory), {"id", "type", "content", "action"})
            self.assertIsInstance(memory["id"], int)
        usage = dict(reply["usage"])
        # Opus 5.5: 4 in, 20 out, 5 cache write, 0.2 cache read, USD per million tokens.
        self.assertAlmostEqual(
            usage.pop("cost_usd"), (1000 * 4 + 100 * 20 + 2000 * 5 + 4000 * 0.2) / 1e6, 9
        )
        self.assertEqual(
            usage,
            {
                "input_tokens": 1000,
                "output_tokens": 100,
                "cache_read_input_tokens": 4000,
                "cache_creation_input_tokens": 2000,
            },
        )
        self.assertEqual(set(reply["timing_ms"]), {"queued", "load", "claude", "commit", "total"})
        for name, value in reply["timing_ms"].items():
            self.assertIsInstance(value, int, name)
            self.assertGreaterEqual(value, 0, name)
        self.assertGreaterEqual(reply["timing_ms"]["total"], reply["timing_ms"]["claude"])
        self.assert_idle()

    def test_the_request_is_what_the_messages_api_wants(self):
        self.start_daemon()
        self.ask("What is it?")
        request = self.claude.requests[0]
        self.assertEqual(request.path, "/v1/messages")
        self.assertEqual(request.headers["x-api-key"], API_KEY)
        self.assertIsNone(request.headers["authorization"])
        self.assertEqual(request.headers["anthropic-version"], "2023-06-01")
        self.assertEqual(request.headers["content-type"], "application/json")
        self.assertEqual(request.body["model"], "claude-opus-5-5")
        self.assertEqual(request.body["max_tokens"], 8192)
        self.assertNotIn("temperature", request.body)
        self.assertEqual(request.body["messages"][0]["role"], "user")
        self.assertEqual(request.new_message, "What is it?")
        self.assertIn("[MEMORY: type|content]", request.system_text)

    def test_the_settings_of_the_api_reach_the_request(self):
        self.start_daemon(
            claude_model="claude-sonnet-4-5",
            claude_max_tokens=77,
            claude_api_version="2026-10-21",
            claude_auth="bearer",
            claude_base_url=self.claude.url + "/proxy",
        )
        self.ask()
        request = self.claude.requests[0]
        self.assertEqual(request.path, "/proxy/v1/messages")
        self.assertEqual(request.headers["authorization"], "Bearer " + API_KEY)
        self.assertIsNone(request.headers["x-api-key"])
        self.assertEqual(request.headers["anthropic-version"], "2026-10-21")
        self.assertEqual((request.body["model"], request.body["max_tokens"]), ("claude-sonnet-4-5", 77))

    def test_a_model_without_a_known_price_costs_null(self):
        self.claude.put(message_body("ok", model="local-model"))
        self.start_daemon(claude_model="local-model")
        self.assertIsNone(self.ask()["usage"]["cost_usd"])

    def test_a_subscriber_gets_the_same_bytes_as_the_list(self):
        self.start_daemon()
        listener = Listener(self.redis.client, "engram:reply:both")
        self.addCleanup(listener.close)
        self.push(id="both")
        stored = self.reply_bytes("both")
        self.assertEqual(listener.wait(), [stored])

    def test_a_reply_is_there_before_and_after_somebody_waits(self):
        self.start_daemon()
        self.push(id="later")
        eventually(lambda: self.redis.client.llen("engram:reply:later") == 1, "the reply is stored")
        self.assertEqual(self.reply("later")["status"], "ok")

    def test_a_reply_expires_after_an_hour_unless_configured(self):
        self.start_daemon()
        self.push(id="ttl")
        eventually(lambda: self.redis.client.exists("engram:reply:ttl"), "the reply is stored")
        self.assertTrue(3590_000 < self.redis.client.pttl("engram:reply:ttl") <= 3600_000)

    def test_the_expiry_of_replies_follows_the_configuration(self):
        self.start_daemon(queue_reply_ttl_s=7)
        self.push(id="ttl")
        eventually(lambda: self.redis.client.exists("engram:reply:ttl"), "the reply is stored")
        self.assertTrue(0 < self.redis.client.pttl("engram:reply:ttl") <= 7_000)

    def test_replies_that_share_a_key_are_in_order_and_refresh_its_expiry(self):
        self.start_daemon()
        self.redis.client.rpush("engram:reply:inbox", "earlier")
        self.redis.client.expire("engram:reply:inbox", 5)
        for n in range(3):
            self.push(id=f"n{n}", reply_to="engram:reply:inbox")
        eventually(lambda: self.redis.client.llen("engram:reply:inbox") == 4, "all replies are stored")
        self.assertGreater(self.redis.client.ttl("engram:reply:inbox"), 3000)
        stored = self.redis.client.lrange("engram:reply:inbox", 0, -1)
        self.assertEqual(stored[0], b"earlier")
        self.assertEqual([json.loads(r)["id"] for r in stored[1:]], ["n0", "n1", "n2"])
        self.assertEqual(self.redis.client.exists("engram:reply:n0"), 0)

    def test_a_configured_prefix_allows_other_reply_keys(self):
        self.start_daemon(queue_reply_prefixes='["mailbox:"]')
        self.push(id="out", reply_to="mailbox:7")
        popped = self.redis.client.blpop("mailbox:7", PATIENCE)
        self.assertEqual(json.loads(popped[1])["id"], "out")

    def test_a_session_is_made_when_none_is_given_and_goes_on_afterwards(self):
        self.start_daemon()
        self.claude.put("First answer.", "Second answer.", "Third answer.")
        first = self.reply(self.push("one", session_id=None))
        made = first["session_id"]
        self.assertTrue(1 <= len(made.encode()) <= 128, made)
        second = self.ask("two", session_id=made)
        self.assertEqual(second["session_id"], made)
        self.assertEqual(
            prompt_turns(self.claude.requests[1].body),
            [("user", "one"), ("assistant", "First answer."), ("user", "two")],
        )
        other = self.reply(self.push("three", session_id=None))
        self.assertNotEqual(other["session_id"], made)
        self.assertEqual(prompt_turns(self.claude.requests[2].body), [("user", "three")])

    def test_a_job_without_an_id_is_given_one_where_somebody_waits_for_it(self):
        self.start_daemon()
        self.push_raw(b'{"user_id":"u","message":"hi","reply_to":"engram:reply:mine"}')
        reply = self.reply("mine")
        self.assertRegex(reply["id"], r"^[A-Za-z0-9._:-]{1,128}$")
        self.assertEqual(reply["status"], "ok")

    def test_jobs_without_an_id_are_each_answered(self):
        self.start_daemon()
        job = b'{"user_id":"u","session_id":"s","message":"the same","reply_to":"engram:reply:mine"}'
        for _ in range(3):
            self.push_raw(job)
        ids = {self.reply("mine")["id"] for _ in range(3)}
        self.assertEqual(len(ids), 3)
        self.assertEqual(len(self.turns()), 6)

    def test_metadata_comes_back_untouched(self):
        raw = (
            '{ "big": 123456789012345678901234567890, "tiny":1e-7,"deep":{"a":[1,{"b":null}]} ,'
            '"text":"\\u00e9\\n\\"[MEMORY: fact|no]", "timing_ms":{"queued":1} }'
        )
        self.start_daemon()
        self.push_raw(b'{"user_id":"u","id":"meta","message":"hi","metadata":' + raw.encode() + b"}")
        reply = self.reply_bytes("meta").decode()
        self.assertIn(raw, reply)
        self.assertEqual(json.loads(reply)["metadata"], json.loads(raw))
        self.assertEqual(self.rows("SELECT count(*) FROM long_term_memory"), [(0,)])

    def test_metadata_is_an_empty_object_when_none_was_sent(self):
        self.start_daemon()
        self.assertEqual(self.ask()["metadata"], {})

    def test_null_fields_count_as_absent_and_unknown_ones_are_ignored(self):
        self.start_daemon()
        self.push_raw(
            b'{"user_id":"u","session_id":null,"id":"nulls","message":"hi","reply_to":null,"stream":null,'
            b'"deadline_ms":null,"metadata":null,"surprise":[1,2,{"x":null}]}'
        )
        reply = self.reply("nulls")
        self.assertEqual((reply["status"], reply["metadata"]), ("ok", {}))

    def test_a_job_that_asks_for_a_stream_gets_its_final_reply_all_the_same(self):
        self.start_daemon()
        for wanted in (True, False):
            reply = self.ask(stream=wanted)
            self.assertEqual((reply["status"], reply["reply"]), ("ok", "Hello."))

    def test_text_of_every_kind_arrives_unchanged(self):
        texts = [
            "héllo wörld",
            "日本語のテスト",
            "👩‍👩‍👧‍👦 family",
            "line one\nline two\r\n\ttabbed",
            'quotes " and \\ back',
            "\u0001 control \u001f",
            "nul \u0000 inside",
            "</memories> <b> &amp;",
            "  blanks around  ",
            "[MEMORY: fact|of the user]",
            "x" * 100_000,
        ]
        self.start_daemon()
        for n, text in enumerate(texts):
            with self.subTest(text=text[:30]):
                self.claude.put(lambda request: "You said: " + request.new_message.replace("[", "("))
                reply = self.ask(text, session_id=f"s{n}")
                self.assertEqual(self.claude.requests[-1].new_message, text)
                self.assertEqual(reply["reply"].strip(), ("You said: " + text.replace("[", "(")).strip())
                self.assertEqual(self.turns(session_id=f"s{n}")[0], ("user", text))

    def test_names_of_every_kind_are_kept_apart(self):
        self.start_daemon()
        pairs = [
            ("a", "b:c"),
            ("a:b", "c"),
            ("日本", "セッション"),
            ("x" * 128, "y" * 128),
            ("a b", "c\nd"),
            ("'\"", "%s"),
            ("~id:1:a:", "1"),
            ("a\0b", "s"),
            ("a\0c", "s"),
            ("a", "s"),
            ("a", "s\0"),
            ("A", "s"),
            ("a ", "s"),
            ("1", "s"),
            ("01", "s"),
            ("1.0", "s"),
        ]
        for n, (user, session) in enumerate(pairs):
            self.claude.put(f"answer {n}")
            self.ask(f"question {n}", user_id=user, session_id=session)
        for n, (user, session) in enumerate(pairs):
            self.ask("again", user_id=user, session_id=session)
            self.assertEqual(
                prompt_turns(self.claude.requests[-1].body),
                [("user", f"question {n}"), ("assistant", f"answer {n}"), ("user", "again")],
            )

    def test_another_prefix_is_another_world(self):
        self.start_daemon(redis_prefix="{other}")
        self.redis.client.lpush("{other}:jobs", b'{"user_id":"u","id":"1","message":"hi"}')
        popped = self.redis.client.blpop("{other}:reply:1", PATIENCE)
        self.assertEqual(json.loads(popped[1])["status"], "ok")
        eventually(
            lambda: set(self.lasting_keys()) <= {"{other}:instances", "{other}:dead"}, "the queue is clean"
        )

    def test_the_lines_of_redis_cli_in_the_documentation_work(self):
        self.start_daemon()

        def cli(*arguments):
            done = subprocess.run(
                ["redis-cli", "-s", self.redis.socket, *arguments],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=True,
            )
            return done.stdout

        cli("LPUSH", "engram:jobs", '{"user_id":"u","session_id":"s","id":"1","message":"hi"}')
        lines = cli("BLPOP", "engram:reply:1", "10").splitlines()
        self.assertEqual(lines[0], "engram:reply:1")
        self.assertEqual(json.loads(lines[1])["reply"], "Hello.")


class Isolation(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()
        self.start_daemon()

    def test_the_same_session_of_another_user_is_another_conversation(self):
        self.claude.put("Hello Ada. [MEMORY: fact|The user's name is Adelheid]", "Hello Bob.")
        self.ask("I am Adelheid, my secret is 4711", user_id="ada", session_id="shared")
        self.ask("Who am I?", user_id="bob", session_id="shared")
        prompt = json.dumps(self.claude.requests[1].body)
        self.assertNotIn("Adelheid", prompt)
        self.assertNotIn("4711", prompt)
        self.assertEqual(memory_lines(self.claude.requests[1].body), [])

    def test_the_next_job_of_a_user_sees_the_memories_of_the_last(self):
        for n in range(10):
            self.claude.put(f"Noted. [MEMORY: fact|Number {n}]")
            self.ask(f"number {n}", session_id=f"s{n}")
            self.ask("and?", session_id=f"t{n}")
            self.assertIn(f"Number {n}", system_text(self.claude.requests[-1].body))


if __name__ == "__main__":
    main()
