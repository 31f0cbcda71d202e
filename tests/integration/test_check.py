"""engramd --check: what is wrong is found before it is needed, each with its cure, and nothing is changed."""

import contextlib
import datetime
import email.utils
import hashlib
import os
import pwd
import sqlite3
import time
import unittest

from acl_case import AclCase, granted_commands
from certificates import Certificates
from harness import API_KEY, BIN, Case, Response, error_body, eventually, main, model_body
from processes import free_port, program, run_program
from trouble_case import page, refusal

EX_OK, EX_USAGE, EX_TEMPFAIL, EX_CONFIG = 0, 64, 75, 78
CHAT, CHEAP, NEXT = "claude-opus-5-5", "claude-haiku-5-5", "claude-next"
GONE = Response(error_body("not_found_error", "model: qzwording"), 404)
# Of the daemon's user: without them something is noticed later, and jobs are answered all the same.
COURTESIES = {"ping", "role", "info", "client|setname", "cluster|slots"}


class Checked:
    """The answer, in lines; without what is said of the disk that the tests run on."""

    def __init__(self, answer):
        self.status, self.answer, self.out = answer.status, answer, answer.out
        self.lines = [line for line in answer.out.splitlines() if "the disk of the database" not in line]

    def of(self, grade):
        return [line[6:] for line in self.lines if line[:6].strip() == grade]


class CheckMixin:
    def check(self, *arguments, env=None, key=API_KEY, wrapper=(), **changes):
        command = [*wrapper, program("engramd"), "--check"]
        for name, value in self.settings(**changes).items():
            command += ["--set", f"{name}={value}"]
        variables = {"ANTHROPIC_API_KEY": key, **(env or {})}
        answer = Checked(run_program([*command, *arguments], self.folder, env=variables))
        self.assertEqual(answer.answer.err, "", answer.answer)
        return answer

    def assert_finds(self, found, grade, *words, cure):
        """One line of this grade has these words, and this cure."""
        for line in found.of(grade):
            if all(word.lower() in line.lower() for word in words) and cure in line.partition("; cure: ")[2]:
                return
        self.fail(f"no {grade} with {words}, cure {cure!r}:\n{found.out}{found.answer.err}")

    def assert_fails(self, found, *words, cure, status=EX_CONFIG):
        self.assert_finds(found, "FAIL", *words, cure=cure)
        self.assertEqual(found.status, status, found.out)
        self.assertIn("no jobs would be answered", found.lines[-1])

    def assert_warns(self, found, *words, cure):
        self.assert_finds(found, "warn", *words, cure=cure)
        self.assertEqual((found.status, found.of("FAIL")), (EX_OK, []), found.out)
        self.assertIn("jobs would be answered: ", found.lines[-1])

    def make_database(self):
        """As a daemon leaves it that was stopped, with a turn in it."""
        daemon = self.start_daemon()
        self.ask("hello")
        self.assertEqual(daemon.stop(), 0)

    def state_of_folder(self):
        """What is in the folder of the database, with content and times."""
        state = {}
        for name in sorted(os.listdir(self.folder)):
            if name.startswith("engram.db"):
                path = os.path.join(self.folder, name)
                with open(path, "rb") as f:
                    status = os.stat(path)
                    state[name] = (hashlib.sha256(f.read()).hexdigest(), status.st_mtime_ns, status.st_mode)
        return state


