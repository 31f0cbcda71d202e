"""What matters stays in the prompt: over days, under newer facts, and through one very long session."""

import json
import re
import threading

from harness import PATIENCE, eventually, main, memory_lines, system_text
from memory_case import CHEAP, MemoryCase

DAY_ONE = (
    "The user's name is Ada Lovelace",
    "Die Nutzerin ist gegen Erdnüsse allergisch",
    "用户住在里斯本",
)
# As long as a summary usually is.
TALK = "They went on to speak of this and of that, and came to no end with it. " * 8


def told_in(request):
    """The facts of a request: `told-17` stands for one."""
    text = json.dumps(request.body["messages"])
    return sorted(set(re.findall(r"told-\d+", text)), key=lambda fact: int(fact[5:]))


class ProfileCase(MemoryCase):
    """The model that summarizes keeps the facts, with much talk around them; what it condenses loses the talk."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.gate.set()
        self.addCleanup(self.gate.set)

    def speak(self, request):
        if request.model != CHEAP:
            return super().speak(request)
        if not self.condenses(request):
            # Not the background: what earlier summaries say is not repeated.
            transcript = json.dumps(request.body["messages"]).split("<transcript>", 1)[1]
            facts = sorted(set(re.findall(r"told-\d+", transcript)))
            return f"- The user spoke of {', '.join(facts) or 'nothing'}.\n- {TALK}"
        self.gate.wait(PATIENCE)
        return f"- The user spoke of {', '.join(told_in(request))}."

    def condenses(self, request):
        return request.model == CHEAP and "<summaries>" in str(request.body["messages"])

    def condensings(self):
        return [r for r in self.claude.requests if self.condenses(r)]

    def summaries(self, session):
        return self.rows(
            "SELECT id, content FROM long_term_memory WHERE memory_type = 'summary' AND session_id = ? "
            "AND valid_to IS NULL ORDER BY id",
            session,
        )

    def window(self, session):
        return self.rows("SELECT window_turns FROM engram_session WHERE session_id = ?", session)[0][0]

    def exchange(self, messages, **fields):
        """One after the other, and then their summary."""
        for job in [self.push(message, **fields) for message in messages]:
            self.assertEqual(self.reply(job)["status"], "ok")
        eventually(lambda: self.window(fields["session_id"]) < 20, "the turns are summarized")

    def tell_many(self, first, last):
        """Facts that are told once each, ten in an answer."""
        for begin in range(first, last, 10):
            notes = [f"fact|In album {n} there is a stamp from year {n + 1000}" for n in range(begin, begin + 10)]
            self.say(f"look at album {begin}", *notes, session_id=f"album-{begin}")

    def assert_known(self, texts, body):
        for text in texts:
            self.assertEqual(len([line for line in memory_lines(body) if text in line]), 1, text)


class Days(ProfileCase):
    def test_after_thirty_days_of_talk_who_the_user_is_stands_in_the_prompt(self):
        self.start_daemon()
        self.say("hello", *(f"fact|{fact}" for fact in DAY_ONE), session_id="first")
        for day in range(1, 31):
            self.exchange([f"day {day}, message {n}" for n in range(10)], session_id=f"day-{day}")
        self.assertEqual(len(self.rows("SELECT 1 FROM long_term_memory WHERE memory_type = 'summary'")), 30)
        body = self.prompt_for("good evening")
        self.assert_known(DAY_ONE, body)
        earlier = [line for line in memory_lines(body) if "summary of an earlier session" in line]
        self.assertEqual(len(earlier), 3)
        days = [session for (session,) in self.rows(
            "SELECT session_id FROM long_term_memory WHERE memory_type = 'summary' ORDER BY id DESC LIMIT 3")]
        self.assertEqual(sorted(days), ["day-28", "day-29", "day-30"])

    def test_summaries_of_other_sessions_in_the_prompt_can_be_configured_away_and_are_recalled(self):
        self.start_daemon(memory_recent_summaries=0)
        for day in range(1, 5):
            self.exchange([f"told-{day}, message {n}" for n in range(10)], session_id=f"day-{day}")
        body = self.prompt_for("which matter did told-2 bring?")
        self.assertEqual(memory_lines(body), [])
        self.assertTrue([line for line in self.known_in(body) if "told-2" in line])

    def test_newer_facts_do_not_displace_it(self):
        self.start_daemon(memory_max_tokens=2000)
        self.say("hello", *(f"fact|{fact}" for fact in DAY_ONE), session_id="first")
        self.tell_many(0, 20)
        self.assert_known(DAY_ONE, self.prompt_for("good evening"))
        self.assertEqual(len(memory_lines(self.prompt_for("good evening"))), 23)
        self.tell_many(20, 200)
        body = self.prompt_for("good evening")
        self.assert_known(DAY_ONE, body)
        self.assert_known(["In album 199 "], body)
        # There is no room for all, and what is not in the list is found.
        self.assertLess(len(memory_lines(body)), 150)
        self.assertNotIn("In album 100 ", system_text(body))
        self.assert_recalled("In album 100 ", self.recalled_for("what is in album 100?"))

    def test_what_is_pinned_confirmed_corrected_or_preferred_does_not_depend_on_its_age(self):
        self.start_daemon(memory_max_tokens=1000)
        self.tell_many(0, 50)
        kept = ["User drinks tea", "User's dog is called Rex", "User plays the cello", "Short answers, please"]
        self.tell("I drink tea", kept[0])
        self.tell("I play the cello", kept[2])
        self.say("be short", f"preference|{kept[3]}")
        dog = self.tell("my dog is Max", "User's dog is called Max")
        self.tell_many(50, 100)
        tea = next(one for one in self.admin("memory.list", limit=200)["memories"] if one["content"] == kept[0])
        self.admin("memory.update", memory_id=tea["id"], pinned=True)
        self.say("my dog is not called Max but Rex", f"update #{self.label_of(dog['id'])}|{kept[1]}")
        self.tell("I play the cello", kept[2])
        self.tell_many(100, 150)
        self.assert_known(kept, self.prompt_for("good evening"))

    def label_of(self, memory_id):
        return self.rows("SELECT label FROM long_term_memory WHERE id = ?", memory_id)[0][0]

    def test_the_list_stays_the_same_as_long_as_nothing_is_learnt(self):
        self.start_daemon(memory_max_tokens=1000)
        self.tell_many(0, 100)
        prompts = set()
        for n in range(5):
            self.ask(f"nothing new, for the {n}. time", session_id="s")
            prompts.add(json.dumps(self.chats()[-1]["system"]))
        self.assertEqual(len(prompts), 1)


class OneSession(ProfileCase):
    def test_a_fact_of_the_first_exchange_is_in_the_prompt_after_four_hundred(self):
        self.start_daemon()
        self.exchange(["told-1"] + [f"message {n}" for n in range(2, 11)], session_id="long")
        for begin in range(11, 401, 10):
            self.exchange([f"told-{n}" if n % 50 == 0 else f"message {n}" for n in range(begin, begin + 10)],
                          session_id="long")
        self.ask("what did I tell?", session_id="long")
        body = self.chats()[-1]
        own = [line for line in memory_lines(body) if "summary of this session" in line]
        self.assertEqual(len(own), len(self.summaries("long")))
        for n in [1, *range(50, 351, 50)]:
            self.assertRegex("\n".join(own), rf"told-{n}\b")
        self.assertGreater(len(self.condensings()), 2)
        self.assertLess(len("\n".join(own)), 10_000)  # 1,500 tokens and the newest one
        # The talk of the first summary is gone: it was condensed.
        self.assertNotIn("no end with it", own[0])
        self.assert_each_turn_is_in_window_or_summary()

    def assert_each_turn_is_in_window_or_summary(self):
        covered = self.rows(
            "SELECT count(*) FROM conversation_history t JOIN long_term_memory m ON m.id = t.summary_id "
            "WHERE m.memory_type = 'summary' AND m.valid_to IS NULL AND t.session_id = 'long'")[0][0]
        in_all = self.rows("SELECT count(*) FROM conversation_history WHERE session_id = 'long'")[0][0]
        self.assertEqual(covered + self.window("long"), in_all)

    def test_a_model_that_condenses_badly_loses_neither_name_nor_number(self):
        self.start_daemon(summary_condense_tokens=300)
        self.claude.default = lambda request: (
            "- They talked." if self.condenses(request) else self.speak(request))
        self.exchange(["told-4711"] + [f"message {n}" for n in range(2, 11)], session_id="long")
        for begin in range(11, 100, 10):
            self.exchange([f"message {n}" for n in range(begin, begin + 10)], session_id="long")
        self.assertGreater(len(self.condensings()), 1)
        self.ask("what did I tell?", session_id="long")
        self.assertIn("told-4711", system_text(self.chats()[-1]))

    def test_a_condensed_summary_of_hundreds_of_points_is_shown_whole(self):
        self.start_daemon(summary_condense_tokens=300)

        def speak(request):
            if request.model != CHEAP:
                return "I see."
            if self.condenses(request):
                return "- They talked."
            transcript = json.dumps(request.body["messages"]).split("<transcript>", 1)[1]
            facts = sorted(set(re.findall(r"told-\d+", transcript)))
            return "\n".join([f"- The locker of the day has number {fact}." for fact in facts] + [f"- {TALK}"])

        self.claude.default = speak
        told = [f"told-{n}" for n in range(1000, 1400)]
        for begin in range(0, 400, 100):
            self.exchange([" ".join(told[n:n + 10]) for n in range(begin, begin + 100, 10)], session_id="long")
        self.ask("what did I tell?", session_id="long")
        own = [line for line in memory_lines(self.chats()[-1]) if "summary of this session" in line]
        self.assertGreater(len(self.condensings()), 0)
        self.assertGreater(max(map(len, own)), 8_000)
        self.assertNotIn("[...]", "\n".join(own))
        shown = re.findall(r"told-\d+", "\n".join(own))
        self.assertEqual([fact for fact in told[:300] if fact not in shown], [])

    def test_after_a_kill_in_the_middle_of_condensing_the_next_daemon_does_it(self):
        settings = {"summary_condense_tokens": 300, "summary_sweep_ms": 200}
        first = self.start_daemon(**settings)
        self.exchange([f"told-{n}" for n in range(1, 11)], session_id="long")
        self.gate.clear()
        for n in range(11, 60):
            self.ask(f"told-{n}", session_id="long")
            if self.condensings():
                break
        eventually(self.condensings, "the summaries are being condensed")
        before = self.summaries("long")
        first.kill()
        self.assertEqual(self.summaries("long"), before)
        self.gate.set()
        self.start_daemon(**settings)
        eventually(lambda: len(self.condensings()) > 1 and self.window("long") < 20, "it is done after all")
        after = self.summaries("long")
        self.assertEqual(after[0][0], before[0][0])
        self.assertNotEqual(after[0][1], before[0][1])
        self.assertIn("told-1,", after[0][1])
        self.assert_each_turn_is_in_window_or_summary()

    def test_two_daemons_condense_once(self):
        settings = {"summary_condense_tokens": 300, "summary_sweep_ms": 50}
        for _ in range(2):
            self.start_daemon(**settings)
        for begin in range(1, 80, 10):
            self.exchange([f"told-{n}" for n in range(begin, begin + 10)], session_id="long")
        asked = [json.dumps(r.body["messages"]) for r in self.condensings()]
        self.assertGreater(len(asked), 1)
        self.assertEqual(len(asked), len(set(asked)))
        self.assert_each_turn_is_in_window_or_summary()


if __name__ == "__main__":
    main()
