"""Another program goes on writing into its two tables: what it writes is remembered like everything else."""

import contextlib
import sqlite3

from harness import eventually, main, memory_lines, prompt_turns
from memory_case import MemoryCase
from version_1 import AT, write_version_1

MEMORY = "INSERT INTO long_term_memory(user_id, memory_type, content, created_at) VALUES (?, ?, ?, ?)"
TURN = (
    "INSERT INTO conversation_history(session_id, user_id, role, content, created_at) VALUES (?, ?, ?, ?, ?)"
)
THEN = "2024-02-03 04:05:06"


class Adoption(MemoryCase):
    def start(self, **changes):
        return self.start_daemon(**{"store_adopt_ms": 100, "summary_enabled": "false", **changes})

    def write(self, sql, *rows):
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as db, db:
            db.executemany(sql, rows)

    def wait_until_adopted(self):
        left = (
            "SELECT (SELECT count(*) FROM long_term_memory WHERE label IS NULL) + "
            "(SELECT count(*) FROM conversation_history WHERE job_id IS NULL)"
        )
        eventually(lambda: self.rows(left) == [(0,)], "all rows are adopted")

    def test_what_another_program_writes_is_found_labelled_shown_and_deleted(self):
        daemon = self.start()
        self.tell("I like tea", "The user likes tea")
        self.write(MEMORY, ("u", "fact", "The user has a violin from Cremona", THEN))
        self.write(
            TURN,
            ("theirs", "u", "user", "My goat is called Vesna", THEN),
            ("theirs", "u", "assistant", "A fine name for her.", THEN),
        )
        # At once in the profile and in the window of its own session.
        self.ask("Go on", session_id="theirs")
        body = self.chats()[-1]
        self.assertIn("Cremona", "".join(memory_lines(body)))
        self.assertEqual(prompt_turns(body)[0], ("user", "My goat is called Vesna"))
        daemon.wait_for_log("rows of other software adopted")
        self.wait_until_adopted()
        lines = self.known_in(self.prompt_for("Where is my violin from?"))
        self.assertTrue([line for line in lines if line.startswith("- #2 (fact, 2024-02-03)")], lines)
        self.assert_recalled(") My goat is called Vesna", self.recalled_for("What is my goat called?"))
        self.assertIn("theirs", [one["session_id"] for one in self.admin("session.list")["sessions"]])
        found = self.admin("memory.search", query="violin of Cremona", limit=5)["memories"]
        self.assertEqual([one["label"] for one in found], [2])
        # A note of the model knows it by its number.
        (changed,) = self.say("I sold it", "update #2|The user had a violin", session_id="later")
        self.assertEqual(changed["action"], "updated")
        deleted = self.admin("memory.delete", memory_id=changed["id"])["deleted"]
        self.assertEqual(deleted["memories"], 2)
        self.assertEqual(self.admin("session.delete", session_id="theirs")["deleted"]["turns"], 4)
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE session_id = 'theirs'"), [(0,)])
        self.assert_not_in_prompt("Vesna", self.prompt_for("What is my goat called?"))

    def test_rows_of_any_kind_do_no_harm(self):
        self.start()
        self.tell("I like tea", "The user likes tea")
        self.write(
            MEMORY,
            (None, None, None, None),
            ("u", None, None, None),
            ("u", 42, 3.5, -1),
            (b"u", b"fact", b"\xff\xfe bytes", b"\x00"),
            ("v", "fact", "The user of v has a violin", THEN),
        )
        self.write(
            TURN,
            (None, None, None, None, None),
            (None, "u", "user", "of no session", THEN),
            ("s", None, "user", "of nobody", THEN),
            ("odd", "u", "system", "be nice", THEN),
            ("odd", "u", "tool", b"\x00\xff", 7),
            ("odd", "u", "user", None, THEN),
            ("odd", "u", "assistant", b"\xc3\x28 odd bytes", 1.5),
            (b"odd", b"u", b"user", "a violin in bytes", THEN),
        )
        self.wait_until_adopted()
        self.assertEqual(self.ask("Do I like tea?", session_id="odd")["status"], "ok")
        self.assert_recalled("a violin in bytes", self.recalled_for("Where is the violin in bytes?"))
        self.assert_not_in_prompt("of v has", self.prompt_for("Where is the violin?"))
        for op in ("memory.list", "session.list", "user.export", "stats"):
            self.admin(op)
        self.admin("user.forget")
        self.assertEqual(self.rows("SELECT count(*) FROM long_term_memory WHERE user_id = 'u'"), [(0,)])

    def test_a_long_conversation_of_another_program_is_summarized(self):
        self.start(summary_enabled="true", summary_trigger_turns=20, summary_keep_turns=6, summary_sweep_ms=200)
        for n in range(12):
            self.write(
                TURN,
                ("theirs", "u", "user", f"message {n}", THEN),
                ("theirs", "u", "assistant", f"answer {n}", THEN),
            )
        covered = "SELECT count(*) FROM conversation_history WHERE summary_id > 0"
        eventually(lambda: self.rows(covered)[0][0] >= 14, "its oldest turns are summarized")

    def test_what_was_written_before_the_index_was_made_anew_is_adopted(self):
        daemon = self.start()
        self.tell("I like tea", "The user likes tea")
        daemon.stop()
        self.write(MEMORY, (b"u", None, "The user has a violin from Cremona", THEN))
        self.write(
            TURN,
            (b"theirs", b"u", b"user", "My goat is called Vesna", THEN),
            ("theirs", "u", "assistant", "A fine name for her.", THEN),
        )
        self.write("UPDATE engram_state SET value = ? WHERE name = 'index_version'", (999,))
        daemon = self.start()
        daemon.wait_for_log("search index made")
        self.wait_until_adopted()
        self.assertIn("theirs", [one["session_id"] for one in self.admin("session.list")["sessions"]])
        self.assert_recalled(") My goat is called Vesna", self.recalled_for("What is my goat called?"))
        kinds = {one["content"]: one["type"] for one in self.admin("memory.list")["memories"]}
        self.assertEqual(kinds, {"The user likes tea": "fact", "The user has a violin from Cremona": "fact"})
        self.assertEqual(self.admin("session.delete", session_id="theirs")["deleted"]["turns"], 2)

    def test_rows_of_an_older_engramd_are_found(self):
        """As one of version 1 writes them that was left running over the migration."""
        write_version_1(self.database, [("u", "s", "user", "I like tea")], [("u", "fact", "The user likes tea")])
        daemon = self.start()
        self.write(
            "INSERT INTO conversation_history(session_id, user_id, role, content, created_at, job_id) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            ("s", "u", "user", "My goat is called Vesna", AT, "job-7"),
            ("s", "u", "assistant", "A fine name for her.", AT, "job-7"),
        )
        self.write(
            "INSERT INTO long_term_memory(user_id, memory_type, content, created_at, updated_at, session_id, job_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ("u", "fact", "The user has a violin from Cremona", AT, AT, "s", "job-7"),
        )
        self.write("UPDATE engram_session SET window_turns = window_turns + ?", (2,))
        daemon.wait_for_log("rows of other software adopted")
        nowhere = "SELECT count(*) FROM conversation_history WHERE item IS NULL"
        eventually(lambda: self.rows(nowhere) == [(0,)], "all turns have their place")
        self.wait_until_adopted()
        self.assert_recalled(") My goat is called Vesna", self.recalled_for("What is my goat called?"))
        found = self.admin("memory.search", query="violin of Cremona", limit=5)["memories"]
        self.assertEqual([one["label"] for one in found], [2])
        self.assertEqual(self.rows("SELECT window_turns FROM engram_session WHERE session_id = 's'"), [(3,)])
        daemon.stop()
        # While no daemon ran.
        self.write(
            "INSERT INTO conversation_history(session_id, user_id, role, content, created_at, job_id) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            ("s", "u", "user", "My cow is called Bella", AT, "job-8"),
        )
        self.start()
        eventually(lambda: self.rows(nowhere) == [(0,)], "this one, too")
        self.assert_recalled(") My cow is called Bella", self.recalled_for("What is my cow called?"))

    def test_two_daemons_adopt_each_row_once(self):
        for _ in range(2):
            self.start()
        for n in range(100):
            self.write(MEMORY, ("u", "fact", f"The user owns album {n}", THEN))
            self.write(TURN, (f"s{n % 7}", "u", "user", f"album {n}", THEN))
        self.wait_until_adopted()
        self.assertEqual(
            self.rows("SELECT count(DISTINCT label), count(DISTINCT item) FROM long_term_memory"), [(100, 100)]
        )
        self.assertEqual(self.rows("SELECT next_label, next_item FROM engram_user"), [(101, 200)])


if __name__ == "__main__":
    main()
