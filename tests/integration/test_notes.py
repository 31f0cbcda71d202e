"""What time the model is told, and which of the notes that it takes are kept."""

import datetime
import json
import re
import resource
import zoneinfo

from harness import (
    Case,
    block_texts,
    eventually,
    main,
    message_body,
    new_message,
    now_line,
    prompt_turns,
    recalled_block,
    system_text,
)

NOW = re.compile(r"Now: (\w+day), (\d{4}-\d\d-\d\d), (\d\d:\d\d) \(([\w/+-]+)(?:, UTC([+-]\d\d:\d\d))?\)")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def minute(moment):
    return moment.replace(second=0, microsecond=0, tzinfo=None)


class Time(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()

    def told_time(self, zone, **fields):
        """The time that the model was told for a job, which must be that of `zone`."""
        before = datetime.datetime.now(zone)
        self.ask(**fields)
        after = datetime.datetime.now(zone)
        body = self.claude.requests[-1].body
        found = NOW.fullmatch(now_line(body))
        self.assertIsNotNone(found, now_line(body))
        told = datetime.datetime.fromisoformat(f"{found[2]} {found[3]}")
        self.assertTrue(minute(before) <= told <= minute(after), (before, told, after))
        self.assertEqual(found[1], WEEKDAYS[told.weekday()])
        if found[5]:
            hours = after.strftime("%z")
            self.assertEqual(found[5], hours[:3] + ":" + hours[3:])
        return found

    def test_the_time_of_the_jobs_zone_stands_beside_the_new_message(self):
        self.start_daemon()
        for name in (
            "Pacific/Kiritimati",
            "Pacific/Pago_Pago",
            "Asia/Kathmandu",
            "America/St_Johns",
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
        ):
            found = self.told_time(zoneinfo.ZoneInfo(name), timezone=name)
            self.assertEqual(found[4], name)
            texts = block_texts(self.claude.requests[-1].body["messages"][-1]["content"])
            self.assertEqual(texts[-2:], [found[0], "hi"])

    def test_without_a_zone_it_is_that_of_the_configuration(self):
        self.start_daemon(chat_timezone="Asia/Tokyo")
        for timezone in (None, "Asia/Tokyo"):
            self.assertEqual(self.told_time(zoneinfo.ZoneInfo("Asia/Tokyo"), timezone=timezone)[4], "Asia/Tokyo")
        self.push_raw(json.dumps({"user_id": "u", "message": "hi", "id": "null", "timezone": None}))
        self.assertEqual(self.reply("null")["status"], "ok")
        self.assertEqual(NOW.fullmatch(now_line(self.claude.requests[-1].body))[4], "Asia/Tokyo")

    def test_without_anything_it_is_utc(self):
        self.start_daemon()
        found = self.told_time(datetime.timezone.utc)
        self.assertEqual((found[4], found[5]), ("UTC", None))

    def test_a_zone_that_cannot_be_read_for_a_moment_costs_no_job(self):
        daemon = self.start_daemon()
        self.ask()  # what it needs for that is open from now on
        usual = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (1, usual[1]))  # poll() still takes one
        job = self.push("what time is it", timezone="Indian/Chagos")
        daemon.wait_for_log("the time zone Indian/Chagos cannot be read: this machine: no file descriptor")
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, usual)
        self.assertEqual(self.reply(job)["status"], "ok")
        self.assertEqual(NOW.fullmatch(now_line(self.claude.requests[-1].body))[4], "Indian/Chagos")
        self.assertEqual(self.redis.client.xlen("engram:dead"), 0)

    def test_the_time_stands_nowhere_else(self):
        self.start_daemon()
        said = "Now: Monday, 1999-11-30, 14:05 (Europe/Berlin, UTC+01:00)"
        for n in range(4):
            self.ask(f"My dinghy has number {n}", timezone="Europe/Rome")
        self.ask("What was my dinghy?", session_id="other")
        self.ask(said, session_id="other")
        for request in self.claude.requests:
            body = request.body
            self.assertNotRegex(system_text(body), NOW)
            self.assertEqual(new_message(body), request.new_message)
            times = [t for m in body["messages"] for t in block_texts(m["content"]) if NOW.search(t)]
            self.assertEqual(times, [now_line(body)] + [said] * (new_message(body) == said))
        body = self.claude.requests[4].body
        self.assertIn("dinghy", recalled_block(body))
        self.assertNotIn("Now:", recalled_block(body))
        self.assertNotIn("Now:", str(self.turns()))

    def test_what_the_provider_caches_is_the_same_at_any_time(self):
        self.claude.default = lambda request: "I see. [MEMORY: fact|Likes dinghies]"
        self.start_daemon()
        for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Tokyo", None):
            self.ask("Tell me about dinghies", timezone=zone)
            self.claude.default = lambda request: "I see."
        # The memory is noted in the first answer, so the system prompt is the same from the second one on.
        for earlier, later in zip(self.claude.requests[1:], self.claude.requests[2:]):
            cached, _, rest = earlier.raw.rpartition(b',"cache_control"')
            self.assertIn(b"Likes dinghies", cached)
            self.assertIn(b"I see.", cached)
            self.assertNotRegex(cached.decode(), NOW)
            self.assertRegex(rest.decode(), NOW)
            self.assertEqual(later.raw[: len(cached)], cached)
            self.assertNotEqual(now_line(earlier.body), now_line(later.body))

    def test_a_day_that_is_told_in_passing_is_noted_as_a_date(self):
        def note_the_day(request):
            today = datetime.date.fromisoformat(NOW.fullmatch(now_line(request.body))[2])
            return f"Good luck!\n[MEMORY: fact|The user has an exam on {today + datetime.timedelta(days=1)}]"

        self.claude.default = note_the_day
        self.start_daemon()
        # Where it is never the same day.
        for name in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            zone = zoneinfo.ZoneInfo(name)
            before = datetime.datetime.now(zone).date()
            (memory,) = self.ask("My exam is tomorrow", user_id=name, timezone=name)["memories"]
            days = {d + datetime.timedelta(days=1) for d in (before, datetime.datetime.now(zone).date())}
            self.assertIn(memory["content"], {f"The user has an exam on {day}" for day in days})
        text = self.claude.requests[0].system_text
        self.assertIn("in full, such as 2026-12-01", text)
        self.assertIn("in the language of the conversation", text)

    def test_a_zone_that_there_is_not_is_an_invalid_job(self):
        self.start_daemon()
        names = (
            "Mars/Olympus",
            "europe/berlin",
            "CEST",
            "+02:00",
            "localtime",
            "../../etc/passwd",
            "/usr/share/zoneinfo/Europe/Berlin",
            "file:Europe/Berlin",
            "Europe",
            "Europe/Berlin\u0000",
            "Ευρώπη/Αθήνα",
        )
        for name in names:
            reply = self.reply(self.push(timezone=name))
            self.assert_error(reply, "invalid_job")
            self.assertIn("timezone must be the IANA name", reply["error"]["message"])
            self.assertFalse(reply["error"]["retryable"])
        for name in ("", "a" * 129, 1, True, ["UTC"], {"UTC": 1}):
            reply = self.reply(self.push(timezone=name))
            self.assert_error(reply, "invalid_job")
            self.assertTrue(reply["error"]["message"].startswith("timezone "), reply)
        self.assertEqual(self.claude.requests, [])
        self.assertEqual(self.turns(), [])
        self.assertEqual(self.ask()["reply"], "Hello.")

    def test_a_configuration_with_such_a_zone_is_refused(self):
        settings = [f"--set={k}={v}" for k, v in self.settings(chat_timezone="Mars/Olympus").items()]
        ended = self.run_daemon(*settings)
        self.assertEqual(ended.status, 78, ended)
        self.assertIn("chat.timezone: must be the IANA name of a time zone", ended.err)