class CheckCase(CheckMixin, Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake()


class Well(CheckCase):
    def test_all_is_well_and_nothing_is_changed(self):
        self.make_database()
        self.redis.client.flushall()
        before, sent = self.state_of_folder(), len(self.claude.requests)
        found = self.check()
        self.assertEqual((found.status, found.of("FAIL"), found.of("warn")), (EX_OK, [], []), found.out)
        for words in ("the configuration", "an API key from ANTHROPIC_API_KEY", "open files", "the database",
                      "Redis ", "the Redis user may do all", "that of Redis", CHAT, CHEAP,
                      "that of the Messages API"):
            self.assertTrue(any(words in line for line in found.of("ok")), f"{words}: {found.out}")
        self.assertEqual(found.lines[-1], "all is well")
        self.assertEqual(self.state_of_folder(), before)
        self.assertEqual(self.keys(), [])
        self.assertEqual(len(self.claude.requests), sent, "no message was sent")
        self.assertNotIn(API_KEY, found.out)

    def test_beside_a_daemon_that_works_it_changes_nothing_either(self):
        daemon = self.start_daemon()
        self.ask("one")
        inodes = {name: os.stat(os.path.join(self.folder, name)).st_ino for name in self.state_of_folder()}
        found = self.check()
        self.assertEqual((found.status, found.of("FAIL"), found.of("warn")), (EX_OK, [], []), found.out)
        self.assertTrue(any("the database" in line for line in found.of("ok")), found.out)
        self.ask("two")
        self.assertEqual(
            {name: os.stat(os.path.join(self.folder, name)).st_ino for name in self.state_of_folder()}, inodes
        )
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len(self.turns()), 4)
        self.assertNotIn("nothing is stored any more", daemon.log())

    def test_the_reply_of_a_job_that_is_called_probe_lives_as_long_as_others(self):
        client = self.redis.client
        for key in ("engram:reply:probe", "web:probe"):
            client.rpush(key, "{}")
            client.expire(key, 3600)
        found = self.check(queue_reply_prefixes='["web:"]')
        self.assertEqual(found.status, EX_OK, found.out)
        for key in ("engram:reply:probe", "web:probe"):
            self.assertGreater(client.ttl(key), 3000, key)

    def test_what_a_killed_daemon_has_left_stays_as_it_is(self):
        daemon = self.start_daemon()
        self.ask("hello")
        daemon.kill()
        before = self.state_of_folder()
        self.assertIn("engram.db-wal", before)
        found = self.check()
        self.assertEqual(found.status, EX_OK, found.out)
        self.assertTrue(any("the database" in line for line in found.of("ok")), found.out)
        self.assertEqual(self.state_of_folder(), before)

    def test_quiet_prints_only_what_is_wrong(self):
        self.assertEqual(self.check("--quiet").out, "")
        self.redis.client.config_set("appendonly", "no")
        found = self.check("--quiet")
        self.assertEqual((len(found.lines), found.status), (1, EX_OK), found.out)

    def test_check_config_is_quiet_if_that_is_wanted(self):
        good = self.run_daemon("--check-config", "--quiet")
        self.assertEqual((good.status, good.out, good.err), (EX_OK, "", ""))
        bad = self.run_daemon("--check-config", "--quiet", "--set", "queue.max_in_flight=0")
        self.assertEqual(bad.status, EX_CONFIG)
        self.assertIn("queue.max_in_flight", bad.err)

    def test_a_mistake_in_the_configuration(self):
        path = os.path.join(self.folder, "some.toml")
        with open(path, "w") as f:
            f.write("[queue]\nmax_inflight = 5\n")
        found = self.check("--config", path)
        self.assert_fails(found, f"{path}:2", "queue.max_inflight", cure="--check-config")


