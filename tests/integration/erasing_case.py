"""A user who tells things, a scripted model that notes them, and a search of every place that may hold a
text afterwards."""

import contextlib
import glob
import json
import os
import sqlite3
import threading

from harness import Case, PATIENCE, eventually

CHEAP = "claude-haiku-5-5"
LEASE_MS = 1500
COUNTERS = ["memories", "turns", "summaries", "index_entries", "vectors", "replies"]


def note(content, type="fact"):
    """An answer in which the model notes something."""
    return f"Noted.\n[MEMORY: {type}|{content}]"


def spellings(text):
    """As bytes, lower case: plain, and inside of JSON, also of JSON in JSON."""
    forms, form = {text}, text
    for _ in range(2):
        form = json.dumps(form, ensure_ascii=False)[1:-1]
        forms |= {form, json.dumps(form)[1:-1]}
    return {one.encode().lower() for one in forms}


class Callers:
    """Wait for replies, each at a connection of its own, so that no reply is ever left in Redis."""

    def __init__(self, client, jobs):
        self.client, self.replies = client, {job: [] for job in jobs}
        self.threads = [threading.Thread(target=self.wait, args=(job,), daemon=True) for job in jobs]
        for thread in self.threads:
            thread.start()
        eventually(lambda: self.client.info("clients")["blocked_clients"] >= len(self.threads), "all wait")

    def wait(self, job):
        popped = self.client.blpop("engram:reply:" + job, PATIENCE)
        if popped:
            self.replies[job].append(json.loads(popped[1]))

    def finish(self):
        for thread in self.threads:
            thread.join()
        return self.replies


class ErasingCase(Case):
    """The fake answers as `answers` says for a message, else "re: …". A message in `held` waits until its
    event is set. A summary is `summary`, and waits for `gate`."""

    def setUp(self):
        super().setUp()
        self.answers, self.held, self.summary = {}, {}, "- They talked."
        self.gate = threading.Event()
        self.gate.set()
        self.addCleanup(self.release_all)
        # What is saved is looked at as bytes.
        self.start_redis("--rdbcompression", "no")
        self.start_fake(self.speak)

    def speak(self, request):
        if request.model == CHEAP:
            self.gate.wait(PATIENCE)
            return self.summary
        message = request.new_message
        if message in self.held:
            self.held[message].wait(PATIENCE)
        answer = self.answers.get(message, "re: " + message)
        return answer.pop(0) if isinstance(answer, list) else answer

    def hold(self, *messages):
        for message in messages:
            self.held[message] = threading.Event()
            self.addCleanup(self.held[message].set)

    def release_all(self):
        self.gate.set()
        for event in self.held.values():
            event.set()

    def start(self, **changes):
        settings = {"queue_lease_ms": LEASE_MS, "summary_enabled": "false", **changes}
        return self.start_daemon(**settings)

    def tell(self, message, content, **fields):
        """The user says something and the model notes it."""
        self.answers[message] = note(content)
        return self.ask(message, **fields)["memories"][0]["id"]

    def leave(self, message, **fields):
        """A job whose reply nobody takes."""
        job = self.push(message, **fields)
        eventually(lambda: self.redis.client.exists("engram:reply:" + job), "there is a reply")
        return job

    def calls_for(self, message):
        """The calls to Claude that answered this message."""
        return [r for r in self.claude.requests if r.model != CHEAP and r.new_message == message]

    def wait_for_calls(self, message, count=1):
        eventually(lambda: len(self.calls_for(message)) >= count, f"Claude is asked {message!r}")

    # ---- requests

    def request(self, op, user_id="u", client=None, **fields):
        """Pushes a request about memories and returns its id. A field that is None is left out."""
        request = {"op": op, "id": f"r-{next(self._numbers)}", "user_id": user_id, **fields}
        request = {k: v for k, v in request.items() if v is not None}
        (client or self.redis.client).lpush("engram:admin", json.dumps(request))
        return request["id"]

    def admin(self, op, user_id="u", **fields):
        """Pushes a request, which must end well, and returns its result."""
        id = self.request(op, user_id, **fields)
        reply = self.reply(id)
        self.assertEqual((reply["id"], reply["op"], reply["status"]), (id, op, "ok"), reply)
        return reply["result"]

    def refused(self, reply, kind, retryable=False):
        self.assertEqual(reply["status"], "error", reply)
        self.assertEqual((reply["error"]["type"], reply["error"]["retryable"]), (kind, retryable), reply)
        return reply["error"]["message"]

    def one_reply(self, job):
        reply = self.reply(job)
        self.assertEqual(self.redis.client.exists("engram:reply:" + job), 0, "a second reply")
        return reply

    @contextlib.contextmanager
    def locked_store(self):
        with contextlib.closing(sqlite3.connect(self.database, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("ROLLBACK")

    # ---- what is where

    def places_that_hold(self, *texts):
        """Files, keys and what Redis saves that hold one of the texts, as bytes in any spelling, capital
        letters or not."""
        wanted = set().union(*(spellings(text) for text in texts))
        return sorted(
            place for place, held in self._everything() if any(one in held.lower() for one in wanted)
        )

    def database_places_that_hold(self, text):
        return [place for place in self.places_that_hold(text) if place.startswith("engram.db")]

    def _everything(self):
        yield from self._redis_values()
        self.redis.client.save()
        files = glob.glob(self.database + "*") + glob.glob(os.path.join(self.redis.data, "*.rdb"))
        files += [process.log_path for process in self.processes]
        for path in files:
            with open(path, "rb") as f:
                yield os.path.basename(path), f.read()

    def _redis_values(self):
        client = self.redis.client
        read = {
            b"string": lambda key: [client.get(key) or b""],
            b"list": lambda key: client.lrange(key, 0, -1),
            b"hash": lambda key: [part for pair in client.hgetall(key).items() for part in pair],
            b"set": client.smembers,
            b"zset": lambda key: client.zrange(key, 0, -1),
            b"stream": lambda key: [
                part for _, fields in client.xrange(key) for pair in fields.items() for part in pair
            ],
        }
        for key in client.scan_iter():
            kind = client.type(key)
            if kind == b"none":
                continue  # it has expired, or was taken
            yield key.decode(), b"\0".join([key, *read[kind](key)])

    def stored(self, user_id):
        """All that the database says of a user."""
        tables = {
            "long_term_memory": "id, memory_type, content, created_at, times_seen, valid_to",
            "conversation_history": "id, session_id, role, content, created_at, summary_id",
            "engram_session": "session_id, window_turns",
            "engram_finished_job": "job_id, reply",
        }
        return {
            table: self.rows(f"SELECT {columns} FROM {table} WHERE user_id = ? ORDER BY 1", user_id)
            for table, columns in tables.items()
        }
