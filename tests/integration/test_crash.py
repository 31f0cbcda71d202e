"""Deaths: of the daemon, of Redis, of the disk. No job is lost and none takes effect twice."""

import array
import contextlib
import fcntl
import os
import random
import resource
import shutil
import signal
import sqlite3
import termios
import threading

import redis

from harness import Case, PATIENCE, eventually, main

LEASE_MS = 1500


class CrashCase(Case):
    """The fake answers "re: …"; a message that begins with "hold" waits for `gate`."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.start_redis()
        self.start_fake(self.speak)

    def speak(self, request):
        if request.new_message.startswith("hold"):
            self.gate.wait(PATIENCE)
        return "re: " + request.new_message

    def start(self, **changes):
        return self.start_daemon(queue_lease_ms=LEASE_MS, **changes)

    def check_one_reply(self, job):
        reply = self.reply(job)
        self.assertEqual(self.redis.client.exists("engram:reply:" + job), 0, "a second reply")
        return reply


class DaemonDies(CrashCase):
    def test_a_job_in_the_middle_of_its_call_is_answered_by_the_next_daemon(self):
        first = self.start()
        job = self.push("hold on")
        behind = self.push("behind")
        self.claude.wait_for_requests(1)
        first.kill()
        self.gate.set()
        self.start()
        reply = self.check_one_reply(job)
        self.assertEqual((reply["reply"], reply["attempts"]), ("re: hold on", 2))
        self.assertEqual(self.check_one_reply(behind)["reply"], "re: behind")
        self.assertEqual([t for r, t in self.turns() if r == "user"], ["hold on", "behind"])
        self.assert_idle()

    def test_a_daemon_beside_takes_over_when_the_lease_ends(self):
        first = self.start()
        job = self.push("hold on")
        self.claude.wait_for_requests(1)
        second = self.start()
        first.kill()
        second.wait_for_log("took over the jobs of an instance that died")
        self.gate.set()
        self.assertEqual(self.check_one_reply(job)["attempts"], 2)

    def test_a_job_that_kills_is_poisoned(self):
        job = self.push("hold on")
        for n in range(2):
            daemon = self.start(queue_max_deliveries=2)
            self.claude.wait_for_requests(n + 1)
            daemon.kill()
        self.start(queue_max_deliveries=2)
        reply = self.check_one_reply(job)
        self.assert_error(reply, "poisoned")
        self.assertEqual([d[b"reason"] for d in self.dead_letters()], [b"poisoned"])
        self.assertEqual(self.ask("next")["status"], "ok")
        self.assert_idle()

    def test_a_daemon_that_was_stopped_longer_than_its_lease_changes_nothing_any_more(self):
        first = self.start()
        job = self.push("hold on")
        self.claude.wait_for_requests(1)
        second = self.start()
        first.send(signal.SIGSTOP)
        self.addCleanup(lambda: first.status is None and first.send(signal.SIGCONT))
        second.wait_for_log("took over the jobs")
        self.claude.wait_for_requests(2)
        self.gate.set()
        self.assertEqual(self.check_one_reply(job)["status"], "ok")
        first.send(signal.SIGCONT)
        first.wait_for_log("begins anew")
        self.assertEqual(second.stop(), 0)
        self.assertEqual(self.ask("next")["reply"], "re: next")
        self.assertEqual(self.redis.client.exists("engram:reply:" + job), 0)
        self.assertEqual([t for r, t in self.turns() if r == "user"], ["hold on", "next"])
        self.assert_idle()

    def test_kills_at_any_moment_lose_and_double_nothing(self):
        chance = random.Random(7)
        ids = []
        daemon = self.start(summary_enabled="false")
        for n in range(120):
            ids.append(self.push(f"m{n:03}", session_id=f"s{n % 6}", id=f"j{n:03}"))
            if n % 20 == 19:
                answered = len(self.claude.requests) + chance.randrange(1, 12)
                eventually(
                    lambda: len(self.claude.requests) >= answered
                    or self.redis.client.hlen("engram:body") == 0,
                    "some jobs are asked",
                )
                daemon.kill()
                daemon = self.start(summary_enabled="false", queue_max_deliveries=100)
        for job in ids:
            reply = self.reply(job)
            self.assertEqual(reply["status"], "ok", reply)
        for s in range(6):
            self.assertEqual(
                [t for r, t in self.turns(session_id=f"s{s}") if r == "user"],
                [f"m{n:03}" for n in range(120) if n % 6 == s],
            )
        self.assert_idle()
        self.assertEqual([k for k in self.keys() if k.startswith("engram:reply:")], [], "second replies")


class RedisDies(CrashCase):
    def test_jobs_under_way_are_answered_after_a_restart_of_redis(self):
        self.start()
        ids = [self.push(f"hold {n}", session_id=f"s{n}") for n in range(4)]
        self.claude.wait_for_requests(4)
        self.redis.kill()
        self.gate.set()
        eventually(lambda: len(self.turns(session_id="s3")) == 2, "the answer is stored")
        self.redis.start()
        for n, job in enumerate(ids):
            self.assertEqual(self.check_one_reply(job)["reply"], f"re: hold {n}")
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history"), [(8,)])
        self.assertEqual(self.ask("next")["status"], "ok")
        self.assert_idle()

    def test_a_redis_that_restarts_again_and_again_costs_nothing(self):
        daemon = self.start(summary_enabled="false")
        ids = []
        for round_number in range(4):
            for n in range(10):
                ids.append(self.push(f"m{len(ids):03}", session_id=f"s{n % 3}"))
            self.redis.kill()
            self.redis.start()
        for job in ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE role = 'user'"), [(40,)])
        self.assert_idle()
        self.assertIsNone(daemon.status)

    def test_a_daemon_may_be_started_before_redis(self):
        self.redis.kill()
        daemon = self.start(ready=False)
        daemon.wait_for_log("Redis")
        self.redis.start()
        daemon.wait_until_ready(self.redis.client)
        self.assertEqual(self.ask()["status"], "ok")

    def test_connections_that_are_cut_are_made_anew(self):
        self.start()
        for n in range(10):
            ids = [self.push(f"m{n}-{k}", session_id=f"s{k}") for k in range(5)]
            for kind in ("normal", "pubsub"):
                self.redis.client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
            for job in ids:
                self.assertEqual(self.check_one_reply(job)["status"], "ok")
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE role = 'user'"), [(50,)])
        self.assert_idle()

    def test_a_redis_that_stands_still_for_longer_than_every_limit(self):
        daemon = self.start(redis_command_timeout_ms=300)
        ids = [self.push(f"hold {n}", session_id=f"s{n}") for n in range(4)]
        self.claude.wait_for_requests(4)
        self.redis.process.send(signal.SIGSTOP)
        self.gate.set()
        eventually(
            lambda: all(len(self.turns(session_id=f"s{n}")) == 2 for n in range(4)), "the answers are stored"
        )
        daemon.wait_for_log("the queue has trouble with Redis")
        self.redis.process.send(signal.SIGCONT)
        for n, job in enumerate(ids):
            self.assertEqual(self.check_one_reply(job)["reply"], f"re: hold {n}")
        self.assertEqual(self.ask("next")["status"], "ok")
        self.assertEqual(len(self.claude.requests), 5)
        self.assert_idle()

    def test_a_redis_that_comes_back_with_older_data_repeats_the_reply_and_not_the_work(self):
        self.start()
        job = self.push("hold this")
        self.claude.wait_for_requests(1)
        self.redis.kill()
        older = self.redis.data + ".older"
        shutil.copytree(self.redis.data, older)
        self.redis.start()
        self.gate.set()
        first = self.reply(job)
        self.redis.kill()
        shutil.rmtree(self.redis.data)
        shutil.move(older, self.redis.data)
        self.redis.start()
        again = self.reply(job)
        for varying in ("timing_ms", "attempts"):
            first.pop(varying), again.pop(varying)
        self.assertEqual(first, again)
        self.assertEqual(len(self.claude.requests), 1)
        self.assertEqual(self.turns(), [("user", "hold this"), ("assistant", "re: hold this")])
        self.assert_idle()

    def test_an_emptied_redis_takes_new_jobs(self):
        self.start()
        self.push("hold on")
        self.claude.wait_for_requests(1)
        self.redis.client.flushall()
        self.redis.client.script_flush()
        self.gate.set()
        self.assertEqual(self.ask("next", session_id="other")["status"], "ok")
        self.assert_idle()

    def test_a_full_redis_still_takes_replies(self):
        self.start()
        ids = [self.push(f"hold {n}" + "x" * 1000, session_id=f"s{n}") for n in range(20)]
        self.claude.wait_for_requests(20)
        client = self.redis.client
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")
        with self.assertRaises(redis.exceptions.ResponseError):
            client.set("any", "thing")
        self.gate.set()
        for job in ids:
            self.assertEqual(self.check_one_reply(job)["status"], "ok")
        client.config_set("maxmemory", "0")
        self.assertEqual(self.ask("next")["status"], "ok")
        self.assert_idle()


class DiskIsFull(CrashCase):
    def test_jobs_wait_for_a_full_disk_and_are_answered_when_there_is_room(self):
        daemon = self.start(process={"ignore_file_limit": True})
        self.ask("before")
        # As a full disk does: no file can grow any more.
        size = max(os.path.getsize(self.database), os.path.getsize(self.database + "-wal"))
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        ids = [self.push(f"m{n} " + "x" * 20_000, session_id=f"s{n}") for n in range(20)]
        self.claude.wait_for_requests(21)
        daemon.wait_for_log("the store cannot be used")
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for n, job in enumerate(ids):
            self.assertTrue(self.check_one_reply(job)["reply"].startswith(f"re: m{n}"))
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE role = 'user'"), [(21,)])
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])
        daemon.wait_for_log("the store can be used again")
        self.assert_idle()

    def test_jobs_wait_for_a_database_that_somebody_else_holds(self):
        daemon = self.start(store_busy_timeout_ms=100)
        self.ask("before")
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            job = self.push("meanwhile", session_id="other")
            daemon.wait_for_log("the store cannot be used")
            db.execute("ROLLBACK")
        self.assertEqual(self.check_one_reply(job)["reply"], "re: meanwhile")
        self.assertEqual(len(self.claude.requests), 2)


class LogIsStuck(CrashCase):
    def test_a_log_that_nobody_reads_stops_nothing(self):
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        shell = f'exec 2>/proc/{os.getpid()}/fd/{writer}; exec "$@"'
        daemon = self.start(
            log_level="trace", summary_enabled="false", process={"wrapper": ["sh", "-c", shell, "sh"]}
        )
        text = "x" * 2000
        ids = [self.push(text, session_id=f"s{n % 20}") for n in range(300)]
        for job in ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        waiting = array.array("i", [0])
        fcntl.ioctl(reader, termios.FIONREAD, waiting)
        # Three hundred jobs log far more than the pipe holds.
        self.assertTrue(0 < waiting[0] <= 4096, waiting[0])
        self.assertEqual(daemon.stop(), 0)

    def test_closed_standard_streams_are_no_place_for_anything_else(self):
        daemon = self.start(process={"wrapper": ["sh", "-c", 'exec 0<&- 1>&- 2>&-; exec "$@"', "sh"]})
        for n in range(5):
            self.assertEqual(self.ask(f"m{n}", session_id=f"s{n}")["reply"], f"re: m{n}")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])


if __name__ == "__main__":
    main()
