"""What holds in every state, between any two scripts."""

from collections import Counter

from contents import demand, push_of, ticket_of
from model import database_of, incarnation, lane_of, previous, slot_of, user_of_lane


def check_state(state, scope):
    queue = state.queue
    check_places(state, scope)
    check_lanes(queue)
    check_users(queue, scope)
    check_order(state, scope)
    check_instances(state)
    check_databases(state, scope)
    check_effects(state, scope)


def check_places(state, scope):
    """Each job that was pushed and has no reply is in one place, and nothing else is anywhere."""
    queue = state.queue
    in_lanes = [t for tickets in queue.lane.values() for t in tickets]
    in_backlog = [t for line in queue.backlog.values() for t, _ in line]
    demand(queue.behind == len(in_backlog), f"P:behind is {queue.behind}, in backlogs are {in_backlog}")
    places = Counter([ticket_of(push) for push in queue.jobs] + in_lanes + in_backlog)
    waiting = [ticket_of(push) for push in range(state.pushed) if not state.answered[push]]
    for ticket in waiting:
        demand(places[ticket] == 1, f"job {push_of(ticket)} is in {places[ticket]} places, without a reply")
    demand(len(places) == len(waiting), f"more is waiting than was pushed and has no reply: {sorted(places)}")
    demand(set(queue.bodies) == set(in_lanes), f"bodies {sorted(queue.bodies)}, in lanes {sorted(in_lanes)}")
    demand(set(queue.deaths) == set(in_lanes), f"meta {sorted(queue.deaths)}, in lanes {sorted(in_lanes)}")
    for lane, tickets in queue.lane.items():
        for ticket in tickets:
            demand(lane == lane_of(scope.jobs[push_of(ticket)], ticket), f"{ticket} is in lane {lane}")
    for user, line in queue.backlog.items():
        for ticket, lane in line:
            job = scope.jobs[push_of(ticket)]
            demand(user == job.user, f"{ticket} is in the backlog of {user!r}")
            demand(lane == lane_of(job, ticket), f"{ticket} is in the backlog for lane {lane}")


def check_lanes(queue):
    """A lane is absent, ready, owned or delayed, and its owner has its first ticket."""
    ready = [lane for lanes in queue.lanes.values() for lane in lanes]
    owned = [pair for pairs in queue.owned.values() for pair in pairs]
    states = Counter(ready + [lane for lane, _ in owned] + list(queue.delayed))
    for lane in queue.lane:
        demand(states[lane] == 1, f"lane {lane} is ready, owned or delayed {states[lane]} times")
    demand(
        len(states) == len(queue.lane),
        f"ready, owned or delayed without tickets: {sorted(set(states) - set(queue.lane))}",
    )
    for lane, ticket in owned:
        demand(
            queue.lane[lane][0] == ticket, f"{ticket} is owned, {queue.lane[lane][0]} is first in lane {lane}"
        )


def check_users(queue, scope):
    for user, lanes in queue.lanes.items():
        demand(all(user_of_lane(lane) == user for lane in lanes), f"{user!r} has lanes of others: {lanes}")
    demand(
        sorted(queue.ready) == sorted(queue.lanes),
        f"in P:ready {queue.ready}, with ready lanes {list(queue.lanes)}",
    )
    parked = Counter()
    for lane, tickets in queue.lane.items():
        parked[user_of_lane(lane)] += len(tickets)
    demand(dict(parked) == queue.parked, f"P:parked is {queue.parked}, in lanes are {dict(parked)}")
    for user, count in parked.items():
        demand(count <= max(scope.shares), f"{user!r} has {count} jobs parked")
    for user in queue.backlog:
        demand(
            parked[user] >= min(scope.shares), f"{user!r} has a backlog and only {parked[user]} jobs parked"
        )
    demand(len(queue.bodies) <= scope.max_parked, f"{len(queue.bodies)} jobs are parked")


def check_order(state, scope):
    """Nothing passes what was pushed before: in a lane, in a backlog, and on the way between them."""
    queue = state.queue
    backlog = {user: [t for t, _ in line] for user, line in queue.backlog.items()}
    for user, tickets in backlog.items():
        demand(list(tickets) == sorted(tickets), f"the backlog of {user!r} is out of order: {tickets}")
    demand(list(queue.jobs) == sorted(queue.jobs, reverse=True), f"P:jobs is out of order: {queue.jobs}")
    behind = [t for tickets in backlog.values() for t in tickets]
    behind += [ticket_of(push) for push in reversed(queue.jobs)]
    for lane, tickets in queue.lane.items():
        line = list(tickets) + [t for t in behind if lane_of(scope.jobs[push_of(t)], t) == lane]
        demand(line == sorted(line), f"lane {lane} and what comes behind is out of order: {line}")


def check_instances(state):
    """Who is not registered owns nothing, unless a daemon is or was it: nobody would ever take it over."""
    queue = state.queue
    known = set(queue.instances)
    for slot, daemon in enumerate(state.daemons):
        if daemon.registered:
            known.add(incarnation(state, slot))
        known.add(previous(state, slot))
    for instance in queue.owned:
        demand(instance in known, f"{instance} owns lanes, is not registered, and no daemon knows it")
    if not state.honest:
        return
    for slot, daemon in enumerate(state.daemons):
        if daemon.up:
            owned = {t for _, t in queue.owned.get(incarnation(state, slot), ())}
            held = {h.ticket for h in daemon.held}
            demand(
                owned == held, f"{incarnation(state, slot)} runs {sorted(held)}, Redis says {sorted(owned)}"
            )


def check_databases(state, scope):
    """Those who may take have the same."""
    at_work = {database_of(scope, slot_of(i)) for i, end in state.queue.instances.items() if end <= 0}
    demand(len(at_work) <= 1, f"{sorted(at_work)} serve one queue: {state.queue.instances}")


def check_effects(state, scope):
    """A reply only after its effect; effects in the order of the conversation."""
    for push, outcome in enumerate(state.answered):
        job, ticket = scope.jobs[push], ticket_of(push)
        name = job.id or ticket
        if outcome == "ok":
            demand(name in state.finished, f"job {push} has a reply and no effect")
        if job.session and (name in state.finished or ticket in state.failed):
            earlier = [p for p in range(push) if scope.jobs[p][:2] == job[:2]]
            demand(
                all(state.answered[p] for p in earlier),
                f"job {push} has an effect before {earlier} are answered",
            )


def is_done(state):
    """Everything was pushed and has its reply, and no key is left but those that may be."""
    queue = state.queue
    return (
        all(state.answered)
        and not any(queue._replace(instances={}, database=""))
        and not any(d.held for d in state.daemons)
    )
