"""What the queue's keys hold, without what only time tells.

A ticket is named after the push it stands for (`t0` is the first), so that equal situations look equal
however they came about. Times are left out, a lease is running (0) or over (1, 2, … in the order in which they
ended) or FAR off, and deliveries are only compared from one step to the next: no script decides by them.
"""

import json
import time
from typing import NamedTuple

PREFIX = "q"
WHY = "why"  # a job is delayed
FIRST_SEEN = "7"  # of every job that is put back; a script that touches it is found out
DELIVERIES = 9
LIVE_UNTIL = 4_000_000_000_000
DATABASE_MS = 3_600_000  # P:database still lives so long when it is put back
FAR, FAR_OFF = -1, 9_000_000_000_000  # a lease that was renewed before the clock jumped back
FRESH = "n"  # tickets made in the step under test begin so


class Violation(Exception):
    """A rule that does not hold. `trace` is what led there, once that is known."""

    trace = ()


def demand(holds, what):
    if not holds:
        raise Violation(what)


class Contents(NamedTuple):
    jobs: tuple = ()  # pushes; the right end is next
    ready: tuple = ()  # users
    lanes: dict = {}  # user -> ready lanes
    lane: dict = {}  # lane -> tickets
    bodies: dict = {}  # ticket -> push
    deaths: dict = {}  # ticket -> how many
    backlog: dict = {}  # user -> ((ticket, lane), …)
    behind: int = 0  # P:behind
    owned: dict = {}  # instance -> ((lane, ticket), …) in the order of the hash, which the scripts follow
    instances: dict = {}  # instance -> 0, FAR or when its lease ended
    parked: dict = {}  # user -> how many
    delayed: dict = {}  # lane -> 0, or when its pause ended (1 is the first)
    tried: tuple = ()  # tickets for which a call has failed
    database: str = ""  # that P:database names


class Seen(NamedTuple):
    """Contents after a step, and what is not carried on to the next."""

    contents: Contents
    deliveries: dict
    first_seen: dict
    replies: tuple  # (key, its elements, ms to live)
    dead: tuple  # fields of each dead letter
    status: dict  # instance -> ms to live
    database_ms: int  # that P:database has to live
    rename: dict  # ticket as the script named it -> ticket


def ticket_of(push):
    return f"t{push}"


def push_of(ticket):
    return int(ticket[1:])


def named_lane(lane, rename):
    """A lane of one job alone bears its ticket."""
    start, colon, ticket = lane.rpartition(":") if lane.startswith("~t:") else (lane[:1], "", lane[1:])
    if lane[0] != "~" or lane.startswith("~id:"):
        return lane
    return start + colon + rename.get(ticket, ticket)


def _score(ended):
    return str(FAR_OFF if ended == FAR else ended or LIVE_UNTIL)


def _due(ended):
    """When a delay is over: it has been, or will be in some minutes."""
    return str(ended or int(time.time() * 1000) + 300_000)


def _as_entry(ticket, lane, bodies):
    return f"{ticket} {FIRST_SEEN} {len(lane)} {lane}{bodies[push_of(ticket)]}"


def as_commands(contents, bodies):
    """What makes Redis hold this, as JSON for RESTORE. `bodies` are the bytes of each push."""
    c, commands = contents, []

    def put(command, name, *values):
        if values:
            commands.append([command, f"{PREFIX}:{name}", *values])

    put("RPUSH", "jobs", *(bodies[push] for push in c.jobs))
    put("RPUSH", "ready", *c.ready)
    for user, lanes in c.lanes.items():
        put("RPUSH", "lanes:" + user, *lanes)
    for lane, tickets in c.lane.items():
        put("RPUSH", "lane:" + lane, *tickets)
    for ticket, push in c.bodies.items():
        put("HSET", "body", ticket, bodies[push])
        since = " " + FIRST_SEEN if ticket in c.tried else ""
        put("HSET", "meta", ticket, f"{DELIVERIES} {c.deaths[ticket]} {FIRST_SEEN}{since}")
    for user, line in c.backlog.items():
        put("RPUSH", "backlog:" + user, *(_as_entry(t, lane, bodies) for t, lane in line))
    if c.behind:
        put("SET", "behind", str(c.behind))
    for instance, owned in c.owned.items():
        put("HSET", "owned:" + instance, *(part for pair in owned for part in pair))
    for instance, ended in c.instances.items():
        put("ZADD", "instances", _score(ended), instance)
    for lane, ended in c.delayed.items():
        put("ZADD", "delayed", _due(ended), lane)
        put("HSET", "delays", lane, WHY)
    put("HSET", "parked", *(str(part) for pair in c.parked.items() for part in pair))
    if c.database:
        put("HSET", "database", "id", c.database)
        put("PEXPIRE", "database", str(DATABASE_MS))
    return json.dumps(commands)


RESTORE = """
for _, name in ipairs(redis.call('KEYS', '*')) do redis.call('DEL', name) end
for _, command in ipairs(cjson.decode(ARGV[1])) do redis.call(unpack(command)) end
"""

DUMP = """
local read = {
  list = function(name) return redis.call('LRANGE', name, 0, -1) end,
  hash = function(name) return redis.call('HGETALL', name) end,
  zset = function(name) return redis.call('ZRANGE', name, 0, -1, 'WITHSCORES') end,
  string = function(name) return redis.call('GET', name) end,
  stream = function(name)
    local all = {}
    for i, entry in ipairs(redis.call('XRANGE', name, '-', '+')) do all[i] = entry[2] end
    return all
  end,
}
local all = {}
for i, name in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', name).ok
  all[i] = {name, kind, read[kind](name), redis.call('PTTL', name)}
end
return cjson.encode(all)
"""

