"""engramctl backup and restore over a daemon: a copy while it answers, the way back, and that who was forgotten in
between does not come back with it, however it is put there."""

import contextlib
import glob
import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess

from harness import Case, eventually, main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_CANTCREAT, EX_TEMPFAIL = 64, 65, 66, 73, 75
FORGOTTEN_AGAIN = "users who were forgotten after the backup was made are forgotten again"


class BackupCase(Case):
    """The fake answers "re: …"; what begins with "note " becomes a memory, too."""

    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake(self.speak)
        self.copy = os.path.join(self.folder, "backup.db")

    @staticmethod
    def speak(request):
        message = request.new_message
        return f"[MEMORY: fact|{message[5:]}]" if message.startswith("note ") else "re: " + message

    def start(self, **options):
        return self.start_daemon(summary_enabled="false", **options)

    def database_ctl(self, *arguments, **options):
        return self.ctl(*arguments, "--database", self.database, **options)

    def backup(self, *arguments):
        answer = self.database_ctl("backup", self.copy, *arguments)
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        return answer.out

    def restore(self, *arguments, **options):
        answer = self.database_ctl("restore", self.copy, *arguments, **options)
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        return answer.out

    def refused(self, status, *arguments, **options):
        answer = self.database_ctl(*arguments, **options)
        self.assertEqual((answer.status, answer.out, len(answer.err.splitlines())), (status, "", 1), answer)
        return answer.err

    def said_by(self, user):
        return [text for (text,) in self.rows(
            "SELECT content FROM conversation_history WHERE user_id = ? AND role = 'user' ORDER BY id", user)]

    def known_of(self, user):
        return [text for _, text in self.memories(user)]


class Story(BackupCase):
    def talk_backup_forget(self):
        """Returns the daemon, which still runs."""
        daemon = self.start()
        self.ask("note ada has a qzboat", user_id="ada")
        self.ask("early", user_id="bob")
        self.backup()
        self.ask("late", user_id="bob")
        self.admin("user.forget", user_id="ada")
        self.assertEqual(self.said_by("ada"), [])
        return daemon

    def check_after(self, daemon):
        daemon.wait_for_log(FORGOTTEN_AGAIN)
        self.assertIn("users=1", next(line for line in daemon.log().splitlines() if FORGOTTEN_AGAIN in line))
        self.assertEqual((self.said_by("ada"), self.known_of("ada")), ([], []))
        self.assertEqual(self.said_by("bob"), ["early"])
        for suffix in ("", "-wal"):
            with open(self.database + suffix, "rb") as file:
                self.assertNotIn(b"qzboat", file.read())
        # No call tells of them, and whoever comes back stays.
        self.ask("who am I?", user_id="ada", session_id="new")
        self.assertNotIn(b"qzboat", self.claude.requests[-1].raw)
        self.assertEqual(daemon.stop(), 0)
        again = self.start()
        self.ask("and now?", user_id="ada", session_id="new")
        self.assertEqual(self.said_by("ada"), ["who am I?", "and now?"])
        self.assertNotIn(FORGOTTEN_AGAIN, again.log())
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])

    def test_backup_forget_restore(self):
        daemon = self.talk_backup_forget()
        err = self.refused(EX_TEMPFAIL, "restore", self.copy)
        self.assertIn("systemctl stop 'engramd*' first", err)
        self.assertEqual(self.said_by("bob"), ["early", "late"])
        self.assertEqual(daemon.stop(), 0)
        waiting = self.push("waited", user_id="carl")
        out = self.restore()
        self.assertIn("2 users, 4 turns, 1 memory", out)
        self.assertIn("1 user in it, forgotten since, will be forgotten again", out)
        self.assertIn("a job that is pushed again with its id runs again", out)
        (kept,) = glob.glob(self.database + ".before-restore-*")
        self.assertIn(kept, out)
        self.assertEqual(len(self.rows("SELECT 1 FROM conversation_history", path=kept)), 4)
        daemon = self.start()
        self.assertEqual(self.reply(waiting)["status"], "ok")
        self.check_after(daemon)

    def test_cp_instead_of_restore(self):
        daemon = self.talk_backup_forget()
        self.assertEqual(daemon.stop(), 0)
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.database + suffix)
        shutil.copyfile(self.copy, self.database)
        self.check_after(self.start())

    def test_a_raw_copy_of_a_stopped_daemon(self):
        first = self.start()
        self.ask("note ada has a qzboat", user_id="ada")
        self.ask("early", user_id="bob")
        self.assertEqual(first.stop(), 0)
        shutil.copyfile(self.database, self.copy)
        second = self.start()
        self.admin("user.forget", user_id="ada")
        self.assertEqual(second.stop(), 0)
        os.replace(self.copy, self.database)
        self.check_after(self.start())

    def check_told(self, listed):
        """Queue status names the list, and what to do."""

        def told():
            answer = self.ctl("queue", "status")
            return answer if f"make {listed} a file" in answer.out else None

        answer = eventually(told, "the cause is shown")
        self.assertEqual(answer.status, 75, answer)
        self.assertIn("store: the list of who was forgotten cannot be used", answer.out)
        self.assertNotIn("Redis: ", answer.out)

    def test_until_it_is_certain_who_was_forgotten_nothing_is_taken(self):
        daemon = self.talk_backup_forget()
        self.assertEqual(daemon.stop(), 0)
        self.restore()
        listed = self.database + ".forgotten"
        os.rename(listed, listed + ".away")
        os.mkdir(listed)
        job = self.push("hello", user_id="ada", session_id="new")
        daemon = self.start(ready=False)
        daemon.wait_for_log("no jobs are taken: who was forgotten is not known")
        self.check_told(listed)
        self.assertEqual(self.redis.client.llen("engram:jobs"), 1)
        self.assertEqual(daemon.stop(), 0)
        daemon = self.start(ready=False)
        daemon.wait_for_log("no jobs are taken: who was forgotten is not known")
        os.rmdir(listed)
        os.rename(listed + ".away", listed)
        self.assertEqual(self.reply(job)["status"], "ok")
        self.assertEqual(self.said_by("ada"), ["hello"])


