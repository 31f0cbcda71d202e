"""The programs that a benchmark needs, private to it, and what they have used of the machine."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Failed(Exception):
    """What a benchmark cannot go on with; the text is for whoever started it."""


def _die_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Usage:
    """What a process has used up to now, all threads together."""

    def __init__(self, pid):
        fields = _stat_fields(f"/proc/{pid}/stat")
        self.user = int(fields[11]) / TICKS
        self.system = int(fields[12]) / TICKS
        self.switches = 0
        self.threads = {}
        for tid in os.listdir(f"/proc/{pid}/task"):
            of_thread = _stat_fields(f"/proc/{pid}/task/{tid}/stat")
            self.threads[tid] = (int(of_thread[11]) + int(of_thread[12])) / TICKS
            with open(f"/proc/{pid}/task/{tid}/status") as status:
                for line in status:
                    if line.startswith("voluntary_ctxt_switches:"):
                        self.switches += int(line.split()[1])

    def per_job(self, before, jobs):
        micros = 1e6 / jobs
        threads = [(self.threads[tid] - before.threads.get(tid, 0)) * micros
                   for tid in sorted(self.threads, key=int)]
        user, system = (self.user - before.user) * micros, (self.system - before.system) * micros
        return {"cpu_us": user + system, "user_us": user, "system_us": system,
                "switches": (self.switches - before.switches) / jobs, "threads_us": threads}


def _stat_fields(path):
    with open(path) as stat:
        return stat.read().rpartition(")")[2].split()


class Process:
    def __init__(self, name, folder, command, environment=None):
        self.name = name
        self.log = os.path.join(folder, name + ".log")
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True,
                                          preexec_fn=_die_with_parent)
        self.pid = self.child.pid

    def until_ready(self, condition, seconds=60):
        def ready():
            if self.child.poll() is not None:
                raise Failed(f"{self.name} ended with status {self.child.returncode}:\n{self.log_tail()}")
            return condition()
        return wait_until(ready, seconds, f"{self.name} is ready")

    def log_tail(self):
        with open(self.log, "rb") as log:
            return log.read()[-4000:].decode(errors="replace")

    def usage(self):
        return Usage(self.pid)

    def memory_mb(self):
        """(now, highest)"""
        found = {}
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                key, _, value = line.partition(":")
                if key in ("VmRSS", "VmHWM"):
                    found[key] = int(value.split()[0]) / 1024
        return found["VmRSS"], found["VmHWM"]

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Redis(Process):
    def __init__(self, folder, socket_folder):
        self.socket = os.path.join(socket_folder, "redis.sock")
        data = os.path.join(folder, "redis")
        os.makedirs(data, exist_ok=True)
        super().__init__("redis", folder, [
            "redis-server", "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
            "--dir", data, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--daemonize", "no"])
        self.until_ready(lambda: self.ask("PING") == b"+PONG")

    def scripts(self):
        """(how many scripts clients have had run: a daemon's round trips; how long they took, µs)"""
        command = ["redis-cli", "-s", self.socket, "INFO", "commandstats"]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        calls, micros = 0, 0
        for line in said.splitlines():
            if line.startswith(("cmdstat_evalsha:", "cmdstat_eval:")):
                fields = dict(field.split("=") for field in line.partition(":")[2].split(","))
                calls, micros = calls + int(fields["calls"]), micros + int(fields["usec"])
        return calls, micros

    def ask(self, *words):
        """The first line of the answer; None while Redis is not there. Enough for PING and counts."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(10)
            connection.connect(self.socket)
            connection.sendall(b"*%d\r\n" % len(words) +
                               b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            answer = b""
            while b"\r\n" not in answer:
                chunk = connection.recv(4096)
                if not chunk:
                    return None
                answer += chunk
            return answer.split(b"\r\n")[0]
        except (FileNotFoundError, ConnectionError):
            return None
        finally:
            connection.close()


class Simulator(Process):
    def __init__(self, folder, binaries, latency_ms):
        port_file = os.path.join(folder, "simulator.port")
        super().__init__("simulator", folder, [
            os.path.join(binaries, "claude-simulator"), "--listen", "127.0.0.1:0", "--port-file", port_file,
            "--record", "0", "--seed", "1", "--latency-ms", str(latency_ms)])
        self.until_ready(lambda: os.path.exists(port_file))
        with open(port_file) as file:
            self.port = int(file.read())

    def stats(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/control/stats", timeout=30) as answer:
            return json.load(answer)


class Daemon(Process):
    def __init__(self, folder, binaries, redis, simulator, settings, number=1):
        self.database = os.path.join(folder, "engram.db")
        values = {"redis.url": "unix://" + redis.socket,
                  "claude.base_url": f"http://127.0.0.1:{simulator.port}",
                  "store.path": self.database, "log.level": "warn", **settings}
        command = [os.path.join(binaries, "engramd")]
        for key, value in values.items():
            command += ["--set", f"{key}={value}"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ENGRAMD_")}
        environment["ANTHROPIC_API_KEY"] = "bench"
        super().__init__("engramd" if number == 1 else f"engramd-{number}", folder, command, environment)
        self.until_ready(lambda: redis.ask("ZCARD", "engram:instances") == b":%d" % number)

    def check_log(self):
        """At log.level=warn: nothing of a database that another instance holds."""
        with open(self.log, errors="replace") as log:
            for line in log:
                if "locked" in line or "busy" in line or "cannot be used" in line:
                    raise Failed(f"{self.name} logged: {line}")


class Stack:
    """Redis, the simulator and engramd, on files of their own in `folder`. Several instances of engramd share one
    database."""

    def __init__(self, folder, socket_folder, binaries, latency_ms, settings, instances=1):
        os.makedirs(folder)
        self.processes = []
        try:
            self.redis = self._add(Redis(folder, socket_folder))
            self.simulator = self._add(Simulator(folder, binaries, latency_ms))
            self.daemons = [self._add(Daemon(folder, binaries, self.redis, self.simulator, settings, number + 1))
                            for number in range(instances)]
            self.daemon = self.daemons[0]
        except BaseException:
            self.stop()
            raise

    def _add(self, process):
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            process.stop()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        statuses = [daemon.child.poll() for daemon in self.daemons]
        self.stop()
        for daemon, early in zip(self.daemons, statuses):
            if early is not None:
                raise Failed(f"{daemon.name} ended too early, with status {early}:\n{daemon.log_tail()}")
            if kind is None and daemon.child.returncode != 0:
                raise Failed(f"{daemon.name} ended with status {daemon.child.returncode}:\n{daemon.log_tail()}")
            daemon.check_log()
