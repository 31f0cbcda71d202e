"""What a run does, fixed before it begins: jobs, faults and settings follow from the seed alone."""

import base64
import dataclasses
import json
import random

from forecast import forecast

PREFIX = "engram"
MAX_JOB_BYTES = 8192
POINTS = ("ingested", "claimed", "mid_call", "before_commit", "in_commit", "committed", "finished")

# How often each fault strikes in a run of 2,000 jobs; a shorter run has each at least once.
FAULTS = {
    "stop_short": 4,
    "stop_long": 3,
    "stop_at_point": 3,
    "term": 4,
    "redis_kill": 2,
    "client_kill": 4,
    "script_flush": 2,
    "cut": 4,
    "blackhole": 2,
    "mute": 2,
    "hold": 3,
    "slow_link": 2,
    "full_disk": 2,
    "slow_disk": 2,
    "pause_queue": 3,
}
KILLS = ("kill", "kill_at_point")


@dataclasses.dataclass(frozen=True)
class Shape:
    """What the command line decides. `only`: the faults that may strike; empty: all."""

    jobs: int = 2000
    sessions: int = 200
    users: int = 20
    daemons: int = 3
    kills: int = 50
    lease_ms: int = 1000
    only: tuple = ()
    weather: bool = False


@dataclasses.dataclass(frozen=True)
class Push:
    """One LPUSH. `kind` says which outcomes are right: auditor.py knows them."""

    kind: str
    bytes: bytes
    job: str = None
    user: str = None
    session: str = None
    reply_key: str = None
    message: str = None
    mark: str = None

    def record(self):
        return {**dataclasses.asdict(self), "bytes": base64.b64encode(self.bytes).decode()}


@dataclasses.dataclass(frozen=True)
class Fault:
    """Due when `at` jobs are done. `seconds`: how long it lasts; `point`: the value of ENGRAM_FAILPOINT."""

    at: int
    kind: str
    slot: int
    seconds: float = 0.0
    point: str = None


@dataclasses.dataclass(frozen=True)
class Plan:
    seed: int
    shape: Shape
    pushes: list
    faults: list
    settings: dict
    claude_faults: list
    weather: list
    key_is_refused: bool


def make_plan(seed, shape):
    chance = random.Random(seed)
    key_is_refused = seed % 3 == 0
    pushes = make_pushes(chance, shape)
    return Plan(
        seed,
        shape,
        pushes,
        make_faults(chance, shape, len(pushes)),
        make_settings(chance, seed, shape),
        make_claude_faults(key_is_refused),
        forecast(seed, key_is_refused) if shape.weather else [],
        key_is_refused,
    )


# ---- settings


def make_settings(chance, seed, shape):
    return {
        "redis.prefix": PREFIX,
        "redis.connect_timeout_ms": 1000,
        "redis.command_timeout_ms": 600,
        "redis.backoff_max_ms": 100,
        "queue.lease_ms": shape.lease_ms,
        "queue.drain_ms": chance.choice([0, 300, 1000]),
        "queue.max_in_flight": chance.choice([6, 16, 40]),
        "queue.max_parked": chance.choice([10_000, 60]),
        "queue.max_job_bytes": MAX_JOB_BYTES,
        # Honest jobs would be poisoned by so many deaths; every tenth seed shows who is.
        "queue.max_deliveries": 3 if seed % 10 == 0 else 1000,
        # Longer than any run: no job may end for want of patience.
        "queue.deadline_ms": 600_000,
        "queue.retry_for_ms": 600_000,
        "claude.timeout_ms": 1500,
        # Without a quick try more jobs are put off.
        "claude.max_retries": 0 if shape.weather and seed % 2 else 1,
        "claude.pause_retry_ms": 50,
        "memory.limit": 10,
        "memory.history_turns": 12,
        "summary.enabled": "true" if seed % 4 == 0 else "false",
        "summary.sweep_ms": 500,
        "log.level": "info",
        "log.format": "text",
    }


def make_claude_faults(key_is_refused):
    soon = {"retry-after-ms": "20"}
    faults = [
        {"error_type": "overloaded", "probability": 0.03, "headers": soon},
        {"error_type": "internal", "probability": 0.01, "headers": soon},
        {"fault": "reset", "probability": 0.01},
        {"fault": "reset", "at": "mid_body", "probability": 0.01},
        {"fault": "truncated", "probability": 0.01},
        {"fault": "garbage_body", "probability": 0.005},
        {"fault": "stall", "ms": 3000, "probability": 0.002},
        {"error_type": "invalid_request", "probability": 0.003},
    ]
    if key_is_refused:
        faults.append({"error_type": "authentication", "probability": 0.003})
    return [{"status": STATUS[f["error_type"]], **f} if "error_type" in f else f for f in faults]


STATUS = {"overloaded": 529, "internal": 500, "invalid_request": 400, "authentication": 401}


# ---- jobs


def make_pushes(chance, shape):
    """The pushes in their order. A repeat stands some places behind its original."""
    placed = []
    for n in range(shape.jobs):
        user, session = draw_conversation(chance, shape)
        push = make_job(chance, n, user, session)
        placed.append((n, push))
        placed.extend((n + after, again) for after, again in repeats(chance, n, push))
        if chance.random() < 0.015:
            placed.append((n, make_refused(chance, n, user, session)))
    placed.sort(key=lambda item: item[0])  # stable: equal places keep their order
    return [push for _, push in placed]


