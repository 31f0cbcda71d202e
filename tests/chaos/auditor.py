"""Checks what a run left in Redis and SQLite, and what was seen meanwhile, against the promises, job by job.

It knows nothing of the daemon's code, and of the driver only the ledger (evidence.py), the sightings and the
weather (sightings.py).

    auditor.py LEDGER REDIS_SOCKET DATABASE [LOG...]     # beside LEDGER: sightings.jsonl, weather.json
"""

import collections
import json
import os
import re
import sys

from evidence import Ledger, Queue, Store, effective_places, pushes_text, stable_text
from sightings import Sightings, WeatherRecord, read_lines

# What may become of a job of each kind, beside an answer. A failure that passes costs none.
CLAUDE_ERRORS = {"claude_rejected", "id_conflict"}
ERRORS = {
    "honest": CLAUDE_ERRORS,
    "nameless": CLAUDE_ERRORS,
    "hasty": CLAUDE_ERRORS | {"deadline_exceeded"},
    "refused": {"invalid_job"},
    "unreadable": {"invalid_job"},
}
# What concerns every call costs one job, and what concerns one call that job: by the API's status.
REFUSALS = {"claude_rejected": 400, "claude_auth": 401, "claude_spend_limit": 402}
ANSWERABLE = ("honest", "nameless", "hasty")
# Claude refuses single requests now and then; a daemon that answers hardly anybody keeps no promise.
MOST_REJECTED, FEW = 0.05, 3
MARK = re.compile(r"\bj\d{6}x?\b")
BAD_LOG_LINES = (
    "database is locked",
    "terminate called",
    "Sanitizer",
    "runtime error:",
    "Assertion",
    "a job ended with an error",
    "a part of the queue failed",
    "the service ended with an error",
)


