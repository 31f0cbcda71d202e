"""What each script must have done, told from the contents before and after and from its answer."""

import json
from collections import Counter

from contents import (
    DATABASE_MS,
    DELIVERIES,
    FAR,
    FIRST_SEEN,
    LIVE_UNTIL,
    WHY,
    demand,
    named_lane,
    push_of,
    ticket_of,
)
from model import database_of, slot_of, user_of_lane
from server import Failed

LEASE_MS = LIVE_UNTIL  # so that a lease that was put back could have been renewed just now
REPLY = "x"
REPLY_TTL_MS = 600_000
PAUSE_MS = 3_600_000
JOB_BYTES = 1000
BATCH_BYTES = 8 * 1024 * 1024


def arguments_of(call, scope, slot):
    """ARGV as the daemon sends it."""
    limits = [str(scope.max_parked), str(scope.shares[slot]), str(JOB_BYTES), "n"]
    values = [str(v) for v in call.values]
    if call.script == "finish":
        lane, ticket, outcome, reason, ingest, claim = values
        reply = f"{ticket}:{outcome}"
        values = [
            lane,
            ticket,
            "q:reply:" + REPLY,
            reply,
            str(REPLY_TTL_MS),
            ticket,
            reason,
            "why",
            ingest,
            claim,
        ]
    elif call.script == "heartbeat":
        new, previous = values
        values = [str(LEASE_MS), new, "{}", previous]
        if scope.databases:
            values.append(scope.databases[slot])
    elif call.script == "delay":
        values += [str(PAUSE_MS), WHY]
    elif call.script == "refuse":
        values = ["0", "0", *limits, str(REPLY_TTL_MS), "[]", "0", *values]
    if call.script in ("take", "finish"):
        values += [*limits, str(REPLY_TTL_MS), "[]", str(BATCH_BYTES)]
    return ["q", call.instance, *values]


def is_refused(call, before, scope):
    """Whether another database than this daemon's serves the queue."""
    mine = database_of(scope, slot_of(call.instance))
    return call.script == "heartbeat" and mine != "" and before.database not in ("", mine)


def checked(call, before, answer, seen, scope):
    """The script's answer with tickets by our names, after it was found right. `before` are contents."""
    refused = is_refused(call, before, scope)
    if refused:
        demand(answer == "OTHERDATABASE " + before.database, f"the script answered {answer}, it was to refuse")
        _check_refused(call, before, seen)
        _check_memory(call, before, answer, seen, ())
        return answer
    demand(not isinstance(answer, Failed), f"the script failed: {answer}")
    demand(answer is not None, "no answer")
    if call.script in ("take", "finish"):
        answer = _named(call, answer, seen.rename)
        _check_taking(call, before, answer, seen, scope)
    elif call.script == "refuse":
        _check_refusing(call, before, answer, seen, scope)
    else:
        _check_giving(call, before, answer, seen)
    _check_database(call, before, seen, scope)
    died = set(before.instances) - set(seen.contents.instances) if call.script == "heartbeat" else ()
    _check_memory(call, before, answer, seen, died)
    return answer


def _named(call, answer, rename):
    def delivery(d):
        lane, ticket, *rest = d
        return [named_lane(lane, rename), rename.get(ticket, ticket), *rest]

    def taken(t):
        return [*t[:4], [delivery(d) for d in t[4]]]

    return taken(answer) if call.script == "take" else [answer[0], taken(answer[1]), answer[2]]


def _owned(queue, instance):
    return queue.owned.get(instance, ())


