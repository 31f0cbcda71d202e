"""Stopping and reloading: SIGTERM, SIGINT and SIGHUP."""

import json
import os
import signal
import sqlite3
import threading

from harness import Case, PATIENCE, eventually, main


class StopCase(Case):
    """The fake answers when `gate` is open."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.start_redis()
        self.start_fake(lambda request: "re: " + request.new_message if self.gate.wait(PATIENCE) else "")


class Stop(StopCase):
    def test_an_idle_daemon_ends_with_status_0_and_leaves_nothing(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                daemon = self.start_daemon()
                daemon.send(number)
                self.assertEqual(daemon.wait(), 0)
                self.assertEqual(self.keys(), [])
                self.assertIn("stopped", daemon.log())

    def test_sigterm_lets_the_jobs_under_way_end(self):
        daemon = self.start_daemon(queue_drain_ms=60_000)
        ids = [self.push(f"m{n}", session_id=f"s{n}") for n in range(5)]
        self.claude.wait_for_requests(5)
        daemon.send(signal.SIGTERM)
        daemon.wait_for_log("no more jobs are taken")
        late = self.push("late", session_id="late")
        self.gate.set()
        for n, job in enumerate(ids):
            self.assertEqual(self.reply(job)["reply"], f"re: m{n}")
        self.assertEqual(daemon.wait(), 0)
        self.assertEqual(self.redis.client.exists("engram:reply:" + late), 0)
        self.start_daemon()
        reply = self.reply(late)
        self.assertEqual((reply["reply"], reply["attempts"]), ("re: late", 1))
        self.assert_idle()

    def test_what_does_not_end_in_time_goes_back_and_is_answered_by_another(self):
        daemon = self.start_daemon(queue_drain_ms=200)
        held = self.push("held")
        behind = self.push("behind")
        self.claude.wait_for_requests(1)
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.dead_letters(), [])
        self.gate.set()
        self.start_daemon()
        self.assertEqual(self.reply(held)["reply"], "re: held")
        self.assertEqual(self.reply(behind)["reply"], "re: behind")
        self.assertEqual([t for r, t in self.turns() if r == "user"], ["held", "behind"])
        self.assertEqual(self.redis.client.exists("engram:reply:" + held), 0)
        self.assert_idle()

    def test_a_daemon_beside_takes_over_at_once(self):
        first = self.start_daemon(queue_drain_ms=100, queue_lease_ms=60_000)
        held = self.push("held")
        self.claude.wait_for_requests(1)
        self.start_daemon(queue_lease_ms=60_000)
        self.assertEqual(first.stop(), 0)
        self.claude.wait_for_requests(2)
        self.gate.set()
        self.assertEqual(self.reply(held)["status"], "ok")

    def test_many_releases_do_not_poison_a_job(self):
        held = self.push("held")
        for n in range(5):
            daemon = self.start_daemon(queue_drain_ms=0, queue_max_deliveries=2)
            self.claude.wait_for_requests(n + 1)
            self.assertEqual(daemon.stop(), 0)
        self.gate.set()
        self.start_daemon(queue_max_deliveries=2)
        reply = self.reply(held)
        self.assertEqual((reply["status"], reply["attempts"]), ("ok", 6))

    def test_a_second_sigterm_ends_the_wait(self):
        daemon = self.start_daemon(queue_drain_ms=3600_000)
        held = self.push("held")
        self.claude.wait_for_requests(1)
        daemon.send(signal.SIGTERM)
        daemon.wait_for_log("no more jobs are taken")
        self.assertIsNone(daemon.status)
        self.assertEqual(daemon.stop(), 0)
        self.gate.set()
        self.start_daemon()
        self.assertEqual(self.reply(held)["status"], "ok")

    def test_a_second_sigterm_ends_the_wait_for_a_request_about_memory(self):
        daemon = self.start_daemon(queue_drain_ms=3600_000)
        self.gate.set()
        self.ask()
        self.gate.clear()
        # Nobody else can write while this transaction is open.
        lock = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(lock.close)
        lock.execute("BEGIN IMMEDIATE")
        request = self.push_admin("memory.add", content="likes tea")
        eventually(lambda: self.redis.client.keys("engram:admin:taken:*"), "the request is taken")
        held = self.push("held")
        self.claude.wait_for_requests(2)
        daemon.send(signal.SIGTERM)
        daemon.wait_for_log("stopping")
        self.assertIsNone(daemon.status)
        self.assertEqual(daemon.stop(), 0)
        waiting = self.redis.client.lrange("engram:admin", 0, -1)
        self.assertEqual([json.loads(body)["id"] for body in waiting], [request])
        self.assertEqual(self.redis.client.keys("engram:admin:taken:*"), [])
        self.assertEqual(self.redis.client.hlen("engram:admin:deaths"), 0)
        lock.execute("ROLLBACK")
        self.gate.set()
        self.start_daemon()
        self.assertEqual(self.reply(request)["status"], "ok")
        self.assertEqual(self.reply(held)["status"], "ok")

    def test_it_ends_while_redis_is_away(self):
        daemon = self.start_daemon(queue_drain_ms=500)
        self.push("held")
        self.claude.wait_for_requests(1)
        self.redis.kill()
        self.assertEqual(daemon.stop(), 0)

    def test_a_sigterm_while_it_starts_ends_it_with_status_0(self):
        path = os.path.join(self.folder, "endless.toml")
        os.mkfifo(path)
        daemon = self.start_daemon(ready=False, config_file=path)
        with open(path, "w"):  # returns when the daemon has begun to read
            daemon.send(signal.SIGTERM)
            self.assertEqual(daemon.wait(), 0)

    def test_it_ends_when_redis_never_came(self):
        daemon = self.start_daemon(ready=False, redis_url="unix:///nowhere/redis.sock")
        daemon.wait_for_log("Redis")
        self.assertEqual(daemon.stop(), 0)

    def test_it_ends_while_retries_wait(self):
        self.gate.set()
        daemon = self.start_daemon(
            claude_base_url="http://127.0.0.1:9", claude_max_retries=20, queue_drain_ms=100
        )
        job = self.push()
        eventually(lambda: self.redis.client.hlen("engram:owned:" + self.instance()) == 1, "the job is taken")
        self.assertEqual(daemon.stop(), 0)
        self.start_daemon()
        self.assertEqual(self.reply(job)["status"], "ok")

    def instance(self):
        return self.redis.client.zrange("engram:instances", 0, -1)[0].decode()


class Reload(StopCase):
    def setUp(self):
        super().setUp()
        self.gate.set()
        self.file = os.path.join(self.folder, "engramd.toml")

    def write(self, text):
        with open(self.file, "w") as f:
            f.write(text)

    def reload(self, daemon, says="configuration reloaded"):
        before = daemon.log().count(says)
        daemon.send(signal.SIGHUP)
        eventually(lambda: daemon.log().count(says) > before, f"the daemon says {says!r}")

    def test_sighup_changes_the_level_of_the_log(self):
        self.write('log.level = "info"\n')
        daemon = self.start_daemon(config_file=self.file, log_level=None)
        self.ask(id="seen-1")
        daemon.wait_for_log("seen-1")
        self.write('log.level = "error"\n')
        daemon.send(signal.SIGHUP)
        # At this level the reload itself is not logged: jobs show that it has happened.
        seen = [0]

        def silent():
            seen[0] += 1
            self.ask(id=f"silent-{seen[0]}")
            self.ask(id=f"after-{seen[0]}")
            return f"silent-{seen[0]}" not in daemon.log()

        eventually(silent, "info lines are not logged any more")
        self.write('log.level = "info"\n')
        self.reload(daemon)
        self.ask(id="seen-2")
        daemon.wait_for_log("seen-2")

    def test_sighup_changes_the_model_of_the_next_job(self):
        self.write('claude.model = "claude-opus-5-5"\n')
        daemon = self.start_daemon(config_file=self.file)
        self.ask()
        self.write('claude.model = "claude-sonnet-5-5"\nmemory.history_turns = 1\n')
        self.reload(daemon)
        self.ask()
        self.assertEqual([r.model for r in self.claude.requests], ["claude-opus-5-5", "claude-sonnet-5-5"])

    def test_a_broken_file_changes_nothing(self):
        self.write('claude.model = "claude-opus-5-5"\n')
        daemon = self.start_daemon(config_file=self.file)
        self.write('claude.model = "claude-sonnet-5-5"\n[redis\n')
        self.reload(daemon, "not reloaded")
        self.ask()
        self.assertEqual(self.claude.requests[0].model, "claude-opus-5-5")
        os.remove(self.file)
        self.reload(daemon, "not reloaded")
        self.assertEqual(self.ask()["status"], "ok")

    def test_what_needs_a_restart_is_said_and_left(self):
        self.write("[queue]\nmax_in_flight = 10\n")
        daemon = self.start_daemon(config_file=self.file)
        self.write("[queue]\nmax_in_flight = 20\n")
        self.reload(daemon, "queue.max_in_flight")
        self.assertEqual(self.ask()["status"], "ok")

    def test_a_storm_of_signals_is_survived(self):
        self.write("")
        daemon = self.start_daemon(config_file=self.file)
        for n in range(200):
            daemon.send(signal.SIGHUP)
            if n % 40 == 0:
                self.ask()
        self.assertEqual(self.ask()["status"], "ok")
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    main()
