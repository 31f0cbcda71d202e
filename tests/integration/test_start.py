"""Starting: configuration and its errors, databases of other software, of later versions and of no use."""

import contextlib
import os
import re
import resource
import signal
import sqlite3
import subprocess

from harness import Case, API_KEY, eventually, main, memory_lines, prompt_turns
from version_1 import write_version_1

EX_USAGE, EX_DATAERR, EX_CONFIG = 64, 65, 78

OLDER_TABLES = """
CREATE TABLE long_term_memory (
    id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, memory_type TEXT NOT NULL,
    content TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE conversation_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL, user_id TEXT NOT NULL,
    role TEXT NOT NULL, content TEXT NOT NULL, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
"""
OLDER_ROWS = """
INSERT INTO long_term_memory(id, user_id, memory_type, content, created_at) VALUES
    (3, 'ada', 'fact', 'The user''s name is Ada', '2024-01-02 03:04:05'),
    (9, 'ada', 'preference', 'Prefers short answers', '2024-02-02 03:04:05'),
    (11, 'bob', 'fact', 'The user''s name is Bob', '2024-03-02 03:04:05');
INSERT INTO conversation_history(id, session_id, user_id, role, content, created_at) VALUES
    (5, 'old', 'ada', 'user', 'Good morning', '2024-01-02 03:04:04'),
    (6, 'old', 'ada', 'assistant', 'Good morning, Ada', '2024-01-02 03:04:05'),
    (8, 'other', 'bob', 'user', 'Hello', '2024-03-02 03:04:05'),
    (9, 'other', 'bob', 'assistant', 'Hello Bob', '2024-03-02 03:04:05');
"""


