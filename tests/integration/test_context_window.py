"""A conversation that outgrows the model's context: it is answered with less, and gets out by itself."""

import json

from harness import Case, Response, error_body, eventually, main, memory_lines, message_body, prompt_turns
from memory_case import CHEAP

BY_COUNT_NEVER = {"summary_trigger_turns": 1000, "memory_history_turns": 1000, "summary_sweep_ms": 50}
TEXT = "and so on, " * 36  # 396 bytes
WORDINGS = (
    "prompt is too long: 208310 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease input length",
)


def size_of(body):
    return len(json.dumps([body.get("system"), body["messages"]]))


class WindowCase(Case):
    """The fake takes prompts of at most `limit` bytes and answers "re: …" with some padding."""

    def setUp(self):
        super().setUp()
        self.limit = None
        self.wording = WORDINGS[0]
        self.refused = []
        self.answers = {}
        self.start_redis()
        self.start_fake(self.speak)

    def speak(self, request):
        if request.model == CHEAP:
            return "- They talked."
        if self.limit and size_of(request.body) > self.limit:
            self.refused.append(request)
            return Response(error_body("invalid_request_error", self.wording), 400)
        return message_body(self.answers.get(request.new_message, f"re: {request.new_message[:8]} {TEXT}"))

    def begin(self, room, **changes):
        """A daemon whose model has room for so many bytes beside an empty conversation."""
        daemon = self.start_daemon(**{**BY_COUNT_NEVER, **changes})
        self.ask("the size of an empty prompt", session_id="empty")
        self.limit = size_of(self.chats()[-1]) + room
        return daemon

    def chats(self):
        return [r.body for r in self.claude.requests if r.model != CHEAP]

    def summaries(self, session="s"):
        return self.rows(
            "SELECT content FROM long_term_memory WHERE memory_type = 'summary' AND session_id = ?", session
        )

    def said(self, first, last):
        return [f"m{n:02} {TEXT}" for n in range(first, last + 1)]


class GrowingConversation(WindowCase):
    def check_grows(self):
        daemon = self.begin(6000)
        self.answers[self.said(1, 1)[0]] = "I see.\n[MEMORY: fact|The user is called Ada]"
        replies = [self.ask(message) for message in self.said(1, 30)]
        self.assertEqual({reply["attempts"] for reply in replies}, {1})
        self.assertTrue(self.refused, "the limit was met")
        self.assertEqual(self.dead_letters(), [])
        daemon.wait_for_log("the prompt was too long for the model: asked again with less")
        self.assertNotIn("Claude refuses every call", daemon.log())
        # Nothing is lost of what was said, and what was noted is known to the end.
        self.assertEqual([text for role, text in self.turns() if role == "user"], self.said(1, 30))
        self.assertTrue([line for line in memory_lines(self.chats()[-1]) if "The user is called Ada" in line])
        return daemon

    def test_it_is_answered_with_less_and_a_summary_takes_it_out(self):
        self.check_grows()
        eventually(self.summaries, "there is a summary")
        before = len(self.refused)
        eventually(self.next_is_not_refused, "a prompt fits at once again")
        self.assertLess(before, 30, "not each message met the limit")
        self.assertTrue([line for line in memory_lines(self.chats()[-1]) if "They talked." in line])

    def next_is_not_refused(self):
        before = len(self.refused)
        self.ask("short")
        return len(self.refused) == before

    def test_in_the_words_of_older_models_too(self):
        self.wording = WORDINGS[1]
        self.check_grows()

    def test_the_newest_turns_stay(self):
        self.begin(6000, summary_enabled="false")
        for message in self.said(1, 12):
            self.ask(message)
        self.assertTrue(self.refused)
        for body in self.chats():
            if size_of(body) > self.limit:
                continue
            turns = prompt_turns(body)
            if len(turns) > 1:
                spoken = [text for role, text in turns if role == "user"]
                everything = self.said(1, 12)
                last = everything.index(spoken[-1]) if spoken[-1] in everything else None
                if last is not None:
                    self.assertEqual(spoken, everything[last + 1 - len(spoken) : last + 1])

    def test_a_message_is_asked_again_three_times_at_most(self):
        self.begin(6000, summary_enabled="false")
        messages = self.said(1, 25)
        for message in messages:
            self.ask(message)
        for message in messages:
            calls = len([r for r in self.claude.requests if r.new_message == message])
            self.assertLessEqual(calls, 4, message[:3])


class OneMessage(WindowCase):
    def test_a_message_longer_than_the_context_is_rejected_and_concerns_nobody_else(self):
        daemon = self.begin(6000)
        for message in self.said(1, 3):
            self.ask(message)
        before = len(self.claude.requests)
        reply = self.reply(self.push("x" * 20_000))
        self.assert_error(reply, "claude_rejected")
        self.assertIn("too long", reply["error"]["message"])
        self.assertFalse(reply["error"]["retryable"])
        self.assertLessEqual(len(self.claude.requests) - before, 4)
        self.assertEqual(self.ask("next")["attempts"], 1)
        self.assertNotIn("xxxx", str(self.turns()))
        self.assertNotIn("Claude refuses every call", daemon.log())

    def test_many_of_them_shut_no_gate(self):
        daemon = self.begin(6000)
        for n in range(7):
            self.assert_error(self.reply(self.push("x" * 20_000, session_id=f"s{n}")), "claude_rejected")
        self.ask("next")
        self.assertNotIn("Claude refuses every call", daemon.log())


class SummaryBySize(WindowCase):
    def test_long_turns_are_condensed_though_they_are_few(self):
        self.start_daemon(**{**BY_COUNT_NEVER, "summary_trigger_bytes": 4000})
        for message in self.said(1, 4):
            self.ask(message)
        self.assertEqual(self.summaries(), [], "3,200 bytes are not enough")
        for message in self.said(5, 6):
            self.ask(message)
        eventually(self.summaries, "there is a summary")
        for message in self.said(7, 7):
            self.ask(message)
        turns = prompt_turns(self.chats()[-1])
        self.assertLess(len(turns), 13)
        self.assertIn(f"m06 {TEXT}", str(turns))
        self.assertNotIn(f"m01 {TEXT}", str(turns))

    def test_short_turns_are_not(self):
        self.start_daemon(**{**BY_COUNT_NEVER, "summary_trigger_bytes": 4000})
        for n in range(10):
            self.answers[f"m{n}"] = "yes"
            self.ask(f"m{n}")
        self.assertEqual([r for r in self.claude.requests if r.model == CHEAP], [])


if __name__ == "__main__":
    main()
