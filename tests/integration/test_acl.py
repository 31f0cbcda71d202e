"""The users that docs/redis.md describes: their rights are enough, and none of them is too much."""

import json
import os
import signal

import redis

from acl_case import (
    ACL_FILE,
    NOPERM,
    NOPERM_IN_SCRIPT,
    PASSWORD,
    RULES,
    TROUBLE,
    AclCase,
    WithoutRight,
    granted_commands,
)
from harness import PATIENCE, Case, Listener, eventually, main


class File(Case):
    """etc/engram.acl, which is installed."""

    def lines(self):
        with open(ACL_FILE, encoding="utf-8") as file:
            return file.read().splitlines()

    def test_as_it_is_installed_nobody_can_log_in(self):
        for line in self.lines():
            self.assertEqual(line.split()[2:4], ["reset", "off"], line)
            self.assertNotRegex(line, "[ (](>|#|nopass)")

    def test_its_rights_are_those_of_the_page(self):
        path = os.path.join(self.folder, "users.acl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(line.replace(" off ", f" on >{PASSWORD} ") + "\n" for line in self.lines())
        self.start_redis("--aclfile", path)
        users = sorted(self.redis.client.acl_list())
        self.assertEqual([line.split()[1] for line in users], sorted(["default", *RULES]))
        for user, rules in RULES.items():
            for arguments in rules:
                self.redis.client.execute_command("ACL", "SETUSER", user, *arguments)
        self.assertEqual(sorted(self.redis.client.acl_list()), users)


class Daemon(AclCase):
    def test_its_rights_are_enough_for_everything(self):
        victim = self.start(queue_max_parked_per_user=2)
        ids = [self.push(f"hold {n}", session_id=f"s{n % 3}") for n in range(8)]  # some in the backlog
        ids += [self.push("repeated", session_id=None, id="the-same") for _ in range(2)]
        self.claude.wait_for_requests(2)
        victim.kill()
        daemon = self.start(queue_max_parked_per_user=2)
        daemon.wait_for_log("took over the jobs")
        self.gate.set()
        for job in ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.push_raw(b"no job")
        self.push_raw(b"x" * 1_100_000)  # refused unseen
        eventually(lambda: self.client.xlen("engram:dead") == 2, "the dead letters are there")

        # Connections that break while calls are under way, and scripts that are forgotten.
        for n in range(20):
            ids = [self.push(f"m{n}-{k}", session_id=f"s{k}") for k in range(4)]
            self.client.client_kill_filter(_type="normal", skipme=True)
            self.client.script_flush()
            for job in ids:
                self.assertEqual(self.reply(job)["status"], "ok")

        # Orders to stop: the job in hand goes back and is done by the next.
        self.gate.clear()
        held = self.push("hold on")
        eventually(lambda: self.claude.requests[-1].new_message == "hold on", "the job is in hand")
        self.assertEqual(daemon.stop(), 0)
        self.gate.set()
        last = self.start()
        self.assertEqual(self.reply(held)["attempts"], 2)
        self.assertNotIn("not checked", last.log())
        self.assertEqual(last.stop(), 0)
        self.assert_nothing_was_refused()

    def test_while_its_rights_are_given_anew_no_script_runs_with_half_of_them(self):
        self.start()
        first, *others, last = RULES["engram-daemon"]
        self.change("engram-daemon", *first)  # takes everything, to begin with
        job = self.push()
        run, refused = self.script_calls()
        for arguments in others:
            self.change("engram-daemon", *arguments)
            eventually(lambda: self.script_calls()[1] > refused, "a script is tried")
            refused = self.script_calls()[1]
        self.assertEqual(self.script_calls()[0], run)
        self.change("engram-daemon", *last)
        self.assertEqual(self.reply(job)["status"], "ok")

    def script_calls(self):
        """How many were run and how many refused."""
        calls = self.client.info("commandstats")["cmdstat_evalsha"]
        return calls["calls"], calls["rejected_calls"]

    def test_without_the_keys_of_the_prefix_nothing_is_taken(self):
        daemon = self.start()
        self.change("engram-daemon", "resetkeys", "~engram:reply:*")
        daemon.wait_for_log("NOPERM")
        job = self.push()
        self.assertFalse(self.client.exists("engram:reply:" + job))
        self.set_user("engram-daemon")
        self.assertEqual(self.reply(job)["status"], "ok")

    def test_it_can_do_nothing_outside_its_prefix(self):
        client = self.login("engram-daemon")
        for command in (["SET", "other", "1"], ["HGETALL", "other"], ["PUBLISH", "engram:jobs", "x"]):
            with self.assertRaises(redis.exceptions.NoPermissionError, msg=command):
                client.execute_command(*command)
        for command in (["FLUSHALL"], ["KEYS", "*"], ["CONFIG", "GET", "*"], ["ACL", "LIST"]):
            with self.assertRaises(redis.exceptions.NoPermissionError, msg=command):
                client.execute_command(*command)


class DaemonWithoutOneRight(AclCase):
    """For every right there is something that fails without it."""

    # A daemon that lacks one of these does not begin, and says what it lacks.
    SCRIPTS = set("evalsha time exists llen lindex lpush rpush lpop rpop lrem del set incr decr pexpire".split())
    SCRIPTS |= set("hget hset hdel hlen hgetall hincrby zadd zrem zscore zrangebyscore xadd xlen".split())
    SCRIPTS |= set("lpos lrange hscan xrange rename persist".split())
    GREETING = set("ping role info client|setname cluster|slots".split())
    OTHERS = set("eval blmove publish".split())

    def without(self, right):
        return WithoutRight(self, "engram-daemon", right)

    def test_every_right_is_looked_at(self):
        looked_at = self.SCRIPTS | self.GREETING | self.OTHERS
        self.assertEqual(sorted(granted_commands("engram-daemon")), sorted(looked_at))

    def test_no_job_is_taken_by_halves(self):
        for right in sorted(self.SCRIPTS):
            with self.subTest(right=right), self.without(right) as lacking:
                daemon = self.start(ready=False)
                daemon.wait_for_log(TROUBLE)
                said = daemon.log().split(TROUBLE, 1)[1]
                self.assertIn(NOPERM if right == "evalsha" else NOPERM_IN_SCRIPT, said)
                job = self.push()
                eventually(lambda: self.client.llen("engram:jobs") == 1, "the job waits")
                self.assertFalse(self.client.exists("engram:reply:" + job))
                lacking.restore()
                self.assertEqual(self.reply(job)["attempts"], 1)
                self.assertEqual(daemon.stop(), 0)

    def test_the_greeting_of_a_new_connection_is_poorer(self):
        daemon = self.start()
        for right in sorted(self.GREETING):
            with self.subTest(right=right), self.without(right) as lacking:
                before = daemon.log().count("connected to Redis")
                self.client.client_kill_filter(_type="normal", skipme=True)
                eventually(lambda: daemon.log().count("connected to Redis") >= before + 2, "it is back")
                self.assertEqual(self.ask()["status"], "ok")
                if right == "info":
                    daemon.wait_for_log("so they are not checked")
                if right == "client|setname":
                    self.assertNotIn("engramd", {c["name"] for c in self.client.client_list()})
                eventually(self.refusals, "somebody missed it")
                lacking.restore()

    def test_without_role_a_replica_is_taken_for_a_master(self):
        self.client.replicaof("127.0.0.1", "9")
        self.change("engram-daemon", "-role")
        daemon = self.start(ready=False)
        daemon.wait_for_log("connected to Redis")
        daemon.wait_for_log("READONLY")
        self.assertNotIn("it is a replica, which", daemon.log())
        self.set_user("engram-daemon")
        daemon.wait_for_log("it is a replica, which")

    def test_a_script_that_was_forgotten_cannot_be_sent_again(self):
        daemon = self.start()
        with self.without("eval") as lacking:
            self.client.script_flush()
            job = self.push()
            daemon.wait_for_log(NOPERM)
            self.assertFalse(self.client.exists("engram:reply:" + job))
            lacking.restore()
        self.assertEqual(self.reply(job)["status"], "ok")

    def test_nobody_waits_for_a_push(self):
        daemon = self.start()
        with self.without("blmove") as lacking:
            daemon.wait_for_log("waiting for jobs")
            self.assertEqual(self.ask()["status"], "ok")
            lacking.restore()

    def test_a_reply_never_expires(self):
        self.start()
        with self.without("pexpire") as lacking:
            job = self.push()
            eventually(lambda: self.client.exists("engram:reply:" + job), "there is a reply")
            self.assertEqual(self.client.ttl("engram:reply:" + job), -1)
            lacking.restore()

    def test_a_reply_is_not_published(self):
        self.start()
        listener = Listener(self.client, "engram:reply:one")
        self.addCleanup(listener.close)
        with self.without("publish") as lacking:
            self.reply(self.push(id="one"))
            lacking.restore()
        self.client.acl_log_reset()
        self.change("engram-daemon", "resetchannels")
        self.reply(self.push(id="one"))
        self.assertEqual(self.refusals(), {("engram-daemon", "engram:reply:one")})
        self.set_user("engram-daemon")
        self.reply(self.push(id="one"))
        self.assertEqual(len(listener.wait(1)), 1)

    def test_a_dead_letter_is_not_kept(self):
        daemon = self.start()
        with self.without("xadd") as lacking:
            self.push_raw(b"no job")
            daemon.wait_for_log(NOPERM_IN_SCRIPT)
            self.assertEqual(self.dead_letters(), [])
            lacking.restore()
        self.client.flushall()


class Chat(AclCase):
    """A program that pushes jobs and reads replies."""

    JOB = json.dumps({"user_id": "u", "session_id": "s", "id": "one", "message": "hi"})

    def setUp(self):
        super().setUp()
        self.asker = self.login("engram-chat")

    def send(self):
        return self.ctl("send", "hello", url=self.url("engram-chat"), timeout=PATIENCE)

    def test_its_rights_are_enough_to_ask_in_every_way(self):
        self.start()
        answer = self.send()
        self.assertEqual((answer.status, answer.out), (0, "re: hello\n"), answer)
        listener = Listener(self.asker, "engram:reply:one")
        self.asker.lpush("engram:jobs", self.JOB)
        listener.wait(1)
        listener.close()
        self.asker.lpush("engram:cancel", json.dumps({"user_id": "u", "id": "one"}))
        eventually(lambda: not self.client.exists("engram:cancel"), "the cancel is carried out")
        eventually(lambda: self.asker.lrange("engram:reply:one", 0, -1), "the reply can be looked at")
        self.assertIsNotNone(self.asker.blpop("engram:reply:one", PATIENCE))
        self.assert_nothing_was_refused()

    def test_every_right_is_missed(self):
        self.assertEqual(
            sorted(granted_commands("engram-chat")),
            sorted("lpush blpop lrange subscribe ping role client|setname cluster|slots".split()),
        )
        commands = {
            "lpush": ["LPUSH", "engram:jobs", self.JOB],
            "blpop": ["BLPOP", "engram:reply:one", "1"],
            "lrange": ["LRANGE", "engram:reply:one", "0", "-1"],
            "subscribe": ["SUBSCRIBE", "engram:reply:one"],
            "ping": ["PING"],
            "role": ["ROLE"],
            "client|setname": ["CLIENT", "SETNAME", "me"],
            "cluster|slots": ["CLUSTER", "SLOTS"],
        }
        for right, command in commands.items():
            with self.subTest(right=right):
                self.set_user_without("engram-chat", "+" + right)
                with self.assertRaises(redis.exceptions.NoPermissionError):
                    self.login("engram-chat").execute_command(*command)

    def test_it_can_read_and_write_nothing_else(self):
        self.client.lpush("engram:reply:one", "a reply")
        self.client.hset("engram:body", "t", "a job")
        refused = [
            ["LRANGE", "engram:jobs", "0", "-1"],
            ["BLPOP", "engram:jobs", "1"],
            ["LLEN", "engram:jobs"],
            ["RPOP", "engram:jobs"],
            ["DEL", "engram:jobs"],
            ["LRANGE", "engram:cancel", "0", "-1"],
            ["RPOP", "engram:cancel"],
            ["SET", "engram:paused", "x"],
            ["DEL", "engram:paused"],
            ["LPUSH", "engram:reply:one", "forged"],
            ["RPUSH", "engram:reply:one", "forged"],
            ["SET", "engram:reply:two", "forged"],
            ["PUBLISH", "engram:reply:one", "forged"],
            ["PUBLISH", "engram:jobs", "x"],
            ["SUBSCRIBE", "engram:admin"],
            ["PSUBSCRIBE", "*"],
            ["HGETALL", "engram:body"],
            ["HGET", "engram:body", "t"],
            ["XRANGE", "engram:dead", "-", "+"],
            ["XLEN", "engram:dead"],
            ["ZRANGE", "engram:instances", "0", "-1"],
            ["EVAL", "return redis.call('HGETALL', 'engram:body')", "0"],
            ["KEYS", "*"],
            ["SCAN", "0"],
            ["FLUSHALL"],
            ["CONFIG", "GET", "*"],
            ["ACL", "LIST"],
            ["MONITOR"],
        ]
        others = ("ready", "body", "meta", "dead", "instances", "lane:3:u:s", "owned:i", "status:i", "admin")
        others += ("delayed", "delays", "paused")
        for key in others:
            refused += [["LPUSH", "engram:" + key, "x"], ["LRANGE", "engram:" + key, "0", "-1"]]
            refused += [["BLPOP", "engram:" + key, "1"], ["PUBLISH", "engram:" + key, "x"]]
        for command in refused:
            with self.subTest(command=command), self.assertRaises(redis.exceptions.NoPermissionError):
                self.login("engram-chat").execute_command(*command)
        self.assertEqual(self.client.lrange("engram:reply:one", 0, -1), [b"a reply"])


class Memory(AclCase):
    """A program that asks for memories."""

    COMMANDS = {
        "lpush": ["LPUSH", "engram:admin", "{}"],
        "lrem": ["LREM", "engram:admin", "1", "{}"],
        "blpop": ["BLPOP", "engram:reply:one", "1"],
        "lrange": ["LRANGE", "engram:reply:one", "0", "-1"],
        "subscribe": ["SUBSCRIBE", "engram:reply:one"],
        "ping": ["PING"],
        "role": ["ROLE"],
        "client|setname": ["CLIENT", "SETNAME", "me"],
        "cluster|slots": ["CLUSTER", "SLOTS"],
    }

    def test_it_has_the_rights_that_it_needs_and_no_other(self):
        self.assertEqual(sorted(granted_commands("engram-memory")), sorted(self.COMMANDS))
        for right, command in self.COMMANDS.items():
            with self.subTest(right=right):
                try:
                    self.login("engram-memory").execute_command(*command)
                except redis.exceptions.ResponseError as error:
                    self.assertIn("cluster support disabled", str(error))
        self.assert_nothing_was_refused()

    def test_it_can_read_and_write_nothing_else(self):
        refused = [
            ["LPUSH", "engram:jobs", "{}"],
            ["LRANGE", "engram:admin", "0", "-1"],
            ["BLPOP", "engram:admin", "1"],
            ["LRANGE", "engram:admin:taken:i", "0", "-1"],
            ["LREM", "engram:jobs", "1", "{}"],
            ["LREM", "engram:reply:one", "1", "a reply"],
            ["LPUSH", "engram:reply:one", "forged"],
            ["PUBLISH", "engram:reply:one", "forged"],
            ["PSUBSCRIBE", "*"],
            ["HGETALL", "engram:body"],
            ["XRANGE", "engram:dead", "-", "+"],
            ["DEL", "engram:admin"],
            ["KEYS", "*"],
        ]
        for command in refused:
            with self.subTest(command=command), self.assertRaises(redis.exceptions.NoPermissionError):
                self.login("engram-memory").execute_command(*command)


    def run_ctl(self, *arguments):
        return self.ctl(*arguments, url=self.url("engram-memory"))

    def test_its_rights_are_enough_for_engramctl(self):
        self.start()
        for command in (
            ["memory", "add", "likes tea"],
            ["memory", "list"],
            ["stats"],
            ["user", "export"],
            ["user", "forget", "--yes"],
        ):
            with self.subTest(command=command):
                answer = self.run_ctl(*command)
                self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assert_nothing_was_refused()

    def test_a_request_that_nobody_answers_is_taken_back(self):
        answer = self.run_ctl("user", "forget", "--yes", "--timeout", "1")
        self.assertIn("taken back", answer.err)
        self.assertEqual(self.client.llen("engram:admin"), 0)
        self.assert_nothing_was_refused()


class Admin(AclCase):
    """engramctl dead, engramctl queue and engramctl cancel."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start()
        self.client.zadd("engram:delayed", {"1:u:s": (self.client.time()[0] + 300) * 1000})
        self.client.hset("engram:delays", "1:u:s", "no connection")
        self.put_dead_letters(3)

    def put_dead_letters(self, count):
        for n in range(count):
            self.push_raw(b"no job")
        eventually(lambda: self.client.xlen("engram:dead") >= count, "there are dead letters")

    def run_ctl(self, *arguments):
        return self.ctl(*arguments, url=self.url("engram-admin"))

    def everything(self):
        """What every command of engramctl for operators says."""
        self.addCleanup(self.client.delete, "engram:paused")
        entry = self.client.xrange("engram:dead", count=1)[0][0].decode()
        return [
            self.run_ctl("queue", "status"),
            self.run_ctl("queue", "pause"),
            self.run_ctl("queue", "resume"),
            self.run_ctl("cancel", "nobodys"),
            self.run_ctl("dead", "list"),
            self.run_ctl("dead", "show", entry),
            self.run_ctl("dead", "retry", entry),
            self.run_ctl("dead", "retry", "--all"),
            self.run_ctl("dead", "drop", "--all", "--yes"),
        ]

    def test_its_rights_are_enough_for_every_command(self):
        status, *others = self.everything()
        # All that was pushed so far were dead letters: jobs fail, and the status says so.
        self.assertEqual((status.status, status.err), (os.EX_TEMPFAIL, ""), status)
        for answer in others:
            self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.client.script_flush()
        self.put_dead_letters(1)
        self.assertEqual(self.run_ctl("dead", "retry", "--all").status, 0)
        self.assert_nothing_was_refused()

    def cancel_in_vain(self):
        self.daemon.send(signal.SIGSTOP)
        eventually(self.daemon.is_stopped, "it stands still")
        answer = self.run_ctl("cancel", "--timeout", "1", "nobodys")
        self.daemon.send(signal.SIGCONT)
        return answer

    def everything_without(self, rule):
        """What it says that is an error, and what Redis refused."""
        self.client.script_flush()
        self.put_dead_letters(2)
        self.set_user_without("engram-admin", rule)
        self.client.acl_log_reset()
        answers = self.everything()
        if rule == "+lrem":
            answers.append(self.cancel_in_vain())
        self.client.delete("engram:paused", "engram:cancel")
        refused = {what.lower() for user, what in self.refusals() if user == "engram-admin"}
        self.set_user("engram-admin")
        return [answer.err for answer in answers if answer.err], refused

    def test_a_cancel_that_no_daemon_takes_is_taken_back(self):
        self.assertIn("taken back", self.cancel_in_vain().err)
        self.assertEqual(self.client.llen("engram:cancel"), 0)
        self.assert_nothing_was_refused()

    def test_every_right_is_missed(self):
        courtesies = {"ping", "role", "client|setname", "cluster|slots"}
        for right in sorted(set(granted_commands("engram-admin"))):
            with self.subTest(right=right):
                errors, refused = self.everything_without("+" + right)
                if right not in courtesies:
                    self.assertTrue(errors)
                self.assertEqual(refused, {right})

    def test_every_key_is_missed(self):
        patterns = [a.strip("()") for a in sum(RULES["engram-admin"], []) if "~" in a]
        self.assertEqual(len(patterns), 11)
        for pattern in patterns:
            with self.subTest(pattern=pattern):
                errors, _ = self.everything_without(pattern)
                self.assertTrue(errors)

    def test_it_cannot_read_jobs_that_wait_or_change_what_runs(self):
        client = self.login("engram-admin")
        refused = [
            ["HGETALL", "engram:body"],
            ["LRANGE", "engram:jobs", "0", "-1"],
            ["ZADD", "engram:instances", "1", "x"],
            ["DEL", "engram:dead"],
            ["DEL", "engram:jobs"],
            ["SET", "engram:jobs", "x"],
            ["LREM", "engram:jobs", "1", "x"],
            ["ZADD", "engram:delayed", "1", "x"],
            ["HSET", "engram:delays", "x", "y"],
            ["LRANGE", "engram:cancel", "0", "-1"],
            ["LPUSH", "engram:ready", "x"],
            ["LPUSH", "engram:reply:one", "x"],
            ["FLUSHALL"],
            ["CONFIG", "GET", "*"],
        ]
        for command in refused:
            with self.subTest(command=command), self.assertRaises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)


if __name__ == "__main__":
    main()
