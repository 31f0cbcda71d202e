"""What is deleted or taken back is gone, also from what was made of it: from answers that said it again in
other words, from summaries, and from whatever a later prompt shows."""

import json
import re

from erasing_case import CHEAP, COUNTERS, ErasingCase, note
from harness import eventually, main, system_text

SUMMARIES = {
    "summary_enabled": "true",
    "summary_trigger_turns": 6,
    "summary_keep_turns": 2,
    "summary_sweep_ms": 50,
}

# Language; what the user says, the note, a later question, the answer to it with a sentence that is to stay,
# and what must be nowhere then.
SECRETS = [
    ("en", "my safe opens with 4711", "The user's safe opens with 4711", "what was the code?",
     "Your code is 47-11. Mind the qzstep.", ["4711", "47-11"]),
    ("de", "Meine Tochter heißt Qzannika", "Die Tochter der Nutzerin heißt Qzannika", "Was schenke ich?",
     "Qzannikas Fest ist bald. Ein Buch vom qzstep ist schön.", ["qzannika"]),
    ("fr", "J'habite à Besançonqz", "L'utilisateur habite à Besançonqz", "Quel temps fait-il ?",
     "Il pleut à besanconqz. Prenez un parapluie qzstep.", ["besançonqz", "besanconqz"]),
    ("ru", "Мою кошку зовут Мурзилина", "Кошку пользователя зовут Мурзилина", "Чем её кормить?",
     "Кормите Мурзилину рыбой. И qzstep тоже.", ["Мурзилин", "мурзилин"]),
    ("el", "Μένω στα Ιωάννινα", "Ο χρήστης μένει στα Ιωάννινα", "Τι καιρό κάνει;",
     "Στα Ιωάννινα βρέχει. Πάρε qzstep μαζί σου.", ["Ιωάννινα", "ιωάννινα"]),
    ("ar", "رمز خزنتي ٥٨٢٣", "رمز خزنة المستخدم هو ٥٨٢٣", "ما هو الرمز؟",
     "الرمز هو 5823. تصبح على خير qzstep.", ["5823", "٥٨٢٣"]),
    ("hi", "मेरा कोड ९३४७ है", "उपयोगकर्ता का कोड ९३४७ है", "ताला कैसे खुलेगा?",
     "आपका कोड 9347 है। शुभ रात्रि qzstep।", ["9347", "९३४७"]),
    ("zh", "我住在齐齐哈尔", "用户住在齐齐哈尔", "天气怎么样？",
     "齐齐哈尔今天很冷。多穿qzstep衣服。", ["齐齐哈尔"]),
    ("ja", "犬の名前はポチタロウです", "ユーザーの犬の名前はポチタロウです", "散歩はいつ？",
     "ポチタロウは朝が好きです。qzstepで歩きましょう。", ["ポチタロウ"]),
    ("ko", "나는 여수시에 살아", "사용자는 여수시에 산다", "날씨는 어때?",
     "여수시는 흐립니다. 꼭 qzstep 챙기세요.", ["여수시"]),
]