class Copies(BackupCase):
    def test_while_jobs_are_answered(self):
        self.start()
        jobs = []
        for n in range(5):
            jobs += [self.push(f"m{n}-{i}", session_id=f"s{i}") for i in range(20)]
            answered = len(self.rows("SELECT 1 FROM engram_finished_job"))
            document = json.loads(self.backup("--json", *(["--force"] if n else [])))
            self.assertEqual(stat.S_IMODE(os.stat(self.copy).st_mode), 0o600)
            with contextlib.closing(sqlite3.connect(self.copy)) as copy:
                self.assertEqual(copy.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
                finished = copy.execute("SELECT count(*) FROM engram_finished_job").fetchone()[0]
                turns = copy.execute("SELECT count(*) FROM conversation_history").fetchone()[0]
            self.assertGreaterEqual(finished, answered)
            self.assertEqual((turns, document["turns"]), (2 * finished, turns))
        for job in jobs:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.assertEqual(sorted(glob.glob(self.folder + "/backup.db*")), [self.copy])

    def test_it_says_what_is_in_it(self):
        daemon = self.start()
        self.ask("note I sing", user_id="ada")
        out = self.backup()
        self.assertRegex(
            out, r"^backup \S+backup\.db: 1 user, 2 turns, 1 memory, the newest turn of \d{4}-.* UTC, version 5, "
            r"id [0-9a-f]{16}, \d+\.\d MiB, checked\n$")
        daemon.wait_for_log("id=" + out.split("id ")[1][:16])
        self.assertIn("--force", self.refused(EX_CANTCREAT, "backup", self.copy))

    def test_where_the_database_is(self):
        daemon = self.start()
        self.ask("hello")
        config = os.path.join(self.folder, "e.toml")
        with open(config, "w") as file:
            file.write(f'[redis]\nurl = "{self.redis.url}"\n[store]\npath = "{self.database}"\n')
        nothing = {"ENGRAMD_REDIS_URL": None}
        answer = self.ctl("--config", config, "backup", self.copy, env=nothing)
        self.assertEqual(answer.status, 0, answer)
        variable = {**nothing, "ENGRAMD_STORE_PATH": self.database}
        self.assertEqual(self.ctl("backup", self.copy, "--force", env=variable).status, 0)
        answer = self.ctl("backup", self.copy + "2", "--database", "/nonexistent/x.db")
        self.assertEqual(answer.status, EX_NOINPUT, answer)
        self.assertIn("/nonexistent/x.db", answer.err)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.ctl("--config", config, "restore", self.copy, env=nothing).status, 0)

    def test_a_mistake_in_a_configuration_that_is_not_needed(self):
        daemon = self.start()
        self.ask("hello")
        config = os.path.join(self.folder, "e.toml")
        with open(config, "w") as file:
            file.write("[redis]\nurl = redis://127.0.0.1\n")
        named = ("--config", config, "--database", self.database)
        nothing = {"ENGRAMD_REDIS_URL": None}
        answer = self.ctl("backup", self.copy, *named, env=nothing)
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assertEqual(daemon.stop(), 0)
        answer = self.ctl("restore", self.copy, *named, env=nothing)
        self.assertEqual(answer.status, 0, answer)
        self.assertIn(config + ":2: ", answer.err)
        self.assertIn("Redis is not asked", answer.err)
        self.assertEqual(self.ctl("restore", self.copy, "--config", config, env=nothing).status, 78)

    def test_redis_need_not_be_there(self):
        daemon = self.start()
        self.ask("hello")
        self.backup()
        self.assertEqual(daemon.stop(), 0)
        self.redis.kill()
        self.restore()
        self.assertEqual(self.said_by("u"), ["hello"])


