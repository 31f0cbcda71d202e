"""A master, two replicas and three Sentinels: the master dies or is replaced, and jobs go on by
themselves."""

import signal
import time

import redis

from confirmed_jobs import Producer
from harness import PREFIX, Case, eventually, main
from topologies import SERVICE, StaleSentinel, Watched

SECONDS_TO_RESUME = 10  # after there is a new master; what it takes is below one


class SentinelCase(Case):
    def setUp(self):
        super().setUp()
        self.start_fake(lambda request: "re: " + request.new_message)

    def start_watched(self, **options):
        watched = Watched(self.folder, **options)
        self.addCleanup(watched.stop)
        self.processes += watched.processes
        self.redis = watched.first_master
        return watched

    def start_watching_daemon(self, watched, ready=True, sentinels=None, **changes):
        """Its redis.url names a server that does not exist: the Sentinels alone say where to go."""
        settings = {
            "redis_url": "redis://nowhere.invalid",
            "redis_sentinels": ",".join(sentinels or [s.address for s in watched.sentinels]),
            "redis_service": SERVICE,
            "redis_connect_timeout_ms": 2000,
            "redis_command_timeout_ms": 2000,
            "summary_enabled": "false",
            **changes,
        }
        return self.start_daemon(ready=ready, **settings)

    def start_producer(self, watched, copies):
        def connect():
            master = watched.master()
            return master.connect(socket_timeout=2)

        producer = Producer(connect, PREFIX, copies)
        self.addCleanup(producer.finish)
        return producer

    def await_answer(self, server):
        """Seconds until a job pushed to this server is answered."""
        begun = time.monotonic()
        job = self.push("are you there", session_id="watch", id=f"watch-{begun}", client=server.client)
        reply = self.reply(job, timeout=SECONDS_TO_RESUME, client=server.client)
        self.assertEqual(reply["reply"], "re: are you there")
        return time.monotonic() - begun

    def check_all_is_answered(self, producer, server):
        """Every confirmed job has one effect, in the order of its conversation, and one reply a push."""
        jobs = producer.finish()
        replies = {job: "engram:reply:" + job for job in jobs}
        eventually(
            lambda: all(server.client.exists(key) for key in replies.values()), "every job is answered"
        )
        eventually(lambda: not server.client.exists("engram:body", "engram:jobs"), "the queue is empty")
        for job, key in replies.items():
            self.assertIn(server.client.llen(key), range(1, producer.pushes[job] + 1), job)
        for session in range(Producer.SESSIONS):
            asked = [text for role, text in self.turns(session_id=f"s{session}") if role == "user"]
            expected = ["m" + job[1:] for job in jobs if int(job[1:]) % Producer.SESSIONS == session]
            self.assertEqual(asked, expected)
        self.assertEqual(server.client.xlen("engram:dead"), 0)


class Failover(SentinelCase):
    @staticmethod
    def connections_made(daemon):
        return daemon.log().count("connected to Redis")

    def test_a_killed_master_is_replaced_and_loses_nothing_that_every_replica_had(self):
        watched = self.start_watched()
        daemon = self.start_watching_daemon(watched)
        producer = self.start_producer(watched, copies=2)
        producer.wait_for(50)
        old = watched.first_master
        old.kill()
        producer.copies = 1  # as many replicas as are left
        new = watched.await_new_master(old)
        self.await_answer(new)
        producer.wait_for(50)

        # The old master comes back, as a replica in the end, and nobody takes it for the master.
        eventually(lambda: self.connections_made(daemon) >= 6, "its three connections are back")
        before = self.connections_made(daemon)
        old.start()
        self.processes.append(old.process)
        eventually(lambda: old.role() == "slave", "the old master has become a replica")
        watched.await_replicas(2)
        producer.wait_for(20)
        self.assertEqual(self.connections_made(daemon), before)
        names = {client["name"] for client in old.client.client_list()}
        self.assertFalse({"engramd", "engramd-wait", "engramd-admin"} & names, names)
        self.check_all_is_answered(producer, new)

    def test_a_master_that_stands_still_is_replaced_and_what_it_does_when_it_wakes_changes_nothing(self):
        watched = self.start_watched()
        self.start_watching_daemon(watched, queue_lease_ms=30_000)
        producer = self.start_producer(watched, copies=2)
        producer.wait_for(50)
        old = watched.first_master
        old.process.send(signal.SIGSTOP)
        producer.copies = 1
        new = watched.await_new_master(old)
        self.await_answer(new)
        old.process.send(signal.SIGCONT)
        eventually(lambda: old.role() == "slave", "the old master has become a replica")
        producer.wait_for(50)
        self.check_all_is_answered(producer, new)

    def test_a_failover_on_command_under_load_loses_nothing_that_every_replica_had(self):
        watched = self.start_watched()
        daemon = self.start_watching_daemon(watched)
        producer = self.start_producer(watched, copies=2)
        producer.wait_for(50)
        old = watched.first_master
        self.assertEqual(watched.sentinels[0].ask("FAILOVER", SERVICE), "OK")
        new = watched.await_new_master(old)
        watched.await_replicas(2)
        self.await_answer(new)
        producer.wait_for(50)
        self.check_all_is_answered(producer, new)
        self.assertEqual(old.role(), "slave")
        daemon.wait_for_log(f"127.0.0.1:{new.port}")

    def test_passwords_of_the_servers_and_of_the_sentinels_are_kept_apart(self):
        watched = self.start_watched(password="of-redis", sentinel_password="of-sentinel")
        names = [f"redis://:of-sentinel@{s.address}" for s in watched.sentinels]
        options = {"sentinels": names, "redis_url": "redis://:of-redis@nowhere.invalid"}
        daemon = self.start_watching_daemon(watched, **options)
        self.await_answer(watched.first_master)
        watched.first_master.kill()
        self.await_answer(watched.await_new_master(watched.first_master))
        self.assertEqual(daemon.stop(), 0)
        for secret in ("of-redis", "of-sentinel"):
            self.assertNotIn(secret, daemon.log())


