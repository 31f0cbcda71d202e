"""Daemons, their store and the producer, as small as the scripts' promises allow.

A daemon here does what the job queue and the chat turn do, one call at a time. What is not
modelled as a step of its own: a daemon that stalls is one that takes no step while its lease ends; a call
whose answer is lost is one that lies on its way (`late`) and is carried out at any later time, or never.
"""

import hashlib
from typing import NamedTuple

from contents import FAR, Contents, push_of

MAX_DELIVERIES = 2


class Job(NamedTuple):
    user: str
    session: str = ""
    id: str = ""


class Scope(NamedTuple):
    """How much is explored."""

    name: str
    jobs: tuple
    shares: tuple = (99, 99)  # max_parked_per_user of each daemon: as many as there are daemons
    max_parked: int = 99
    ingests: tuple = (99,)  # jobs that a call may move; daemons ask for many and are cut short by their size
    fewer_claims: bool = False  # than there is room for, as when a call is cut short by the size of jobs
    max_in_flight: int = 2
    faults: int = 1
    kinds: tuple = ("crash", "stall", "lose", "release", "fail", "leave")  # and delay, forget, clock, snatch, refuse
    databases: tuple = ()  # of each daemon; (): none tells any
    reconciles: bool = True  # False is a daemon with a mistake, to see whether that is found


class Held(NamedTuple):
    """A delivery in a daemon's hands; `outcome` is in the store once it is not empty."""

    instance: str
    lane: str
    ticket: str
    deaths: int
    outcome: str = ""


class Daemon(NamedTuple):
    """`generation` counts its incarnations; `late` are its calls on lost connections.

    `anew`: it was taken for dead, and none of its calls as the new instance has had an answer.
    """

    up: bool = False
    generation: int = 0
    registered: bool = False
    anew: bool = False
    unsure: bool = False
    held: tuple = ()
    late: tuple = ()


class State(NamedTuple):
    queue: Contents
    daemons: tuple
    pushed: int = 0
    answered: tuple = ()  # outcome of each push, '' while it has none
    finished: frozenset = frozenset()  # names of jobs with an effect, as engram_finished_job
    failed: frozenset = frozenset()  # tickets, as engram_failed_delivery
    faults: int = 0  # that may still come
    honest: bool = True  # no daemon has stalled and no answer was lost


class Call(NamedTuple):
    script: str
    instance: str
    values: tuple  # what the script is told, before the limits

    def __str__(self):
        return f"{self.script} of {self.instance} {' '.join(map(str, self.values))}".rstrip()


def first_state(scope):
    daemons = tuple(Daemon(up=True, generation=1) for _ in scope.shares)
    return State(Contents(), daemons, answered=("",) * len(scope.jobs), faults=scope.faults)


def instance_name(slot, generation):
    return f"{chr(ord('A') + slot)}{generation}"


def slot_of(instance):
    return ord(instance[0]) - ord("A")


def incarnation(state, slot):
    return instance_name(slot, state.daemons[slot].generation)


def previous(state, slot):
    """The instance that this daemon was before, while it has to say so."""
    daemon = state.daemons[slot]
    return instance_name(slot, daemon.generation - 1) if daemon.anew else ""


def lane_of(job, ticket):
    if not job.user:
        return "~" + ticket
    user = f"{len(job.user)}:{job.user}:"
    if job.session:
        return user + job.session
    return f"~id:{user}{job.id}" if job.id else f"~t:{user}{ticket}"


def user_of_lane(lane):
    """The length of a user's name stands before it; an orphaned lane has none."""
    parts = lane.split(":")
    return parts[2 if lane[0] == "~" else 1] if len(parts) > 1 else ""


def body_of(job, push):
    """The bytes; `push` tells two pushes of one job apart."""
    fields = [f'"user_id":"{job.user}"', f'"push":{push}']
    fields += [f'"session_id":"{job.session}"'] if job.session else []
    fields += [f'"id":"{job.id}"'] if job.id else []
    return "{" + ",".join(fields) + "}"


# ---- what makes two states one


ABSENT = FAR - 1


def database_of(scope, slot):
    return scope.databases[slot] if scope.databases else ""


