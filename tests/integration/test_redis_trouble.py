"""A Redis that is full, slow, loading, a replica, badly set up, or behind a network that swallows everything:
what the daemon says meanwhile, and that it goes on by itself."""

import contextlib
import os
import re
import socket
import sys
import threading
import time
from unittest import mock

import redis

from harness import Case, eventually, main

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chaos"))
from proxy import DOWN, UP, Network  # noqa: E402

SECONDS_TO_RESUME = 5
MIB = 1024 * 1024


class StatusLines(threading.Thread):
    """What systemd is told, at $NOTIFY_SOCKET."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.last = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        self._socket.settimeout(0.1)
        self._closing = threading.Event()
        self.start()

    def run(self):
        while not self._closing.is_set():
            try:
                text = self._socket.recv(4096).decode()
            except TimeoutError:
                continue
            if text.startswith("STATUS="):
                self.last = text.removeprefix("STATUS=")

    def wait_for(self, beginning):
        eventually(lambda: self.last.startswith(beginning), f"{beginning!r} after {self.last!r}")
        return self.last

    def close(self):
        self._closing.set()
        self.join()
        self._socket.close()


class Closing(threading.Thread):
    """Takes connections at a Unix socket, and closes each at once; `count` of them so far."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.count = 0
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(100)
        self._socket.settimeout(0.1)
        self._ended = threading.Event()
        self.start()

    def run(self):
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                self._socket.accept()[0].close()
                self.count += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        self.join()
        self._socket.close()


class TroubleCase(Case):
    def setUp(self):
        super().setUp()
        self.start_fake(lambda request: "re: " + request.new_message)
        self.status = StatusLines(os.path.join(self.folder, "notify.sock"))
        self.addCleanup(self.status.close)

    def start(self, **changes):
        settings = {
            "redis_command_timeout_ms": 500,
            "redis_connect_timeout_ms": 500,
            "queue_lease_ms": 3000,
            "summary_enabled": "false",
            "env": {"NOTIFY_SOCKET": self.status.path},
        }
        return self.start_daemon(**{**settings, **changes})

    def await_answer(self, timeout=SECONDS_TO_RESUME):
        """A new job is answered soon."""
        job = self.push("are you there", session_id="watch")
        self.assertEqual(self.reply(job, timeout)["reply"], "re: are you there")


class Blackhole(TroubleCase):
    """The network takes every byte and delivers none; nobody is told that a connection has ended."""

    def setUp(self):
        super().setUp()
        self.start_redis()
        network = Network()
        self.addCleanup(network.stop)
        self.cable = network.add_proxy(self.redis.socket)
        self.addCleanup(self.cable.cut)

    def start(self, **changes):
        daemon = super().start(redis_url=self.cable.url, **changes)
        self.status.wait_for("ready, taking")
        return daemon

    def test_it_is_not_ready_though_it_lives_and_resumes_when_the_network_is_back(self):
        daemon = self.start()
        for for_good in (True, False):  # the connections that have lost bytes are ended, or stay dead
            with self.subTest(for_good=for_good):
                self.cable.swallow(UP, DOWN)
                job = self.push("meanwhile", id=f"meanwhile-{for_good}")
                self.assertIn("Redis: ", self.status.wait_for("not ready, cut off"))
                eventually(lambda: self.instances_that_say_so() == [], "nobody is seen to be alive")
                self.assertEqual(self.ctl("queue", "status").status, 75)
                self.assertFalse(self.redis.client.exists("engram:reply:" + job))
                self.assertIsNone(daemon.status)
                self.cable.mend(for_good)
                self.assertEqual(self.reply(job, SECONDS_TO_RESUME)["reply"], "re: meanwhile")
                self.status.wait_for("ready, taking")
                self.assertEqual(self.ctl("queue", "status").status, 0)

    def instances_that_say_so(self):
        return self.redis.client.keys("engram:status:*")

    def test_connections_that_have_died_in_silence_are_replaced(self):
        self.start()
        for directions in ((UP, DOWN), (UP,), (DOWN,)):
            with self.subTest(directions=directions):
                ids = [self.push(f"m{n}", session_id=f"s{n}") for n in range(5)]
                self.cable.swallow(*directions)
                self.cable.mend()  # for new connections
                for n, job in enumerate(ids):
                    self.assertEqual(self.reply(job, SECONDS_TO_RESUME)["reply"], f"re: m{n}")
                self.await_answer()
                self.assertEqual(self.redis.client.exists(*("engram:reply:" + job for job in ids)), 0)

    def test_a_slow_network_is_no_trouble(self):
        daemon = self.start()
        self.cable.slow(0.1)
        ids = [self.push(f"m{n}", session_id=f"s{n}") for n in range(20)]
        for job in ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.await_answer()
        self.assertNotIn("trouble", daemon.log())
        self.assertTrue(self.status.last.startswith("ready"), self.status.last)