class Configuration(Case):
    def write(self, text, name="some.toml"):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def refused(self, *arguments, **options):
        answer = self.run_daemon(*arguments, **options)
        self.assertEqual(answer.status, EX_CONFIG, answer)
        self.assertEqual(answer.out, "")
        for line in answer.err.splitlines():
            self.assertTrue(line.startswith("engramd: "), line)
        return answer.err

    def test_an_error_names_file_line_and_key(self):
        cases = [
            ("[redis]\nurl = 7\n", 2, "redis.url"),
            ('[redis]\nurl = "http://x"\n', 2, "redis.url"),
            ('\n\n[queue]\n# why not\nmax_in_flight = "many"\n', 5, "queue.max_in_flight"),
            ("[queue]\nmax_in_flight = 0\n", 2, "queue.max_in_flight"),
            ("[queue]\nlease_ms = -5\n", 2, "queue.lease_ms"),
            ('[claude]\nmodel = ""\n', 2, "claude.model"),
            ('[claude]\nbase_url = "ftp://x"\n', 2, "claude.base_url"),
            ('[log]\nlevel = "loud"\n', 2, "log.level"),
            ("[queue]\nmax_inflight = 5\n", 2, "queue.max_inflight"),
            ("[nonsense]\nx = 1\n", 1, "nonsense"),
            ('[claude]\napi_key = "sk-secret"\n', 2, "claude.api_key"),
        ]
        for text, line, key in cases:
            with self.subTest(text=text):
                path = self.write(text)
                complaint = self.refused("--config", path)
                self.assertRegex(complaint, rf"{re.escape(path)}:{line}\b")
                self.assertIn(key, complaint)
                self.assertNotIn("sk-secret", complaint)

    def test_text_that_is_not_toml_names_file_and_line(self):
        path = self.write("\n" * 10 + '[redis]\nurl = "x\n', "engramd.toml")
        complaint = self.refused("--config", path)
        self.assertIn(path, complaint)
        self.assertIn("engramd.toml:12:", complaint)

    def test_every_error_is_told_at_once(self):
        path = self.write("[redis]\nurl = 7\n[queue]\nlease_ms = -5\n")
        complaint = self.refused("--config", path)
        self.assertIn("redis.url", complaint)
        self.assertIn("queue.lease_ms", complaint)

    def test_errors_of_the_environment_and_of_the_command_line_name_their_source(self):
        self.assertIn("ENGRAMD_QUEUE_LEASE_MS", self.refused(env={"ENGRAMD_QUEUE_LEASE_MS": "soon"}))
        self.assertIn("--set", self.refused("--set", "queue.lease_ms=soon"))
        self.assertIn("queue.nothing", self.refused("--set", "queue.nothing=1"))
        complaint = self.refused(env={"ENGRAMD_QUEUE_NOTHING": "1"})
        self.assertIn("queue.nothing", complaint)
        self.assertIn("environment", complaint)

    def test_a_file_that_is_named_must_be_there(self):
        self.assertIn("missing.toml", self.refused("--config", os.path.join(self.folder, "missing.toml")))
        self.assertIn(self.folder, self.refused("--config", self.folder))

    def test_a_key_that_cannot_be_one_is_refused_without_being_shown(self):
        complaint = self.refused(key="two words")
        self.assertIn("ANTHROPIC_API_KEY", complaint)
        self.assertNotIn("two words", complaint)

    def test_without_a_key_the_real_api_is_not_asked(self):
        says = "no API key: set ANTHROPIC_API_KEY, or the systemd credential anthropic_api_key"
        self.assertIn(says, self.refused(key=None))

    def test_check_config_says_what_would_run(self):
        path = self.write('[redis]\nurl = "redis://user:pw-secret@example:7/2"\n[queue]\nlease_ms = 5000\n')
        answer = self.run_daemon(
            "--config",
            path,
            "--check-config",
            "--set",
            "claude.model=claude-sonnet-4-5",
            env={"ENGRAMD_MEMORY_LIMIT": "7"},
        )
        self.assertEqual(answer.status, 0, answer)
        for piece in (
            "lease_ms = 5000",
            "claude-sonnet-4-5",
            "limit = 7",
            "some.toml:4",
            "ENGRAMD_MEMORY_LIMIT",
            "--set",
        ):
            self.assertIn(piece, answer.out)
        self.assertNotIn("pw-secret", answer.out)
        self.assertNotIn(API_KEY, answer.out)
        # What it prints can be used as a file.
        again = self.run_daemon("--config", self.write(answer.out), "--check-config")
        self.assertEqual(again.status, 0, again)

    def test_version_help_and_wrong_arguments(self):
        self.assertRegex(self.run_daemon("--version").out, r"^engramd \d+\.\d+\.\d+\n$")
        self.assertIn("--check-config", self.run_daemon("--help").out)
        answer = self.run_daemon("--nonsense")
        self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_USAGE, 1), answer)

    def test_environment_over_file_and_command_line_over_environment(self):
        path = self.write("[memory]\nlimit = 1\nhistory_turns = 41\n[queue]\nlease_ms = 5001\n")
        answer = self.run_daemon(
            "--config",
            path,
            "--check-config",
            "--set",
            "memory.limit=3",
            env={"ENGRAMD_MEMORY_LIMIT": "2", "ENGRAMD_MEMORY_HISTORY_TURNS": "42"},
        )
        for piece in ("limit = 3", "history_turns = 42", "lease_ms = 5001"):
            self.assertIn(piece, answer.out)

    def test_certificates_that_cannot_be_read_stop_the_start(self):
        self.start_redis()
        answer = self.run_daemon(
            "--set",
            "claude.base_url=https://localhost:1",
            "--set",
            "claude.ca_file=/nonexistent",
            "--set",
            f"redis.url={self.redis.url}",
            "--set",
            f"store.path={self.database}",
        )
        self.assertNotEqual(answer.status, 0, answer)
        self.assertIn("/nonexistent", answer.err)


