"""The weather of a run, fixed before it begins: times in which every call to Claude meets the same."""

import dataclasses
import random

# What every call meets, the first fault that strikes; and the status of each, if all are refused alike.
KINDS = {
    "api_down": (
        [
            {"fault": "unavailable", "probability": 0.4},
            {"fault": "overloaded", "probability": 0.5},
            {"fault": "reset", "probability": 1.0},
        ],
        None,
    ),
    "api_limited": (
        [
            {"fault": "rate_limit", "probability": 0.5, "retry_after": 1},
            {"fault": "rate_limit", "probability": 1.0},
        ],
        None,
    ),
    "api_refusing": ([{"fault": "edge_page", "probability": 1.0}], 403),
    # Only where keys are refused: each costs a job.
    "api_refusing_key": ([{"fault": "authentication", "probability": 1.0}], 401),
    "api_refusing_money": ([{"fault": "billing", "probability": 1.0}], 402),
}
COSTLY = ("api_refusing_key", "api_refusing_money")
SPANS = 200  # more than a storm meets


@dataclasses.dataclass(frozen=True)
class Span:
    """`seconds` in which Claude answers no call, `after` so many in which it does. `status`: that of every
    refusal, if it refuses."""

    after: float
    seconds: float
    kind: str
    faults: list
    status: int = None


def forecast(seed, key_is_refused):
    """Each span lies somewhere in thrice its time, so that together they last a third. Each kind has its turn
    before one comes again. A draw of its own: a seed has the same jobs and faults with and without it."""
    chance = random.Random(f"weather {seed}")
    kinds = [kind for kind in KINDS if key_is_refused or kind not in COSTLY]
    spans, turn, fair = [], [], 0.0
    for _ in range(SPANS):
        turn = turn or chance.sample(kinds, len(kinds))
        seconds = chance.uniform(0.4, 1.8)
        before = chance.uniform(0, 2 * seconds)
        kind = turn.pop()
        spans.append(Span(round(fair + before, 3), round(seconds, 3), kind, *KINDS[kind]))
        fair = 2 * seconds - before
    return spans
