"""Every step that can come next in a state.

A step is fair if a healthy system takes it by itself, sooner or later; they come first, in an order in which
one surviving daemon would bring everything to its end. The others are faults and late calls.
"""

from typing import Callable, NamedTuple, Optional

from contents import FAR
from server import Failed
from model import (
    Call,
    accept,
    commit,
    end_lease,
    name_database,
    end_pause,
    incarnation,
    instance_name,
    lose_everything,
    own_held,
    previous,
    push,
    replaced,
    slot_of,
    with_instances,
    without,
)

MOST_LATE = 2


class Step(NamedTuple):
    label: str
    fair: bool
    call: Optional[Call]  # None: Redis has no part in it
    then: Callable  # (state with the contents after it, the script's answer) -> state


def steps_of(state, scope):
    slots = range(len(state.daemons))
    yield from _ends_of_dead_leases(state)
    yield from _ends_of_pauses(state)
    yield from _end_of_the_database(state)
    for slot in slots:
        yield from _duties(state, slot, scope)
    for slot in slots:
        yield from _takes(state, slot, scope)
    if state.pushed < len(scope.jobs):
        yield Step(f"job {state.pushed} is pushed", True, None, lambda s, _: push(s))
    yield from _restarts(state)
    for slot in slots:
        yield from _late_calls(state, slot)
    if state.faults > 0:
        for slot in slots:
            yield from _faults(state, slot, scope)
        if "clock" in scope.kinds:
            yield _jump(state)
        if "snatch" in scope.kinds:
            yield _snatched(state)


def _is_present(state, instance):
    daemon = state.daemons[slot_of(instance)]
    return daemon.up and instance == instance_name(slot_of(instance), daemon.generation)


def _ends_of_dead_leases(state):
    leases = state.queue.instances
    # Otherwise it is not waited for: a daemon with such a lease corrects them all.
    far_ones_end = not any(end == FAR and _is_present(state, i) for i, end in leases.items())
    for instance, ended in leases.items():
        if (ended == 0 or ended == FAR and far_ones_end) and not _is_present(state, instance):
            yield Step(
                f"lease of {instance}, which is gone, ends",
                True,
                None,
                lambda s, _, i=instance: end_lease(s, i),
            )


def _ends_of_pauses(state):
    for lane, ended in state.queue.delayed.items():
        if ended == 0:
            yield Step(f"the pause of {lane} ends", True, None, lambda s, _, x=lane: end_pause(s, x))


def _end_of_the_database(state):
    """P:database lives as long as the last lease."""
    if state.queue.database and all(end > 0 for end in state.queue.instances.values()):
        yield Step("P:database expires", True, None, lambda s, _: name_database(s, ""))


def _restarts(state):
    nobody = not any(d.up for d in state.daemons)
    for slot, daemon in enumerate(state.daemons):
        if not daemon.up:
            generation = daemon.generation + 1
            yield Step(
                f"{instance_name(slot, generation)} starts",
                nobody,
                None,
                lambda s, _, k=slot, g=generation: replaced(
                    s, k, up=True, generation=g, registered=False, unsure=False
                ),
            )


def _called(call, then, fair=True):
    return Step(str(call), fair, call, then)


def _heartbeat(state, slot):
    daemon = state.daemons[slot]

    def then(state, answer):
        if isinstance(answer, Failed):  # another database serves the queue
            return lose_everything(state, slot) if state.daemons[slot].registered else state
        if answer[0] == 0:
            return lose_everything(state, slot)
        unsure = state.daemons[slot].unsure or answer[2] > len(own_held(state, slot))
        return replaced(state, slot, registered=True, anew=False, unsure=unsure)

    values = ("0" if daemon.registered else "1", previous(state, slot))
    return _called(Call("heartbeat", incarnation(state, slot), values), then)


def _reconcile(state, slot):
    known = tuple(h.ticket for h in own_held(state, slot))
    return _called(
        Call("reconcile", incarnation(state, slot), known), lambda s, _: replaced(s, slot, unsure=False)
    )


def _refuse(state, slot):
    """What was delivered and lost cannot be delivered. It is known no better than before."""
    known = tuple(h.ticket for h in own_held(state, slot))
    return _called(Call("refuse", incarnation(state, slot), known), lambda s, _: s, False)


def _claims(state, slot, scope, freed):
    """(ingest, claim) that this daemon may ask for."""
    daemon = state.daemons[slot]
    room = scope.max_in_flight - len(own_held(state, slot)) + freed
    if not daemon.registered or daemon.unsure or room < 1:
        return ((0, 0),)
    least = 1 if scope.fewer_claims else room
    return tuple(
        (ingest, claim) for claim in range(room, least - 1, -1) for ingest in reversed(scope.ingests)
    )


def _finishes(state, slot, scope, one):
    ours = one.instance == incarnation(state, slot)
    reason = one.outcome if one.outcome != "ok" else ""
    for ingest, claim in _claims(state, slot, scope, 1) if ours else ((0, 0),):

        def then(state, answer):
            state = replaced(state, slot, held=without(state.daemons[slot].held, one))
            return accept(state, slot, answer[1]) if ours and claim else state

        values = (one.lane, one.ticket, one.outcome, reason, ingest, claim)
        yield _called(Call("finish", one.instance, values), then)


