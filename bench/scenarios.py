"""What is measured, and how."""

import dataclasses
import json
import os
import shutil
import signal
import sqlite3
import subprocess

from processes import Failed, Stack, wait_until


@dataclasses.dataclass
class Scenario:
    name: str
    title: str
    latency_ms: int
    load: dict              # options of chat-load
    warm_up: int            # jobs before the measured ones
    settings: dict = dataclasses.field(default_factory=dict)  # of engramd
    in_flight: int = 0      # calls that must have been in flight at a time
    summaries: bool = False
    instances: int = 1


def all_scenarios(quick):
    def pick(full, few):
        return few if quick else full
    jobs = pick(20000, 200)
    # A conversation has five exchanges, so that none of them is summarized; a user has two conversations.
    closed = {"jobs": jobs, "sessions": max(jobs // 5, 64), "users": max(jobs // 10, 32), "memory-every": 10}
    many = pick(5000, 200)
    return [
        Scenario("zero-64", "no delay, 64 in flight", 0, {**closed, "window": 64}, jobs // 10),
        Scenario("zero-256", "no delay, 256 in flight", 0, {**closed, "window": 256}, jobs // 10),
        Scenario("three-256", "the same, three instances on one database", 0, {**closed, "window": 256}, jobs // 10,
                 instances=3),
        Scenario("added", "200 ms, open loop", 200,
                 {"jobs": pick(4000, 60), "rate": pick(200, 60), "sessions": pick(2000, 60),
                  "users": pick(1000, 30), "memory-every": 10}, pick(400, 10)),
        Scenario("crowd", f"{many} calls in flight", pick(10000, 4000),
                 {"jobs": 2 * many, "window": many, "sessions": 2 * many, "users": many,
                  "memory-every": 10}, 0,
                 {"queue.max_in_flight": many, "queue.max_parked": 4 * many, "claude.max_connections": many},
                 in_flight=many),
        Scenario("long", "long conversations with summaries", 0,
                 {"jobs": pick(9600, 96), "window": 64, "sessions": pick(96, 4), "users": pick(96, 4),
                  "memory-every": 5}, pick(960, 0), summaries=True),
    ]


class Runner:
    def __init__(self, binaries, folder, socket_folder, settings, profile):
        self.binaries, self.folder, self.socket_folder = binaries, folder, socket_folder
        self.settings, self.profile = settings, profile
        self.count = 0

    def program(self, name):
        return os.path.join(self.binaries, name)

    def run(self, scenario):
        self.count += 1
        folder = os.path.join(self.folder, f"{self.count}-{scenario.name}")
        with Stack(folder, self.socket_folder, self.binaries, scenario.latency_ms,
                   {**scenario.settings, **self.settings}, scenario.instances) as stack:
            idle_mb = stack.daemon.memory_mb()[0]
            if scenario.warm_up:
                self.load(stack, scenario, "warm", {**scenario.load, "jobs": scenario.warm_up})
            before = {p.name: p.usage() for p in stack.processes}
            scripts_before = stack.redis.scripts()
            with self.profiling(stack, scenario):
                result = self.load(stack, scenario, "run", scenario.load)
            if scenario.summaries:
                result["summaries"] = self.finish_summaries(stack)
            jobs = scenario.load["jobs"]
            result["used"] = {p.name: p.usage().per_job(before[p.name], jobs) for p in stack.processes}
            trips, script_us = (now - then for now, then in zip(stack.redis.scripts(), scripts_before))
            result["round_trips"], result["script_us"] = trips / jobs, script_us / jobs
            result["all_cpu_us"] = sum(result["used"][daemon.name]["cpu_us"] for daemon in stack.daemons)
            result["idle_mb"] = idle_mb
            result["rss_mb"], result["peak_mb"] = stack.daemon.memory_mb()
            result["calls_in_flight"] = stack.simulator.stats()["max_in_flight"]
            if result["calls_in_flight"] < scenario.in_flight:
                raise Failed(f"{scenario.name}: {result['calls_in_flight']} calls were in flight at most, "
                             f"not {scenario.in_flight}")
        shutil.rmtree(folder)
        return result

    def load(self, stack, scenario, run, options):
        command = [self.program("chat-load"), "--redis", stack.redis.socket, "--run", run]
        for key, value in options.items():
            command += [f"--{key}", str(value)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failed(f"{scenario.name}: chat-load ended with status {done.returncode}\n"
                         f"{done.stdout}{done.stderr}engramd's log ends with:\n{stack.daemon.log_tail()}")
        return json.loads(done.stdout)

    def finish_summaries(self, stack):
        """Waits until no conversation is due for a summary; returns how many were made."""
        database = sqlite3.connect(f"file:{stack.daemon.database}?mode=ro", uri=True)
        try:
            def count(rows):
                return database.execute("SELECT count(*) FROM " + rows).fetchone()[0]
            wait_until(lambda: count("engram_session WHERE window_turns >= 20") == 0, 120,
                       "every long conversation is summarized")
            made = count("long_term_memory WHERE memory_type = 'summary'")
        finally:
            database.close()
        if made == 0:
            raise Failed("no summary was made")
        return made

    def profiling(self, stack, scenario):
        return Profile(self.profile, stack.daemon.pid, f"{scenario.name}-{self.count}")


class Profile:
    """Records where engramd spends its CPU time, if asked to (perf)."""

    def __init__(self, folder, pid, name):
        self.command = folder and ["perf", "record", "-q", "-F", "1999", "--call-graph", "dwarf,8192",
                                   "-p", str(pid), "-o", os.path.join(folder, name + ".perf")]

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL) if self.command else None

    def __exit__(self, *_):
        if self.child:
            self.child.send_signal(signal.SIGINT)
            self.child.wait()