class Redis(CheckCase):
    def test_a_wrong_password_is_named(self):
        self.redis.client.execute_command("ACL", "SETUSER", "someone", "on", ">right", "~*", "&*", "+@all")
        found = self.check(redis_url=f"unix://someone:wrong@{self.redis.socket}")
        self.assert_fails(found, "no connection to Redis", "WRONGPASS", cure="redis.url")
        self.assertNotIn("someone:wrong", found.out)

    def test_one_that_is_away_may_come_back(self):
        self.redis.kill()
        found = self.check()
        self.assert_fails(found, "no connection to Redis", cure="start Redis", status=EX_TEMPFAIL)
        self.assertTrue(any(CHAT in line for line in found.of("ok")), "the rest was looked at")

    def test_one_that_hangs_is_not_waited_for(self):
        self.redis.process.send(19)
        begun = time.monotonic()
        found = self.check(redis_connect_timeout_ms=300)
        self.redis.process.send(18)
        self.assert_fails(found, "no connection to Redis", cure="start Redis", status=EX_TEMPFAIL)
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_policy_that_throws_keys_away(self):
        self.redis.client.config_set("maxmemory-policy", "allkeys-lru")
        found = self.check()
        self.assert_warns(found, "maxmemory-policy allkeys-lru", cure="set maxmemory-policy noeviction")

    def test_one_that_keeps_nothing(self):
        self.redis.client.config_set("appendonly", "no")
        self.assert_warns(self.check(), "no append-only file", cure="set appendonly yes")

    def test_one_that_is_full(self):
        self.redis.client.config_set("maxmemory", "1mb")
        found = self.check()
        self.assert_fails(found, "Redis is full", cure="maxmemory", status=EX_TEMPFAIL)
        self.assertEqual(len(found.of("FAIL")), 1, found.out)

    def test_a_replica(self):
        self.redis.client.replicaof("127.0.0.1", str(free_port()))
        self.assert_fails(self.check(), "replica", cure="name the master", status=EX_TEMPFAIL)

    def test_one_that_cannot_write_to_its_disk(self):
        os.mkdir(os.path.join(self.redis.data, "dump.rdb"))
        client = self.redis.client
        client.config_set("save", "3600 1")
        client.bgsave()
        eventually(lambda: client.info()["rdb_last_bgsave_status"] == "err", "it could not save")
        found = self.check()
        self.assert_fails(found, "cannot write to its disk", "MISCONF", cure="make room", status=EX_TEMPFAIL)

    def test_small_limits(self):
        for name, value, words in (
            ("proto-max-bulk-len", "1mb", "a large reply is refused"),
            ("client-query-buffer-limit", "1mb", "ends the connection"),
            ("client-output-buffer-limit", "normal 1mb 0 0", "many jobs taken at a time"),
            ("timeout", "5", "connections that wait"),
        ):
            with self.subTest(name):
                usual = self.redis.client.config_get(name)[name]
                self.redis.client.config_set(name, value)
                self.assert_warns(self.check(), name, words, cure="CONFIG SET " + name)
                self.redis.client.config_set(name, usual)
        self.redis.client.config_set("maxclients", "3")
        self.assert_warns(self.check(), "clients of at most 3", cure="maxclients")

    def test_a_paused_queue(self):
        self.ctl("queue", "pause")
        self.assert_warns(self.check(), "paused", cure="engramctl queue resume")

    def test_a_key_that_is_not_ours(self):
        self.redis.client.set("engram:jobs", "text")
        self.assert_fails(self.check(), "WRONGTYPE", cure="redis.prefix")
        self.assertEqual(self.redis.client.get("engram:jobs"), b"text")


class Rights(CheckMixin, AclCase):
    def check_as_daemon(self, **changes):
        return self.check(redis_url=self.url("engram-daemon"), **changes)

    def test_the_documented_ones_are_enough(self):
        found = self.check_as_daemon()
        self.assertEqual((found.status, found.of("FAIL"), found.of("warn")), (EX_OK, [], []), found.out)
        self.assertTrue(any("limits" in line for line in found.of("note")), found.out)

    def test_each_that_is_missing_is_found(self):
        needed = [right for right in granted_commands("engram-daemon") if right not in COURTESIES]
        self.assertGreater(len(needed), 30)
        for right in needed:
            with self.subTest(right):
                self.change("engram-daemon", "-" + right)
                found = self.check_as_daemon()
                self.assert_fails(found, "a right of the Redis user is missing", right, cure="docs/redis.md")
                self.set_user("engram-daemon")
        self.assertEqual(self.keys(), [])

    def test_a_server_that_does_not_tell_of_itself_is_a_warning(self):
        self.change("engram-daemon", "-info")
        self.assert_warns(self.check_as_daemon(), "does not tell its settings", cure="+info")

    def test_keys_and_channels_of_replies(self):
        self.change("engram-daemon", "resetchannels")
        self.assert_fails(self.check_as_daemon(), "PUBLISH", cure="docs/redis.md")
        self.set_user("engram-daemon")
        found = self.check_as_daemon(queue_reply_prefixes='["app:out:"]')
        self.assert_fails(found, "a right of the Redis user is missing", cure="docs/redis.md")
        self.change("engram-daemon", "~app:out:*", "&app:out:*")
        self.assertEqual(self.check_as_daemon(queue_reply_prefixes='["app:out:"]').status, EX_OK)

    def test_keys_of_another_prefix(self):
        found = self.check_as_daemon(redis_prefix="other")
        self.assert_fails(found, "a right of the Redis user is missing", cure="docs/redis.md")


