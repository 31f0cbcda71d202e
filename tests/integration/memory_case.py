"""A user who tells things, a scripted model that notes them, and what later prompts hold of it."""

import contextlib
import signal
import sqlite3

from harness import Case, eventually, memory_lines, new_message, prompt_turns, recalled_block, recalled_lines, system_text

CHEAP = "claude-haiku-5-5"


class MemoryCase(Case):
    """The fake answers a message as `answers` says, else with nothing that could be found for another one."""

    def setUp(self):
        super().setUp()
        self.answers = {}
        self.start_redis()
        self.start_fake(self.speak)

    def speak(self, request):
        if request.model == CHEAP:
            return "- They talked."
        return self.answers.get(request.new_message, "I see.")

    def chats(self):
        return [r.body for r in self.claude.requests if r.model != CHEAP]

    def say(self, message, *notes, **fields):
        """A message that the model answers with these notes; the memories of the reply."""
        self.answers[message] = "\n".join(["I see.", *(f"[MEMORY: {note}]" for note in notes)])
        return self.ask(message, **fields)["memories"]

    def tell(self, message, note, **fields):
        """… with one note, which becomes or confirms a fact."""
        (memory,) = self.say(message, "fact|" + note, **fields)
        return memory

    def prompt_for(self, message, **fields):
        """The prompt of a message, of which no trace is left for the next one."""
        session = fields.setdefault("session_id", "question")
        self.ask(message, **fields)
        body = self.chats()[-1]
        self.assertEqual(new_message(body), message)
        self.admin("session.delete", session_id=session, user_id=fields.get("user_id", "u"))
        return body

    def recalled_for(self, message, **fields):
        return recalled_lines(self.prompt_for(message, **fields))

    def known_in(self, body):
        """The lines about memories in a prompt, wherever they stand."""
        return memory_lines(body) + [line for line in recalled_lines(body) if line.startswith("- #")]

    @contextlib.contextmanager
    def standing_still(self, daemon):
        daemon.send(signal.SIGSTOP)
        eventually(daemon.is_stopped, "it stands still")
        while not self.is_free():  # in the middle of a transaction it would hold up the others
            daemon.send(signal.SIGCONT)
            daemon.send(signal.SIGSTOP)
            eventually(daemon.is_stopped, "it stands still")
        yield
        daemon.send(signal.SIGCONT)

    def is_free(self):
        """Whether nobody is writing to the database."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=0, isolation_level=None)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            db.execute("ROLLBACK")
            return True

    def assert_recalled(self, text, lines):
        self.assertTrue([line for line in lines if text in line], f"{text!r} is not in {lines}")

    def assert_not_in_prompt(self, text, body):
        self.assertNotIn(text, system_text(body))
        self.assertNotIn(text, str(prompt_turns(body)))
        self.assertNotIn(text, recalled_block(body))