class EachNight(BackupCase):
    """The script that docs/operations.md gives, as it stands there but for its folder."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
            shown = re.findall(r"```sh\n(.*?)```", file.read(), re.S)
        scripts = [text for text in shown if text.startswith("#!/bin/sh")]
        self.assertEqual(len(scripts), 1)
        self.backups = os.path.join(self.folder, "backups")
        self.assertEqual(scripts[0].count("/var/backups/engram\n"), 1)
        self.script = os.path.join(self.folder, "engram-backup")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(scripts[0].replace("/var/backups/engram\n", self.backups + "\n"))
        os.chmod(self.script, 0o755)

    def run_script(self):
        """As cron does: hardly any variables, no terminal."""
        bin_folder = os.path.abspath(os.environ["ENGRAM_BIN"])
        return subprocess.run(
            [self.script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60, env={"PATH": f"{bin_folder}:/usr/bin:/bin", "ENGRAMD_STORE_PATH": self.database}, check=False)

    def test_makes_a_copy_and_is_silent(self):
        self.start()
        for said in ("hello", "hello again"):
            self.ask(said)
            done = self.run_script()
            self.assertEqual((done.returncode, done.stdout), (0, ""))
        (copy,) = glob.glob(self.backups + "/engram-*.db")
        self.assertRegex(copy, r"/engram-[1-7]\.db$")
        self.assertEqual(len(self.rows("SELECT 1 FROM conversation_history", path=copy)), 4)
        self.assertEqual(stat.S_IMODE(os.stat(self.backups).st_mode), 0o700)

    def test_tells_when_it_fails_and_leaves_the_old_copy(self):
        daemon = self.start()
        self.ask("hello")
        self.assertEqual(self.run_script().returncode, 0)
        (copy,) = glob.glob(self.backups + "/engram-*.db")
        self.assertEqual(daemon.stop(), 0)
        os.remove(self.database)
        done = self.run_script()
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"engramctl: {self.database} is not there", done.stdout)
        self.assertIn(f"NO backup was made today; {copy}, if it is there, is a week old", done.stdout)
        self.assertEqual(len(self.rows("SELECT 1 FROM conversation_history", path=copy)), 2)


class AfterAKill(BackupCase):
    def kill_after_backup(self):
        daemon = self.start()
        self.ask("early", user_id="bob")
        self.backup()
        for n in range(20):
            self.ask(f"late {n}", user_id="bob")
        daemon.kill()

    def check_restored(self):
        daemon = self.start()
        daemon.wait_for_log("database opened")
        self.ask("new", user_id="bob")
        self.assertEqual(self.said_by("bob"), ["early", "new"])
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])

    def test_the_log_of_a_killed_daemon_does_not_undo_it(self):
        self.kill_after_backup()
        self.assertGreater(os.path.getsize(self.database + "-wal"), 0)
        self.restore()
        (kept,) = glob.glob(self.database + ".before-restore-*")
        self.assertEqual(len(self.rows("SELECT 1 FROM conversation_history", path=kept)), 42)
        self.check_restored()

    def test_cp_beside_the_old_log_is_refused_and_restore_mends_it(self):
        self.kill_after_backup()
        shutil.copyfile(self.copy, self.database)
        refused = self.start(ready=False)
        self.assertEqual(refused.wait(), EX_DATAERR)
        self.assertIn("does not belong to the database", refused.log())
        self.assertIn("engramctl restore", refused.log())
        self.restore()
        self.check_restored()

    def test_a_daemon_whose_file_was_removed_still_runs(self):
        daemon = self.start()
        self.ask("early", user_id="bob")
        self.backup()
        eventually(lambda: self.said(daemon).get("pid"), "it says who it is")
        os.remove(self.database)
        err = self.refused(EX_TEMPFAIL, "restore", self.copy)
        self.assertIn("an engramd of this machine runs", err)
        self.assertFalse(os.path.exists(self.database))
        self.assertEqual(daemon.stop(), 0)
        self.restore()
        self.check_restored()

    def test_damage_is_no_backup_and_can_be_replaced_by_one(self):
        daemon = self.start()
        self.ask("early", user_id="bob")
        self.backup()
        self.assertEqual(daemon.stop(), 0)
        with open(self.database, "r+b") as file:
            file.seek(4096 * 3)
            file.write(b"\xaa" * 4096 * 20)
        self.assertIn("damaged", self.refused(EX_DATAERR, "backup", self.copy + "2"))
        self.assertFalse(os.path.exists(self.copy + "2"))
        damaged = self.copy + ".damaged"
        shutil.copyfile(self.database, damaged)
        self.assertIn("damaged", self.refused(EX_DATAERR, "restore", damaged))
        self.restore()
        self.check_restored()


if __name__ == "__main__":
    main()
