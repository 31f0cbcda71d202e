"""What a run left behind, as the auditor reads it: the ledger of pushes, Redis, SQLite.

The ledger is JSON lines: first the header {"prefix", "max_deliveries", "key_is_refused", "lease_ms"}, then
one line for each push in the order of the list: kind, bytes (base64), job, user, session, reply_key, message,
mark, confirmed. `mark` is a word of the message that the answer and the memory repeat. A push that was not
confirmed may or may not have happened.
"""

import base64
import dataclasses
import json
import sqlite3

MAY_DIFFER = ("timing_ms", "attempts")  # between the answers to repeats


@dataclasses.dataclass
class Body:
    """One job: all pushes of the same bytes."""

    kind: str
    bytes: bytes
    job: str
    user: str
    session: str
    reply_key: str
    message: str
    mark: str
    pushes: list = dataclasses.field(default_factory=list)  # (place in the list, confirmed)
    replies: list = dataclasses.field(default_factory=list)

    @property
    def least(self):
        return sum(confirmed for _, confirmed in self.pushes)

    @property
    def most(self):
        return len(self.pushes)

    @property
    def answers(self):
        return [r for r in self.replies if r.get("status") == "ok"]

    @property
    def errors(self):
        return [r for r in self.replies if r.get("status") != "ok"]

    @property
    def effects(self):
        """How many it must have in the store. A job without an id is a new one with each push."""
        return len(self.answers) if self.job is None else min(1, len(self.answers))

    @property
    def memories(self):
        """How many it must have noted. The model notes nothing again that it was shown."""
        if self.job is None:
            return sum(bool(reply.get("memories")) for reply in self.answers)
        return self.effects


@dataclasses.dataclass
class Ledger:
    header: dict
    bodies: dict  # by bytes

    @classmethod
    def read(cls, path):
        with open(path) as lines:
            header = json.loads(next(lines))
            bodies = {}
            for place, line in enumerate(lines):
                record = json.loads(line)
                raw, confirmed = base64.b64decode(record.pop("bytes")), record.pop("confirmed")
                body = bodies.setdefault(raw, Body(bytes=raw, **record))
                body.pushes.append((place, confirmed))
        return cls(header, bodies)


@dataclasses.dataclass
class Queue:
    """What Redis holds. `keys`: name -> (type, ms to live; -1: for ever)."""

    keys: dict
    replies: dict
    dead: list

    @classmethod
    def read(cls, client, prefix):
        names = [key.decode("utf-8", "replace") for key in client.scan_iter(count=1000)]
        with client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.type(name).pttl(name)
            answers = pipe.execute()
        keys = {n: (answers[2 * i].decode(), answers[2 * i + 1]) for i, n in enumerate(names)}
        lists = [n for n in names if n.startswith(prefix + ":reply:") and keys[n][0] == "list"]
        with client.pipeline(transaction=False) as pipe:
            for name in lists:
                pipe.lrange(name, 0, -1)
            replies = dict(zip(lists, pipe.execute()))
        dead = [fields for _, fields in client.xrange(prefix + ":dead")]
        return cls(keys, replies, dead)


@dataclasses.dataclass
class Store:
    """Rows in the order of their ids. turns: (user, session, role, content); memories: (user, content)."""

    turns: list
    memories: list
    summaries: int
    integrity: str

    @classmethod
    def read(cls, path):
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        try:
            turns = db.execute(
                "SELECT user_id, session_id, role, content FROM conversation_history ORDER BY id"
            ).fetchall()
            memories = db.execute(
                "SELECT user_id, content FROM long_term_memory WHERE memory_type <> 'summary' ORDER BY id"
            ).fetchall()
            summaries = db.execute(
                "SELECT count(*) FROM long_term_memory WHERE memory_type = 'summary'"
            ).fetchone()[0]
            integrity = db.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            db.close()
        return cls(turns, memories, summaries, integrity)


def stable_text(reply):
    return json.dumps({k: v for k, v in reply.items() if k not in MAY_DIFFER}, sort_keys=True)


def pushes_text(body):
    return f"{body.least} pushes" + (
        f" and {body.most - body.least} not confirmed" if body.most > body.least else ""
    )


def effective_places(body):
    """The pushes that may have taken effect: that of the first answer, counted among the replies. Each push
    before it that did not happen moves it one on."""
    places = [place for place, _ in body.pushes]
    if body.job is None or not body.answers:
        return places
    first = next(n for n, r in enumerate(body.replies) if r.get("status") == "ok")
    return places[first : first + 1 + body.most - body.least]