_KINDS = {"jobs": "list", "ready": "list", "body": "hash", "meta": "hash", "parked": "hash", "dead": "stream"}
_KINDS.update(
    behind="string",
    instances="zset",
    delayed="zset",
    delays="hash",
    lanes="list",
    lane="list",
    backlog="list",
    owned="hash",
    status="string",
    database="hash",
    reply="list",
    ages="list",
)
_EXPIRING = ("status", "reply", "ages", "database")
_ONE_EACH = ("lanes", "lane", "backlog", "owned", "status", "reply", "ages")


def _pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


def _by_kind(dumped):
    found = {kind: {} if kind in _ONE_EACH else [] for kind in _KINDS}
    lives = {}
    for name, kind, value, left in dumped:
        _, what, *rest = name.split(":", 2)
        demand(what in _KINDS and bool(rest) == (what in _ONE_EACH), f"a key that should not be: {name}")
        demand(kind == _KINDS[what], f"{name} is a {kind}")
        demand((left > 0) == (what in _EXPIRING), f"{name} has {left} ms to live")
        lives[(what, *rest)] = left
        if rest:
            found[what][rest[0]] = value
        else:
            found[what] = value
    return found, lives


class _Entry(NamedTuple):
    ticket: str
    first_seen: str
    lane: str
    raw: str


def _entry(text):
    """Of a backlog."""
    ticket, first_seen, length, rest = text.split(" ", 3)
    return _Entry(ticket, first_seen, rest[: int(length)], rest[int(length) :])


def _names(found, backlog, push_with):
    """Tickets as they are in Redis -> named after their push."""
    rename, pushes = {}, {}
    held = [(e.ticket, e.raw) for line in backlog.values() for e in line]
    for ticket, raw in _pairs(found["body"]) + held:
        demand(raw in push_with, f"bytes that nobody pushed: {raw}")
        push = push_with[raw]
        demand(push not in pushes, f"job {push} is there twice: {ticket} and {pushes.get(push)}")
        pushes[push] = ticket
        rename[ticket] = ticket_of(push)
        demand(ticket.startswith(FRESH) or ticket == ticket_of(push), f"job {push} has become {ticket}")
    return rename


def _leases(found):
    scores = {i: float(end) for i, end in sorted(_pairs(found["instances"]))}
    ends = sorted(end for end in scores.values() if end < 1e6)
    return {
        i: FAR if end >= FAR_OFF else 0 if end >= 1e6 else ends.index(end) + 1 for i, end in scores.items()
    }


def _delays(found, lane_named):
    demand(
        sorted(_pairs(found["delays"])) == sorted((lane, WHY) for lane, _ in _pairs(found["delayed"])),
        f"P:delays is {found['delays']}, P:delayed is {found['delayed']}",
    )
    scores = {lane_named(lane): float(due) for lane, due in sorted(_pairs(found["delayed"]))}
    ends = sorted(due for due in scores.values() if due < 1e6)
    return {lane: 0 if due >= 1e6 else ends.index(due) + 1 for lane, due in scores.items()}


def read(dump, push_with):
    """Seen, of what DUMP returned. `push_with` finds a push by its bytes."""
    found, lives = _by_kind(json.loads(dump))
    backlog = {u: [_entry(text) for text in line] for u, line in sorted(found["backlog"].items())}
    rename = _names(found, backlog, push_with)
    demand(found["behind"] != "0", "P:behind is 0, not absent")

    def ticket_named(name):
        return rename.get(name, name)

    def lane_named(name):
        return named_lane(name, rename)

    meta = {ticket_named(t): text.split(" ") for t, text in _pairs(found["meta"])}
    first_seen = {t: m[2] for t, m in meta.items()}
    first_seen.update((ticket_named(e.ticket), e.first_seen) for line in backlog.values() for e in line)
    contents = Contents(
        jobs=tuple(push_with.get(raw, raw) for raw in found["jobs"]),
        ready=tuple(found["ready"]),
        lanes={u: tuple(lane_named(x) for x in line) for u, line in sorted(found["lanes"].items())},
        lane={lane_named(x): tuple(map(ticket_named, line)) for x, line in sorted(found["lane"].items())},
        bodies={rename[t]: push_with[raw] for t, raw in _pairs(found["body"])},
        deaths={t: int(m[1]) for t, m in meta.items()},
        backlog={
            u: tuple((ticket_named(e.ticket), lane_named(e.lane)) for e in line)
            for u, line in backlog.items()
        },
        behind=int(found["behind"] or 0),
        owned={
            i: tuple((lane_named(x), ticket_named(t)) for x, t in _pairs(flat))
            for i, flat in sorted(found["owned"].items())
        },
        instances=_leases(found),
        parked={u: int(n) for u, n in sorted(_pairs(found["parked"]))},
        delayed=_delays(found, lane_named),
        tried=tuple(sorted(t for t, m in meta.items() if len(m) > 3)),
        database=dict(_pairs(found["database"])).get("id", ""),
    )
    return Seen(
        contents,
        deliveries={t: int(m[0]) for t, m in meta.items()},
        first_seen=first_seen,
        replies=tuple((key, tuple(line), lives["reply", key]) for key, line in found["reply"].items()),
        dead=tuple(dict(_pairs(fields)) for fields in found["dead"]),
        status={i: lives["status", i] for i in found["status"]},
        database_ms=lives.get(("database",), 0),
        rename=rename,
    )
