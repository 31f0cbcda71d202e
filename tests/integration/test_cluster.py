"""A cluster of three masters with a replica each. All keys of a prefix are in one slot; its owner changes."""

import json
import time

from confirmed_jobs import Producer
from harness import Case, eventually, main
from topologies import Cluster

PREFIX = "{engram}"
SECONDS_TO_RESUME = 10  # after the slot has a new owner; what it takes is below one


class ClusterCase(Case):
    def setUp(self):
        super().setUp()
        self.start_fake(lambda request: "re: " + request.new_message)
        self.cluster = Cluster(self.folder)
        self.addCleanup(self.cluster.stop)
        self.processes += self.cluster.processes
        self.slot = self.cluster.slot_of(PREFIX + ":jobs")
        self.owner, replicas = self.cluster.places_of(self.slot)
        self.replica = replicas[0]
        self.seed = next(n for n in self.cluster.nodes[: Cluster.MASTERS] if n is not self.owner)
        self.redis = self.owner

    def start_member(self, seed=None, ready=True, **changes):
        """A daemon that knows one node, which owns other slots."""
        settings = {
            "redis_url": f"redis://{(seed or self.seed).address}",
            "redis_prefix": PREFIX,
            "redis_connect_timeout_ms": 2000,
            "redis_command_timeout_ms": 2000,
            "summary_enabled": "false",
            **changes,
        }
        return self.start_daemon(ready=ready, client=self.owner.client, **settings)

    def start_producer(self, copies):
        def connect():
            return self.cluster.owner_of(self.slot).connect(socket_timeout=2)

        producer = Producer(connect, PREFIX, copies)
        self.addCleanup(producer.finish)
        return producer

    def await_answer(self, server):
        job = f"watch-{time.monotonic()}"
        body = {"user_id": "u", "session_id": "watch", "id": job, "message": "are you there"}
        server.client.lpush(PREFIX + ":jobs", json.dumps(body))
        popped = server.client.blpop(f"{PREFIX}:reply:{job}", SECONDS_TO_RESUME)
        self.assertIsNotNone(popped, "no reply")
        self.assertEqual(json.loads(popped[1])["reply"], "re: are you there")

    def await_new_owner(self, old):
        eventually(lambda: self.cluster.owner_of(self.slot) is not old, "the slot has another owner")
        return self.cluster.owner_of(self.slot)

    def check_all_is_answered(self, producer, owner):
        """Every confirmed job has one effect, in the order of its conversation, and one reply a push."""
        jobs = producer.finish()
        client = owner.client
        replies = {job: f"{PREFIX}:reply:{job}" for job in jobs}
        eventually(lambda: all(client.exists(key) for key in replies.values()), "every job is answered")
        eventually(lambda: not client.exists(PREFIX + ":body", PREFIX + ":jobs"), "the queue is empty")
        for job, key in replies.items():
            self.assertIn(client.llen(key), range(1, producer.pushes[job] + 1), job)
        for session in range(Producer.SESSIONS):
            asked = [text for role, text in self.turns(session_id=f"s{session}") if role == "user"]
            expected = ["m" + job[1:] for job in jobs if int(job[1:]) % Producer.SESSIONS == session]
            self.assertEqual(asked, expected)
        self.assertEqual(client.xlen(PREFIX + ":dead"), 0)


class InOneSlot(ClusterCase):
    def test_a_daemon_that_was_given_another_node_finds_the_owner_and_every_key_is_there(self):
        daemon = self.start_member()
        daemon.wait_for_log("MOVED")
        for n in range(5):
            self.await_answer(self.owner)
        self.owner.client.lpush(PREFIX + ":jobs", b"no job")  # a dead letter
        eventually(lambda: self.owner.client.xlen(PREFIX + ":dead") == 1, "the dead letter is there")
        keys = self.owner.client.keys("*")
        self.assertTrue(keys)
        self.assertEqual({self.cluster.slot_of(key) for key in keys}, {self.slot})
        for node in self.cluster.nodes:
            if node not in (self.owner, self.replica):
                self.assertEqual(node.client.dbsize(), 0, node.name)

    def test_a_daemon_that_was_given_a_replica_finds_the_owner(self):
        self.start_member(seed=self.replica)
        self.await_answer(self.owner)

    def test_a_prefix_without_a_hash_tag_is_refused_and_the_remedy_is_named(self):
        daemon = self.start_member(ready=False, redis_prefix="engram")
        daemon.wait_for_log("no hash tag")
        self.assertIn("set it to {engram}", daemon.log())
        self.assertIsNone(daemon.status)
        self.assertEqual(daemon.stop(), 0)


class OwnerChanges(ClusterCase):
    def test_a_killed_owner_is_replaced_by_its_replica_and_loses_nothing_that_it_had(self):
        self.start_member()
        producer = self.start_producer(copies=1)
        producer.wait_for(50)
        self.owner.kill()
        producer.copies = 0  # there is no further replica
        new = self.await_new_owner(self.owner)
        self.assertIs(new, self.replica)
        self.await_answer(new)
        producer.wait_for(50)

        # The old owner comes back as a replica.
        self.owner.start()
        self.processes.append(self.owner.process)
        eventually(lambda: self.owner.role() == "slave", "the old owner has become a replica")
        producer.wait_for(20)
        self.check_all_is_answered(producer, new)

    def test_a_failover_on_command_under_load_loses_nothing(self):
        self.start_member()
        producer = self.start_producer(copies=0)
        for target in (self.replica, self.owner):  # there and back
            producer.wait_for(50)
            old = self.cluster.owner_of(self.slot)
            eventually(
                lambda: target.client.info("replication")["master_link_status"] == "up", "the replica is fit"
            )
            target.client.execute_command("CLUSTER", "FAILOVER")
            self.assertIs(self.await_new_owner(old), target)
            self.await_answer(target)
        producer.wait_for(50)
        self.check_all_is_answered(producer, self.owner)

    def test_with_the_configured_node_gone_the_others_still_lead_to_a_new_owner(self):
        self.start_member()
        self.await_answer(self.owner)
        lost = self.slot_of_node(self.seed)
        self.seed.kill()
        eventually(lambda: self.cluster.owner_of(lost) is not self.seed, "the seed has a successor")
        self.await_answer(self.cluster.owner_of(self.slot))
        self.owner.kill()
        self.await_answer(self.await_new_owner(self.owner))

    def slot_of_node(self, node):
        begin, _, *_ = next(
            r
            for r in node.client.execute_command("CLUSTER", "SLOTS", NEVER_DECODE="")
            if r[2][1] == node.port
        )
        return begin


if __name__ == "__main__":
    main()