def _check_memory(call, before, answer, seen, dead):
    """Deaths, deliveries and times of the jobs that were there and are: only what this script is to count."""
    after = seen.contents
    died, delivered = {t for i in dead for _, t in _owned(before, i)}, set()
    if call.script == "release" and call.values[2] == "1" and answer == 1:
        died = {call.values[1]}
    elif call.script in ("take", "finish"):
        taken = answer if call.script == "take" else answer[1]
        delivered = {d[1] for d in taken[4]}
    for ticket, deaths in after.deaths.items():
        known = ticket in before.deaths
        due = before.deaths.get(ticket, 0) + (ticket in died)
        demand(deaths == due, f"{ticket} has {deaths} deaths instead of {due}")
        due = (DELIVERIES if known else 0) + (ticket in delivered)
        demand(
            seen.deliveries[ticket] == due,
            f"{ticket} has {seen.deliveries[ticket]} deliveries instead of {due}",
        )
    waited = set(before.deaths) | {t for line in before.backlog.values() for t, _ in line}
    for ticket in waited & set(seen.first_seen):
        demand(seen.first_seen[ticket] == FIRST_SEEN, f"{ticket} has forgotten when it was first seen")


# ---- heartbeat, release, reconcile, leave


def _check_giving(call, before, answer, seen):
    me, after = call.instance, seen.contents
    instances, mine = dict(before.instances), _owned(before, me)
    owners, expected, said = {}, answer, None  # owner -> the lanes it loses
    woken, put_off = [], {}
    if call.script == "heartbeat":
        instances, owners, expected = _after_heartbeat(call, before)
        said = me if expected[0] else None
        if expected[0]:
            due = {lane: ended for lane, ended in before.delayed.items() if ended}
            woken = sorted(due, key=due.get)
        expected = [*expected, len(woken), 0, 0]
    elif call.script == "release":
        pair = call.values[:2]
        owners = {me: [pair]} if pair in mine else {}
        expected = len(owners)
    elif call.script == "delay":
        pair = call.values[:2]
        put_off = {me: [pair]} if pair in mine else {}
        expected = len(put_off)
    elif call.script == "reconcile":
        owners = {me: [pair for pair in mine if pair[1] not in call.values]}
        expected = len(owners[me])
    else:
        owners, expected = {me: list(mine)}, len(mine)
        instances.pop(me, None)
    demand(answer == expected, f"the script answered {answer} instead of {expected}")
    ends = sorted(end for end in instances.values() if end > 0)
    instances = {i: 1 + ends.index(end) if end > 0 else end for i, end in instances.items()}
    demand(after.instances == instances, f"instances are {after.instances} instead of {instances}")
    demand(set(seen.status) == {said} - {None}, f"status of {sorted(seen.status)}")
    _check_given_back(before, after, owners, put_off, woken)
    demand(not seen.replies and not seen.dead, f"a {call.script} has written {seen.replies or seen.dead}")


def _check_refused(call, before, seen):
    """This instance is none any more, and what it had, or was left of what it was before, is ready again."""
    me, previous = call.instance, call.values[1]
    instances = {i: end for i, end in before.instances.items() if i != me}
    ends = sorted(end for end in instances.values() if end > 0)
    instances = {i: 1 + ends.index(end) if end > 0 else end for i, end in instances.items()}
    demand(seen.contents.instances == instances, f"instances are {seen.contents.instances}")
    demand(not seen.status, f"status of {sorted(seen.status)}")
    owners = {me: list(_owned(before, me))} if me in before.instances else {}
    if previous and previous not in before.instances:
        owners[previous] = list(_owned(before, previous))
    _check_given_back(before, seen.contents, owners, {}, [])
    demand(seen.contents.database == before.database, "P:database is not what it was")
    demand(not seen.replies and not seen.dead, "a refused heartbeat has written a reply or a dead letter")


def _check_database(call, before, seen, scope):
    """Each beat of a registered instance names it anew, and the last one that leaves takes it along."""
    named = before.database
    if call.script == "heartbeat" and call.instance in seen.contents.instances:
        named = database_of(scope, slot_of(call.instance)) or named
        demand(not named or seen.database_ms > DATABASE_MS, "P:database was not renewed")
    if call.script == "leave" and not seen.contents.instances:
        named = ""
    demand(seen.contents.database == named, f"P:database is {seen.contents.database!r} instead of {named!r}")