class GoneCase(ErasingCase):
    """A summary tells all of what it is made from: each line of the transcript is a point of it."""

    def speak(self, request):
        if request.model != CHEAP:
            return super().speak(request)
        self.gate.wait(30)
        text = request.body["messages"][-1]["content"]
        text = text if isinstance(text, str) else text[0]["text"]
        lines = re.search(r"<transcript>\n(.*)</transcript>", text, re.S)[1].strip().split("\n")
        return "\n".join("- " + line for line in lines if line) or "- Nothing."

    def summarized(self, user_id="u", session_id="b"):
        return self.rows(
            "SELECT content FROM long_term_memory WHERE user_id = ? AND session_id = ? "
            "AND memory_type = 'summary' AND valid_to IS NULL",
            user_id,
            session_id,
        )

    def use_elsewhere(self, question, answer, user_id="u", session_id="b"):
        """The assistant tells what it knows in another session, which is summarized."""
        self.answers[question] = answer
        self.ask(question, session_id=session_id, user_id=user_id)
        for n in range(2):
            self.ask(f"small talk {n}", session_id=session_id, user_id=user_id)
        eventually(lambda: self.summarized(user_id, session_id), "the session is summarized")

    def shown(self, message, user_id="u", session_id="anew"):
        """All of a prompt but the new message and the instructions."""
        self.ask(message, session_id=session_id, user_id=user_id)
        body = self.calls_for(message)[-1].body
        listed = system_text(body).rsplit("<memories>", 1)[-1] if "- #" in system_text(body) else ""
        messages = json.dumps(body["messages"][:-1], ensure_ascii=False)
        last = body["messages"][-1]["content"]
        recalled = "" if isinstance(last, str) else "\n".join(block["text"] for block in last[:-1])
        return "\n".join([listed, messages, recalled])

    def assert_shown(self, text, *args, **fields):
        self.assertIn(text.lower(), self.shown(*args, **fields).lower())

    def assert_not_shown(self, text, *args, **fields):
        self.assertNotIn(text.lower(), self.shown(*args, **fields).lower())


class Deleted(GoneCase):
    def test_no_place_holds_what_was_said_again_in_other_words_in_any_language(self):
        daemon = self.start(**SUMMARIES)
        for language, told, noted, question, answer, secrets in SECRETS:
            with self.subTest(language=language):
                user = "user-" + language
                memory = self.tell(told, noted, user_id=user, session_id="a")
                self.use_elsewhere(question, answer, user_id=user)
                self.assertTrue(any(self.places_that_hold(secret) for secret in secrets))

                self.answers[question] = "I do not know."
                deleted = self.admin("memory.delete", user, memory_id=memory)["deleted"]
                self.assertEqual(sorted(deleted), sorted(COUNTERS))
                self.assertEqual(deleted["memories"], 2, "the memory, and the summary")
                self.assertEqual(deleted["summaries"], 1)
                self.assertEqual(deleted["turns"], 3, "the exchange, and the answer")
                self.assertEqual(deleted["replies"], 2)
                self.assertEqual(self.places_that_hold(*secrets), [])
                self.assertIn("qzstep", str(self.stored(user)["conversation_history"]))

                # It is summarized anew, and nobody learns it again.
                eventually(lambda: self.summarized(user), "the session is summarized anew")
                for session in ("a", "b", "anew"):
                    for secret in secrets:
                        self.assert_not_shown(secret, question, user_id=user, session_id=session)
                self.assertIn("qzstep", str(self.summarized(user)))
                self.assertEqual(self.places_that_hold(*secrets), [])
        self.assertEqual(daemon.stop(), 0)

    def test_what_shares_only_everyday_words_stays(self):
        self.start(**SUMMARIES)
        memory = self.tell("I like coffee", "The user likes coffee", session_id="a")
        kept = "Tea is what many people like. A good day begins with a walk. Coffee comes from Brazil."
        self.use_elsewhere("tell me something", kept)
        deleted = self.admin("memory.delete", memory_id=memory)["deleted"]
        self.assertEqual((deleted["memories"], deleted["turns"], deleted["summaries"]), (1, 2, 0))
        self.assertIn(("assistant", kept), self.turns(session_id="b"))

    def test_what_another_memory_says_too_stays(self):
        self.start(**SUMMARIES)
        home = self.tell("I live in Qzmelk", "The user lives in Qzmelk", session_id="a")
        self.tell("My shop is in Qzmelk, too", "The shop of the user is in Qzmelk", session_id="c")
        kept = "Qzmelk has a good market."
        self.use_elsewhere("where can I sell?", kept + " And you live in Qzmelk.")
        self.admin("memory.delete", memory_id=home)
        self.assertIn(("assistant", kept), self.turns(session_id="b"))
        facts = [one["content"] for one in self.admin("memory.list")["memories"] if one["type"] == "fact"]
        self.assertEqual(facts, ["The shop of the user is in Qzmelk"])

    def test_an_answer_loses_only_the_sentence_and_is_found_by_the_rest(self):
        self.start()
        memory = self.tell("my safe opens with 4711", "The user's safe opens with 4711", session_id="a")
        self.answers["and my violin?"] = "It is 4711 for the safe. The violin hangs in the qzloft."
        self.ask("and my violin?", session_id="b")
        self.admin("memory.delete", memory_id=memory)
        self.assertEqual(self.turns(session_id="b")[1], ("assistant", "The violin hangs in the qzloft."))
        found = self.admin("memory.search", query="qzloft")["turns"]
        self.assertIn("The violin hangs in the qzloft.", [turn["content"] for turn in found])
        self.assertNotIn("4711", str(found))

    def test_an_answer_of_which_nothing_is_left_is_not_found(self):
        self.start()
        memory = self.tell("my safe opens with 4711", "The user's safe opens with 4711", session_id="a")
        self.answers["which code was it again?"] = "Your safe opens with 4711."
        self.ask("which code was it again?", session_id="b")
        self.admin("memory.delete", memory_id=memory)
        self.assertEqual(self.turns(session_id="b")[1], ("assistant", ""))
        found = self.admin("memory.search", query="which code was it again?")["turns"]
        self.assertEqual([turn["content"] for turn in found], ["which code was it again?"])

    def test_another_users_same_words_stay(self):
        self.start(**SUMMARIES)
        ids = [
            self.tell("my safe opens with 4711", "The user's safe opens with 4711", user_id=user, session_id="a")
            for user in "uv"
        ]
        for user in "uv":
            self.use_elsewhere("the code?", "Your code is 4711.", user_id=user)
        before = self.stored("v")
        self.admin("memory.delete", memory_id=ids[0])
        self.assertEqual(self.stored("v"), before)
        self.assertNotIn("4711", str(self.stored("u")))