def draw_conversation(chance, shape):
    """The names of sessions recur under other users. A few conversations are much busier than others."""
    busy = max(1, shape.sessions // 20)
    number = chance.randrange(busy) if chance.random() < 0.15 else chance.randrange(shape.sessions)
    return f"u{number % shape.users}", f"s{number // shape.users}"


def encode(fields):
    return json.dumps({k: v for k, v in fields.items() if v is not None}).encode()


def make_job(chance, n, user, session):
    mark = f"j{n:06}"
    # The simulator notes what the user plans, so that each job makes one memory of its own.
    message = f"I plan to finish {mark}"
    job, reply_key, kind, more = mark, f"{PREFIX}:reply:{mark}", "honest", {}
    draw = chance.random()
    if draw < 0.01:
        job, kind = None, "nameless"
        reply_key = more["reply_to"] = f"{PREFIX}:reply:to-{mark}"
    elif draw < 0.02:
        kind, more["deadline_ms"] = "hasty", chance.choice([200, 1500])
    elif draw < 0.05:
        session = None
    elif draw < 0.10:
        more["metadata"] = {"mark": mark, "n": n}
    fields = {"user_id": user, "session_id": session, "id": job, "message": message, **more}
    return Push(kind, encode(fields), job, user, session, reply_key, message, mark)


def repeats(chance, n, push):
    """(places behind, push) of further pushes of the same id."""
    if push.job is None:
        return
    draw = chance.random()
    if draw < 0.03:
        yield 0, push  # at once
    elif draw < 0.07:
        yield chance.randrange(1, 12), push  # most likely in flight
    elif draw < 0.11:
        yield chance.randrange(60, 400), push
    elif draw < 0.12:
        yield 0, push
        yield chance.randrange(1, 40), push
    elif draw < 0.14:
        yield chance.choice([0, 3, 200]), with_other_bytes(chance, push)


def with_other_bytes(chance, push):
    """The same id for another job: of the same conversation, of another, or of another user."""
    mark = push.mark + "x"
    message = f"I plan to finish {mark}"
    user, session = push.user, push.session
    draw = chance.random()
    if draw < 0.2:
        session = "elsewhere"
    elif draw < 0.4:
        user, session = "stranger", "elsewhere"
    reply_key = f"{PREFIX}:reply:to-{mark}"
    fields = {
        "user_id": user,
        "session_id": session,
        "id": push.job,
        "message": message,
        "reply_to": reply_key,
    }
    return Push("honest", encode(fields), push.job, user, session, reply_key, message, mark)


def make_refused(chance, n, user, session):
    """A job that must be refused: with a reply if it names an id, otherwise as a dead letter alone."""
    job = f"r{n:06}"
    reply_key = f"{PREFIX}:reply:{job}"
    named = {"user_id": user, "session_id": session, "id": job}
    shape = chance.randrange(8)
    if shape == 0:
        return Push("unreadable", f"no job, {job}".encode())
    if shape == 1:
        return Push("unreadable", b'{"user_id":"\xff\xfe","message":"' + job.encode() + b'"}')
    if shape == 2:
        # Nobody reads it, so its reply names neither user nor session.
        raw = encode({**named, "message": "x" * (5 * MAX_JOB_BYTES)})
        return Push("refused", raw, job, None, None, reply_key)
    if shape == 3:
        return Push("unreadable", encode({"message": f"nobody says {job}"}))
    if shape == 4:
        fields = {**named, "message": 7}
    elif shape == 5:
        fields = {**named, "message": "hello", "reply_to": f"somewhere:{job}"}
    elif shape == 6:
        fields = {**named, "message": "x" * (MAX_JOB_BYTES + 100)}
    else:
        fields = {"session_id": session, "id": job, "message": "hello"}
        user = None
    return Push("refused", encode(fields), job, user, session, reply_key)


# ---- faults


def make_faults(chance, shape, pushes):
    lease = shape.lease_ms / 1000
    ways = [kind for kind in ("kill", "kill", "kill_at_point") if not shape.only or kind in shape.only]
    kinds = [ways[n % len(ways)] for n in range(shape.kills if ways else 0)]
    for kind, often in FAULTS.items():
        kinds += [kind] * max(1, round(often * shape.jobs / 2000))
    if shape.only:
        kinds = [kind for kind in kinds if kind in shape.only]
    chance.shuffle(kinds)
    # Each point has its turn before one comes again.
    points = chance.sample(POINTS, len(POINTS))
    faults = []
    for number, kind in enumerate(kinds):
        at = round(pushes * (0.02 + 0.9 * (number + chance.random()) / len(kinds)))
        point = None
        if kind in ("kill_at_point", "stop_at_point"):
            points.append(points.pop(0))
            point = f"{points[-1]}:{chance.choice([1, 1, 2, 3, 5, 9])}" + (":stop" if "stop" in kind else "")
        faults.append(Fault(at, kind, chance.randrange(shape.daemons), lasting(chance, kind, lease), point))
    return faults


def lasting(chance, kind, lease):
    least, most = {
        "stop_short": (0.2 * lease, 0.7 * lease),
        "stop_long": (1.3 * lease, 2.2 * lease),
        "stop_at_point": (0.5 * lease, 2.0 * lease),
        "redis_kill": (0.0, 0.4),
        "blackhole": (0.5 * lease, 2.0 * lease),
        "mute": (0.1, lease),
        "hold": (0.3 * lease, 2.0 * lease),
        "slow_link": (0.5, 1.5),
        "full_disk": (0.3, 1.2),
        "slow_disk": (0.5, 1.5),
        "pause_queue": (0.5, 2.5 * lease),
    }.get(kind, (0.0, 0.0))
    return round(chance.uniform(least, most), 3)