def _duties(state, slot, scope):
    """What a daemon does whether or not there is more to take."""
    daemon = state.daemons[slot]
    if not daemon.up:
        return
    yield _heartbeat(state, slot)
    if daemon.unsure and daemon.registered and scope.reconciles:
        yield _reconcile(state, slot)
    for one in daemon.held:
        if one.outcome:
            yield from _finishes(state, slot, scope, one)
        else:
            label = f"{one.instance} commits {one.ticket}"
            yield Step(label, True, None, lambda s, _, o=one: commit(s, slot, o, scope))


def _takes(state, slot, scope):
    if not state.daemons[slot].up or not (state.queue.jobs or state.queue.ready):
        return
    for ingest, claim in _claims(state, slot, scope, 0):
        if claim:
            call = Call("take", incarnation(state, slot), (ingest, claim))
            yield _called(call, lambda s, answer: accept(s, slot, answer))


def _late_calls(state, slot):
    late = state.daemons[slot].late
    for call in sorted(set(late)):
        rest = list(late)
        rest.remove(call)
        yield Step(f"late: {call}", False, call, lambda s, _, r=tuple(rest): replaced(s, slot, late=r))


# ---- faults


def _returns(state, slot, kinds):
    """Deliveries given back before their time, by will or by a handler that failed."""
    for one in own_held(state, slot):
        for kind, script, values in (
            ("release", "release", ("0",)),
            ("fail", "release", ("1",)),
            ("delay", "delay", ()),
        ):
            if kind in kinds and not (kind == "delay" and one.outcome):
                call = Call(script, one.instance, (one.lane, one.ticket, *values))
                yield _called(
                    call, lambda s, _, o=one: replaced(s, slot, held=without(s.daemons[slot].held, o)), False
                )


def _gone(state, slot):
    return replaced(state, slot, up=False, registered=False, anew=False, unsure=False, held=())


def _lost(state, slot, step):
    """The same call, but its answer never comes; Redis may still carry it out."""
    call = step.call
    claims = call.script == "take" or (call.script == "finish" and call.values[-1] > 0)

    def then(state, _):
        daemon = state.daemons[slot]
        if call.script in ("release", "delay"):
            one = next(h for h in daemon.held if h.ticket == call.values[1] and h.instance == call.instance)
            state = replaced(state, slot, held=without(daemon.held, one))
        if call.script == "leave":
            state = _gone(state, slot)
        elif claims or call.script in ("release", "delay"):
            state = replaced(state, slot, unsure=True)
        late = tuple(sorted(state.daemons[slot].late + (call,)))
        return replaced(state, slot, late=late)._replace(honest=False)

    return Step(f"no answer to: {call}", False, None, then)


def _jump(state):
    """Every lease seems to end much later than it can, also one that was over."""

    def then(state, _):
        leases = dict.fromkeys(state.queue.instances, FAR)
        return with_instances(state, leases)._replace(faults=state.faults - 1)

    return Step("the clock jumps back", False, None, then)


def _snatched(state):
    """A daemon that has gone again was faster after P:database was lost."""
    return Step(
        "another database is named",
        False,
        None,
        lambda s, _: name_database(s, "3.3")._replace(faults=s.faults - 1, honest=False),
    )


def _forgotten(state, me):
    """By an operator's hand, or after data were restored in part."""
    others = {i: end for i, end in state.queue.instances.items() if i != me}
    return with_instances(state, others)._replace(honest=False)


def _faults(state, slot, scope):
    daemon = state.daemons[slot]
    if not daemon.up:
        return
    me = incarnation(state, slot)
    chosen = list(_returns(state, slot, scope.kinds))
    if "refuse" in scope.kinds and daemon.registered and daemon.unsure:
        chosen.append(_refuse(state, slot))
    if "leave" in scope.kinds and daemon.registered:
        chosen.append(_called(Call("leave", me, ()), lambda s, _: _gone(s, slot), False))
    if "lose" in scope.kinds and len(daemon.late) < MOST_LATE:
        calls = [s for s in (*_duties(state, slot, scope), *_takes(state, slot, scope), *chosen) if s.call]
        chosen += [_lost(state, slot, s) for s in calls]
    if "crash" in scope.kinds:
        chosen.append(Step(f"{me} crashes", False, None, lambda s, _: _gone(s, slot)))
    if "forget" in scope.kinds and me in state.queue.instances:
        label = f"{me} is no longer in P:instances"
        chosen.append(Step(label, False, None, lambda s, _: _forgotten(s, me)))
    if "stall" in scope.kinds and state.queue.instances.get(me) == 0:
        label = f"{me} stalls until its lease ends"
        chosen.append(Step(label, False, None, lambda s, _: end_lease(s, me)._replace(honest=False)))
    for step in chosen:
        yield step._replace(
            then=lambda s, answer, then=step.then: then(s, answer)._replace(faults=s.faults - 1)
        )
