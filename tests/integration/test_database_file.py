"""The database's file is removed, replaced, overwritten or emptied while a daemon has it open: what is answered with
"ok" from then on is in the file that the next start opens, and the daemon says what has happened."""

import contextlib
import glob
import os
import shutil
import sqlite3
import threading

from harness import Case, PATIENCE, eventually, main

BEATS = {"queue_lease_ms": 2500}  # two a second: its status is never older
JOBS = 20
EX_DATAERR = 65


class DatabaseFile(Case):
    """The fake answers "re: …"; a message that begins with "hold" waits for `gate`."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.start_redis()
        self.start_fake(self.speak)
        self.backup = os.path.join(self.folder, "backup.db")
        self.kept = {}

    def speak(self, request):
        if request.new_message.startswith("hold"):
            self.gate.wait(PATIENCE)
        return "re: " + request.new_message

    def start(self, **options):
        return self.start_daemon(summary_enabled="false", **BEATS, **options)

    def make_backup(self):
        with contextlib.closing(sqlite3.connect(self.database)) as source:
            with contextlib.closing(sqlite3.connect(self.backup)) as target:
                source.backup(target)

    def move_log_away(self):
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.database + suffix, self.backup + suffix + ".old")

    def users_of(self, session):
        return [text for role, text in self.turns(session_id=session) if role == "user"]

    def lose(self, change, says):
        """A daemon at work, the change, and what must follow from it. Returns the jobs that are not answered."""
        self.daemon = self.start()
        for n in range(JOBS):
            self.ask(f"early {n}", session_id=f"early{n % 4}")
        self.make_backup()
        for n in range(JOBS):
            self.ask(f"late {n}", session_id=f"late{n % 4}")
        held = [self.push(f"hold {n}", session_id=f"held{n}") for n in range(4)]
        self.claude.wait_for_requests(2 * JOBS + 4)
        change()
        self.gate.set()
        jobs = held + [self.push(f"new {n}", session_id=f"new{n}") for n in range(JOBS)]
        eventually(lambda: says in self.said(self.daemon).get("trouble", ""), "it says so", timeout=3)
        eventually(lambda: self.said(self.daemon)["limit"] == 0, "nothing more is taken", timeout=3)
        self.assertFalse(self.said(self.daemon)["ready"])
        self.daemon.wait_for_log("no jobs are taken: nothing could be stored")
        # Nothing more is taken, so nothing is paid for that could not be kept.
        jobs += [self.push(f"more {n}", session_id=f"more{n}") for n in range(JOBS)]
        for _ in range(3):
            self.wait_for_beat()
        self.assertEqual([r.new_message for r in self.claude.requests if "more" in r.new_message], [])
        self.assertEqual([k for k in self.keys() if ":reply:" in k], [], "replies that nothing stands behind")
        self.assertEqual(self.dead_letters(), [])
        return jobs

    def wait_for_beat(self):
        def beats():
            return self.redis.client.zrange("engram:instances", 0, -1, withscores=True)

        before = beats()
        eventually(lambda: beats() != before, "a beat")

    def answer_the_rest(self, jobs, says, early=True):
        """By a new daemon: all are answered, and stand in the file."""
        self.assertEqual(self.daemon.stop(), 0)
        if self.clears_log and os.path.exists(self.database + "-wal"):
            self.check_refused()
            self.move_log_away()
        again = self.start()
        again.wait_for_log(says)
        for job in jobs:
            self.assertEqual(self.reply(job)["status"], "ok")
        for name, count in (("held", 4), ("new", JOBS), ("more", JOBS)):
            said = {"held": "hold"}.get(name, name)
            for n in range(count):
                self.assertEqual(self.users_of(f"{name}{n}"), [f"{said} {n}"])
        self.assertEqual(len(self.users_of("early1")), JOBS // 4 if early else 0)
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        self.assert_idle()
        return again

    def check_refused(self):
        """By each start: what the log holds would undo what was put there, and a start changes nothing."""
        for _ in range(2):
            refused = self.start(ready=False)
            self.assertEqual(refused.wait(), EX_DATAERR)
            self.assertIn("-wal does not belong to the database", refused.log())

    clears_log = True

    # ---- what may happen to a file

    def test_removed(self):
        self.clears_log = False
        jobs = self.lose(lambda: os.remove(self.database), "was removed while it was in use")
        again = self.answer_the_rest(jobs, "a new database was made", early=False)
        self.assertIn("a log was found without its database", again.log())
        self.assertEqual(len(glob.glob(self.database + "-wal-of-*")), 1)

    def test_removed_with_its_log(self):
        def remove():
            for suffix in ("", "-wal", "-shm"):
                os.remove(self.database + suffix)

        jobs = self.lose(remove, "was removed while it was in use")
        self.answer_the_rest(jobs, "a new database was made", early=False)

    def test_moved_away_and_put_back(self):
        self.clears_log = False
        elsewhere = os.path.join(self.folder, "elsewhere.db")
        jobs = self.lose(lambda: os.rename(self.database, elsewhere), "was removed while it was in use")
        self.assertEqual(self.daemon.stop(), 0)
        os.rename(elsewhere, self.database)
        self.answer_the_rest(jobs, "database opened")
        self.assertEqual(len(self.users_of("late1")), JOBS // 4, "what was answered before")

    def test_a_backup_moved_over_it(self):
        jobs = self.lose(lambda: os.replace(self.backup, self.database), "was replaced while it was in use")
        self.answer_the_rest(jobs, "database opened")
        self.assertEqual(self.users_of("late1"), [], "the backup has not been undone")

    def test_a_backup_copied_over_it(self):
        jobs = self.lose(
            lambda: shutil.copyfile(self.backup, self.database), "was overwritten while it was in use"
        )
        self.answer_the_rest(jobs, "database opened")
        self.assertEqual(self.users_of("late1"), [], "the backup has not been undone")

    def test_emptied(self):
        self.clears_log = False
        jobs = self.lose(lambda: os.truncate(self.database, 0), "was overwritten while it was in use")
        again = self.answer_the_rest(jobs, "the database file was empty", early=False)
        self.assertIn("a log was found without its database", again.log())

    def test_a_log_that_was_removed(self):
        self.clears_log = False
        jobs = self.lose(lambda: os.remove(self.database + "-wal"), "-wal was removed while it was in use")
        self.answer_the_rest(jobs, "database opened")
        self.assertEqual(len(self.users_of("late1")), JOBS // 4, "what was answered before")

    # ---- while no daemon runs

    def kill_and(self, change):
        daemon = self.start()
        for n in range(JOBS):
            self.ask(f"early {n}", session_id="early")
        self.make_backup()
        for n in range(JOBS):
            self.ask(f"late {n}", session_id="late")
        self.wait_for_beat(), self.wait_for_beat()
        daemon.kill()
        change()

    def check_restored(self):
        self.check_refused()
        self.move_log_away()
        self.start()
        self.ask("new", session_id="new")
        self.assertEqual([len(self.users_of(name)) for name in ("early", "late", "new")], [JOBS, 0, 1])
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])

    def test_killed_and_a_backup_copied_over_it(self):
        self.kill_and(lambda: shutil.copyfile(self.backup, self.database))
        self.check_restored()

    def test_killed_and_a_backup_moved_over_it(self):
        self.kill_and(lambda: os.replace(self.backup, self.database))
        self.check_restored()

    def test_killed_and_nothing_else(self):
        self.kill_and(lambda: None)
        self.start()
        self.ask("new", session_id="new")
        self.assertEqual([len(self.users_of(name)) for name in ("early", "late", "new")], [JOBS, JOBS, 1])

    # ---- what a start says

    def test_a_start_says_which_database_it_is_and_what_is_in_it(self):
        first = self.start()
        first.wait_for_log("a new database was made")
        self.ask("hello", user_id="ada")
        self.ask("hello", user_id="bob")
        self.assertEqual(first.stop(), 0)
        second = self.start()
        second.wait_for_log("database opened")
        line = next(line for line in second.log().splitlines() if "database opened" in line)
        for field in (f"file={self.database}", "version=5", "users=2", "turns=4", "memories=0"):
            self.assertIn(field, line)
        made = next(line for line in first.log().splitlines() if "a new database was made" in line)
        identity = next(word for word in made.split() if word.startswith("id="))
        self.assertIn(identity, line)

    def test_an_empty_file_is_no_database_without_a_word(self):
        open(self.database, "w").close()
        daemon = self.start()
        daemon.wait_for_log("the database file was empty: a new database was made in it")
        self.assertNotIn("database opened", daemon.log())


if __name__ == "__main__":
    main()