class SentinelsInTrouble(SentinelCase):
    def test_one_that_is_gone_and_one_that_never_answers_are_passed_over(self):
        watched = self.start_watched()
        gone, mute, _ = watched.sentinels
        gone.process.kill()
        mute.process.send(signal.SIGSTOP)
        self.start_watching_daemon(watched)
        self.await_answer(watched.first_master)

    def test_a_failover_decided_by_two_is_followed_though_the_first_of_the_list_never_answers(self):
        watched = self.start_watched()
        self.start_watching_daemon(watched)
        mute = watched.sentinels[0]
        mute.process.send(signal.SIGSTOP)
        watched.first_master.kill()
        heard = watched.sentinels[1]
        eventually(
            lambda: heard.master_port() not in (None, watched.first_master.port), "another master is named"
        )
        new = next(s for s in watched.servers if s.port == heard.master_port())
        eventually(lambda: new.role() == "master", "it is the master")
        self.await_answer(new)

    def test_one_that_was_cut_off_and_still_names_the_old_master_is_not_believed_for_ever(self):
        watched = self.start_watched()
        stale = StaleSentinel(watched.first_master.port)
        self.addCleanup(stale.stop)
        sentinels = [stale.address, *(s.address for s in watched.sentinels)]
        self.start_watching_daemon(watched, sentinels=sentinels)
        watched.first_master.kill()
        self.await_answer(watched.await_new_master(watched.first_master))
        self.assertGreater(stale.asked, 0)

    def test_without_any_sentinel_a_connection_to_the_master_is_kept(self):
        watched = self.start_watched()
        daemon = self.start_watching_daemon(watched)
        for name in ("engramd", "engramd-wait", "engramd-admin"):
            daemon.wait_for_log(f"connection={name}\n")
        for sentinel in watched.sentinels:
            sentinel.process.kill()
        self.await_answer(watched.first_master)
        self.assertNotIn("no connection to Redis", daemon.log())

    def test_a_service_that_nobody_knows_is_named_in_the_log(self):
        watched = self.start_watched()
        daemon = self.start_watching_daemon(watched, ready=False, redis_service="other-store")
        daemon.wait_for_log("knows no service other-store")
        for sentinel in watched.sentinels:
            self.assertIn(sentinel.address, daemon.log())
        self.assertEqual(watched.first_master.client.zcard("engram:instances"), 0)
        self.assertEqual(daemon.stop(), 0)

    def test_a_wrong_password_for_a_sentinel_is_named_in_the_log_but_not_shown(self):
        watched = self.start_watched(sentinel_password="right")
        names = [f"redis://:wrong-secret@{watched.sentinels[0].address}"]
        daemon = self.start_watching_daemon(watched, ready=False, sentinels=names)
        daemon.wait_for_log("WRONGPASS")
        self.assertIn("sentinel redis://" + watched.sentinels[0].address, daemon.log())
        self.assertNotIn("wrong-secret", daemon.log())
        self.assertIsNone(daemon.status)


class Replicas(SentinelCase):
    def test_a_master_that_wants_replicas_and_has_none_takes_no_jobs_until_they_are_back(self):
        watched = self.start_watched()
        master = watched.first_master.client
        daemon = self.start_watching_daemon(watched)
        master.config_set("min-replicas-max-lag", 1)
        master.config_set("min-replicas-to-write", 2)
        watched.servers[1].process.send(signal.SIGSTOP)

        def is_refused():
            try:
                master.set("aside", 1)
                return False
            except redis.exceptions.ResponseError as refusal:
                return str(refusal).startswith("NOREPLICAS")

        eventually(is_refused, "writes are refused")
        daemon.wait_for_log("NOREPLICAS")
        daemon.wait_for_log("no jobs are answered")
        watched.servers[1].process.send(signal.SIGCONT)
        eventually(lambda: not is_refused(), "writes are taken")
        self.await_answer(watched.first_master)
        daemon.wait_for_log("jobs are answered again")


if __name__ == "__main__":
    main()
