"""Recall as people talk to an assistant: small talk, pasted texts, long answers, dates."""

from harness import main, prompt_turns, recalled_block, recalled_lines
from memory_case import MemoryCase

SMALL_TALK = [
    "Good morning",
    "good morning!!",
    "Guten Morgen",
    "Guten Morgen, wie geht's?",
    "Bonjour, ça va ?",
    "Hola, ¿qué tal?",
    "Bom dia, tudo bem?",
    "Buongiorno, come stai?",
    "Goedemorgen",
    "Dzień dobry",
    "Доброе утро, как дела?",
    "Günaydın",
    "おはようございます",
    "早上好",
    "안녕하세요",
    "صباح الخير",
    "ok thanks",
    "lol",
    "\N{THUMBS UP SIGN}",
    "go on",
]

MAIL = """Dear Anna,

thank you for the invoice of the garden company. Could you send the corrected version until Friday? The fence was
delivered too late, and the carpenter had to come a second time, which we would like to see in the final amount. The
neighbours complained about the noise of the saw as well, so please ask the workers to begin after nine. The gate still
does not close, and one of the posts has a crack; a photograph is attached. The paint that was left over stands behind
the shed, and the key of the shed is with Mrs Lindner from the first floor, who is at home on most days until noon and
likes to be called before. If anything is unclear, write to me or call the office, where my colleague knows the matter.

Kind regards
Thomas Berger"""


class RecallForAssistants(MemoryCase):
    def start(self, **changes):
        settings = {"memory_limit": 0, "summary_enabled": "false"}
        return self.start_daemon(**{**settings, **changes})

    def test_small_talk_recalls_nothing(self):
        self.start()
        for n, words in enumerate(SMALL_TALK):
            self.ask(f"{words} The doctor told me about the ulcer, part {n}", session_id=f"s{n}")
        for words in SMALL_TALK:
            self.assertEqual(recalled_block(self.prompt_for(words)), "", words)
        lines = self.recalled_for("Good morning, what did the doctor say about my ulcer?")
        self.assert_recalled("told me about the ulcer", lines)

    def test_a_question_after_a_pasted_mail_is_recalled_for_itself(self):
        self.start(memory_recall_limit=5)
        self.ask("We got a dog, he is called Rex", session_id="dog")
        for n, sentence in enumerate(MAIL.replace("\n", " ").split(". ")):
            self.ask(f"They wrote: {sentence}", session_id=f"mail{n}")
        for question in ("What is my dog called?", "what is my dog called"):
            for message in (f"{MAIL}\n\n{question}", f"{question}\n\n{MAIL}"):
                lines = self.recalled_for(message)
                self.assert_recalled("he is called Rex", lines)
                self.assert_recalled("They wrote", lines)

    def test_turns_that_the_bytes_of_the_history_leave_out_are_recalled(self):
        self.start(memory_history_bytes=2_000)
        self.ask("My violin is from Cremona")
        self.ask("Something long: " + "rain and wind, " * 130)
        self.ask("Where is my violin from?")
        body = self.chats()[-1]
        self.assertNotIn("Cremona", str(prompt_turns(body)))
        self.assert_recalled(") My violin is from Cremona", recalled_lines(body))

    def test_the_users_own_words_come_before_long_answers(self):
        self.start(memory_recall_limit=3)
        long = "Resume keywords matter. " * 3 + "Write the resume with care. " * 40
        for n in range(6):
            self.answers[f"How is a resume read, part {n}?"] = f"Part {n}: {long}"
            self.ask(f"How is a resume read, part {n}?", session_id=f"s{n}")
        self.ask("I pay 29 dollars for the keywords of my resume", session_id="mine")
        lines = self.recalled_for("How much do I pay for the keywords of my resume?")
        self.assert_recalled(") I pay 29 dollars", lines)

    def test_what_the_assistant_said_is_found_when_it_is_asked_for(self):
        self.start(memory_recall_limit=1)
        self.answers["Something for the pain?"] = "Swimming helps a sore back."
        self.ask("Something for the pain?", session_id="back")
        self.ask("Swimming hurts my sore back", session_id="later")
        lines = self.recalled_for("What did you recommend for a sore back, swimming?")
        self.assert_recalled("Swimming helps a sore back.", lines)


if __name__ == "__main__":
    main()
