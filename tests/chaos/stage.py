"""What a run plays on: Redis, the simulator, the daemons, the networks between, the disk."""

import os
import re
import shutil
import signal
import sys
import tempfile
import time

import redis

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from processes import Daemon, Redis, Simulator, eventually, program  # noqa: E402

import disks  # noqa: E402
from plan import PREFIX  # noqa: E402
from proxy import Network  # noqa: E402

EX_USAGE = 64
LEAVES_WITHIN_S = 20
HARMLESS_POINT = "finished:1000000000"


class Slot:
    """A place for one daemon at a time: it is started again whenever it has ended."""

    def __init__(self, stage, number):
        self.stage, self.number = stage, number
        self.proxy = stage.network.add_proxy(stage.redis.socket)
        self.daemon = None
        self.next_point = None
        self.point = None
        self.continues_at = None  # when a stopped daemon goes on
        self.must_leave_by = None  # after SIGTERM
        self.starts_at = 0.0  # not again before

    def start(self):
        self.point, self.next_point = self.next_point, None
        self.continues_at = self.must_leave_by = None
        settings = {**self.stage.settings, "redis.url": self.proxy.url, "instance.name": f"d{self.number}"}
        environment = dict(self.stage.slow_sync.environment) if self.stage.slow_sync else {}
        if self.stage.has_points:
            environment["ENGRAM_FAILPOINT"] = self.point or HARMLESS_POINT
        self._log_begins_at = os.path.getsize(self.daemon.log_path) if self.daemon else 0
        self.stage.starts += 1
        self.daemon = Daemon(self.stage.folder, f"engramd{self.number}", settings, env=environment)

    @property
    def runs(self):
        return self.daemon is not None and self.daemon.status is None

    def instance(self):
        """The name under which this process takes jobs at present, as it has logged it."""
        with open(self.daemon.log_path, "rb") as f:
            f.seek(self._log_begins_at)
            names = re.findall(rb"this instance takes jobs instance=(\S+)", f.read())
        return names[-1] if names else None

    @property
    def is_steady(self):
        """Running, neither stopped nor on its way out."""
        return self.runs and self.continues_at is None and self.must_leave_by is None

    def is_stopped(self):
        try:
            with open(f"/proc/{self.daemon.pid}/stat") as f:
                return f.read().rsplit(")", 1)[1].split()[0] == "T"
        except FileNotFoundError:
            return False

    def stop_for(self, seconds):
        self.daemon.send(signal.SIGSTOP)
        self.continues_at = time.monotonic() + seconds

    def go_on(self):
        self.continues_at = None
        if self.runs:
            self.daemon.send(signal.SIGCONT)

    def leave(self):
        self.daemon.send(signal.SIGTERM)
        self.must_leave_by = time.monotonic() + LEAVES_WITHIN_S


