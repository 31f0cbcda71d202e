"""A clock that is wrong for a while: what has had its time by it alone is not deleted."""

import contextlib
import json
import os
import sqlite3
import struct

from harness import BIN, eventually, main
from memory_case import MemoryCase

DIFFER = "the clock of this machine and that of Redis differ by"
A_YEAR = 365 * 24 * 3600
KEPT_AWHILE = """
[[memory.category]]
name = "reminder"
description = "what is to be done soon"
ttl = "1h"
"""
WAITS = "nothing is deleted for its age yet"


class ClockCase(MemoryCase):
    """Of the daemons here, and of Redis where a test says so, the clock can be moved while they run."""

    def setUp(self):
        super().setUp()
        self.clock = os.path.join(self.folder, "clock")
        self.move_clock(0)
        self.moved = {"LD_PRELOAD": os.path.join(BIN, "moved_clock.so"), "MOVED_CLOCK_FILE": self.clock}
        self.config = os.path.join(self.folder, "engramd.toml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(KEPT_AWHILE)

    def move_clock(self, seconds):
        """Ahead by so many seconds, at once."""
        with open(self.clock, "r+b" if os.path.exists(self.clock) else "w+b") as f:
            f.write(struct.pack("=q", seconds))

    def start(self, **changes):
        return self.start_daemon(config_file=self.config, env=self.moved, **changes)

    def learn(self):
        """A memory that lasts an hour and the outcome of a job, stored at the right time. The job's reply."""
        daemon = self.start()
        self.answers["milk"] = "Noted. [MEMORY: reminder|Buy milk]"
        reply = self.reply(self.push("milk", id="once"))
        self.assertEqual(len(self.memories()), 1)
        daemon.stop()
        return reply

    def outcomes(self):
        return {row[0] for row in self.rows("SELECT job_id FROM engram_finished_job")}

    def wait_for_upkeep(self, daemon):
        """It has looked for what to delete, and either would not or did."""
        eventually(
            lambda: WAITS in daemon.log() or not self.memories() or "once" not in self.outcomes(),
            "upkeep has looked",
        )

    def write(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as db:
            db.execute(sql, values)
            db.commit()

    def trouble(self, daemon):
        return self.said(daemon).get("trouble", "")


class AYearAhead(ClockCase):
    def check_nothing_is_lost(self):
        first = self.learn()
        self.move_clock(A_YEAR)
        daemon = self.start()
        self.wait_for_upkeep(daemon)
        self.ask("meanwhile", id="meanwhile")
        self.move_clock(0)
        again = self.reply(self.push("milk", id="once"))
        self.assertEqual((again["status"], again["reply"]), ("ok", first["reply"]))
        self.assertEqual([r.new_message for r in self.claude.requests].count("milk"), 1, "it ran once")
        self.assertEqual(self.memories(), [("reminder", "Buy milk")])
        self.assertEqual(self.outcomes(), {"once", "meanwhile"})
        self.assertIn("Buy milk", json.dumps(self.prompt_for("What is to be done?")))
        return daemon

    def test_at_the_start_deletes_nothing(self):
        daemon = self.check_nothing_is_lost()
        self.assertIn("differ by 31536", daemon.log())

    def test_at_the_start_deletes_nothing_where_redis_has_the_same_clock(self):
        self.redis.stop()
        self.redis = None
        self.start_redis(name="moved", env=self.moved)
        daemon = self.check_nothing_is_lost()
        self.assertIn("later than it should be", daemon.log())

    def test_and_it_is_told_as_long_as_it_lasts(self):
        self.learn()
        self.move_clock(A_YEAR)
        daemon = self.start()
        eventually(lambda: DIFFER in self.trouble(daemon), "it is in the status")
        self.assertIn("timedatectl", self.trouble(daemon))
        self.ask("and jobs are answered")


class WhatIsOver(ClockCase):
    def test_is_deleted_once_the_clocks_are_believed_and_told(self):
        self.learn()
        self.write("UPDATE long_term_memory SET expires_at = 1")
        self.write("UPDATE engram_finished_job SET finished_at = 1")
        daemon = self.start(memory_settle_ms=0)
        eventually(lambda: not self.memories() and not self.outcomes(), "both are deleted")
        daemon.wait_for_log("memories whose time is over were deleted memories=1")
        daemon.wait_for_log("outcomes of jobs were deleted, which repeats have no use for any more outcomes=1")

    def test_stays_for_an_hour_after_each_start(self):
        self.learn()
        self.write("UPDATE long_term_memory SET expires_at = 1")
        daemon = self.start()
        daemon.wait_for_log(f'{WAITS} because="engramd has just started"')
        self.ask("something")
        self.assertEqual(len(self.memories()), 1)


class Behind(ClockCase):
    def test_it_is_told_and_what_is_stored_has_no_time_before_what_there_is(self):
        self.learn()
        self.move_clock(-A_YEAR)
        daemon = self.start()
        words = "the clock of this machine is before the newest row of the database ("
        eventually(lambda: words in self.trouble(daemon), "it is in the status")
        self.assertTrue(self.said(daemon)["ready"])
        self.ask("behind", id="behind")
        times = dict(self.rows("SELECT job_id, finished_at FROM engram_finished_job"))
        self.assertGreaterEqual(times["behind"], times["once"])


if __name__ == "__main__":
    main()
