"""What every system test stands on: a folder of its own, real programs, helpers to push jobs and read
replies.

Run a file with `ENGRAM_BIN=build/dev/bin /usr/bin/python3 tests/integration/test_turn.py [Class.test]`.
"""

import contextlib
import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # tests leave nothing in the sources

from fake_claude import (  # noqa: F401 (for the tests)
    FakeClaude,
    Request,
    Response,
    error_body,
    message_body,
    model_body,
)
from processes import (
    API_KEY,
    BIN,
    PATIENCE,
    Answer,
    Daemon,
    Listener,
    Process,
    Redis,
    Simulator,
    clean_environment,
    eventually,
    free_port,
    program,
    run_program,
)
from prompts import (  # noqa: F401 (for the tests)
    block_texts,
    memory_lines,
    new_message,
    now_line,
    prompt_turns,
    recalled_block,
    recalled_lines,
    system_text,
)

PREFIX = "engram"
ERROR_TYPES = (
    "invalid_job",
    "id_conflict",
    "deadline_exceeded",
    "claude_auth",
    "claude_model_gone",
    "claude_rejected",
    "claude_unavailable",
    "claude_spend_limit",
    "poisoned",
    "internal",
    "cancelled",
    "not_found",
)


class Case(unittest.TestCase):
    """A test with its own folder and processes. Logs are shown when it fails. A daemon that has not been
    dealt with by the end is stopped and must end with status 0."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="engram-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = []
        self.addCleanup(self._collect_logs)
        self._numbers = itertools.count(1)
        self._logs = []
        self.redis = None
        self.claude = None

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before:
            for name, text in getattr(self, "_logs", []):
                sys.stderr.write(f"\n----- {self.id()}: {name}\n{text[-12000:]}\n")
        return result

    def _collect_logs(self):
        self._logs = [(p.name, p.log()) for p in self.processes]

    def _owned(self, process):
        self.processes.append(process)
        self.addCleanup(process.kill)
        return process

    # ---- what runs

    def make_redis(self, *arguments, name="redis", **options):
        """One that is not started yet."""
        server = Redis(self.folder, arguments, name, **options)
        self.addCleanup(server.stop)
        if self.redis is None:
            self.redis = server
        return server

    def start_redis(self, *arguments, **options):
        server = self.make_redis(*arguments, **options).start()
        self.processes.append(server.process)
        return server

    def start_simulator(self, *arguments, **options):
        simulator = Simulator(self.folder, arguments, f"simulator{next(self._numbers)}", **options)
        self._owned(simulator.process)
        if self.claude is None:
            self.claude = simulator
        return simulator

    def start_fake(self, default=None, port=0):
        fake = FakeClaude(default, port)
        self.addCleanup(fake.stop)
        if self.claude is None:
            self.claude = fake
        return fake

    @property
    def database(self):
        return os.path.join(self.folder, "engram.db")

    def settings(self, **changes):
        """Those of every daemon here; `store_path` means store.path, None leaves a key out."""
        settings = {
            "redis.url": self.redis.url if self.redis else "unix:///nowhere",
            "store.path": self.database,
            "claude.base_url": self.claude.url if self.claude else "http://127.0.0.1:9",
            "queue.drain_ms": 1000,
            "redis.backoff_max_ms": 200,
            "log.level": "debug",
            "log.format": "text",
        }
        settings.update({k.replace("_", ".", 1): v for k, v in changes.items()})
        return {k: v for k, v in settings.items() if v is not None}

    def start_daemon(
        self, ready=True, env=None, config_file=None, key=API_KEY, client=None, process=None, **changes
    ):
        name = f"engramd{next(self._numbers)}"
        settings = self.settings(**{"instance_name": name, **changes})
        daemon = Daemon(
            self.folder, name, settings, env=env, config_file=config_file, key=key, **(process or {})
        )
        self._owned(daemon.process)
        self.addCleanup(self._end_well, daemon)
        if ready:
            daemon.wait_until_ready(client or self.redis.client, settings.get("redis.prefix", PREFIX))
        return daemon

    def _end_well(self, daemon):
        if daemon.status is not None:
            return
        daemon.send(signal.SIGTERM)
        try:
            status = daemon.child.wait(5)
        except subprocess.TimeoutExpired:
            daemon.send(signal.SIGTERM)
            status = daemon.wait()
        self.assertEqual(status, 0, f"{daemon.name} ended with {status}")

    def run_daemon(self, *arguments, env=None, key=API_KEY, timeout=None):
        """engramd to its end, as when it is not to start."""
        return run_program(
            [program("engramd"), *arguments],
            self.folder,
            env={"ANTHROPIC_API_KEY": key, **(env or {})},
            timeout=timeout,
        )

    def ctl(self, *arguments, given=b"", env=None, url=None, timeout=None):
        variables = {"ENGRAMD_REDIS_URL": url or self.redis.url, "USER": "tester", **(env or {})}
        return run_program(
            [program("engramctl"), *arguments], self.folder, given=given, env=variables, timeout=timeout
        )

    # ---- jobs and replies

    def push_raw(self, raw, client=None):
        (client or self.redis.client).lpush(PREFIX + ":jobs", raw)

    def push(self, message="hi", user_id="u", session_id="s", id=None, client=None, **fields):
        """Pushes a job and returns its id. A field that is None is left out."""
        job_id = id or f"job-{next(self._numbers)}"
        job = {"user_id": user_id, "session_id": session_id, "id": job_id, "message": message, **fields}
        self.push_raw(json.dumps({k: v for k, v in job.items() if v is not None}).encode(), client)
        return job_id

    def reply_bytes(self, key, timeout=None, client=None):
        key = key if key.startswith(PREFIX + ":") else f"{PREFIX}:reply:{key}"
        popped = (client or self.redis.client).blpop(key, PATIENCE if timeout is None else timeout)
        self.assertIsNotNone(popped, f"no reply at {key}")
        return popped[1]

    def reply(self, key, timeout=None, client=None):
        return json.loads(self.reply_bytes(key, timeout, client))

    def ask(self, message="hi", **fields):
        """Pushes a job and waits for its reply, which must be ok."""
        reply = self.reply(self.push(message, **fields))
        self.assertEqual(reply["status"], "ok", reply)
        return reply

    # ---- requests about memories

    def push_admin(self, op, id=None, **fields):
        """Pushes a request about memories and returns its id. A field that is None is left out."""
        request = {"op": op, "user_id": "u", "id": id or f"admin-{next(self._numbers)}", **fields}
        body = json.dumps({k: v for k, v in request.items() if v is not None})
        self.redis.client.lpush(PREFIX + ":admin", body)
        return request["id"]

    def admin(self, op, **fields):
        """The result of a request about memories, which must be ok."""
        reply = self.reply(self.push_admin(op, **fields))
        self.assertEqual((reply["status"], reply["op"]), ("ok", op), reply)
        return reply["result"]

    def admin_pages(self, op, name, **fields):
        """All of a list that comes in pages."""
        items, cursor = [], None
        while True:
            page = self.admin(op, cursor=cursor, **fields)
            items += page[name]
            cursor = page["cursor"]
            if cursor is None:
                return items

    def dead_letters(self, prefix=PREFIX):
        return [fields for _, fields in self.redis.client.xrange(prefix + ":dead")]

    def said(self, daemon):
        """What a daemon says of itself in Redis; {} before its first word. It speaks with each beat."""
        for name in self.redis.client.zrange(PREFIX + ":instances", 0, -1):
            if name.startswith(daemon.name.encode() + b"-"):
                return json.loads(self.redis.client.get(PREFIX + ":status:" + name.decode()) or "{}")
        return {}

    def keys(self):
        return sorted(key.decode() for key in self.redis.client.keys("*"))

    def lasting_keys(self):
        """Keys without expiry."""
        client = self.redis.client
        return sorted(key.decode() for key in client.keys("*") if client.ttl(key) == -1)

    def assert_idle(self):
        """When nothing is running only the dead letters and the instances are kept."""
        allowed = {PREFIX + ":dead", PREFIX + ":instances"}
        eventually(lambda: set(self.lasting_keys()) <= allowed, f"the queue is clean: {self.lasting_keys()}")

    def assert_error(self, reply, kind):
        self.assertEqual(reply["status"], "error", reply)
        self.assertIn(kind, ERROR_TYPES)
        self.assertEqual(reply["error"]["type"], kind, reply)
        self.assertIsInstance(reply["error"]["message"], str)
        self.assertTrue(reply["error"]["message"], reply)
        self.assertIsInstance(reply["error"]["retryable"], bool)

    # ---- what is stored

    def rows(self, sql, *values, path=None):
        uri = f"file:{path or self.database}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as db:
            return db.execute(sql, values).fetchall()

    def turns(self, user_id="u", session_id="s"):
        return self.rows(
            "SELECT role, content FROM conversation_history WHERE user_id = ? AND session_id = ? "
            "ORDER BY id",
            user_id,
            session_id,
        )

    def memories(self, user_id="u"):
        return self.rows(
            "SELECT memory_type, content FROM long_term_memory WHERE user_id = ? ORDER BY id", user_id
        )


def main():
    # What redis-py leaves to the garbage collector is no concern of these tests.
    unittest.main(verbosity=2, warnings="ignore")
