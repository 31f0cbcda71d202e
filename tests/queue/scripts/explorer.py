"""Breadth first through all states of a scope, each once."""

from typing import NamedTuple

import contents
from answers import arguments_of, check_session_order, checked, replied
from contents import Violation, as_commands
from invariants import check_state, is_done
from model import body_of, canonical, first_state, slot_of
from steps import steps_of

BATCH = 400  # scripts for one round trip


class Found(NamedTuple):
    states: int
    transitions: int
    scripts: int
    ends: int  # states in which everything is done
    depth: int


class Explorer:
    """`queue` is a server.Queue. Raises Violation, with the shortest trace to it."""

    def __init__(self, queue, scope):
        self.queue, self.scope = queue, scope
        self.bodies = [body_of(job, push) for push, job in enumerate(scope.jobs)]
        self.push_with = {body: push for push, body in enumerate(self.bodies)}
        self.known = {}  # (contents, call) -> what came of it
        self.number = {}  # canonical form -> number of the state
        self.come_from = []  # number of the state before, label of the step
        self.next_fair = []  # where a fair step leads first: (number, label), or None
        self.done = []
        self.scripts = self.transitions = 0

    def explore(self):
        frontier, depth = [self._arrive(first_state(self.scope), None, "")], 0
        while frontier:
            frontier = self._expand(frontier)
            depth += 1
        self._check_that_all_ends()
        return Found(len(self.done), self.transitions, self.scripts, sum(self.done), depth)

    def _arrive(self, state, before, label):
        """(number, state) of a state never seen before, else (number, None)."""
        key = canonical(state, self.scope)
        number = self.number.get(key)
        if number is not None:
            return number, None
        check_state(state, self.scope)
        number = self.number[key] = len(self.done)
        self.come_from.append((before, label))
        self.next_fair.append(None)
        self.done.append(is_done(state))
        return number, state

    def _expand(self, frontier):
        """One step of each of these states; the states that are new."""
        new, waiting, unknown = [], [], {}
        for number, state in frontier:
            before = as_commands(state.queue, self.bodies)
            for step in steps_of(state, self.scope):
                key = (before, step.call)
                waiting.append((number, state, step, key))
                if step.call and key not in self.known:
                    unknown[key] = state
            if len(unknown) >= BATCH:
                self._step(waiting, unknown, new)
                waiting, unknown = [], {}
        self._step(waiting, unknown, new)
        return new

    def _step(self, waiting, unknown, new):
        results = self._carry_out(unknown)
        for number, state, step, key in waiting:
            self.transitions += 1
            try:
                if key in results:
                    self.known[key] = self._judged(unknown[key], step.call, *results.pop(key))
                reached, fresh = self._arrive(self._after(state, step, key), number, step.label)
            except Violation as violation:
                violation.trace = [*self._trace(number), step.label]
                raise
            if fresh is not None:
                new.append((reached, fresh))
            if step.fair and reached != number and self.next_fair[number] is None:
                self.next_fair[number] = (reached, step.label)

    def _carry_out(self, unknown):
        """What a script does to the same contents is asked once, however many states share them."""
        calls = [
            (before, call.script, arguments_of(call, self.scope, slot_of(call.instance)))
            for before, call in unknown
        ]
        self.scripts += len(calls)
        return dict(zip(unknown, self.queue.carry_out(calls)))

    def _judged(self, state, call, answer, dump):
        seen = contents.read(dump, self.push_with)
        return checked(call, state.queue, answer, seen, self.scope), seen

    def _after(self, state, step, key):
        if not step.call:
            return step.then(state, None)
        answer, seen = self.known[key]
        check_session_order(state, step.call, seen, self.scope)
        after = replied(state._replace(queue=seen.contents), step.call, seen)
        return step.then(after, answer)

    def _check_that_all_ends(self):
        """From everywhere, fair steps alone bring everything to its end."""
        ends = set(n for n, done in enumerate(self.done) if done)
        for start in range(len(self.done)):
            path, labels, at = [], [], start
            while at not in ends:
                path.append(at)
                after = self.next_fair[at]
                if after is None or after[0] in path:
                    violation = Violation(
                        "it goes on for ever" if after else "nothing goes on, and jobs wait"
                    )
                    violation.trace = [*self._trace(start), "and from here, by fair steps:", *labels]
                    raise violation
                at = after[0]
                labels.append(after[1])
            ends.update(path)

    def _trace(self, number):
        labels = []
        while number is not None:
            number, label = self.come_from[number]
            labels.append(label)
        return labels[-2::-1]