class Server(TroubleCase):
    def fill(self):
        """Until writes are refused, because of something else than the queue."""
        refused = False
        while not refused:
            try:
                self.redis.client.append("ballast", b"x" * 65536)
            except redis.exceptions.ResponseError as refusal:
                refused = "OOM" in str(refusal)

    def test_a_full_one_lets_waiting_jobs_end_and_says_what_is_the_matter(self):
        self.start_redis("--maxmemory-policy", "noeviction")
        client = self.redis.client
        ids = [self.push(f"m{n}", session_id=f"s{n % 3}") for n in range(30)]
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 4 * MIB)
        self.fill()
        daemon = self.start()
        for n, job in enumerate(ids):
            self.assertEqual(self.reply(job)["reply"], f"re: m{n}")
        daemon.wait_for_log("OOM")
        self.fill()
        with self.assertRaises(redis.exceptions.ResponseError):
            self.push("no room" + "x" * 65536)
        eventually(lambda: "it refuses writes (OOM" in self.status.last, "its status says so")
        said = self.status.wait_for("not ready, cut off")
        self.assertIn("raise maxmemory", said)
        eventually(lambda: self.ctl("queue", "status").status == 75, "queue status says so, too")
        self.assertIn("cure=\"raise maxmemory", daemon.log())
        client.delete("ballast")
        self.await_answer()
        self.status.wait_for("ready, taking")
        eventually(lambda: self.ctl("queue", "status").status == 0, "it is well")
        self.assert_idle()

    def test_one_that_has_become_a_replica_is_waited_for(self):
        self.start_redis()
        daemon = self.start()
        self.status.wait_for("ready, taking")
        job = self.push("before")
        self.reply(job)
        self.push("meanwhile", id="meanwhile")
        self.redis.client.replicaof("127.0.0.1", "9")
        daemon.wait_for_log("it has become a replica")
        self.assertIn("replica", self.status.wait_for("not ready, cut off"))
        self.redis.client.replicaof("NO", "ONE")
        self.assertEqual(self.reply("meanwhile", SECONDS_TO_RESUME)["reply"], "re: meanwhile")
        self.await_answer()
        self.status.wait_for("ready, taking")

    def test_one_that_pauses_everybody_for_longer_than_a_command_may_take(self):
        self.start_redis()
        self.start()
        self.status.wait_for("ready, taking")
        ids = [self.push(f"m{n}", session_id=f"s{n}") for n in range(5)]
        self.redis.client.execute_command("CLIENT", "PAUSE", "4000", "ALL")
        self.status.wait_for("not ready")
        for n, job in enumerate(ids):
            self.assertEqual(self.reply(job)["reply"], f"re: m{n}")
        self.await_answer()
        self.status.wait_for("ready, taking")

    def test_one_that_is_slow_for_a_moment_costs_no_connection(self):
        self.start_redis("--enable-debug-command", "local")
        daemon = self.start(redis_command_timeout_ms=5000)
        for n in range(3):
            job = self.push(f"m{n}")
            self.redis.client.execute_command("DEBUG", "SLEEP", "0.7")
            self.assertEqual(self.reply(job)["reply"], f"re: m{n}")
        self.assertEqual(daemon.log().count("connected to Redis"), 3)

    def test_one_that_is_loading_its_data_is_not_used_before_it_has(self):
        self.start_redis()
        with self.redis.client.pipeline(transaction=False) as pipeline:
            for n in range(20_000):
                pipeline.set("ballast", n)
            pipeline.execute()
        daemon = self.start()
        self.status.wait_for("ready, taking")
        self.redis.kill()
        self.redis.arguments += ["--key-load-delay", "50"]  # microseconds for each write
        with mock.patch.object(self.redis, "_answers", return_value=True):
            self.redis.start()
        daemon.wait_for_log("LOADING")
        self.status.wait_for("not ready")
        with self.assertRaises(redis.exceptions.BusyLoadingError):
            self.redis.connect().llen("engram:jobs")
        eventually(self.redis._answers, "it has loaded")
        self.await_answer()
        self.status.wait_for("ready, taking")

    def test_one_that_is_busy_with_somebodys_endless_script_is_waited_for(self):
        self.start_redis("--busy-reply-threshold", "100")
        daemon = self.start()
        self.status.wait_for("ready, taking")
        other = self.redis.connect()
        endless = threading.Thread(target=self.run_endlessly, args=(other,))
        endless.start()
        self.addCleanup(endless.join)
        daemon.wait_for_log("BUSY")
        self.assertIn("BUSY", self.status.wait_for("not ready"))
        self.redis.client.script_kill()
        endless.join()
        self.await_answer()
        self.status.wait_for("ready, taking")

    @staticmethod
    def run_endlessly(client):
        with contextlib.suppress(redis.exceptions.ResponseError):
            client.eval("while true do end", 0)

    def test_one_that_takes_no_more_connections_is_tried_until_it_does(self):
        self.start_redis()
        daemon = self.start()
        self.status.wait_for("ready, taking")
        client = self.redis.client
        client.client_kill_filter(_type="normal", skipme=True)
        client.config_set("maxclients", 1)
        daemon.wait_for_log("max number of clients reached (raise maxclients of this Redis")
        client.config_set("maxclients", 100)
        self.await_answer()
        self.status.wait_for("ready, taking")

    def test_connections_that_are_killed_in_a_loop_lose_and_double_nothing(self):
        self.start_redis()
        self.start()
        ids = [self.push(f"m{n:03}", session_id=f"s{n % 5}") for n in range(200)]
        client = self.redis.connect()
        until = time.monotonic() + 3
        while time.monotonic() < until:
            for member in client.client_list():
                if member["name"].startswith("engramd"):
                    client.client_kill_filter(_id=member["id"])
        for n, job in enumerate(ids):
            self.assertEqual(self.reply(job)["reply"], f"re: m{n:03}")
        for s in range(5):
            asked = [text for role, text in self.turns(session_id=f"s{s}") if role == "user"]
            self.assertEqual(asked, [f"m{n:03}" for n in range(200) if n % 5 == s])
        self.assert_idle()
        self.assertEqual([k for k in self.keys() if k.startswith("engram:reply:")], [], "second replies")
        self.status.wait_for("ready, taking")


    def test_one_that_knows_no_courtesies_is_used_like_any_other(self):
        unknown = ("CLIENT", "PING", "ROLE", "CLUSTER", "INFO")
        server = self.make_redis(*(word for name in unknown for word in ("--rename-command", name, "")))
        with mock.patch.object(server, "_answers", lambda: self.is_there(server)):
            server.start()
        daemon = self.start()
        ids = [self.push(f"m{n}", session_id=f"s{n % 3}") for n in range(10)]
        for n, job in enumerate(ids):
            self.assertEqual(self.reply(job)["reply"], f"re: m{n}")
        for name in unknown[:-1]:
            daemon.wait_for_log(f"this server does not know {name}: ")
        daemon.wait_for_log("Redis does not tell its settings (INFO), so they are not checked")
        self.assertEqual(self.ctl("queue", "status").status, 0)

    @staticmethod
    def is_there(server):
        with contextlib.suppress(redis.exceptions.ConnectionError):
            return server.client.dbsize() == 0
        return False

    def test_one_that_cannot_write_to_its_disk_is_named_and_can_be_looked_at(self):
        self.start_redis("--stop-writes-on-bgsave-error", "yes")
        job = self.push("before")
        self.redis.client.config_set("save", "3600 1")
        in_the_way = os.path.join(self.redis.data, "dump.rdb")
        os.mkdir(in_the_way)
        self.save("err")
        daemon = self.start(ready=False)
        daemon.wait_for_log("Redis cannot write to its disk: jobs and replies are refused until it can (MISCONF")
        looked = self.ctl("queue", "status")
        self.assertEqual(looked.status, 75, looked)
        self.assertRegex(looked.out, r"jobs waiting\W+1\b")
        self.assertFalse(self.redis.client.exists("engram:reply:" + job))
        os.rmdir(in_the_way)
        self.save("ok")
        self.assertEqual(self.reply(job, SECONDS_TO_RESUME)["reply"], "re: before")
        self.assertEqual(self.ctl("queue", "status").status, 0)

    def save(self, outcome):
        """A snapshot, which must end so."""
        client = self.redis.client
        client.bgsave()
        eventually(
            lambda: client.info("persistence")["rdb_last_bgsave_status"] == outcome
            and not client.info("persistence")["rdb_bgsave_in_progress"],
            f"a snapshot ends {outcome}",
        )

    def test_one_that_is_away_is_told_of_in_a_few_lines(self):
        self.start_redis()
        daemon = self.start()
        self.status.wait_for("ready, taking")
        self.redis.kill()
        os.unlink(self.redis.socket)
        with Closing(self.redis.socket) as nobody:
            tries = 100
            eventually(lambda: nobody.count >= tries, f"{tries} tries to connect")
        told = [line for line in daemon.log().splitlines() if "no connection to Redis" in line]
        # Each connection says at once that it is lost, and why there is no new one.
        connections = {re.search(r"connection=(\S+)", line)[1] for line in told}
        self.assertGreaterEqual(len(connections), 3, told)
        self.assertLess(len(told), tries // 4, told)
        os.unlink(self.redis.socket)
        self.redis.start()
        self.await_answer()


class Settings(TroubleCase):
    WARNING = "Redis is not set up to keep what it is given"

    def test_what_may_lose_jobs_is_said_at_the_start_and_once(self):
        self.start_redis("--maxmemory-policy", "allkeys-lru", "--appendonly", "no")
        daemon = self.start()
        daemon.wait_for_log("set maxmemory-policy noeviction")
        daemon.wait_for_log("set appendonly yes")
        self.redis.client.client_kill_filter(_type="normal", skipme=True)
        eventually(lambda: daemon.log().count("connected to Redis") == 6, "it is back")
        self.await_answer()
        self.assertEqual(daemon.log().count(self.WARNING), 2)

    def test_a_server_that_is_set_up_well_is_not_remarked_on(self):
        self.start_redis("--maxmemory-policy", "noeviction")
        daemon = self.start()
        self.await_answer()
        self.assertEqual(daemon.stop(), 0)
        self.assertNotIn(self.WARNING, daemon.log())

    def test_a_setting_that_was_mended_is_not_complained_of_at_the_next_connection(self):
        self.start_redis("--appendonly", "no")
        daemon = self.start()
        daemon.wait_for_log("set appendonly yes")
        self.redis.client.config_set("appendonly", "yes")
        self.redis.client.client_kill_filter(_type="normal", skipme=True)
        eventually(lambda: daemon.log().count("connected to Redis") == 6, "it is back")
        self.await_answer()
        self.assertEqual(daemon.log().count(self.WARNING), 1)


if __name__ == "__main__":
    main()