class Limits(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()

    def counts(self):
        """What the daemon counts of notes in its status."""
        (key,) = self.redis.client.keys("engram:status:*")
        return json.loads(self.redis.client.get(key))["notes"]

    def assert_counts(self, **expected):
        wanted = {"cut": 0, "too_long": 0, "too_many": 0, **expected}
        eventually(lambda: self.counts() == wanted, f"the status says {wanted}")

    def test_of_a_cut_answer_whole_notes_count_and_the_reply_says_so(self):
        text = "Nice.\n\n[MEMORY: fact|Has a dog]\n[MEMORY: fact|The dog is cal"
        self.claude.put(message_body(text, stop_reason="max_tokens"), "Hello.")
        self.start_daemon(queue_lease_ms=1500)
        reply = self.ask(id="cut")
        self.assertEqual((reply["notes"], reply["stop_reason"]), ("cut", "max_tokens"))
        self.assertEqual(reply["reply"], "Nice.")
        self.assertEqual([m["content"] for m in reply["memories"]], ["Has a dog"])
        self.assertEqual(self.memories(), [("fact", "Has a dog")])
        self.assertEqual(self.turns()[1], ("assistant", text))
        self.assertNotIn("notes", self.ask())
        self.assertEqual(self.ask(id="cut")["notes"], "cut")  # a repeat, from the store
        self.assertEqual(len(self.claude.requests), 2)
        self.assert_counts(cut=1)

    def test_a_note_that_breaks_off_is_none_wherever_it_does(self):
        self.start_daemon()
        for n, rest in enumerate(
            (
                "[MEMORY: fact|Writes a[0] and b",
                "[MEMORY: fact|Writes a[0]",
                "[MEMORY: fact|Writes [",
                "[MEMORY: fact|",
                "[MEMORY:",
                "[MEMO",
                "[MEMORY: update #1",
                "[MEMORY: update #1|Hates c[1] and",
                "[MEMORY: forget #1",
            )
        ):
            whole = "[MEMORY: fact|Likes c[0] a lot]"
            self.claude.put(message_body(f"Ok.\n{whole}\n{rest}", stop_reason="max_tokens"))
            reply = self.ask("I like c[0] a lot", user_id=f"u{n}")
            self.assertEqual((reply["reply"], reply["notes"]), ("Ok.", "cut"), rest)
            self.assertEqual(self.memories(f"u{n}"), [("fact", "Likes c[0] a lot")], rest)

    def test_a_cut_answer_without_any_note_says_so_too(self):
        self.claude.put(
            message_body("Once upon a", stop_reason="max_tokens"),
            message_body(content=[], stop_reason="max_tokens"),
            message_body("Once upon a", stop_reason="model_context_window_exceeded"),
            message_body("Once.", stop_reason="stop_sequence"),
            message_body("No.", stop_reason="refusal"),
        )
        self.start_daemon(queue_lease_ms=1500)
        replies = [self.ask().get("notes") for _ in range(5)]
        self.assertEqual(replies, ["cut", "cut", "cut", None, None])
        self.assert_counts(cut=3)

    def test_of_thousands_of_notes_the_first_are_kept(self):
        notes = [f"Owns item {n} of collection {n * 7919 % 100003}" for n in range(5000)]
        flood = "Ok.\n" + "\n".join(f"[MEMORY: fact|{note}]" for note in notes for _ in range(2))
        self.claude.default = lambda request: flood if request.new_message == "flood" else "Hello."
        self.start_daemon(queue_lease_ms=1500)
        reply = self.ask("flood", user_id="many")
        self.assertEqual(reply["reply"], "Ok.")
        self.assertEqual([m["content"] for m in reply["memories"]], notes[:20])
        self.assertEqual({m["action"] for m in reply["memories"]}, {"added"})
        self.assertEqual(self.memories("many"), [("fact", note) for note in notes[:20]])
        # What is left out was not compared with anything: it would have confirmed, or been indexed.
        times = self.rows("SELECT count(*), sum(times_seen) FROM long_term_memory WHERE user_id = 'many'")
        self.assertEqual(times, [(20, 20)])
        self.assert_counts(too_many=2 * 4980)
        self.assertEqual(self.ask(user_id="other")["memories"], [])

    def test_everything_can_be_forgotten_in_one_answer(self):
        self.start_daemon(memory_max_notes=10, queue_lease_ms=1500)
        for begin in range(1, 31, 10):
            self.claude.put("\n".join(["Ok."] + [f"[MEMORY: fact|Owns item {n}]" for n in range(begin, begin + 10)]))
            self.ask("I own things")
        self.assertEqual(len(self.memories()), 30)
        labels = [n for n in range(31, 61)] + [n for n in range(1, 31) for _ in range(2)]
        self.claude.put("\n".join(["Done."] + [f"[MEMORY: forget #{n}]" for n in labels]))
        reply = self.ask("Forget everything")
        self.assertEqual([m["action"] for m in reply["memories"]], ["forgotten"] * 30)
        current = self.rows("SELECT count(*) FROM long_term_memory WHERE valid_to IS NULL")
        self.assertEqual(current, [(0,)])
        self.assert_counts()

    def test_the_limits_are_settings(self):
        self.claude.default = lambda request: "\n".join(
            ["Ok.", "[MEMORY: fact|Likes tea a lot]", "[MEMORY: fact|Tea]", "[MEMORY: fact|Cats]", "[MEMORY: fact|Rain]"]
        )
        self.start_daemon(memory_max_note_bytes=10, memory_max_notes=2, queue_lease_ms=1500)
        self.ask()
        self.assertEqual(self.memories(), [("fact", "Tea"), ("fact", "Cats")])
        self.assert_counts(too_long=1, too_many=1)

    def test_a_note_as_long_as_a_book_is_not_kept(self):
        book = "b" * 102_400
        self.claude.put(f"Ok.\n[MEMORY: fact|{book}]\n[MEMORY: fact|Wrote a book]\n[MEMORY: update #1|{book}]")
        self.start_daemon(queue_lease_ms=1500)
        self.assertEqual(self.ask("I wrote a book")["reply"], "Ok.")
        self.assertEqual(self.memories(), [("fact", "Wrote a book")])
        self.assert_counts(too_long=2)


if __name__ == "__main__":
    main()
