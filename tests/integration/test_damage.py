"""Pages of the database are damaged, while it is stopped or while it runs: nothing is taken any more that could
not be kept, no job is a dead letter for it, Claude is hardly asked, and all are answered from the file that is
put back."""

import contextlib
import os
import shutil
import signal
import sqlite3

from harness import Case, eventually, main
from trouble_case import BEATS, CONVERSATIONS, JOBS, TroubleCase, tests_of

PAGE = 4096
NO_JOBS = "the database is damaged: no jobs are taken"
ALL_LEAVES, LAST_LEAF, OLD_LEAVES = slice(None), slice(-1, None), slice(0, -1)


@tests_of(
    {
        "where_the_next_turn_goes": ("conversation_history", LAST_LEAF),
        "with_earlier_turns": ("conversation_history", OLD_LEAVES),
        "of_finished_jobs": ("engram_finished_job", ALL_LEAVES),
        "of_failed_deliveries": ("engram_failed_delivery", ALL_LEAVES),
        "of_the_index": ("engram_recall", ALL_LEAVES),
        "of_users": ("engram_user", ALL_LEAVES),
        "of_sessions": ("engram_session", ALL_LEAVES),
        "of_notes": ("long_term_memory", ALL_LEAVES),
        "of_an_index_of_sqlite": ("engram_finished_job_by_time", ALL_LEAVES),
    },
    "pages",
    "check_damaged_while_stopped",
)
class Damage(TroubleCase):
    def setUp(self):
        super().setUp()
        self.good = os.path.join(self.folder, "good.db")

    def start(self, **options):
        return self.start_daemon(summary_enabled="false", **BEATS, **options)

    def make_history(self, daemon=None, user_id="u", sessions=CONVERSATIONS, exchanges=60):
        """Turns of all conversations, in a file without a log."""
        running = daemon or self.start()
        for n in range(exchanges):
            self.ask(f"early {n} " + "x" * 300, user_id=user_id, session_id=f"s{n % sessions}")
        if daemon is None:
            self.assertEqual(running.stop(), 0)
        self.keep_copy()

    def keep_copy(self):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copyfile(self.database, self.good)

    def leaves(self, name):
        return [
            number
            for number, in self.rows(
                "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", name
            )
        ]

    def overwrite(self, pages, data=b"\xff" * PAGE, keep_time=False):
        """As a disk does it: with `keep_time` nobody is seen to have written."""
        self.assertTrue(pages)
        before = os.stat(self.database)
        with open(self.database, "r+b", buffering=0) as file:
            for page in pages:
                file.seek((page - 1) * PAGE)
                file.write(data)
        if keep_time:
            os.utime(self.database, ns=(before.st_atime_ns, before.st_mtime_ns))

    def asked_since(self, before):
        return len(self.claude.requests) - before

    def wait_for_beats(self, count=3):
        def beats():
            return self.client.zrange("engram:instances", 0, -1, withscores=True)

        for _ in range(count):
            before = beats()
            eventually(lambda: beats() != before, "a beat")

    def check_stopped(self, daemon, asked_before, says, most_asked):
        eventually(
            lambda: says in (said := self.said(daemon)).get("trouble", "") and not said["ready"],
            "it says so",
            timeout=10,
        )
        self.wait_for_beats()
        said = self.said(daemon)
        self.assertEqual((said["ready"], said["limit"], said["in_flight"]), (False, 0, 0), said)
        self.assertIn("cure", said["trouble"]) if "damaged" in says else None
        self.assertEqual(self.dead_letters(), [])
        self.assertLessEqual(self.asked_since(asked_before), most_asked)
        self.assertEqual(len(self.replies_that_wait()) + self.waiting_jobs(), JOBS)
        # Whoever comes now waits, too, and costs nothing.
        asked = len(self.claude.requests)
        late = self.push("late", session_id="late")
        self.wait_for_beats()
        self.assertEqual((len(self.claude.requests), self.dead_letters()), (asked, []))
        return late

    def put_back(self):
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.database + suffix, self.database + ".bad" + suffix)
        shutil.copyfile(self.good, self.database)

    def check_all_answered(self, jobs):
        for job in jobs:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        self.assert_idle()

    def check_damaged_while_stopped(self, table, which):
        self.make_history()
        self.overwrite(self.leaves(table)[which])
        asked = len(self.claude.requests)
        jobs = self.push_backlog()
        daemon = self.start()
        daemon.wait_for_log(NO_JOBS)
        jobs.append(self.check_stopped(daemon, asked, "the database is damaged", 3))
        self.assertIn("SQLite code 11", daemon.log())
        self.assertEqual(daemon.stop(), 0)
        self.put_back()
        self.start()
        self.check_all_answered(jobs)

    def test_zeros_in_place_of_a_page(self):
        self.make_history()
        self.overwrite(self.leaves("conversation_history")[-1:], bytes(PAGE))
        asked = len(self.claude.requests)
        jobs = self.push_backlog()
        daemon = self.start()
        jobs.append(self.check_stopped(daemon, asked, "the database is damaged", 0))
        # A restart does not help, and costs nothing either.
        self.assertEqual(daemon.stop(), 0)
        again = self.start()
        again.wait_for_log(NO_JOBS)
        self.wait_for_beats()
        self.assertEqual((self.asked_since(asked), self.dead_letters()), (0, []))
        self.assertEqual(again.stop(), 0)
        self.put_back()
        self.start()
        self.check_all_answered(jobs)

    def test_pages_that_a_disk_damages_while_it_runs(self):
        daemon = self.start()
        self.make_history(daemon)
        self.overwrite(self.leaves("conversation_history")[OLD_LEAVES], keep_time=True)
        asked = len(self.claude.requests)
        jobs = self.push_backlog()
        daemon.wait_for_log(NO_JOBS)
        jobs.append(self.check_stopped(daemon, asked, "the database is damaged", 3))
        self.assertEqual(daemon.stop(), 0)
        self.put_back()
        self.start()
        self.check_all_answered(jobs)

    def test_pages_that_somebody_overwrites_while_it_runs(self):
        daemon = self.start()
        self.make_history(daemon)
        self.wait_for_beats(6)  # what is compared is what was seen after the last checkpoint
        self.overwrite(self.leaves("conversation_history")[OLD_LEAVES])
        eventually(lambda: not self.said(daemon)["ready"], "it says so")
        asked = len(self.claude.requests)
        jobs = self.push_backlog()
        jobs.append(self.check_stopped(daemon, asked, "was overwritten while it was in use", 0))
        self.assertEqual(daemon.stop(), 0)
        self.put_back()
        self.start()
        self.check_all_answered(jobs)

    def test_a_reload_lets_a_rehearsal_decide(self):
        self.make_history()
        damaged = self.leaves("conversation_history")[-1:]
        self.overwrite(damaged, keep_time=True)
        daemon = self.start()
        daemon.wait_for_log(NO_JOBS)
        jobs = self.push_backlog()
        daemon.send(signal.SIGHUP)
        daemon.wait_for_log("configuration reloaded")
        self.wait_for_beats()
        self.assertFalse(self.said(daemon)["ready"])
        self.assertEqual(self.replies_that_wait(), [])
        with open(self.good, "rb") as file:
            file.seek((damaged[0] - 1) * PAGE)
            self.overwrite(damaged, file.read(PAGE), keep_time=True)
        daemon.send(signal.SIGHUP)
        daemon.wait_for_log("an exchange could be stored: jobs are taken again")
        self.check_all_answered(jobs)
        eventually(lambda: self.said(daemon)["ready"], "it is ready again")

    def test_one_damaged_page_of_one_user_stops_nobody_else(self):
        daemon = self.start()
        self.make_history(daemon, user_id="alone", sessions=1, exchanges=20)
        first = self.leaves("conversation_history")[1:2]
        self.make_history(daemon)
        self.assertEqual(daemon.stop(), 0)
        self.keep_copy()
        self.overwrite(first)
        asked = len(self.claude.requests)
        waits = self.push("waits", user_id="alone", session_id="s0")
        jobs = self.push_backlog()
        daemon = self.start()
        for job in jobs:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.wait_until_delayed(1)
        self.assertEqual(self.reasons(), {"the database is damaged"})
        said = eventually(
            lambda: "what needs the damaged page waits" in (said := self.said(daemon))["trouble"] and said,
            "it says what is wrong",
        )
        self.assertTrue(said["ready"], said)
        self.assertEqual(self.asked_since(asked), JOBS)
        self.assertEqual(self.dead_letters(), [])
        daemon.wait_for_log("the database is damaged: what needs the damaged page waits")
        self.assertEqual(daemon.stop(), 0)
        self.put_back()
        self.start()
        self.wake()
        self.check_all_answered([waits])

    def test_what_can_be_salvaged_goes_on(self):
        def noted(request):
            return "[MEMORY: fact|Has two parrots]" if request.new_message == "note" else None

        self.trouble = noted
        daemon = self.start()
        self.ask("note", session_id="told")
        self.make_history(daemon)
        new = os.path.join(self.folder, "new.db")
        refused = self.ctl("salvage", self.database, new)
        self.assertEqual((refused.status, os.path.exists(new)), (75, False), refused)
        self.assertEqual(daemon.stop(), 0)
        turns = dict(self.rows("SELECT id, content FROM conversation_history"))
        leaves = self.leaves("conversation_history")
        damaged = leaves[len(leaves) // 2]
        lost = self.rows("SELECT ncell FROM dbstat WHERE pageno = ?", damaged)[0][0]
        self.overwrite([damaged])
        jobs = self.push_backlog()

        answer = self.ctl("salvage", self.database, new)
        self.assertEqual((answer.status, len(answer.err.splitlines())), (65, 1), answer)
        self.assertIn(f"\nconversation_history: {len(turns) - lost} rows, some are lost\n", answer.out)
        self.assertIn("\nengram_user: 1 row\n", answer.out)
        self.assertIn(f"engramctl restore {new}\n", answer.out)
        restored = self.ctl("restore", new, "--database", self.database)
        self.assertEqual((restored.status, restored.err), (0, ""), restored)
        came = dict(self.rows("SELECT id, content FROM conversation_history"))
        self.assertEqual(len(came), len(turns) - lost)
        self.assertLessEqual(came.items(), turns.items())

        self.start()
        self.check_all_answered(jobs)
        self.ask("what of my parrots?", session_id="another")
        self.assertIn(b"Has two parrots", self.claude.requests[-1].raw)
        self.ask("and?", session_id="s0")
        self.assertIn(b"early ", self.claude.requests[-1].raw)
        new_turn = self.rows("SELECT id FROM conversation_history WHERE content = 'and?'")[0][0]
        self.assertGreater(new_turn, max(turns))

    def test_a_table_that_is_gone_costs_few_jobs(self):
        daemon = self.start()
        self.make_history(daemon)
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            db.execute("DROP TABLE engram_session")
            db.commit()
        asked = len(self.claude.requests)
        self.push_backlog()
        daemon.wait_for_log("the store fails every job: no jobs are taken")
        eventually(lambda: "no such table" in self.said(daemon).get("trouble", ""), "it says so")
        self.wait_for_beats()
        self.assertFalse(self.said(daemon)["ready"])
        self.assertLessEqual(len(self.dead_letters()), 5)
        self.assertLessEqual(self.asked_since(asked), CONVERSATIONS + 5)
        self.assertGreaterEqual(self.waiting_jobs(), JOBS - 5)


class CutOff(Case):
    def test_a_file_that_was_cut_off_costs_no_job(self):
        self.start_redis()
        self.start_fake()
        daemon = self.start_daemon(**BEATS)
        for n in range(30):
            self.ask(f"early {n} " + "x" * 300)
        self.assertEqual(daemon.stop(), 0)
        good = self.database + ".good"
        shutil.copyfile(self.database, good)
        os.truncate(self.database, os.path.getsize(self.database) // 2 // PAGE * PAGE)
        asked = len(self.claude.requests)
        jobs = [self.push(f"m{n}", session_id=f"s{n}") for n in range(20)]
        daemon = self.start_daemon(ready=False, **BEATS)
        eventually(
            lambda: daemon.status is not None or NO_JOBS in daemon.log(), "it is refused, or nothing is taken"
        )
        self.assertIn("damaged", daemon.log())
        self.assertEqual((len(self.claude.requests), self.dead_letters()), (asked, []))
        if daemon.status is None:
            self.assertEqual(daemon.stop(), 0)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.database + suffix)
        shutil.copyfile(good, self.database)
        self.start_daemon(**BEATS)
        for job in jobs:
            self.assertEqual(self.reply(job)["status"], "ok")


if __name__ == "__main__":
    main()