def _after_heartbeat(call, before):
    me, instances, (new, previous) = call.instance, dict(before.instances), call.values
    if new != "1" and me not in instances:
        return instances, {}, [0, 0, 0]
    mine = instances.get(me, 0)
    if mine > 0:  # it cannot tell who is dead
        instances = {i: min(end, 0) for i, end in instances.items()}
    if mine == FAR:  # nor does the clock
        instances = {i: max(end, 0) for i, end in instances.items()}
    instances[me] = 0
    owners = {i: list(_owned(before, i)) for i, end in instances.items() if end > 0}
    instances = {i: end for i, end in instances.items() if end <= 0}
    if previous and previous not in instances:
        owners[previous] = list(_owned(before, previous))
    return instances, owners, [1, sum(map(len, owners.values())), len(_owned(before, me))]


def _check_given_back(before, after, owners, put_off, woken):
    """Those lanes are ready, in front, or delayed; all else is as it was."""
    given = [lane for pairs in owners.values() for lane, _ in pairs] + woken
    gone = {i: (*owners.get(i, ()), *put_off.get(i, ())) for i in before.owned}
    owned = {i: tuple(p for p in pairs if p not in gone[i]) for i, pairs in before.owned.items()}
    owned = {i: pairs for i, pairs in owned.items() if pairs}
    demand(after.owned == owned, f"owned are {after.owned} instead of {owned}")
    off = [pair for pairs in put_off.values() for pair in pairs]
    delayed = {lane: ended for lane, ended in before.delayed.items() if lane not in woken}
    delayed.update((lane, 0) for lane, _ in off)
    demand(after.delayed == delayed, f"delayed are {after.delayed} instead of {delayed}")
    tried = set(before.tried) | {ticket for _, ticket in off}
    demand(set(after.tried) == tried, f"tried are {after.tried} instead of {sorted(tried)}")
    first = list(dict.fromkeys(user_of_lane(lane) for lane in woken))
    first = [user for user in first if user in after.ready[: len(after.ready) - len(before.ready)]]
    demand(
        list(after.ready[: len(first)]) == first or after.ready == before.ready,
        f"{woken} were due, P:ready is {after.ready}",
    )
    for user, lanes in after.lanes.items():
        theirs = tuple(lane for lane in woken if user_of_lane(lane) == user)
        demand(lanes[: len(theirs)] == theirs, f"{theirs} were due, the lanes of {user!r} are {lanes}")
    for part in ("jobs", "lane", "bodies", "backlog", "behind", "parked"):
        demand(getattr(after, part) == getattr(before, part), f"P:{part} is not what it was")
    demand(
        _ends_with(after.ready, before.ready), f"not in front: P:ready was {before.ready}, is {after.ready}"
    )
    for user in {**before.lanes, **after.lanes}:
        was, now = before.lanes.get(user, ()), after.lanes.get(user, ())
        demand(_ends_with(now, was), f"not in front: the lanes of {user!r} were {was}, are {now}")
    ready = sorted(lane for lanes in after.lanes.values() for lane in lanes)
    due = sorted([lane for lanes in before.lanes.values() for lane in lanes] + given)
    demand(ready == due, f"ready are {ready} instead of {due}")


def _ends_with(whole, end):
    return whole[len(whole) - len(end) :] == end


# ---- refuse


def refused_in(seen):
    """The pushes that a refuse has buried."""
    return sorted(json.loads(letter["job"])["push"] for letter in seen.dead)