class Database(CheckCase):
    def change(self, sql):
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            db.execute(sql)

    def test_none_is_made(self):
        found = self.check()
        self.assertEqual(found.status, EX_OK, found.out)
        self.assertTrue(any("made at the start" in line for line in found.of("note")), found.out)
        self.assertEqual(self.state_of_folder(), {})

    def test_a_folder_that_is_missing(self):
        path = os.path.join(self.folder, "nowhere", "engram.db")
        self.assert_fails(self.check(store_path=path), "the folder", "missing", cure="systemd-tmpfiles")

    def test_an_empty_file(self):
        open(self.database, "w").close()
        self.assert_warns(self.check(), "is an empty file", cure="go back to a copy")

    def test_a_newer_one(self):
        self.make_database()
        self.change("PRAGMA user_version = 99")
        before = self.state_of_folder()
        self.assert_fails(self.check(), "schema version 99", cure="newer engramd")
        self.assertEqual(self.state_of_folder(), before)

    def test_an_older_one_is_left_for_the_start(self):
        self.make_database()
        self.change("PRAGMA user_version = 4")
        before = self.state_of_folder()
        found = self.check()
        self.assertEqual(found.status, EX_OK, found.out)
        self.assertTrue(any("from schema version 4" in line for line in found.of("note")), found.out)
        self.assertEqual(self.state_of_folder(), before)

    def test_another_one_than_the_queue_is_served_with(self):
        self.make_database()
        there = os.path.join(self.folder, "elsewhere.db")
        self.start_daemon(store_path=there)
        self.ask("hello")
        self.assert_fails(
            self.check(), "another database serves the queue", cure="the same store.path", status=EX_TEMPFAIL
        )
        self.assertEqual(self.check(store_path=there).of("FAIL"), [])

    def test_that_of_another_program(self):
        self.change("CREATE TABLE songs(name TEXT)")
        self.assert_fails(self.check(), "belongs to another program", cure="store.path")

    def test_no_database(self):
        with open(self.database, "w") as f:
            f.write("this is a letter to a friend\n" * 100)
        self.assert_fails(self.check(), "it is damaged or no SQLite database", cure="go back to a copy")

    def test_a_damaged_page(self):
        self.make_database()
        size = os.path.getsize(self.database)
        with open(self.database, "r+b") as f:
            f.seek(4096)
            f.write(os.urandom(size - 4096))
        self.assert_fails(self.check(), "damage", cure="go back to a copy")

    def test_a_log_of_another_file(self):
        daemon = self.start_daemon()
        self.ask("hello")
        copy = os.path.join(self.folder, "copy.db")
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            with contextlib.closing(sqlite3.connect(copy)) as to:
                db.backup(to)
        self.ask("and more")
        daemon.kill()
        os.replace(copy, self.database)
        self.assert_fails(self.check(), "does not belong to the database", cure="")

    def test_a_log_without_its_database(self):
        daemon = self.start_daemon()
        self.ask("hello")
        daemon.kill()
        os.rename(self.database, self.database + ".away")
        self.assert_fails(self.check(), "is missing, but not its log", cure="put the database back")

    def test_a_list_of_the_forgotten_that_cannot_be_read(self):
        os.mkdir(self.database + ".forgotten")
        self.assert_fails(self.check(), "the list of who was forgotten", self.database + ".forgotten",
                          cure="that the daemon's user can read and write")

    def test_such_a_list_beside_a_link(self):
        self.make_database()
        link = os.path.join(self.folder, "link.db")
        os.symlink(self.database, link)
        os.mkdir(link + ".forgotten")
        self.assert_fails(self.check(store_path=link), "the list of who was forgotten",
                          cure="that the daemon's user can read and write")
        self.assertEqual(self.check().of("FAIL"), [])

    def test_others_may_read_it(self):
        self.make_database()
        os.chmod(self.database, 0o644)
        self.assert_warns(self.check(), "may read the database", cure="chmod o=")


