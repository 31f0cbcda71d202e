"""What was seen in Redis while a run went on, and the promises about it.

JSON lines, each of one moment: {"at": ms by Redis's clock, "delayed": {lane: when it is due, ms}, "delays":
{lane: why}, "paused": the operator's note or "", "owned": {instance: [lane]}, "said": {instance:
{"in_flight", "taken", "paused", "gate"}}, "died": {bytes of a job: how many daemons died with it, if more
than one}}. What an instance says of itself is up to one beat old.
"""

import collections
import dataclasses
import json
import re

LONGEST_PAUSE_MS = 30_000
LONGEST_REASON = 120
# Time for what was on its way when a daemon heard of a pause: longer than redis.command_timeout_ms.
SETTLING_MS = 700
# For so many leases a daemon may say that it has jobs in hand that Redis does not count as its own.
LEASES_TO_NOTICE = 3
WORD_OF_A_USER = re.compile(r"\bj\d{6}x?\b")
GATES = {401: "auth", 402: "spend_limit", 403: "no_api"}  # by what the API answers


@dataclasses.dataclass
class WeatherRecord:
    """The times in which Claude answered no call: {"kind", "status", "seconds", "refused": how many calls
    with that status, "daemons": how many lived then} each; and how many calls met which status in all."""

    spans: list = dataclasses.field(default_factory=list)
    by_status: dict = dataclasses.field(default_factory=dict)
    storm_seconds: float = 0.0

    @classmethod
    def read(cls, path):
        with open(path) as f:
            return cls(**json.load(f))

    def most_who_bear(self, status):
        """One for each daemon that lived in such a span, and one for each refusal of a single call."""
        spans = [s for s in self.spans if s["status"] == status]
        alone = self.by_status.get(str(status), 0) - sum(s["refused"] for s in spans)
        return alone + sum(s["daemons"] for s in spans)

    def gates(self, key_is_refused):
        """What may shut a daemon's gate; a key may also be refused by single calls."""
        statuses = {s["status"] for s in self.spans} | ({401} if key_is_refused else set())
        return {GATES[status] for status in statuses if status}

    def figures(self):
        kinds = collections.Counter(s["kind"] for s in self.spans)
        return {
            "spans": dict(sorted(kinds.items())),
            "storm, ms": round(1000 * self.storm_seconds),
            "of it without an answer, ms": round(1000 * sum(s["seconds"] for s in self.spans)),
        }


def read_lines(path):
    with open(path) as f:
        for line in f:
            yield json.loads(line)


class Sightings:
    """Judges them, one after the other. `broken`: (promise, what)."""

    def __init__(self, lines, lease_ms, gates):
        self.broken = []
        self.looks = self.looks_in_pauses = self.looks_at_places = 0
        self.most_delayed = self.held_while_delayed = 0
        self._window_ms = LEASES_TO_NOTICE * lease_ms
        self._gates = {"", *gates}
        self._delays = {}  # (lane, due) -> why
        self._pauses = {}  # instance -> (note, since when it has said so, how many jobs it had taken)
        self._held = {}  # instance -> the last (at, in_flight, owned)
        self.deaths = collections.Counter()  # the most that were seen, by the bytes of the job
        for one in lines:
            self._look_at(one)

    def _look_at(self, one):
        self.looks += 1
        self._check_delayed(one)
        self._check_pause(one)
        self._check_places(one)
        self._check_gates(one)
        for job, deaths in one["died"].items():
            self.deaths[job] = max(self.deaths[job], deaths)

    def _check_delayed(self, one):
        delayed, delays = one["delayed"], one["delays"]
        self.most_delayed = max(self.most_delayed, len(delayed))
        if delayed.keys() != delays.keys():
            self._break("a delayed lane has a reason", f"of {sorted(delayed.keys() ^ delays.keys())}")
        for lane, due in delayed.items():
            for instance, lanes in one["owned"].items():
                if lane in lanes:
                    self.held_while_delayed += 1
                    self._break("a delayed job holds no place", f"{instance} owns {lane}")
            if due - one["at"] > LONGEST_PAUSE_MS:
                self._break("a pause is short", f"{lane} is due in {due - one['at']} ms")
            if (lane, due) not in self._delays:
                self._delays[lane, due] = delays.get(lane, "")
                self._check_reason(lane, delays.get(lane, ""))

    def _check_reason(self, lane, why):
        if not 0 < len(why.encode()) <= LONGEST_REASON or WORD_OF_A_USER.search(why):
            self._break("a reason is one short line without a user's word", f"{lane}: {why!r}")

    def _check_pause(self, one):
        """Who has said that it knows of the pause takes nothing until it is over."""
        for instance, said in one["said"].items():
            if not (one["paused"] and said["paused"]):
                self._pauses.pop(instance, None)
                continue
            note, since, taken = self._pauses.get(instance, (None, 0, None))
            if note != one["paused"]:
                note, since, taken = one["paused"], one["at"], None
            if one["at"] - since >= SETTLING_MS:
                self.looks_in_pauses += 1
                more = said["taken"] - taken if taken is not None else 0
                if more > 0:
                    self._break("nothing is taken from a paused queue", f"{instance}: {more} jobs")
                taken = said["taken"]
            self._pauses[instance] = note, since, taken

    def _check_places(self, one):
        """A daemon that says for a while that it has more jobs in hand than Redis counts as its own keeps
        places for jobs that are not there."""
        for instance in self._held.keys() - one["said"].keys():
            del self._held[instance]
        for instance, said in one["said"].items():
            held = self._held.setdefault(instance, collections.deque())
            if held and one["at"] - held[-1][0] > self._window_ms / 2:
                held.clear()
            held.append((one["at"], said["in_flight"], len(one["owned"].get(instance, ()))))
            if held[-1][0] - held[0][0] < self._window_ms:
                continue
            self.looks_at_places += 1
            least, most = min(h[1] for h in held), max(h[2] for h in held)
            if least > most:
                self._break("a place is a job", f"{instance} has {least} in hand, and owns {most} at most")
                held.clear()
            else:
                held.popleft()

    def _check_gates(self, one):
        for instance, said in one["said"].items():
            if said["gate"] not in self._gates:
                self._break("the gate shuts for what concerns all", f"{instance}: {said['gate']}")

    def _break(self, promise, what):
        self.broken.append((promise, what))

    def figures(self):
        return {
            "looks": self.looks,
            "looks in pauses": self.looks_in_pauses,
            "looks at places": self.looks_at_places,
            "delays": len(self._delays),
            "lanes delayed": len({lane for lane, _ in self._delays}),
            "most delayed at once": self.most_delayed,
            "places held while delayed": self.held_while_delayed,
            "delays by reason": dict(sorted(collections.Counter(self._delays.values()).items())),
        }