def _check_refusing(call, before, answer, seen, scope):
    """The one job that the instance owns without knowing it is a dead letter, and told where its id says; all else as
    after a finish. Of several none is touched."""
    me, after = call.instance, seen.contents
    lost = [pair for pair in _owned(before, me) if pair[1] not in call.values]
    lost = lost if len(lost) == 1 else []
    demand(answer == len(lost), f"{answer} were refused instead of {len(lost)}")
    pushes = sorted(push_of(ticket) for _, ticket in lost)
    demand(refused_in(seen) == pushes, f"{refused_in(seen)} were buried instead of {pushes}")
    for letter in seen.dead:
        found = (letter["reason"], letter["attempts"])
        demand(found == ("internal", str(DELIVERIES)), f"a dead letter says {found}")
    told = sorted({scope.jobs[push].id for push in pushes} - {""})
    demand(sorted(key for key, *_ in seen.replies) == told, f"replies are {seen.replies} instead of to {told}")
    for _, replies, left in seen.replies:
        demand(0 < left <= REPLY_TTL_MS, f"a reply lives {left} ms")
        demand(all(json.loads(r)["error"]["type"] == "internal" for r in replies), f"replies are {replies}")
    kept = tuple(pair for pair in _owned(before, me) if pair not in lost)
    owned = {i: pairs for i, pairs in {**before.owned, me: kept}.items() if pairs}
    demand(after.owned == owned, f"owned are {after.owned} instead of {owned}")
    demand(after.instances == before.instances and not seen.status, "a refuse has changed who is registered")
    demand(after.delayed == before.delayed, f"delayed are {after.delayed} instead of {before.delayed}")
    limits = (0, scope.shares[slot_of(me)], scope.max_parked)
    _check_moved(before, after, 0, [user_of_lane(lane) for lane, _ in lost], limits, scope)
    _check_turns(before, after, [])


# ---- take, finish


def _check_taking(call, before, answer, seen, scope):
    me, after = call.instance, seen.contents
    ingest, claim = call.values[-2:]
    mine, gone = _owned(before, me), ()
    demand(after.delayed == before.delayed, f"delayed are {after.delayed} instead of {before.delayed}")
    tried = tuple(t for t in before.tried if t in after.bodies)
    demand(after.tried == tried, f"tried are {after.tried} instead of {tried}")
    if call.script == "finish":
        pair, outcome, reason = call.values[:2], call.values[2], call.values[3]
        ours = pair in mine
        demand(answer[0] == int(ours), f"finished is {answer[0]} instead of {int(ours)}")
        if ours:
            gone = (user_of_lane(pair[0]),)
            mine = tuple(p for p in mine if p != pair)
        _check_settled(pair[1], outcome, reason, seen, ours)
        demand(answer[2] == "", f"something was refused: {answer[2]}")
        answer = answer[1]
    else:
        demand(not seen.replies and not seen.dead, "a take has written a reply or a dead letter")
    alive, _, moved, more, claimed = answer
    demand(alive == int(me in before.instances), f"alive is {alive}")
    demand(after.instances == before.instances and not seen.status, "a take has changed who is registered")
    limits = (ingest if alive else 0, scope.shares[slot_of(me)], scope.max_parked)
    _check_moved(before, after, moved, gone, limits, scope)
    demand(len(claimed) <= (claim if alive else 0), f"{len(claimed)} lanes were claimed")
    left = bool(alive and (after.jobs or after.ready))
    asked_in_vain = moved < ingest and len(claimed) < claim
    demand(more >= left and not (more > left and asked_in_vain), f"there may be more: {more}")
    owned = {**before.owned, me: mine + tuple((d[0], d[1]) for d in claimed)}
    owned = {i: pairs for i, pairs in owned.items() if pairs}
    demand(after.owned == owned, f"owned are {after.owned} instead of {owned}")
    _check_deliveries(claimed, after, seen)
    demand(
        not alive or len(claimed) == claim or not after.ready, f"{claim} asked for, {len(claimed)} claimed"
    )
    _check_turns(before, after, [d[0] for d in claimed])


def _check_settled(ticket, outcome, reason, seen, ours):
    replies = ((REPLY, (f"{ticket}:{outcome}",)),) if ours else ()
    demand(tuple(r[:2] for r in seen.replies) == replies, f"replies are {seen.replies} instead of {replies}")
    letters = [(ticket, reason, str(DELIVERIES))] if ours and reason else []
    found = [(d["id"], d["reason"], d["attempts"]) for d in seen.dead]
    demand(found == letters, f"dead letters are {found} instead of {letters}")