class DryRun(GoneCase):
    def live(self):
        self.start(**SUMMARIES)
        self.memory = self.tell("my safe opens with 4711", "The user's safe opens with 4711", session_id="a")
        self.use_elsewhere("what was the code?", "Your code is 4711. Sleep well.")

    def test_it_shows_what_goes_and_changes_nothing(self):
        self.live()
        before = self.stored("u"), self.rows("SELECT * FROM engram_recall"), self.rows("SELECT * FROM engram_user")
        shown = self.admin("memory.delete", memory_id=self.memory, dry_run=True)
        after = self.stored("u"), self.rows("SELECT * FROM engram_recall"), self.rows("SELECT * FROM engram_user")
        self.assertEqual(after, before)
        self.assertIs(shown["dry_run"], True)
        self.assertIs(shown["complete"], True)
        self.assertEqual([(m["id"], m["content"]) for m in shown["memories"]],
                         [(self.memory, "The user's safe opens with 4711")])
        self.assertEqual([s["session_id"] for s in shown["summaries"]], ["b"])
        self.assertIn("4711", shown["summaries"][0]["content"])
        turns = {(t["session_id"], t["role"]): (t["content"], t["left"]) for t in shown["turns"]}
        self.assertEqual(turns[("a", "user")], ("my safe opens with 4711", ""))
        self.assertEqual(turns[("b", "assistant")], ("Your code is 4711. Sleep well.", "Sleep well."))
        self.assertEqual(len(shown["turns"]), 3)
        self.assertEqual(self.admin("memory.delete", memory_id=self.memory)["deleted"], shown["deleted"])

    def test_the_command_line_shows_it_and_asks_nothing(self):
        self.live()
        before = self.stored("u")
        answer = self.ctl("memory", "delete", str(self.memory), "--user", "u", "--dry-run")
        self.assertEqual(answer.status, 0, answer)
        self.assertEqual(self.stored("u"), before)
        self.assertIn("Nothing was deleted", answer.out)
        self.assertRegex(answer.out, r"turns +3\n")
        self.assertRegex(answer.out, r"Your code is 4711\. Sleep well\. +Sleep well\.")

    def test_what_is_not_there_or_another_users_is_not_found(self):
        self.live()
        for user, id in (("v", self.memory), ("u", 999)):
            self.refused(self.reply(self.request("memory.delete", user, memory_id=id, dry_run=True)), "not_found")
        refused = self.reply(self.request("memory.delete", memory_id=self.memory, dry_run="yes"))
        self.assertIn("dry_run", self.refused(refused, "invalid_job"))


