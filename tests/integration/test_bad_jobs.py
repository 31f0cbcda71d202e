"""Jobs that are not: an error reply where there is an address, a dead letter with the original bytes in
any case, and a daemon that goes on."""

import collections
import json
import random

from harness import Case, Listener, eventually, main

LIMIT = 262_144
NAN = float("nan")


class BadJobs(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()
        self.daemon = self.start_daemon()

    def good_job(self, **changes):
        job = {"user_id": "u", "session_id": "s", "message": "hi", **changes}
        return {k: v for k, v in job.items() if v is not NAN}

    def expect_dead(self, raw, reason="invalid_job", id=None):
        letters = eventually(
            lambda: [d for d in self.dead_letters() if d[b"job"] == raw], f"dead letter of {raw[:60]!r}"
        )
        self.assertEqual(len(letters), 1)
        letter = letters[0]
        self.assertEqual(set(letter), {b"id", b"reason", b"message", b"job", b"at", b"attempts"})
        self.assertEqual(letter[b"reason"].decode(), reason)
        self.assertTrue(letter[b"message"].decode())
        seconds, _ = self.redis.client.time()
        self.assertTrue(seconds - 120 <= int(letter[b"at"]) / 1000 <= seconds + 2, letter[b"at"])
        self.assertGreaterEqual(int(letter[b"attempts"]), 0)
        if id is not None:
            self.assertEqual(letter[b"id"].decode(), id)
        elif not raw.lstrip().startswith(b"{"):
            self.assertEqual(letter[b"id"], b"")
        return letter

    def expect_unmoved(self):
        self.assertEqual(self.ask("still there?", user_id="well")["reply"], "Hello.")
        self.assertIsNone(self.daemon.status)
        self.assert_idle()

    def test_bytes_that_are_no_job_go_to_the_dead_letters(self):
        for raw in [
            b"",
            b" ",
            b"not json",
            b"{",
            b"}",
            b"null",
            b"true",
            b"17",
            b'"text"',
            b"[]",
            b"[1,2]",
            b"\x00",
            b"\xff\xfe\xfd",
            b'{"user_id":"u","message":"hi"',
            b'{"user_id":"u","id":"a","message":"\xff"}',
            b'{"user_id":"\xc3\x28","id":"b","message":"hi"}',
            b'{"user_id":"u" "message":"hi"}',
            b"{'user_id':'u'}",
            b'{"user_id":"u","message":"hi"}trailing',
            b"\xef\xbb\xbf{}",
            b"NaN",
            b'{"user_id":"u","id":"c","message":"\\ud800"}',
            b'{"user_id":"u","id":"d","message":"a\x01b"}',
            bytes(range(256)),
        ]:
            with self.subTest(raw=raw[:40]):
                self.push_raw(raw)
                self.expect_dead(raw)
        self.expect_unmoved()
        self.assertEqual(len(self.claude.requests), 1)

    def test_what_is_harmless_is_repaired_and_answered(self):
        for n, raw in enumerate(
            [
                b'{"user_id":"u","id":"ID","message":"half \\ud83d an emoji","metadata":{"k":"\\ude00"}}',
                b'{"user_id":"u","reply_to":"engram:reply:ID","message":"caf\xe9"}',
                b'\xef\xbb\xbf{"user_id":"u","id":"ID","message":"hi"}',
                b'{"user_id":"u","id":"ID","message":"hi"}\x00',
                b'{"user_id":"u","id":"ID","message":"hi"}\xc2\xa0\n\x00',
                b'{"user_id":"u","id":"ID","message":"hi","metadata":{"x":' + b"[" * 31 + b"]" * 31 + b"}}",
            ]
        ):
            with self.subTest(raw=raw[:60]):
                self.push_raw(raw.replace(b"ID", b"mended-%d" % n))
                reply = self.reply(f"mended-{n}")
                self.assertEqual((reply["status"], reply["reply"]), ("ok", "Hello."), reply)
        said = self.rows("SELECT content FROM conversation_history WHERE role = 'user' ORDER BY id")
        self.assertEqual([row[0] for row in said], ["half \ufffd an emoji", "caf\ufffd", "hi", "hi", "hi", "hi"])
        self.assertEqual(self.dead_letters(), [])
        self.expect_unmoved()

    def test_each_caller_is_answered(self):
        begin = b'{"user_id":"u","session_id":"s",ADDRESS,"message":"hi"'
        broken = [
            begin + rest
            for rest in [
                b',"metadata":{"a":NaN}}',
                b',"metadata":{"a":-Infinity}}',
                b',"metadata":{"a":1,}}',
                b',"metadata":' + b"[" * 100 + b"]" * 100 + b"}",
                b',"metadata":{"a":"\\x"}}',
                b',"metadata":{"a":1}',
                b"",
                b",",
                b',"x":"a',
                b',"x":"a\nb"}',
                b',"x":\'y\'}',
                b',"x":01}',
                b',"x":True}',
                b',"x":[1,2}}',
                b',"x" "y"}',
                b',"x":"say "hi" to him"}',
                b"} {}",
                b"}\xe9",
                b"}\\n",
                b',"session_id":"\\ud83d"}',
                b',"user_id":"\xe9"}',
                b',"stream":"\xff"}',
                b', // why\n"x":1}',
                b'} // why',
            ]
        ]
        broken.append(b'[{"user_id":"u",ADDRESS}]')
        broken.append(b'{"message":"' + b"x" * (4 * LIMIT) + b'","user_id":"u",ADDRESS}')
        whole = b'{"user_id":"u",ADDRESS,"message":"hi"}'
        ways = [(raw, lambda raw: raw) for raw in broken]
        ways.append((whole, lambda raw: raw.replace(b'"', b"'")))
        ways.append((whole, lambda raw: json.dumps(raw.decode()).encode()))
        ways.append((whole, lambda raw: ("\ufeff" + raw.decode()).encode("utf-16-le")))
        for n, (template, written) in enumerate(ways):
            for kind in ("id", "reply_to"):
                where = f"{kind}-{n}"
                value = where if kind == "id" else "engram:reply:" + where
                raw = written(template.replace(b"ADDRESS", f'"{kind}":"{value}"'.encode()))
                with self.subTest(raw=raw[:90]):
                    self.push_raw(raw)
                    reply = self.reply(where)
                    self.assert_error(reply, "invalid_job")
                    self.assertFalse(reply["error"]["retryable"])
                    self.expect_dead(raw, id=where if kind == "id" else "")
        self.assertEqual(self.claude.requests, [])
        self.expect_unmoved()

    def test_the_place_of_the_fault_is_told(self):
        self.push_raw(b'{"user_id":"u","id":"where","message":"hi","metadata":NaN}')
        reply = self.reply("where")
        self.assertEqual(reply["error"]["message"], "the job is not JSON in UTF-8: syntax error at byte 55")

    def test_wrong_fields_get_an_error_reply_and_a_dead_letter(self):
        cases = [
            ("user_id", NAN),
            ("user_id", None),
            ("user_id", ""),
            ("user_id", 7),
            ("user_id", ["u"]),
            ("user_id", {}),
            ("user_id", "x" * 129),
            ("user_id", "é" * 65),
            ("message", NAN),
            ("message", None),
            ("message", ""),
            ("message", " \n\t "),
            ("message", "\u00a0\u2003"),
            ("message", 7),
            ("message", ["hi"]),
            ("message", {"text": "hi"}),
            ("message", True),
            ("session_id", ""),
            ("session_id", 7),
            ("session_id", "x" * 129),
            ("session_id", ["s"]),
            ("reply_to", "engram:jobs"),
            ("reply_to", "elsewhere"),
            ("reply_to", ""),
            ("reply_to", "engram:reply:"),
            ("reply_to", 7),
            ("reply_to", "engram:replyx"),
            ("reply_to", "engram:reply:" + "x" * 2000),
            ("stream", "yes"),
            ("stream", 1),
            ("deadline_ms", 0),
            ("deadline_ms", -5),
            ("deadline_ms", 1.5),
            ("deadline_ms", "100"),
            ("deadline_ms", True),
            ("deadline_ms", 10**30),
            ("metadata", "text"),
            ("metadata", []),
            ("metadata", 7),
            ("metadata", {"x": "y" * 4096}),
        ]
        for n, (field, value) in enumerate(cases):
            with self.subTest(field=field, value=str(value)[:40]):
                job_id = f"bad-{n}"
                raw = json.dumps(self.good_job(id=job_id, **{field: value})).encode()
                self.push_raw(raw)
                reply = self.reply(job_id)
                self.assert_error(reply, "invalid_job")
                self.assertEqual(reply["id"], job_id)
                self.assertFalse(reply["error"]["retryable"])
                self.assertIn(field, reply["error"]["message"])
                if field != "user_id":
                    self.assertEqual(reply["user_id"], "u")
                self.expect_dead(raw, id=job_id)
        self.assertEqual(self.claude.requests, [])
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history"), [(0,)])
        self.expect_unmoved()

    def test_a_valid_reply_address_gets_the_error_even_without_an_id(self):
        raw = b'{"message":"hi","reply_to":"engram:reply:here","metadata":{"k":1}}'
        self.push_raw(raw)
        reply = self.reply("here")
        self.assert_error(reply, "invalid_job")
        self.assertEqual(reply["metadata"], {"k": 1})
        self.expect_dead(raw)

    def test_an_id_that_is_none_goes_to_the_dead_letters(self):
        for bad in ["", "with blank", "x" * 129, "é", "a/b", "a\nb", 7, True, ["a"], {}]:
            with self.subTest(id=str(bad)[:30]):
                raw = json.dumps(self.good_job(id=bad, message=f"case {bad!r}")).encode()
                self.push_raw(raw)
                self.expect_dead(raw)
        self.expect_unmoved()

    def test_an_error_is_published_too(self):
        listener = Listener(self.redis.client, "engram:reply:loud")
        self.addCleanup(listener.close)
        self.push(id="loud", message="")
        stored = self.reply_bytes("loud")
        self.assertEqual(listener.wait(), [stored])

    def test_the_size_limit_is_exact(self):
        def job_of(size, job_id):
            raw = json.dumps(self.good_job(id=job_id, message="")).encode()
            return raw.replace(b'"message": ""', b'"message": "' + b"x" * (size - len(raw)) + b'"')

        fits, over = job_of(LIMIT, "fits"), job_of(LIMIT + 1, "over")
        self.assertEqual((len(fits), len(over)), (LIMIT, LIMIT + 1))
        self.push_raw(fits)
        self.assertEqual(self.reply("fits")["status"], "ok")
        self.push_raw(over)
        self.assert_error(self.reply("over"), "invalid_job")
        self.expect_dead(over, id="over")
        huge = job_of(20 * 1024 * 1024, "huge")
        self.push_raw(huge)
        self.expect_dead(huge)
        self.expect_unmoved()

    def test_nesting_is_bounded(self):
        for depth in (100, 10_000, 100_000):
            for opening, closing in (("[", "]"), ('{"a":', "}")):
                with self.subTest(depth=depth, opening=opening):
                    inside = (opening * depth + "1" + closing * depth).encode()
                    raw = b'{"user_id":"u","id":"deep","message":"hi","extra":' + inside + b"}"
                    if len(raw) > LIMIT:
                        continue
                    self.push_raw(raw)
                    self.expect_dead(raw)
                    self.push_raw(inside)
                    self.expect_dead(inside)
        self.expect_unmoved()

    def test_repeated_and_escaped_names_decide_nothing_twice(self):
        # Whichever of two values counts, it is the same everywhere: one answer, to one user.
        self.push_raw(b'{"user_id":"first","user_id":"second","id":"twice","message":"hi"}')
        reply = self.reply("twice")
        self.assertEqual(reply["status"], "ok")
        self.assertEqual(
            self.rows("SELECT DISTINCT user_id FROM conversation_history"), [(reply["user_id"],)]
        )
        self.push_raw(b'{"user\\u005fid":"u","i\\u0064":"escaped","message":"hi"}')
        self.assertEqual(self.reply("escaped")["user_id"], "u")

    def test_numbers_too_large_for_anything_are_refused_or_returned_as_they_are(self):
        self.push_raw(b'{"user_id":"u","id":"n1","message":"hi","metadata":{"n":1e400},"other":-1e999}')
        raw = self.reply_bytes("n1")
        self.assertTrue(b'"n":1e400' in raw or b'"status":"error"' in raw, raw)
        self.expect_unmoved()

    def test_jobs_that_are_not_a_list_are_survived(self):
        self.redis.client.set("engram:jobs", "not a list")
        self.daemon.wait_for_log("WRONGTYPE")
        self.redis.client.delete("engram:jobs")
        self.expect_unmoved()

    def test_a_reply_key_of_another_type_harms_only_its_job(self):
        self.redis.client.set("engram:reply:taken", "precious")
        listener = Listener(self.redis.client, "engram:reply:taken")
        self.addCleanup(listener.close)
        self.push(id="taken")
        self.assertEqual(json.loads(listener.wait()[0])["status"], "ok")
        eventually(lambda: len(self.dead_letters()) == 1, "the job is a dead letter")
        self.assertEqual(self.redis.client.get("engram:reply:taken"), b"precious")
        self.redis.client.delete("engram:reply:taken")
        self.expect_unmoved()


class ManyBadJobs(Case):
    def test_a_thousand_bad_jobs_in_a_row_and_good_ones_between(self):
        self.start_redis()
        self.start_fake()
        daemon = self.start_daemon()
        chance = random.Random(20261123)
        template = json.dumps(
            {"user_id": "u", "session_id": "s", "message": "a message like any other"}
        ).encode()

        def bad(n):
            kind = n % 5
            if kind == 0:
                return chance.randbytes(chance.randrange(0, 200))
            if kind == 1:
                return template[: chance.randrange(0, len(template) - 1)]
            if kind == 2:
                return template.replace(b"u", chance.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80"]), 1)
            if kind == 3:
                return json.dumps(
                    chance.choice([n, None, [n], "text", {"user_id": n}, {"message": [n]}])
                ).encode()
            return b'{"user_id":"u","message":"hi","reply_to":"evil:%d"}' % n

        everything, pushed, good = [], collections.Counter(), []
        for n in range(1000):
            raw = bad(n)
            pushed[raw] += 1
            everything.append(raw)
            if n % 50 == 0:
                good.append(f"good-{n}")
                everything.append(
                    json.dumps(
                        {"user_id": "u", "session_id": f"s{n}", "id": good[-1], "message": "hi"}
                    ).encode()
                )
        for first in range(0, len(everything), 100):
            self.redis.client.lpush("engram:jobs", *everything[first : first + 100])
        for job_id in good:
            self.assertEqual(self.reply(job_id)["status"], "ok", job_id)
        eventually(lambda: self.redis.client.xlen("engram:dead") >= 1000, "all bad jobs are dead letters")
        dead = collections.Counter(letter[b"job"] for letter in self.dead_letters())
        self.assertEqual(dead, pushed)
        self.assert_idle()
        self.assertEqual(len(self.claude.requests), len(good))
        self.assertIsNone(daemon.status)


if __name__ == "__main__":
    main()