def _check_moved(before, after, moved, gone, limits, scope):
    """The right end of P:jobs went to lanes and backlogs as far as there was room, and backlogs to lanes."""
    due, parked, behind = _moves(before, gone, limits, scope)
    demand(moved == due, f"{moved} jobs were moved instead of {due}")
    kept = len(before.jobs) - moved
    demand(after.jobs == before.jobs[:kept], f"P:jobs was {before.jobs}, is {after.jobs}, moved {moved}")
    demand(after.parked == dict(+parked), f"P:parked is {after.parked} instead of {dict(+parked)}")
    lengths = {user: len(line) for user, line in after.backlog.items()}
    demand(lengths == dict(+behind), f"backlogs are as long as {lengths} instead of {dict(+behind)}")


def _moves(before, gone, limits, scope):
    """`gone`: whose jobs have ended. How many jobs leave P:jobs, and how many each user then has in lanes and in the backlog."""
    ingest, share, max_parked = limits
    parked = Counter(before.parked)
    behind = Counter({user: len(line) for user, line in before.backlog.items()})

    def refill(user):
        places = max(0, min(share - parked[user], behind[user]))
        parked[user] += places
        behind[user] -= places

    for user in gone:
        parked[user] -= 1
        refill(user)
    for moved, push in enumerate(reversed(before.jobs)):
        user, has_room = scope.jobs[push].user, sum(parked.values()) < max_parked
        waits = parked[user] >= share or behind[user]
        if moved == ingest or not (waits or has_room):
            return moved, parked, behind
        (behind if waits else parked)[user] += 1
        if has_room:
            refill(user)
    return len(before.jobs), parked, behind


def _check_deliveries(claimed, after, seen):
    for lane, ticket, _, deliveries, deaths, first_seen, *since in claimed:
        demand(bool(since) == (ticket in after.tried), f"{ticket} was handed out with {since}")
        demand(ticket in after.bodies, f"{ticket} was handed out and is not there")
        facts = (seen.deliveries[ticket], after.deaths[ticket], seen.first_seen[ticket])
        demand(
            (deliveries, deaths, first_seen) == facts,
            f"{ticket} was handed out with other figures than {facts}",
        )


def _check_turns(before, after, claimed):
    """From the front, new ones to the end, and nobody twice while another has had nothing."""
    users = [user_of_lane(lane) for lane in claimed]
    for user in {**before.lanes, **after.lanes}:
        line = tuple(x for x in claimed if user_of_lane(x) == user) + after.lanes.get(user, ())
        was = before.lanes.get(user, ())
        demand(line[: len(was)] == was, f"the lanes of {user!r} were {was}, are {line} with those claimed")
    for n, user in enumerate(users):
        if user in users[:n]:
            passed = set(after.ready) - set(users)
            demand(not passed, f"{user!r} had two turns before {sorted(passed)} had one")
    line = tuple(u for u in users if u in before.ready) + tuple(u for u in after.ready if u not in users)
    line = tuple(u for n, u in enumerate(line) if u in before.ready and u not in line[:n])
    demand(line == before.ready, f"P:ready was {before.ready}, turns came as {line}")


def replied(state, call, seen):
    """The state with the reply noted that this call has written, if it has; one that was refused counts as told."""
    if call.script == "refuse":
        answered = list(state.answered)
        for push in refused_in(seen):
            demand(not answered[push], f"job {push} was refused after its reply")
            answered[push] = "refused"
        return state._replace(answered=tuple(answered))
    if not seen.replies:
        return state
    push = push_of(call.values[1])
    demand(not state.answered[push], f"job {push} has a second reply")
    answered = list(state.answered)
    answered[push] = call.values[2]
    return state._replace(answered=tuple(answered))


def check_session_order(state, call, seen, scope):
    """Replies of a conversation come in its order."""
    if seen.replies and call.script != "refuse":
        push = push_of(call.values[1])
        job = scope.jobs[push]
        earlier = [p for p in range(push) if job.session and scope.jobs[p][:2] == job[:2]]
        late = [ticket_of(p) for p in earlier if not state.answered[p]]
        demand(not late, f"job {push} is answered before {late}")
