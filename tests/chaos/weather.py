"""Times in which Claude answers no call, on top of the faults of single calls."""

import json
import time


class Weather:
    """Plays the spans of a plan on the simulator, and keeps a record of them for the auditor."""

    def __init__(self, stage, notes):
        self.stage, self.notes = stage, notes
        self._coming = list(reversed(stage.plan.weather))
        self._span = None  # the one that is under way
        self._turns_at = None  # when the weather changes next
        self.record = []

    def run_due(self):
        now = time.monotonic()
        if self._turns_at is None:
            self._wait_for_next(now)
        elif now >= self._turns_at:
            if self._span is None:
                self._begin(now)
            else:
                self._end(now)

    def clear(self):
        """Fair from now on."""
        if self._span is not None:
            self._end(time.monotonic())
        self._coming = []
        self._turns_at = float("inf")

    def _wait_for_next(self, now):
        self._turns_at = now + self._coming[-1].after if self._coming else float("inf")

    def _begin(self, now):
        stage = self.stage
        self._span = span = self._coming.pop()
        stage.simulator.control("POST", "faults", span.faults)
        # After the change here, and before it at the end: no other refusal counts as one of these.
        self._refused_before = self._refused(span)
        self._daemons_before = stage.starts - sum(slot.runs for slot in stage.slots)
        self._began_at = now
        self._turns_at = now + span.seconds
        self.notes.count(span.kind)

    def _end(self, now):
        span, self._span = self._span, None
        refused = self._refused(span) - self._refused_before
        self.stage.simulator.control("POST", "faults", self.stage.plan.claude_faults)
        self.record.append(
            {
                "kind": span.kind,
                "status": span.status,
                "seconds": round(now - self._began_at, 3),
                "refused": refused,
                "daemons": self.stage.starts - self._daemons_before,
            }
        )
        self._wait_for_next(now)

    def _refused(self, span):
        """How many calls have been refused like this until now."""
        if span.status is None:
            return 0
        return self.stage.simulator.stats()["by_status"].get(str(span.status), 0)

    def write(self, path, by_status, storm_seconds):
        with open(path, "w") as f:
            json.dump({"spans": self.record, "by_status": by_status, "storm_seconds": storm_seconds}, f)
