"""What a provider allows is shared by all daemons: few calls are refused, nobody is left out, chats come first."""

import json
import os
import sys
import time
from collections import Counter

from harness import Case, PATIENCE, PREFIX, eventually, main

MODEL = "claude-opus-5-5"
PACE = f"{PREFIX}:pace:{MODEL}"
RPM = int(os.environ.get("ENGRAM_RPM", "500"))  # "50 a minute", ten times as fast
LIMITED = ("--rpm", str(RPM), "--burst", "50")


class RateLimits(Case):
    def start(self, *options, daemons=3, **changes):
        self.start_redis()
        # So Redis notes every call.
        self.redis.client.config_set("slowlog-max-len", 1_000_000)
        self.redis.client.config_set("slowlog-log-slower-than", 0)
        self.start_simulator(*options)
        return [self.start_daemon(claude_model=MODEL, log_level="info", **changes) for _ in range(daemons)]

    def push_conversations(self, count):
        """One job each, of a user each; returns their ids."""
        jobs = [
            {
                "user_id": f"u{n}",
                "session_id": "s",
                "id": f"j{n}",
                "message": f"message {n}.",
                "deadline_ms": 1_200_000,
            }
            for n in range(count)
        ]
        self.redis.client.lpush(PREFIX + ":jobs", *[json.dumps(job) for job in jobs])
        return [job["id"] for job in jobs]

    def check_all_answered(self, ids, within):
        """Returns how many seconds it took."""
        began = time.monotonic()
        for job in ids:
            left = within - (time.monotonic() - began)
            self.assertGreater(left, 0, f"{job} is not answered within {within} s; {self.claude.stats()}")
            reply = self.reply(job, timeout=left)
            self.assertEqual(reply["status"], "ok", reply)
        self.assertEqual(self.dead_letters(), [])
        return time.monotonic() - began

    def check_refusals(self, most):
        """As a share of all calls."""
        stats = self.claude.stats()
        refused = stats["by_status"].get("429", 0)
        print(f"{refused} of {stats['messages']} calls refused", file=sys.stderr)
        self.assertLess(refused, most * stats["messages"], stats)

    def pace_calls(self):
        """How often each instance has called the script that shares limits: no other has a model in this place."""
        calls = Counter()
        for entry in self.redis.client.slowlog_get(1_000_000):
            words = entry["command"].split(b" ")
            if words[0].upper() == b"EVALSHA" and words[6:7] == [MODEL.encode()]:
                calls[words[5].decode()] += 1
        return calls

    def check_cost(self, daemons, seconds):
        """One call a second and daemon at most, and some of each."""
        calls = self.pace_calls()
        self.assertEqual(len(calls), len(daemons), calls)
        for instance, count in calls.items():
            self.assertLessEqual(count, seconds + 2, (instance, calls))

    def check_shares(self, daemons, least):
        for daemon in daemons:
            eventually(
                lambda daemon=daemon: self.said(daemon).get("finished", 0) >= least,
                f"{daemon.name} has answered {least}",
            )

    def test_three_daemons_share_a_limit(self):
        daemons = self.start(*LIMITED, "--latency-ms", "50")
        seconds = self.check_all_answered(self.push_conversations(500), within=45_000 / RPM)
        print(f"500 jobs in {seconds:.0f} s", file=sys.stderr)
        self.check_refusals(0.05)
        self.check_shares(daemons, 50)
        self.check_cost(daemons, seconds)
        self.assert_idle()  # what is known of the limit expires
        self.assertTrue(self.redis.client.exists(PACE))

    def test_a_limit_that_nobody_tells_is_found(self):
        daemons = self.start(*LIMITED, "--latency-ms", "500", "--no-rate-limit-headers")
        seconds = self.check_all_answered(self.push_conversations(500), within=100_000 / RPM)
        print(f"500 jobs in {seconds:.0f} s", file=sys.stderr)
        self.check_refusals(0.07)  # most were under way when the first was refused
        self.check_shares(daemons, 30)
        self.check_cost(daemons, seconds)

    def test_nothing_is_shared_while_nothing_is_scarce(self):
        self.start(daemons=2)
        self.check_all_answered(self.push_conversations(100), within=60)
        self.assertEqual(self.pace_calls(), {})
        self.assertFalse(self.redis.client.exists(PACE))

    def test_chats_come_before_what_runs_in_the_background(self):
        # Each answer makes a summary due, which asks the same model.
        self.start(
            *("--rpm", "300", "--burst", "40", "--latency-ms", "50"),
            daemons=2,
            summary_model=MODEL,
            summary_trigger_turns=2,
            summary_keep_turns=0,
            summary_sweep_ms=50,
        )
        chats = 120
        self.check_all_answered(self.push_conversations(chats), within=60)
        # Only chats are told how to note something. A call that is refused is made again.
        is_chat = ["[MEMORY" in json.dumps(body.get("system", "")) for body in self.claude.bodies(MODEL)]
        last = max(i for i, chat in enumerate(is_chat) if chat)
        self.assertLess(is_chat[:last].count(False), chats / 4)
        # The others have their turn when no chat waits.
        eventually(
            lambda: len(self.rows("SELECT id FROM long_term_memory WHERE memory_type = 'summary'")) >= chats,
            "all summaries are written",
            PATIENCE * 2,
        )


if __name__ == "__main__":
    main()