class TakenBack(GoneCase):
    def label(self, memory):
        return self.rows("SELECT label FROM long_term_memory WHERE id = ?", memory)[0][0]

    def take_back(self, message, tag, session_id="later", text="I see."):
        self.answers[message] = f"{text}\n[MEMORY: {tag}]"
        (changed,) = self.ask(message, session_id=session_id)["memories"]
        return changed

    def test_no_prompt_shows_what_was_forgotten_by_a_note(self):
        self.start(**SUMMARIES)
        memory = self.tell("my safe opens with 4711", "The user's safe opens with 4711", session_id="a")
        for n in range(2):
            self.ask(f"small talk {n}", session_id="a")
        eventually(lambda: self.summarized(session_id="a"), "the session is summarized")
        self.use_elsewhere("what was the code?", "Your code is 4711. Mind the qzstep.")
        for session in ("a", "b", "anew"):
            self.assert_shown("4711", "the code of my safe?", session_id=session)

        gone = self.take_back("please forget the 4711 of my safe", f"forget #{self.label(memory)}")
        self.assertEqual(gone["action"], "forgotten")
        for session in ("a", "b", "anew", "later"):
            self.assert_not_shown("4711", "the code of my safe?", session_id=session)
        eventually(lambda: self.summarized() and self.summarized(session_id="a"), "all is summarized anew")
        self.assertNotIn("4711", str(self.summarized() + self.summarized(session_id="a")))
        self.assertIn("qzstep", str(self.summarized()))
        for session in ("a", "b", "anew", "later"):
            self.assert_not_shown("4711", "the code of my safe?", session_id=session)
        # The past stays for people, and can be brought back.
        self.assertIn(("user", "my safe opens with 4711"), self.turns(session_id="a"))
        self.assertEqual(len(self.admin("memory.history", memory_id=memory)["memories"]), 1)
        self.admin("memory.restore", memory_id=memory)
        self.assert_shown("opens with 4711", "the code of my safe?", session_id="anew")

    def test_a_corrected_fact_stands_nowhere_beside_its_old_form(self):
        self.start(**SUMMARIES)
        memory = self.tell("I live in Qzorlin", "The user lives in Qzorlin", session_id="a")
        for n in range(2):
            self.ask(f"small talk {n}", session_id="a")
        eventually(lambda: self.summarized(session_id="a"), "the session is summarized")
        self.use_elsewhere("a walk?", "You live in Qzorlin, so go to the harbour. Mind the qzstep.")
        self.take_back("I have moved to Qzmelk", f"update #{self.label(memory)}|The user lives in Qzmelk")
        for session in ("a", "b", "anew", "later"):
            self.assert_not_shown("qzorlin", "where do I live?", session_id=session)
            self.assert_shown("lives in qzmelk", "where do I live?", session_id=session)
        eventually(lambda: self.summarized() and self.summarized(session_id="a"), "all is summarized anew")
        self.assertNotIn("Qzorlin", str(self.summarized() + self.summarized(session_id="a")))
        self.assertIn("qzstep", str(self.summarized()))
        self.assert_not_shown("qzorlin", "where do I live?", session_id="anew")

    def test_a_correction_by_hand_is_one(self):
        self.start(**SUMMARIES)
        memory = self.tell("I live in Qzorlin", "The user lives in Qzorlin", session_id="a")
        self.use_elsewhere("a walk?", "You live in Qzorlin. Mind the qzstep.")
        self.admin("memory.update", memory_id=memory, content="The user lives in Qzmelk")
        for session in ("a", "b", "anew"):
            self.assert_not_shown("qzorlin", "where do I live?", session_id=session)

    def test_the_session_in_which_it_was_told_shows_it_no_more(self):
        self.start()
        memory = self.tell("My code is 4711. My dog is brown.", "The user's code is 4711", session_id="a")
        self.take_back("forget my code 4711", f"forget #{self.label(memory)}", session_id="a")
        shown = self.shown("and now?", session_id="a")
        self.assertNotIn("4711", shown)
        self.assertIn("My dog is brown.", shown)

    def test_an_exchange_that_told_two_things_is_recalled_without_the_one(self):
        self.start(memory_limit=1)
        said = "My violin is by Amati. My code is 4711."
        self.answers[said] = (
            "Noted.\n[MEMORY: fact|The user's violin is by Amati]\n[MEMORY: fact|The user's code is 4711]"
        )
        violin, code = [m["id"] for m in self.ask(said, session_id="a")["memories"]]
        self.take_back("forget the code", f"forget #{self.label(code)}")
        shown = self.shown("who made my violin?")
        self.assertIn("My violin is by Amati.", shown)
        self.assertNotIn("4711", shown)
        self.take_back("forget the violin", f"forget #{self.label(violin)}")
        self.assertNotIn("My violin is by Amati.", self.shown("who made my violin?", session_id="anew2"))

    def test_a_summary_that_was_being_written_does_not_bring_it_back(self):
        self.start(**SUMMARIES)
        memory = self.tell("my safe opens with 4711", "The user's safe opens with 4711", session_id="a")
        self.gate.clear()
        for n in range(2):
            self.ask(f"small talk {n}", session_id="a")
        eventually(lambda: [r for r in self.claude.requests if r.model == CHEAP], "the summary is asked for")
        self.take_back("forget the 4711", f"forget #{self.label(memory)}")
        self.gate.set()
        eventually(lambda: self.summarized(session_id="a"), "the summary is stored")
        self.assertNotIn("4711", str(self.summarized(session_id="a")))

    def test_what_still_holds_is_still_shown_and_summarized(self):
        self.start(**SUMMARIES)
        self.tell("Marie plays the piano", "Marie plays the piano", session_id="a")
        exam = self.tell("Marie has an exam on Friday", "Marie has an exam on Friday", session_id="c")
        self.use_elsewhere("how is she?", "Marie loves the qzpiano. The exam of Marie is near.")
        self.take_back("forget the exam", f"forget #{self.label(exam)}")
        for session in ("b", "anew"):
            self.assert_shown("marie loves the qzpiano.", "how does she play the qzpiano?", session_id=session)
            self.assert_not_shown("exam of marie", "how does she play the qzpiano?", session_id=session)
        eventually(self.summarized, "the session is summarized anew")
        self.assertIn("Marie loves the qzpiano.", str(self.summarized()))
        self.assertNotIn("exam of Marie", str(self.summarized()))

    def test_what_an_answer_noted_and_had_no_room_for_is_still_shown(self):
        import os

        path = os.path.join(self.folder, "engramd.toml")
        with open(path, "w") as file:
            file.write('[[memory.category]]\nname = "contact"\ndescription = "people"\nmax_per_user = 1\n')
        self.start(config_file=path)
        said = "Qzann and Qzbob called"
        self.answers[said] = (
            "Noted.\n[MEMORY: contact|Qzann is a customer]\n[MEMORY: contact|Qzbob is a customer]"
        )
        self.ask(said, session_id="a")
        self.assertEqual(len(self.admin("memory.list")["memories"]), 1)
        self.assert_shown("Qzann and Qzbob called", "who was it?", session_id="a")

    def test_what_only_made_room_for_others_is_still_shown(self):
        import os

        path = os.path.join(self.folder, "engramd.toml")
        with open(path, "w") as file:
            file.write('[[memory.category]]\nname = "contact"\ndescription = "people"\nmax_per_user = 1\n')
        self.start(config_file=path)
        for name in ("Qzann", "Qzbob"):
            self.answers[f"{name} called"] = note(f"{name} is a customer", "contact")
            self.ask(f"{name} called", session_id="a")
        self.assert_shown("Qzann called", "who was it?", session_id="a")


if __name__ == "__main__":
    main()