class Databases(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()

    def refused(self):
        arguments = [a for k, v in self.settings().items() for a in ("--set", f"{k}={v}")]
        answer = self.run_daemon(*arguments)
        self.assertNotIn(answer.status, (0, None), answer)
        self.assertGreater(answer.status, 0, answer)
        self.assertIn(self.database, answer.err)
        return answer

    def write_database(self, script):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.executescript(script)

    def test_a_newer_database_is_refused_and_left_as_it_is(self):
        self.start_daemon().stop()
        self.write_database("PRAGMA user_version = 999;")
        with open(self.database, "rb") as f:
            before = f.read()
        answer = self.refused()
        self.assertEqual(answer.status, EX_DATAERR)
        self.assertIn("999", answer.err)
        self.assertIn("run a newer engramd or give another store.path", answer.err)
        with open(self.database, "rb") as f:
            self.assertEqual(f.read(), before)

    def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(self):
        with open(self.database, "wb") as f:
            f.write(b"this is not a database, but somebody's letters " * 100)
        says = "it is damaged or no SQLite database; restore it or give another store.path"
        self.assertIn(says, self.refused().err)
        with open(self.database, "rb") as f:
            self.assertTrue(f.read().startswith(b"this is not a database"))

    def test_the_database_of_another_program_is_refused(self):
        self.write_database("CREATE TABLE invoices(id INTEGER PRIMARY KEY); INSERT INTO invoices VALUES (1);")
        self.refused()
        self.assertEqual(self.rows("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'engram%'"), [(0,)])

    def test_a_folder_that_is_missing_is_named(self):
        arguments = [
            a
            for k, v in self.settings(
                store_path="/nonexistent/folder/engram.db", store_open_patience_ms=0
            ).items()
            for a in ("--set", f"{k}={v}")
        ]
        answer = self.run_daemon(*arguments)
        self.assertEqual(answer.status, os.EX_TEMPFAIL, answer)
        self.assertIn("/nonexistent/folder", answer.err)
        self.assertIn("its folder must exist and be writable for this user", answer.err)

    def test_a_folder_that_comes_later_is_waited_for(self):
        folder = os.path.join(self.folder, "mounted")
        daemon = self.start_daemon(ready=False, store_path=os.path.join(folder, "engram.db"))
        daemon.wait_for_log("the database cannot be opened yet")
        os.mkdir(folder)
        self.assertEqual(self.ask("hello")["status"], "ok")

    def start_without_room(self, **settings):
        process = {"ignore_file_limit": True, "wrapper": ["prlimit", "--fsize=16384:unlimited"]}
        return self.start_daemon(ready=False, process=process, **settings)

    def test_a_disk_that_is_full_at_the_start_is_waited_for(self):
        daemon = self.start_without_room()
        daemon.wait_for_log("the database cannot be opened yet: it is tried again")
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        daemon.wait_until_ready(self.redis.client)
        self.assertEqual(self.ask("hello")["status"], "ok")

    def test_a_disk_that_stays_full_ends_the_start_with_a_status_that_is_tried_again(self):
        daemon = self.start_without_room(store_open_patience_ms=0)
        self.assertEqual(daemon.wait(), os.EX_TEMPFAIL)
        self.assertIn("the database cannot be used error=", daemon.log())

    def test_a_signal_ends_the_waiting_for_the_disk(self):
        daemon = self.start_without_room()
        daemon.wait_for_log("the database cannot be opened yet")
        daemon.send(signal.SIGTERM)
        self.assertEqual(daemon.wait(), 0)

    def test_the_log_says_what_starts(self):
        first = self.start_daemon()
        first.wait_for_log("a new database was made")
        first.stop()
        second = self.start_daemon(claude_model="claude-opus-5-5")
        second.wait_for_log("database opened")
        log = second.log()
        for sentence in (
            r"engramd starts .*version=\S+ commit=\S+ pid=\d+",
            r"models claude=claude-opus-5-5 fallback=\S* summary=\S+",
            rf"endpoint url={re.escape(self.claude.url)} key=\S+",
            r"limits jobs=\d+ calls=\d+ files=\d+",
            r"database opened file=\S+ id=[0-9a-f]{16} version=\d+ .*users=\d+ turns=\d+ memories=\d+",
        ):
            self.assertRegex(log, sentence)

    def test_a_database_of_older_software_is_taken_over_with_every_row(self):
        self.write_database(OLDER_TABLES + OLDER_ROWS)
        memories = (
            "SELECT id, user_id, memory_type, content, created_at, updated_at FROM long_term_memory "
            "ORDER BY id"
        )
        turns = (
            "SELECT id, session_id, user_id, role, content, created_at FROM conversation_history ORDER BY id"
        )
        before = self.rows(memories), self.rows(turns)
        daemon = self.start_daemon()
        self.assertEqual((self.rows(memories), self.rows(turns)), before)
        self.ask("And today?", user_id="ada", session_id="old")
        body = self.claude.requests[0].body
        self.assertEqual(
            [line.split(" ", 2)[2] for line in memory_lines(body)],
            ["(fact, 2024-01-02) The user's name is Ada", "(preference, 2024-02-02) Prefers short answers"],
        )
        self.assertEqual(
            prompt_turns(body),
            [("user", "Good morning"), ("assistant", "Good morning, Ada"), ("user", "And today?")],
        )
        daemon.stop()
        self.start_daemon()
        self.assertEqual(self.rows(memories)[:3], before[0])
        self.assertEqual(self.rows(turns)[:4], before[1])

    def test_a_long_conversation_of_older_software_is_summarized(self):
        rows = ", ".join(
            f"('old', 'ada', '{'user' if n % 2 == 0 else 'assistant'}', 'turn {n:02}')" for n in range(24)
        )
        self.write_database(
            OLDER_TABLES
            + f"INSERT INTO conversation_history(session_id, user_id, role, content) VALUES {rows};"
        )
        self.claude.default = lambda request: "- Twenty-four turns."
        self.start_daemon()
        eventually(
            lambda: self.memories("ada") == [("summary", "- Twenty-four turns.")], "the summary is stored"
        )
        self.assertEqual(
            self.rows("SELECT count(*) FROM conversation_history WHERE summary_id IS NULL"), [(6,)]
        )

    def write_old_database(self, texts):
        turns = [
            (f"user{n % 50}", "s", "user" if n % 2 == 0 else "assistant", f"a thought number {n} " + "of tea " * 40)
            for n in range(texts)
        ]
        write_version_1(self.database, turns, [("user1", "fact", "likes tea")])

    def indexing(self):
        """How far the index is: the id of the last text; None: it is not being made."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
                found = db.execute("SELECT value FROM engram_state WHERE name = 'reindex_after'").fetchall()
        except sqlite3.Error:
            return None
        return found[0][0] if found else None

    def test_an_upgrade_ends_at_a_signal_and_the_next_start_carries_on_where_it_was(self):
        self.write_old_database(60_000)
        first = self.start_daemon(ready=False)
        eventually(lambda: (self.indexing() or 0) > 0, "some texts are indexed")
        first.send(signal.SIGTERM)
        self.assertEqual(first.wait(), 0)
        self.assertEqual(first.log().count("search index made"), 0)
        done = self.indexing()
        self.assertGreater(done, 0)
        second = self.start_daemon()
        self.assertIn("made from where it was interrupted", second.log())
        self.assertIsNone(self.indexing())
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE item IS NULL"), [(0,)])
        self.ask("And today?", user_id="user1", session_id="s")

    def test_daemons_that_start_together_bring_an_old_database_up_to_date(self):
        self.write_old_database(20_000)
        both = [self.start_daemon(ready=False) for _ in range(2)]
        for daemon in both:
            daemon.wait_until_ready(self.redis.client)
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE item IS NULL"), [(0,)])
        self.assertEqual(
            self.rows("SELECT count(*), count(DISTINCT user_id || ' ' || item) FROM conversation_history"),
            [(20_000, 20_000)],
        )

    def test_a_backup_of_the_running_database_is_whole(self):
        self.start_daemon()
        self.ask("I am Ada")
        copy = os.path.join(self.folder, "backup.db")
        subprocess.run(["sqlite3", self.database, f".backup '{copy}'"], check=True)
        self.assertEqual(
            self.rows("SELECT content FROM conversation_history WHERE role = 'user'", path=copy),
            [("I am Ada",)],
        )


if __name__ == "__main__":
    main()
