"""Two daemons with two databases at one Redis; and a daemon whose database a newer one has brought up to date."""

import contextlib
import os
import socket
import sqlite3

from harness import Case, PATIENCE, eventually, main

BEATS = {"queue_lease_ms": 2500}  # two a second
JOBS = 40
EX_TEMPFAIL = 75


class TwoDatabases(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.client = self.redis.client
        self.start_fake(lambda request: "re: " + request.new_message)
        self.other = os.path.join(self.folder, "other.db")
        self.said_to_systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.said_to_systemd.settimeout(PATIENCE)
        self.said_to_systemd.bind(os.path.join(self.folder, "notify.sock"))
        self.addCleanup(self.said_to_systemd.close)

    def start(self, **changes):
        return self.start_daemon(summary_enabled="false", **{**BEATS, **changes})

    def start_other(self, **changes):
        """One that meets another database, and says so."""
        notify = {"NOTIFY_SOCKET": os.path.join(self.folder, "notify.sock")}
        daemon = self.start(ready=False, env=notify, store_path=self.other, **changes)
        daemon.wait_for_log("serves this queue")
        return daemon

    def until_status(self, *words):
        """A line for `systemctl status` that has all of these."""
        while True:
            text = self.said_to_systemd.recv(4096).decode()
            if "STATUS=" in text and all(word in text for word in words):
                return text

    def told(self, database):
        """How many turns it has."""
        return self.rows("SELECT count(*) FROM conversation_history", path=database)[0][0]

    def instances(self):
        return [name.decode().rpartition("-")[0] for name in self.client.zrange("engram:instances", 0, -1)]

    def test_the_second_takes_nothing_says_so_and_comes_when_the_first_has_left(self):
        first = self.start()
        second = self.start_other()
        self.until_status("not ready, other database", "another database serves this queue", "same store.path")
        for n in range(JOBS):
            self.ask(f"thought {n}", session_id=f"s{n % 3}")
        self.assertEqual((self.told(self.database), self.told(self.other)), (2 * JOBS, 0))
        self.assertEqual(self.instances(), [first.name])
        # A receipt is of the one that serves.
        deleted = self.admin("user.forget")["deleted"]
        self.assertEqual(deleted["turns"], 2 * JOBS)
        self.assertEqual(self.told(self.database), 0)
        status = self.ctl("queue", "status")
        self.assertEqual(status.status, 0, status)
        self.assertEqual(second.log().count("another database serves this queue ("), 1, second.log())
        self.assertEqual(first.stop(), 0)
        second.wait_for_log("this instance takes jobs")
        self.ask("to the second")
        self.assertEqual((self.told(self.database), self.told(self.other)), (0, 2))
        self.assertEqual(self.instances(), [second.name])
        # Now it is the first one that has to wait.
        third = self.start(ready=False)
        third.wait_for_log("another database serves this queue")
        self.ask("still to the second")
        self.assertEqual(self.told(self.other), 4)

    def test_a_copy_beside_the_original_takes_nothing_either(self):
        self.start()
        self.ask("hello")
        with contextlib.closing(sqlite3.connect(self.database)) as source:
            with contextlib.closing(sqlite3.connect(self.other)) as target:
                source.backup(target)
        self.start_other()
        self.until_status("not ready, other database", "a copy of this database serves this queue")
        self.ask("again")
        self.assertEqual((self.told(self.database), self.told(self.other)), (4, 2))

    def test_when_the_first_is_killed_the_second_comes_once_its_lease_is_over(self):
        first = self.start()
        second = self.start_other()
        first.kill()
        second.wait_for_log("this instance takes jobs")
        self.ask("to the second")
        self.assertEqual(self.told(self.other), 2)

    def test_many_on_one_database_serve_it_together_by_whatever_path(self):
        link = os.path.join(self.folder, "link.db")
        first = self.start()
        os.symlink(self.database, link)
        second = self.start(store_path=link)
        self.assertEqual(sorted(self.instances()), sorted([first.name, second.name]))

    def test_a_queue_that_was_emptied_is_served_by_one_of_them(self):
        self.start()
        self.start_other()
        self.client.flushall()
        eventually(lambda: len(self.instances()) == 1, "one of them has come back")
        for n in range(10):
            self.ask(f"thought {n}", session_id=f"s{n}")
        self.assertEqual(sorted((self.told(self.database), self.told(self.other))), [0, 20])

    def test_the_key_expires(self):
        daemon = self.start()
        self.ask("hello")
        self.assertGreater(self.client.pttl("engram:database"), 0)
        self.assert_idle()
        daemon.stop()
        self.assertEqual(self.client.exists("engram:database"), 0)


class SchemaMoved(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake(lambda request: "re: " + request.new_message)

    def migrate(self):
        """As a newer engramd does."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10, isolation_level=None)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            db.execute("BEGIN IMMEDIATE")
            db.execute("ALTER TABLE conversation_history ADD COLUMN mood TEXT")
            db.execute(f"PRAGMA user_version = {version + 1}")
            db.execute("COMMIT")
        return version + 1

    def test_a_daemon_that_was_left_running_over_a_migration_writes_nothing_more_and_ends(self):
        daemon = self.start_daemon(summary_enabled="false", **BEATS)
        self.ask("before")
        version = self.migrate()
        late = [self.push(f"after {n}", session_id=f"s{n}") for n in range(10)]
        self.assertEqual(daemon.wait(), EX_TEMPFAIL)
        self.assertIn(f"the database was brought to schema version {version} by a newer engramd", daemon.log())
        self.assertIn("no more jobs are taken: engramd ends", daemon.log())
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history"), [(2,)])
        # The newer one finds every job as it was.
        self.assertEqual(self.redis.client.zcard("engram:instances"), 0)
        bodies = self.redis.client.llen("engram:jobs") + self.redis.client.hlen("engram:body")
        self.assertEqual(bodies, len(late))
        self.assertEqual(self.dead_letters(), [])

    def test_it_ends_without_jobs_too(self):
        daemon = self.start_daemon(summary_enabled="false", **BEATS)
        self.migrate()
        self.assertEqual(daemon.wait(), EX_TEMPFAIL)
        self.assertIn("no more jobs are taken: engramd ends", daemon.log())


if __name__ == "__main__":
    main()