@unittest.skipUnless(os.geteuid() == 0, "needs root")
class OfAUnit(CheckCase):
    """systemctl is replaced: no systemd runs here."""

    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)
        os.chmod(self.redis.socket, 0o777)
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state, 0o750)
        nobody = pwd.getpwnam("nobody")
        os.chown(self.state, nobody.pw_uid, nobody.pw_gid)
        self.key_file = self.write("the_key", API_KEY + "\n", 0o600)
        self.config = self.write(
            "unit.toml",
            f'redis.url = "{self.redis.url}"\nclaude.base_url = "{self.claude.url}"\n'
            f'store.path = "{self.state}/engram.db"\n',
            0o644,
        )
        self.unit = [
            "# /lib/systemd/system/engramd.service",
            "[Service]",
            f"ExecStart=/usr/sbin/engramd --config {self.config}",
            "User=nobody",
            f"LoadCredential=anthropic_api_key:{self.key_file}",
            "LimitNOFILE=65536",
        ]

    def write(self, name, text, mode):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def check_unit(self, *more, name="engramd", env=None):
        tools = os.path.join(self.folder, "tools")
        os.makedirs(tools, exist_ok=True)
        text = self.write("unit.txt", "\n".join([*self.unit, *more]) + "\n", 0o644)
        script = f'#!/bin/sh\n[ "$2 $4" = "cat {name}" ] && exec cat {text}\nexit 1\n'
        self.write("tools/systemctl", script, 0o755)
        variables = {"PATH": f"{tools}:{os.environ['PATH']}", **(env or {})}
        answer = run_program([program("engramd"), "--check", "--unit", name], self.folder, env=variables)
        return Checked(answer)

    def test_it_is_looked_at_as_the_unit_has_it(self):
        own = {"ENGRAMD_CLAUDE_MODEL": "of-this-shell", "ANTHROPIC_API_KEY": "of-this-shell"}
        found = self.check_unit(env=own)
        self.assertEqual((found.status, found.of("FAIL"), found.of("warn")), (EX_OK, [], []), found.out)
        self.assertTrue(any(self.config in line for line in found.of("ok")), found.out)
        self.assertTrue(any(self.key_file in line for line in found.of("ok")), found.out)
        self.assertTrue(any("65536" in line for line in found.of("ok")), found.out)
        self.assertEqual({headers["x-api-key"] for _, headers in self.claude.gets}, {API_KEY})
        self.assertFalse(any("of-this-shell" in path for path, _ in self.claude.gets))

    def test_what_its_user_may_not_do(self):
        os.chown(self.state, 0, 0)
        self.assert_fails(self.check_unit(), "the folder", "by nobody", cure="owner")

    def test_a_configuration_that_its_user_cannot_read(self):
        os.chmod(self.config, 0o600)
        self.assert_fails(self.check_unit(), self.config, cure="")

    def test_a_missing_key(self):
        os.remove(self.key_file)
        found = self.check_unit('Environment="ENGRAMD_CLAUDE_BASE_URL=https://api.anthropic.com"')
        self.assert_fails(found, "no API key", cure="/etc/engramd/anthropic_api_key")

    def test_a_key_that_others_may_read(self):
        os.chmod(self.key_file, 0o644)
        self.assert_warns(self.check_unit(), "others than root may read", self.key_file, cure="chmod 600")

    def test_few_descriptors(self):
        self.assert_fails(self.check_unit("LimitNOFILE=40"), "open files is 40", cure="LimitNOFILE=65536")

    def test_a_database_outside_of_its_walls(self):
        found = self.check_unit("ProtectSystem=strict", "StateDirectory=engramd")
        self.assert_fails(found, "may not write to " + self.state, cure="ReadWritePaths=" + self.state)
        found = self.check_unit("ProtectSystem=strict", "ReadWritePaths=" + self.state)
        self.assertEqual(found.status, EX_OK, found.out)

    def test_options_of_a_drop_in(self):
        self.unit[2] = "ExecStart=/usr/sbin/engramd $ENGRAM_OPTIONS"
        found = self.check_unit(f'Environment="ENGRAM_OPTIONS=--config {self.config}"')
        self.assertEqual((found.status, found.of("FAIL"), found.of("warn")), (EX_OK, [], []), found.out)
        self.assertTrue(any(self.config in line for line in found.of("ok")), found.out)

    def test_a_user_that_is_made_at_the_start_and_a_key_in_the_unit(self):
        os.chown(self.state, 0, 0)
        found = self.check_unit("DynamicUser=yes", "User=", "LoadCredential=",
                                "SetCredential=anthropic_api_key:" + API_KEY)
        self.assertEqual((found.status, found.of("FAIL")), (EX_OK, []), found.out)
        self.assertTrue(any("DynamicUser" in line for line in found.of("note")), found.out)
        self.assertEqual({headers["x-api-key"] for _, headers in self.claude.gets}, {API_KEY})

    def test_a_user_that_is_missing(self):
        found = self.check_unit("User=engram-nobody-has")
        self.assert_fails(found, "does not exist", cure="systemd-sysusers")

    def test_one_of_several_instances(self):
        found = self.check_unit("Environment=ENGRAMD_INSTANCE_NAME=%l-%i", name="engramd@2")
        self.assertEqual(found.status, EX_OK, found.out)

    def test_a_unit_that_is_missing(self):
        found = self.check_unit()
        self.assertEqual(found.status, EX_OK, found.out)
        answer = run_program(
            [program("engramd"), "--check", "--unit", "other"],
            self.folder,
            env={"PATH": f"{self.folder}/tools:{os.environ['PATH']}"},
        )
        self.assert_fails(Checked(answer), "the unit other cannot be read", cure="systemctl list-unit-files")