class Audit:
    """`broken` lists each promise that was not kept: {"promise", "job", "user", "session", "what"}."""

    def __init__(self, ledger, queue, store, logs, sightings, weather):
        self.ledger, self.queue, self.store = ledger, queue, store
        self.logs = logs  # (name, text)
        self.weather = weather
        gates = weather.gates(ledger.header["key_is_refused"])
        self.sightings = Sightings(sightings, ledger.header["lease_ms"], gates)
        self.prefix = ledger.header["prefix"]
        self.broken = []
        self.bodies = list(ledger.bodies.values())
        self.by_id = collections.defaultdict(list)
        for body in self.bodies:
            if body.job is not None:
                self.by_id[body.job].append(body)

    def run(self):
        self._read_replies()
        for body in self.bodies:
            self._check_replies(body)
            self._check_answers_alike(body)
        self._check_conflicts()
        self._check_rejected()
        self._check_refusals()
        self._check_effects()
        self._check_memories()
        self._check_order()
        self._check_dead_letters()
        self._check_leftovers()
        self._check_logs()
        for promise, what in self.sightings.broken:
            self._break(promise, what)
        return self

    def _break(self, promise, what, body=None):
        self.broken.append(
            {
                "promise": promise,
                "job": body.job or body.mark if body else None,
                "user": body.user if body else None,
                "session": body.session if body else None,
                "what": what,
            }
        )

    # ---- replies

    def _read_replies(self):
        by_key = {body.reply_key: body for body in self.bodies if body.reply_key}
        for key, raws in self.queue.replies.items():
            body = by_key.get(key)
            if body is None:
                self._break("no reply without a job", f"{key}: {raws[0][:200]!r}")
                continue
            for raw in raws:
                try:
                    body.replies.append(json.loads(raw))
                except ValueError:
                    self._break("a reply is JSON", repr(raw[:200]), body)

    def _check_replies(self, body):
        if body.reply_key is None:
            return
        count = len(body.replies)
        if count < body.least:
            self._break("no reply is lost", f"{count} replies to {pushes_text(body)}", body)
        if count > body.most:
            self._break("one reply a push", f"{count} replies to {pushes_text(body)}", body)
        for reply in body.replies:
            self._check_identity(body, reply)
            if reply.get("status") == "ok":
                self._check_answer(body, reply)
            else:
                self._check_error(body, reply)

    def _check_identity(self, body, reply):
        ok = reply.get("status") == "ok"
        for field, wanted in (("id", body.job), ("user_id", body.user), ("session_id", body.session)):
            held = reply.get(field)
            # An error need not name what the job did not.
            agrees = held == wanted if wanted is not None else (bool(held) or not ok)
            if not agrees:
                self._break("the reply belongs to the job", f"{field} is {held!r}, not {wanted!r}", body)

    def _check_answer(self, body, reply):
        if body.kind not in ANSWERABLE:
            self._break("a bad job is refused", f"it was answered: {reply.get('reply')!r}", body)
            return
        text, noted = reply.get("reply", ""), [m.get("content", "") for m in reply.get("memories", [])]
        if set(MARK.findall(text)) != {body.mark} or "[MEMORY" in text:
            self._break("the answer belongs to the job", repr(text), body)
        known = not noted and body.job is None and body.memories > 0
        if not known and (len(noted) != 1 or MARK.findall(noted[0]) != [body.mark]):
            self._break("the answer belongs to the job", f"its memories are {noted!r}", body)
        if reply.get("metadata", {}) != json.loads(body.bytes).get("metadata", {}):
            self._break("metadata is returned untouched", repr(reply.get("metadata")), body)

    def _check_error(self, body, reply):
        error = reply.get("error", {})
        kind, header = error.get("type"), self.ledger.header
        allowed = set(ERRORS[body.kind])
        if header["key_is_refused"] and body.kind in ANSWERABLE:
            allowed |= {"claude_auth", "claude_spend_limit"}
        # The last death may not have been seen: the job ends soon after.
        deaths = self.sightings.deaths[body.bytes.decode("utf-8", "replace")]
        if body.kind in ANSWERABLE and deaths + 1 >= header["max_deliveries"]:
            allowed.add("poisoned")
        if kind not in allowed:
            self._break(
                "only expected errors",
                f"{kind}: {error.get('message')}, {deaths} deaths were seen",
                body,
            )

    def _check_answers_alike(self, body):
        answers = body.answers
        if body.job is None:
            ids = [a.get("id") for a in answers]
            if len(set(ids)) != len(ids):
                self._break("one reply a push", f"the same id in several answers: {ids}", body)
            return
        statuses = [r.get("status") == "ok" for r in body.replies]
        if True in statuses and False in statuses[statuses.index(True) :]:
            self._break("a repeat gets the answer again", "an error came after an answer", body)
        if len({stable_text(a) for a in answers}) > 1:
            self._break("a repeat gets the answer again", "answers differ", body)

    def _check_conflicts(self):
        for bodies in self.by_id.values():
            answered = [b for b in bodies if b.answers]
            if len(answered) > 1:
                self._break("one effect an id", f"{len(answered)} jobs of this id were answered", answered[1])
            for body in bodies:
                kinds = {e.get("error", {}).get("type") for e in body.errors}
                if "id_conflict" in kinds and not [b for b in answered if b is not body]:
                    self._break(
                        "a conflict needs another job", "id_conflict, but no other was answered", body
                    )

    def _check_rejected(self):
        answerable = [b for b in self.bodies if b.kind in ANSWERABLE]
        last = [b.replies[-1].get("error", {}).get("type") for b in answerable if b.replies]
        rejected = last.count("claude_rejected")
        if rejected > max(FEW, MOST_REJECTED * len(answerable)):
            self._break("jobs are answered", f"{rejected} of {len(answerable)} ended with claude_rejected")

    def _check_refusals(self):
        errors = collections.Counter(e.get("error", {}).get("type") for b in self.bodies for e in b.errors)
        for kind, status in REFUSALS.items():
            most = self.weather.most_who_bear(status)
            if errors[kind] > most:
                self._break("a refusal costs one job", f"{errors[kind]} {kind}, {most} at most should be")

    # ---- effects

    def _check_effects(self):
        by_message = {b.message: b for b in self.bodies if b.kind in ANSWERABLE}
        found = collections.defaultdict(int)
        conversations = collections.defaultdict(list)
        for user, session, role, content in self.store.turns:
            conversations[user, session].append((role, content))
        self.effects_of = {}
        for (user, session), turns in conversations.items():
            bodies = self._read_conversation(user, session, turns, by_message)
            self.effects_of[user, session] = bodies
            for body in bodies:
                found[body.message] += 1
        for body in by_message.values():
            self._check_count("effect", found[body.message], body.effects, body)

    def _check_count(self, what, held, wanted, body):
        if held < wanted:
            self._break(f"no {what} is lost", f"{held} in the store, {len(body.answers)} answers", body)
        if held > wanted:
            self._break(f"one {what} a job", f"{held} in the store, {len(body.answers)} answers", body)

    def _read_conversation(self, user, session, turns, by_message):
        """The jobs whose turns stand here, in order."""
        bodies = []
        for at, (role, content) in enumerate(turns):
            if role == "assistant":
                if at == 0 or turns[at - 1][0] != "user":
                    self._break("turns come in pairs", f"{user}/{session}: an answer to nothing: {content!r}")
                continue
            body = by_message.get(content)
            if body is None:
                self._break("nothing is made up", f"{user}/{session}: a turn of no job: {content!r}")
                continue
            bodies.append(body)
            if not self._belongs(body, user, session):
                self._break("nothing under another user or session", f"its turn is in {user}/{session}", body)
            behind = turns[at + 1] if at + 1 < len(turns) else (None, "")
            if behind[0] != "assistant" or body.mark not in MARK.findall(behind[1]):
                self._break("turns come in pairs", f"behind its turn stands {behind!r}", body)
        return bodies

    def _belongs(self, body, user, session):
        if user != body.user:
            return False
        if body.session is not None:
            return session == body.session
        return session in [a.get("session_id") for a in body.answers] or not body.answers

    def _check_memories(self):
        by_mark = {b.mark: b for b in self.bodies if b.kind in ANSWERABLE}
        found = collections.Counter()
        for user, content in self.store.memories:
            marks = MARK.findall(str(content))
            body = by_mark.get(marks[0]) if len(marks) == 1 else None
            if body is None:
                self._break("nothing is made up", f"a memory of no job: {user}: {content!r}")
                continue
            found[body.mark] += 1
            if user != body.user:
                self._break("nothing under another user or session", f"its memory belongs to {user}", body)
        for body in by_mark.values():
            self._check_count("memory", found[body.mark], body.memories, body)

    # ---- order

    def _check_order(self):
        for (user, session), bodies in self.effects_of.items():
            last, last_body = -1, None
            for body in bodies:
                later = [place for place in effective_places(body) if place > last]
                if later:
                    last, last_body = later[0], body
                else:
                    self._break("a conversation keeps its order", f"it stands behind {last_body.mark}", body)

    # ---- dead letters

    def _check_dead_letters(self):
        letters = collections.defaultdict(list)
        for fields in self.queue.dead:
            letters[fields.get(b"job", b"")].append(fields)
        for raw, held in letters.items():
            if raw not in self.ledger.bodies:
                self._break("a dead letter has the original bytes", f"these were never pushed: {raw[:200]!r}")
        for body in self.bodies:
            self._check_letters_of(body, letters.get(body.bytes, []))

    def _check_letters_of(self, body, held):
        reasons = sorted(f.get(b"reason", b"").decode() for f in held)
        if body.reply_key is None:
            if not body.least <= len(held) <= body.most or set(reasons) - {"invalid_job"}:
                self._break("each error has one dead letter", f"{reasons} for {pushes_text(body)}", body)
            return
        wanted = sorted(str(e.get("error", {}).get("type")) for e in body.errors)
        if reasons != wanted:
            self._break("each error has one dead letter", f"{reasons}, but the errors were {wanted}", body)
        for fields in held:
            if body.job is not None and fields.get(b"id", b"").decode() != body.job:
                self._break("a dead letter names its job", repr(fields.get(b"id")), body)

    # ---- what is left

    def _check_leftovers(self):
        for name, (kind, ttl) in sorted(self.queue.keys.items()):
            if ttl == -1 and name != self.prefix + ":dead":
                self._break("nothing is left behind", f"the {kind} {name}")
        if self.store.integrity != "ok":
            self._break("the database is whole", self.store.integrity)

    def _check_logs(self):
        for name, text in self.logs:
            for line in text.splitlines():
                if any(bad in line for bad in BAD_LOG_LINES):
                    self._break("daemons log no failure", f"{name}: {line[:300]}")

    def figures(self):
        errors = collections.Counter(
            str(e.get("error", {}).get("type")) for b in self.bodies for e in b.errors
        )
        attempts = collections.Counter(r.get("attempts") for b in self.bodies for r in b.replies)
        return {
            "jobs": len(self.bodies),
            "pushes": sum(b.most for b in self.bodies),
            "not confirmed": sum(b.most - b.least for b in self.bodies),
            "replies": sum(len(b.replies) for b in self.bodies),
            "effects": sum(len(bodies) for bodies in self.effects_of.values()),
            "summaries": self.store.summaries,
            "dead letters": len(self.queue.dead),
            "dead letters by reason": dict(sorted(self._letters_by_reason().items())),
            "errors": dict(sorted(errors.items())),
            "attempts": {str(k): v for k, v in sorted(attempts.items(), key=lambda kv: str(kv[0]).zfill(9))},
            **self.sightings.figures(),
            **self.weather.figures(),
        }

    def _letters_by_reason(self):
        return collections.Counter(fields.get(b"reason", b"").decode() for fields in self.queue.dead)


def main(ledger, socket, database, *logs):
    import redis

    texts = []
    for path in logs:
        with open(path, errors="replace") as f:
            texts.append((path, f.read()))
    read = Ledger.read(ledger)
    queue = Queue.read(redis.Redis(unix_socket_path=socket), read.header["prefix"])
    beside = os.path.dirname(ledger)
    sightings = read_lines(os.path.join(beside, "sightings.jsonl"))
    weather = WeatherRecord.read(os.path.join(beside, "weather.json"))
    audit = Audit(read, queue, Store.read(database), texts, sightings, weather).run()
    print(json.dumps({"broken": audit.broken, "figures": audit.figures()}, indent=1))
    return 1 if audit.broken else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