class Stage:
    """`notes` is where anything unusual is told: notes.count(kind), notes.broken(promise, what),
    notes.missing(fault, why), notes.remark(what, daemon)."""

    def __init__(self, plan, notes, with_disk_faults):
        self.plan, self.notes = plan, notes
        self.folder = tempfile.mkdtemp(prefix="engram-chaos-", dir=os.environ.get("TMPDIR") or roomy_folder())
        self.disk = os.path.join(self.folder, "disk")
        os.mkdir(self.disk)
        self.database = os.path.join(self.disk, "engram.db")
        self.ballast = self.slow_sync = self.redis = self.simulator = self.network = None
        self.slots = []
        self.starts = 0  # of daemons
        self.has_points = True
        try:
            self._build(with_disk_faults)
        except BaseException:
            self.close()
            raise

    def _build(self, with_disk_faults):
        if with_disk_faults:
            self._prepare_disks()
        self.redis = Redis(self.folder, ["--maxmemory-policy", "noeviction"]).start()
        self.client = self.connect()
        self.simulator = self._start_simulator()
        self.settings = {
            **self.plan.settings,
            "store.path": self.database,
            "claude.base_url": self.simulator.url,
        }
        self.network = Network()
        self.slots = [Slot(self, n) for n in range(self.plan.shape.daemons)]
        self._start_daemons()

    def _prepare_disks(self):
        try:
            disks.mount_small_disk(self.disk)
            self.ballast = disks.Ballast(self.disk)
        except disks.Unavailable as why:
            self.notes.missing("full_disk", str(why))
        try:
            self.slow_sync = disks.SlowSync(self.folder, program("engramd"))
        except disks.Unavailable as why:
            self.notes.missing("slow_disk", str(why))

    def _start_simulator(self):
        simulator = Simulator(self.folder, ["--latency-ms", "exp:20", "--record", "0", "--quiet"])
        if self.plan.claude_faults:
            simulator.control("POST", "faults", self.plan.claude_faults)
        return simulator

    def _start_daemons(self):
        """The first of them tells whether this build has failpoints."""
        first = self.slots[0]
        first.start()

        def settled():
            return first.daemon.status is not None or self._is_registered(first)

        eventually(settled, "the first daemon starts")
        if first.daemon.status == EX_USAGE:
            self.has_points = False
            self.notes.missing("kill_at_point and stop_at_point", "this build has no failpoints")
            first.start()
        for slot in self.slots[1:]:
            slot.start()
        for slot in self.slots:
            eventually(lambda: self._is_registered(slot) or not slot.runs, f"d{slot.number} takes jobs")
            if not slot.runs:
                raise AssertionError(f"engramd ended with {slot.daemon.status}: {slot.daemon.log()[-2000:]}")

    def _is_registered(self, slot):
        return any(
            m.startswith(b"d%d-" % slot.number) for m in self.client.zrange(PREFIX + ":instances", 0, -1)
        )

    def connect(self):
        return self.redis.connect(socket_timeout=5)

    def unfinished(self):
        """Jobs in the queue; None while Redis does not say."""
        try:
            with self.client.pipeline(transaction=True) as pipe:
                pipe.llen(PREFIX + ":jobs").hlen(PREFIX + ":body")
                waiting, parked = pipe.execute()
            return waiting + parked
        except redis.exceptions.RedisError:
            return None

    def all_take_jobs(self):
        """Every daemon is known to Redis, and no other."""
        try:
            members = set(self.client.zrange(PREFIX + ":instances", 0, -1))
        except redis.exceptions.RedisError:
            return False
        return members == {slot.instance() for slot in self.slots if slot.runs} and len(members) == len(
            self.slots
        )

    def restart_redis(self):
        if self.redis.process.status is not None:
            self.redis.start()

    def watch(self):
        """Starts daemons that have ended, wakes those that were stopped."""
        now = time.monotonic()
        for slot in self.slots:
            if not slot.runs:
                self._begin_again(slot, now)
            elif slot.continues_at is not None:
                if now >= slot.continues_at:
                    slot.go_on()
            elif slot.point and slot.point.endswith(":stop") and slot.is_stopped():
                self.notes.count("SIGSTOP at " + slot.point.split(":")[0])
                slot.continues_at, slot.point = now + 1.5 * self.plan.shape.lease_ms / 1000, None
            elif slot.must_leave_by is not None and now > slot.must_leave_by:
                self.notes.broken("SIGTERM ends a daemon", f"engramd{slot.number} has not ended")
                slot.daemon.kill()

    def _begin_again(self, slot, now):
        if slot.starts_at == 0.0:
            slot.starts_at = now + self._judge_end(slot)
        if now >= slot.starts_at:
            slot.starts_at = 0.0
            slot.start()

    def _judge_end(self, slot):
        """Returns how long to wait before the next start."""
        status = slot.daemon.status
        if status == -signal.SIGKILL:
            self.notes.count("SIGKILL")
            if slot.point:
                self.notes.count("SIGKILL at " + slot.point.split(":")[0])
        elif slot.must_leave_by is not None and status == 0:
            self.notes.count("drained")
        elif slot.must_leave_by is not None and status == -signal.SIGTERM and slot.instance() is None:
            # It had not come so far as to care for signals, and had taken nothing.
            self.notes.count("SIGTERM before it took jobs")
        elif self.disk_is_full():
            self.notes.count("ended by the full disk")
            self.notes.remark(
                f"engramd{slot.number} ended with {status} while the disk was full", slot.daemon
            )
            return 0.2
        else:
            self.notes.broken("a daemon stays", f"engramd{slot.number} ended with {status} by itself")
            self.notes.remark(f"engramd{slot.number} ended with {status}", slot.daemon)
            return 0.2
        return 0.0

    def disk_is_full(self):
        return self.ballast is not None and os.path.exists(self.ballast.path)

    def close(self, keep=None):
        for slot in self.slots:
            if slot.daemon:
                slot.daemon.kill()
        if self.simulator:
            self.simulator.process.kill()
        if self.redis:
            self.redis.stop()
        if self.network:
            self.network.stop()
        if keep:
            shutil.copytree(self.folder, keep, dirs_exist_ok=True, ignore=only_files)
        if self.ballast:
            disks.unmount(self.disk)
        shutil.rmtree(self.folder, ignore_errors=True)


def roomy_folder():
    """Memory rather than a disk: a killed process loses nothing either way, and syncs cost nothing."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def only_files(folder, names):
    return [
        n
        for n in names
        if not (os.path.isfile(os.path.join(folder, n)) or os.path.isdir(os.path.join(folder, n)))
    ]
