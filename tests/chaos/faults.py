"""Each fault: how it begins, and how it ends."""

import heapq
import itertools
import json
import time

import redis

from plan import PREFIX
from proxy import DOWN, UP
from stage import eventually


class Faults:
    """Fires the faults of a plan. What has to be undone is undone by `run_due`, or by `lift_all`."""

    def __init__(self, stage, notes):
        self.stage, self.notes = stage, notes
        self._later = []
        self._order = itertools.count()
        self._is_paused = False  # the queue, as far as is known
        self._lifting = False

    def fire(self, fault):
        if self._is_missing(fault.kind):
            return
        getattr(self, "_" + fault.kind)(fault)

    def _is_missing(self, kind):
        stage = self.stage
        return (
            (kind == "full_disk" and stage.ballast is None)
            or (kind == "slow_disk" and stage.slow_sync is None)
            or (kind.endswith("_at_point") and not stage.has_points)
        )

    def after(self, seconds, what):
        heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), what))

    def run_due(self):
        while self._later and self._later[0][0] <= time.monotonic():
            heapq.heappop(self._later)[2]()

    def lift_all(self):
        self._lifting = True
        while self._later:
            heapq.heappop(self._later)[2]()
        if self._is_paused:
            eventually(self._ask_to_resume, "the queue is resumed")
        for slot in self.stage.slots:
            slot.proxy.mend(for_good=True)
            slot.go_on()
            slot.next_point = None
            # What still waits at a failpoint would strike in the peace that follows.
            if slot.point and slot.runs:
                slot.point = None
                slot.daemon.kill()

    def _some_slot(self, number):
        """The one that was drawn, or else the next that is running as it should."""
        slots = self.stage.slots
        for step in range(len(slots)):
            slot = slots[(number + step) % len(slots)]
            if slot.is_steady:
                return slot
        return None

    # ---- daemons

    def _kill(self, fault):
        # Stopped or leaving, it may be killed all the same.
        slot = self.stage.slots[fault.slot]
        slot = slot if slot.runs else self._some_slot(fault.slot)
        if slot:
            slot.next_point = fault.point
            # The reason of its end is this one, whatever point it waited at.
            slot.point = None
            slot.daemon.kill()
        else:
            self.after(0.01, lambda: self._kill(fault))

    _kill_at_point = _kill
    _stop_at_point = _kill

    def _stop(self, fault):
        if slot := self._some_slot(fault.slot):
            self.notes.count("SIGSTOP")
            slot.stop_for(fault.seconds)

    _stop_short = _stop
    _stop_long = _stop

    def _term(self, fault):
        if slot := self._some_slot(fault.slot):
            self.notes.count("SIGTERM")
            slot.leave()

    # ---- Redis

    def _redis_kill(self, fault):
        if self.stage.redis.process.status is not None:
            return
        self.notes.count("Redis killed")
        self.stage.redis.kill()
        self.after(fault.seconds, self.stage.restart_redis)

    def _client_kill(self, fault):
        self._ask_redis("connections killed", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def _script_flush(self, fault):
        self._ask_redis("scripts flushed", "SCRIPT", "FLUSH")

    def _ask_redis(self, name, *command):
        """False: it is away, which is another fault. The command may have been carried out then."""
        try:
            self.stage.client.execute_command(*command)
        except redis.exceptions.RedisError:
            return False
        self.notes.count(name)
        return True

    def _pause_queue(self, fault):
        """As an operator does it."""
        note = {"at": int(time.time() * 1000), "by": "chaos@here", "reason": f"fault {next(self._order)}"}
        self._is_paused = True  # also if the answer was lost
        self._ask_redis("queue paused", "SET", PREFIX + ":paused", json.dumps(note))
        self.after(fault.seconds, self._resume_queue)

    def _resume_queue(self):
        if not self._ask_to_resume() and not self._lifting:
            self.after(0.05, self._resume_queue)

    def _ask_to_resume(self):
        self._is_paused = not self._ask_redis("queue resumed", "DEL", PREFIX + ":paused")
        return not self._is_paused

    # ---- the network

    def _network(self, fault, name, begin):
        self.notes.count(name)
        proxy = self.stage.slots[fault.slot].proxy
        begin(proxy)
        self.after(fault.seconds, proxy.mend)

    def _cut(self, fault):
        self.notes.count("network cut")
        self.stage.slots[fault.slot].proxy.cut()

    def _blackhole(self, fault):
        self._network(fault, "network blackholed", lambda proxy: proxy.swallow(UP, DOWN))

    def _mute(self, fault):
        self._network(fault, "answers lost", lambda proxy: proxy.swallow(DOWN))

    def _hold(self, fault):
        self._network(fault, "network held", lambda proxy: proxy.hold())

    def _slow_link(self, fault):
        self._network(fault, "network slow", lambda proxy: proxy.slow(0.03))

    # ---- the disk

    def _full_disk(self, fault):
        self.notes.count("disk full")
        self.stage.ballast.fill()
        self.after(fault.seconds, self.stage.ballast.drop)

    def _slow_disk(self, fault):
        self.notes.count("disk slow")
        self.stage.slow_sync.begin(40)
        self.after(fault.seconds, self.stage.slow_sync.end)