def _signature(slot, state, scope):
    """All about one daemon, without its name: nothing else in a state refers to it."""
    daemon, queue = state.daemons[slot], state.queue
    letter = chr(ord("A") + slot)
    names = {i for i in queue.instances if i[0] == letter} | {i for i in queue.owned if i[0] == letter}
    names |= {h.instance for h in daemon.held} | {call.instance for call in daemon.late}
    names |= {call.values[1] for call in daemon.late if call.script == "heartbeat" and call.values[1]}
    if daemon.up:
        names.add(incarnation(state, slot))
    if daemon.anew:
        names.add(previous(state, slot))
    rank = {i: n for n, i in enumerate(sorted(names, key=lambda i: -int(i[1:])))}
    return (
        daemon.up,
        scope.shares[slot],
        database_of(scope, slot),
        daemon.registered,
        daemon.anew,
        daemon.unsure,
        tuple(sorted((rank[h.instance], *h[1:]) for h in daemon.held)),
        tuple(
            sorted((c.script, rank[c.instance], str([rank.get(v, v) for v in c.values])) for c in daemon.late)
        ),
        tuple((n, queue.instances.get(i, ABSENT), queue.owned.get(i, ())) for i, n in rank.items()),
    )


def canonical(state, scope):
    """A digest that is the same for states that differ in names alone."""
    q = state.queue
    key = (
        q.jobs,
        q.ready,
        tuple(q.lanes.items()),
        tuple(q.lane.items()),
        tuple(sorted(q.deaths.items())),
        tuple(q.backlog.items()),
        (q.behind, tuple(sorted(q.bodies)), tuple(q.parked.items())),
        (tuple(q.delayed.items()), q.tried),
        tuple(sorted(_signature(slot, state, scope) for slot in range(len(scope.shares)))),
        q.database,
        state.answered,
        tuple(sorted(state.finished)),
        tuple(sorted(state.failed)),
        (state.pushed, state.faults, state.honest),
    )
    return hashlib.blake2b(repr(key).encode(), digest_size=16).digest()


# ---- changes of a daemon


def replaced(state, slot, **changes):
    daemons = list(state.daemons)
    daemons[slot] = daemons[slot]._replace(**changes)
    return state._replace(daemons=tuple(daemons))


def own_held(state, slot):
    """Deliveries of the present incarnation: only those take room, and reconcile names them."""
    me = incarnation(state, slot)
    return [h for h in state.daemons[slot].held if h.instance == me]


def lose_everything(state, slot):
    """Taken for dead: what runs is cancelled, what is being written goes on under the old name."""
    daemon = state.daemons[slot]
    return replaced(
        state,
        slot,
        generation=daemon.generation + 1,
        registered=False,
        anew=True,
        unsure=False,
        held=tuple(h for h in daemon.held if h.outcome),
    )


def accept(state, slot, taken):
    """`taken` is what take returns, with our names for tickets and lanes."""
    alive, _, _, _, claimed = taken
    if not alive:
        return lose_everything(state, slot)
    me = incarnation(state, slot)
    new = tuple(Held(me, lane, ticket, int(deaths)) for lane, ticket, _, _, deaths, *_ in claimed)
    return replaced(state, slot, held=tuple(sorted(state.daemons[slot].held + new)))


def without(held, one):
    return tuple(h for h in held if h != one)


def commit(state, slot, one, scope):
    """The first outcome counts, whoever brings it; later ones find it."""
    job = scope.jobs[push_of(one.ticket)]
    name = job.id or one.ticket
    if name in state.finished:
        outcome = "ok"
    elif one.ticket in state.failed:
        outcome = "poisoned"
    elif one.deaths >= MAX_DELIVERIES:
        outcome, state = "poisoned", state._replace(failed=state.failed | {one.ticket})
    else:
        outcome, state = "ok", state._replace(finished=state.finished | {name})
    held = tuple(sorted(without(state.daemons[slot].held, one) + (one._replace(outcome=outcome),)))
    return replaced(state, slot, held=held)


def push(state):
    queue = state.queue._replace(jobs=(state.pushed, *state.queue.jobs))
    return state._replace(queue=queue, pushed=state.pushed + 1)


def end_pause(state, lane):
    delayed = dict(state.queue.delayed)
    delayed[lane] = 1 + max(0, *delayed.values())
    return state._replace(queue=state.queue._replace(delayed=delayed))


def end_lease(state, instance):
    instances = dict(state.queue.instances)
    instances[instance] = 1 + max(0, *instances.values())
    return with_instances(state, instances)


def name_database(state, database):
    return state._replace(queue=state.queue._replace(database=database))


def with_instances(state, instances):
    return state._replace(queue=state.queue._replace(instances=instances))
