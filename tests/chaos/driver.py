"""One run: the plan is played, then everything must come to rest, then the auditor looks."""

import collections
import glob
import os
import shutil
import signal
import time

import redis

from auditor import Audit
from evidence import Ledger, Queue, Store
from faults import Faults
from plan import PREFIX, make_plan
from producer import Producer
from sightings import WeatherRecord, read_lines
from stage import Stage
from watcher import Watcher
from weather import Weather

TICK_S = 0.005
LOOK_S = 0.02  # between two looks at the queue
STANDSTILL_S = 1.0  # without progress for so long, the next fault comes all the same
REST_S = 120.0  # a job that has failed for long is tried again each half minute


class Notes:
    """What happened in a run."""

    def __init__(self):
        self.counts = collections.Counter()
        self.violations = []
        self.left_out = {}
        self.remarks = []

    def count(self, what):
        self.counts[what] += 1

    def broken(self, promise, what):
        self.violations.append({"promise": promise, "job": None, "user": None, "session": None, "what": what})

    def remark(self, what, daemon):
        self.remarks.append(f"{what}; its log ends: {daemon.log().splitlines()[-3:]}")

    def missing(self, fault, why):
        self.left_out[fault] = why


class Run:
    def __init__(self, seed, shape, with_disk_faults):
        self.plan = make_plan(seed, shape)
        self.notes = Notes()
        self.stage = Stage(self.plan, self.notes, with_disk_faults)
        self.faults = Faults(self.stage, self.notes)
        self.weather = Weather(self.stage, self.notes)
        self.ledger_path = os.path.join(self.stage.folder, "ledger.jsonl")
        self.sightings_path = os.path.join(self.stage.folder, "sightings.jsonl")
        self.weather_path = os.path.join(self.stage.folder, "weather.json")
        header = {
            "prefix": PREFIX,
            "max_deliveries": self.plan.settings["queue.max_deliveries"],
            "key_is_refused": self.plan.key_is_refused,
            "lease_ms": shape.lease_ms,
        }
        window = max(40, min(300, shape.jobs // 4))
        self.producer = Producer(self.plan.pushes, self.stage.connect, self.ledger_path, header, window)
        self.watcher = Watcher(self.stage.connect, self.sightings_path)
        self.done = 0
        self.waiting = None

    def play(self):
        """Returns the result: a dictionary for JSON."""
        began = time.monotonic()
        try:
            self.producer.start()
            self.watcher.start()
            self._storm()
            stormed = time.monotonic()
            self._rest()
            self._write_weather(stormed - began)
            audit = self._audit()
        finally:
            self.watcher.stop()
            self.producer.abandon()
            self.producer.join(10)
        seconds = {"storm": round(stormed - began, 1), "all": round(time.monotonic() - began, 1)}
        return {
            "seed": self.plan.seed,
            "broken": self.notes.violations + audit.broken,
            "figures": {**audit.figures(), **self.claude_calls},
            "faults": dict(sorted(self.notes.counts.items())),
            "left_out": self.notes.left_out,
            "remarks": self.notes.remarks,
            "seconds": seconds,
        }

    def close(self, keep=None):
        self.stage.close(keep)

    # ---- while it storms

    def _storm(self):
        """Ends when all faults have been fired and lifted, or all jobs are done and no fault waits."""
        pending = collections.deque(self.plan.faults)
        last_progress = time.monotonic()
        while pending:
            self.weather.run_due()
            if self._step():
                last_progress = time.monotonic()
            if self.done >= pending[0].at or time.monotonic() - last_progress > STANDSTILL_S:
                self.faults.fire(pending.popleft())
                last_progress = time.monotonic()
        deadline = time.monotonic() + 5
        while not self._is_idle() and time.monotonic() < deadline:
            self.weather.run_due()
            self._step()
        self.weather.clear()
        self.faults.lift_all()

    def _step(self):
        """Returns whether jobs were done since the last look."""
        self.faults.run_due()
        self.stage.watch()
        time.sleep(TICK_S)
        return self._look()

    def _look(self):
        now = time.monotonic()
        if now < getattr(self, "_next_look", 0):
            return False
        self._next_look = now + LOOK_S
        pushed = self.producer.pushed  # before Redis is asked: so the figure is never too high
        self.waiting = self.stage.unfinished()
        if self.waiting is None:
            return False
        done = max(self.done, pushed - self.waiting)
        progress, self.done = done > self.done, done
        self.producer.set_done(done)
        return progress

    def _is_idle(self):
        return self.producer.finished.is_set() and self.waiting == 0

    # ---- peace

    def _rest(self):
        def at_rest():
            return self._is_idle() and self.stage.all_take_jobs()

        deadline = time.monotonic() + REST_S
        while not at_rest():
            self._step()
            if time.monotonic() > deadline:
                self._tell_what_is_stuck()
                break
        for slot in self.stage.slots:
            if slot.runs:
                slot.daemon.send(signal.SIGTERM)
        for slot in self.stage.slots:
            try:
                status = slot.daemon.wait(20)
            except AssertionError:
                status = "no end"
            if status != 0:
                self.notes.broken("SIGTERM ends a daemon with 0", f"engramd{slot.number}: {status}")

    def _tell_what_is_stuck(self):
        client = self.stage.client
        try:
            held = {
                k.decode(): client.type(k).decode() for k in client.keys(PREFIX + ":*") if client.ttl(k) == -1
            }
            sizes = f"{client.llen(PREFIX + ':jobs')} in the list, {client.hlen(PREFIX + ':body')} in lanes"
        except redis.exceptions.RedisError as error:
            held, sizes = {}, str(error)
        self.notes.broken("the queue comes to rest", f"{sizes}; {sorted(held)[:20]}")

    def _write_weather(self, storm_seconds):
        stats = self.stage.simulator.stats()
        self.claude_calls = {"calls": stats["messages"], "calls by status": stats["by_status"]}
        self.weather.write(self.weather_path, stats["by_status"], storm_seconds)

    # ---- the audit

    def _audit(self):
        if not self.producer.finished.is_set():
            self.producer.abandon()
            self.producer.join(10)
        logs = []
        for path in sorted(glob.glob(os.path.join(self.stage.folder, "engramd*.log"))):
            with open(path, errors="replace") as f:
                logs.append((os.path.basename(path), f.read()))
        for _, text in logs:
            self.notes.counts["takeovers"] += text.count("took over the jobs")
            self.notes.counts["taken for dead"] += text.count("was taken for dead")
            self.notes.counts["answered from the store"] += text.count("job answered from the store")
        copy = os.path.join(self.stage.folder, "audited.db")
        self._copy_database(copy)
        queue = Queue.read(self.stage.client, PREFIX)
        self.watcher.stop()
        self.watcher.join(10)
        if self.watcher.failure:
            self.notes.broken("somebody looks on", self.watcher.failure)
        return Audit(
            Ledger.read(self.ledger_path),
            queue,
            Store.read(copy),
            logs,
            read_lines(self.sightings_path),
            WeatherRecord.read(self.weather_path),
        ).run()

    def _copy_database(self, to):
        """So that a kept folder shows what was audited; the disk is gone with this process."""
        for suffix in ("", "-wal"):
            if os.path.exists(self.stage.database + suffix):
                shutil.copy(self.stage.database + suffix, to + suffix)