class Claude(CheckCase):
    def test_a_missing_key(self):
        found = self.check(key="", claude_base_url="https://api.anthropic.com")
        self.assert_fails(found, "no API key", cure="/etc/engramd/anthropic_api_key")

    def test_a_key_that_no_header_can_hold(self):
        self.assert_fails(self.check(key="two words"), "holds blanks", cure="on one line")

    def test_a_rejected_key(self):
        self.claude.models[CHAT] = refusal(401, "authentication_error")
        found = self.check()
        self.assert_fails(found, "does not take the API key", cure="a valid key")
        self.assertNotIn("qzwording", found.out)

    def test_no_credit(self):
        self.claude.models[CHAT] = refusal(402, "billing_error")
        self.assert_fails(self.check(), "for want of money", cure="add credit")

    def test_a_model_that_is_gone(self):
        self.claude.models[CHAT] = GONE
        self.assert_fails(self.check(), f"the model {CHAT} (claude.model) is gone", cure="set claude.model")

    def test_one_that_is_gone_and_has_a_successor(self):
        self.claude.models[CHAT] = GONE
        self.assert_warns(self.check(claude_fallback_models=NEXT), f"{CHAT} (claude.model) is gone",
                          cure="set claude.model")
        self.claude.models[NEXT] = GONE
        self.assert_fails(self.check(claude_fallback_models=NEXT), f"{NEXT} (claude.fallback_models) is gone",
                          cure="set claude.fallback_models")

    def test_that_of_summaries(self):
        self.claude.models[CHEAP] = GONE
        self.assert_warns(self.check(), f"{CHEAP} (summary.model) is gone", cure="set summary.model")

    def test_one_that_ends_soon(self):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
        self.claude.models[CHAT] = model_body(CHAT, end.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.assert_warns(self.check(), CHAT, "ends on " + end.strftime("%Y-%m-%d"), cure="set claude.model")

    def test_a_server_that_does_not_tell_of_models_is_no_trouble(self):
        for status in (404, 405, 501):
            self.claude.models = {CHAT: page(status), CHEAP: page(status)}
            found = self.check()
            self.assertEqual((found.status, found.of("warn")), (EX_OK, []), found.out)
            self.assertTrue(any("does not tell of models" in line for line in found.of("note")), found.out)

    def test_something_else_in_its_place(self):
        self.claude.models[CHAT] = page(403)
        self.assert_fails(self.check(), "something else answers", cure="claude.base_url")

    def test_one_that_is_overloaded(self):
        self.claude.models[CHAT] = refusal(529, "overloaded_error")
        self.assert_fails(self.check(), "529", cure="wait", status=EX_TEMPFAIL)

    def test_one_that_is_not_there(self):
        found = self.check(claude_base_url=f"http://127.0.0.1:{free_port()}")
        self.assert_fails(found, "gave no answer", cure="mend claude.base_url", status=EX_TEMPFAIL)

    def test_an_unknown_authority(self):
        certificates = Certificates(self.folder)
        simulator = self.start_simulator(
            "--tls-cert", certificates.cert, "--tls-key", certificates.key, ca_file=certificates.ca
        )
        found = self.check(claude_base_url=simulator.url)
        self.assert_fails(found, "certificate", cure="claude.ca_file")
        found = self.check(claude_base_url=simulator.url, claude_ca_file=certificates.ca)
        self.assertEqual(found.of("FAIL"), [], found.out)
        found = self.check(claude_base_url=simulator.url, claude_ca_file=os.path.join(self.folder, "missing.pem"))
        self.assert_fails(found, "missing.pem", cure="mend")


class Clock(CheckCase):
    def check_moved(self, seconds):
        path = os.path.join(self.folder, "clock")
        with open(path, "wb") as f:
            f.write(int(seconds).to_bytes(8, "little", signed=True))
        return self.check(env={"LD_PRELOAD": os.path.join(BIN, "moved_clock.so"), "MOVED_CLOCK_FILE": path})

    def test_one_that_is_an_hour_wrong(self):
        for seconds, words in ((3600, "3600 s ahead of"), (-3600, "3600 s behind")):
            found = self.check_moved(seconds)
            self.assert_fails(found, words, "that of Redis", cure="timedatectl")
            self.assert_fails(found, "that of the Messages API", cure="timedatectl")

    def test_one_that_is_a_minute_wrong(self):
        self.assert_warns(self.check_moved(60), "60 s ahead of that of Redis", cure="timedatectl")

    def test_the_time_of_the_api_alone(self):
        describe = self.claude.describe

        def an_hour_ago(path, headers):
            if path != "/v1/models":
                return describe(path, headers)
            date = email.utils.formatdate(time.time() - 3600, usegmt=True)
            return Response(raw=f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\n\r\n{{}}".encode())

        self.claude.describe = an_hour_ago
        found = self.check()
        self.assert_fails(found, "ahead of that of the Messages API", cure="timedatectl")
        self.assertTrue(any("that of Redis" in line for line in found.of("ok")), found.out)


class Files(CheckCase):
    def test_too_few_to_start(self):
        found = self.check(wrapper=["prlimit", "--nofile=40"])
        self.assert_fails(found, "open files is 40", cure="LimitNOFILE=65536")

    def test_with_hardly_any_it_still_tells_what_it_finds(self):
        for limit in range(4, 16):
            answer = run_program(
                ["prlimit", f"--nofile={limit}", program("engramd"), "--check"]
                + [part for name, value in self.settings().items() for part in ("--set", f"{name}={value}")],
                self.folder,
                env={"ANTHROPIC_API_KEY": API_KEY},
            )
            # With fewer than the loader needs not even the program begins.
            if "error while loading shared libraries" in answer.err:
                continue
            self.assertEqual(answer.status, EX_CONFIG, (limit, answer))
            self.assertIn("no jobs would be answered", answer.out.splitlines()[-1], (limit, answer))

    def test_few(self):
        found = self.check(wrapper=["prlimit", "--nofile=100"])
        self.assert_warns(found, "open files is 100", "fewer jobs", cure="LimitNOFILE=65536")


class Arguments(Case):
    def test_those_without_sense(self):
        wrong = ["--check --check-config", "--unit engramd", "--quiet", "--check --unit="]
        for arguments in [text.split() for text in wrong]:
            answer = self.run_daemon(*arguments)
            self.assertEqual(answer.status, EX_USAGE, arguments)


if __name__ == "__main__":
    main()
