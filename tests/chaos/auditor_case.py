"""A state in which every promise is held, made by hand in a real Redis and a real SQLite file."""

import base64
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from processes import Redis  # noqa: E402

from auditor import Audit  # noqa: E402
from evidence import Ledger, Queue, Store  # noqa: E402
from sightings import WeatherRecord  # noqa: E402

TABLES = """
CREATE TABLE conversation_history(id INTEGER PRIMARY KEY, session_id, user_id, role, content);
CREATE TABLE long_term_memory(id INTEGER PRIMARY KEY, user_id, memory_type, content);
"""


class AuditorCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="engram-auditor-")
        cls.addClassCleanup(shutil.rmtree, cls.home, ignore_errors=True)
        cls.server = Redis(cls.home).start()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        self.redis = self.server.client
        self.redis.flushall()
        self.folder = tempfile.mkdtemp(dir=self.home)
        self.database = os.path.join(self.folder, "engram.db")
        self.db = sqlite3.connect(self.database, isolation_level=None)
        self.addCleanup(self.db.close)
        self.db.executescript(TABLES)
        self.header = {"prefix": "engram", "max_deliveries": 3, "key_is_refused": False, "lease_ms": 1000}
        self.pushes = []
        self.logs = []
        self.sightings = []
        self.weather = WeatherRecord(by_status={"200": 6, "400": 1})
        self.make_good_state()

    def make_good_state(self):
        """Two jobs of one conversation, one of another user, a repeat, a job without a session, a conflict,
        an error that a repeat turned into an answer, and one that is no job. Meanwhile Claude was down: two
        jobs were put off while another one was under way."""
        self.effect("j000001")
        self.effect("j000002")
        self.effect("j000003", user="v")
        self.push("j000001")
        self.answer("j000001", attempts=2)
        self.push("j000004", session=None)
        self.answer("j000004", session="s-made")
        self.store("j000004", session="s-made")
        self.push("j000002x", job="j000002")
        self.error("j000002x", "id_conflict", job="j000002")
        self.push("j000005")
        self.error("j000005", "claude_rejected")
        self.effect("j000005")
        self.push_raw(b"no job", "unreadable")
        self.bury(b"no job", "", "invalid_job")
        self.effect("j000006")
        self.weather.spans.append(self.span("api_down"))
        delayed, owned = {"1:u:s": 1200, "1:v:s": 29_000}, {"d0-1": ["1:u:t"]}
        for _ in range(5):
            self.sight(delayed, owned, d0=self.said(in_flight=1, taken=7))

    # ---- making

    def span(self, kind, status=None, **changes):
        return {"kind": kind, "status": status, "seconds": 1.0, "refused": 0, "daemons": 1, **changes}

    def said(self, in_flight=0, taken=0, paused=False, gate=""):
        return {"in_flight": in_flight, "taken": taken, "paused": paused, "gate": gate}

    def sight(self, delayed=(), owned=(), paused="", later=100, **said):
        """`delayed`: lane -> in so many ms."""
        at = self.sightings[-1]["at"] + later if self.sightings else 1_000_000
        one = {
            "at": at,
            "delayed": {lane: at + due for lane, due in dict(delayed).items()},
            "delays": dict.fromkeys(dict(delayed), "HTTP status 529 overloaded_error"),
            "paused": paused,
            "owned": dict(owned),
            "said": {f"{name}-1": status for name, status in said.items()},
            "died": {},
        }
        self.sightings.append(one)
        return one

    def job_bytes(self, mark, user="u", session="s", job=None):
        fields = {"user_id": user, "session_id": session, "id": job or mark, "message": f"finish {mark}"}
        return json.dumps({k: v for k, v in fields.items() if v is not None}).encode()

    def push_raw(self, raw, kind, confirmed=True, **fields):
        named = dict.fromkeys(("job", "user", "session", "reply_key", "message", "mark"))
        text = base64.b64encode(raw).decode()
        self.pushes.append({"kind": kind, "bytes": text, **named, **fields, "confirmed": confirmed})

    def push(self, mark, user="u", session="s", job=None, kind="honest", confirmed=True):
        self.push_raw(
            self.job_bytes(mark, user, session, job),
            kind,
            confirmed,
            job=job or mark,
            user=user,
            session=session,
            reply_key=self.key(mark),
            message=f"finish {mark}",
            mark=mark,
        )

    def key(self, mark):
        return f"engram:reply:{mark}"

    def send(self, mark, reply):
        self.redis.rpush(self.key(mark), json.dumps(reply))
        self.redis.expire(self.key(mark), 3600)

    def answer(self, mark, user="u", session="s", job=None, **changes):
        reply = {
            "id": job or mark,
            "status": "ok",
            "user_id": user,
            "session_id": session,
            "reply": f"I noted: {mark}.",
            "memories": [{"content": f"Plans to finish {mark}"}],
            "timing_ms": {"total": self.redis.dbsize()},
            "attempts": 1,
        }
        self.send(mark, {**reply, **changes})

    def error(self, mark, kind, user="u", session="s", job=None, attempts=1):
        job = job or mark
        reply = {"id": job, "status": "error", "user_id": user, "session_id": session, "attempts": attempts}
        self.send(mark, {**reply, "error": {"type": kind, "message": "why"}})
        self.bury(self.job_bytes(mark, user, session, job), job, kind)

    def bury(self, raw, job, reason):
        self.redis.xadd("engram:dead", {"id": job, "reason": reason, "job": raw})

    def store(self, mark, user="u", session="s"):
        self.add_turn(mark, "user", f"finish {mark}", user, session)
        self.add_turn(mark, "assistant", f"I noted: {mark}.", user, session)
        self.add_memory(mark, user)

    def add_turn(self, mark, role, content, user="u", session="s"):
        self.db.execute(
            "INSERT INTO conversation_history(user_id, session_id, role, content) VALUES (?, ?, ?, ?)",
            (user, session, role, content),
        )

    def add_memory(self, mark, user="u"):
        self.db.execute(
            "INSERT INTO long_term_memory(user_id, memory_type, content) VALUES (?, 'fact', ?)",
            (user, f"Plans to finish {mark}"),
        )

    def effect(self, mark, user="u"):
        self.push(mark, user)
        self.answer(mark, user)
        self.store(mark, user)

    def effect_of_nameless(self, mark, made, **changes):
        self.answer(mark, job=made, **changes)
        self.add_turn(mark, "user", f"finish {mark}")
        self.add_turn(mark, "assistant", f"I noted: {mark}.")
        if changes.get("memories") != []:
            self.add_memory(mark)

    # ---- checking

    def audit(self):
        path = os.path.join(self.folder, "ledger.jsonl")
        with open(path, "w") as f:
            f.writelines(json.dumps(line) + "\n" for line in [self.header, *self.pushes])
        queue, store = Queue.read(self.redis, "engram"), Store.read(self.database)
        return Audit(Ledger.read(path), queue, store, self.logs, self.sightings, self.weather).run()

    def assert_held(self):
        self.assertEqual(self.audit().broken, [])

    def assert_noticed(self, promise, job=None):
        """This promise, of this job, is among those found broken."""
        broken = self.audit().broken
        self.assertIn((promise, job), [(b["promise"], b["job"]) for b in broken], broken)

    def change(self, sql, *values):
        self.assertGreater(self.db.execute(sql, values).rowcount, 0, "nothing was changed")

    def edit_reply(self, mark, at=0, **changes):
        reply = json.loads(self.redis.lindex(self.key(mark), at))
        self.redis.lset(self.key(mark), at, json.dumps({**reply, **changes}))
