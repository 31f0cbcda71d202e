"""The programs under test and those around them, as child processes of a test.

Every process ends with the test: by stop() or kill(), by its owner's clean-up, and, should the test
itself be killed, by the kernel.
"""

import ctypes
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import redis

BIN = os.path.abspath(os.environ["ENGRAM_BIN"]) if os.environ.get("ENGRAM_BIN") else ""
PATIENCE = float(os.environ.get("ENGRAM_TEST_PATIENCE_S", "40"))
API_KEY = "sk-test-0123456789abcdef-the-key"

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def eventually(condition, what, timeout=None):
    """Waits until condition() is true and returns its value. The pause is that of a poll, not a guess at
    a duration."""
    deadline = time.monotonic() + (PATIENCE if timeout is None else timeout)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not in time: {what}")
        time.sleep(0.01)


def program(name):
    path = os.path.join(BIN, name)
    if not BIN or not os.path.exists(path):
        raise RuntimeError(f"{name} is not built: ENGRAM_BIN is {BIN!r}")
    return path


def clean_environment(home, **more):
    kept = {
        k: v
        for k, v in os.environ.items()
        if k in ("PATH", "LD_LIBRARY_PATH", "TZ")
        or k.split("_")[0] in ("ASAN", "UBSAN", "TSAN", "LSAN", "LLVM")
    }
    kept.update(HOME=home, LANG="C.UTF-8", **more)
    return {k: v for k, v in kept.items() if v is not None}


class Process:
    """A child whose output goes to a file. `status` is its exit status once it has ended. `wrapper` is
    put in front of its command and must exec it."""

    def __init__(self, name, folder, command, env=None, cwd=None, ignore_file_limit=False, wrapper=()):
        self.name = name
        self.log_path = os.path.join(folder, name + ".log")
        # A test that is killed by its time limit takes its children along.
        parent = os.getpid()

        def tie_to_parent():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                [*wrapper, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd or folder,
                env=env or clean_environment(folder),
                preexec_fn=tie_to_parent,
                # Python ignores SIGXFSZ itself, and hands that on only here.
                restore_signals=not ignore_file_limit,
            )

    @property
    def pid(self):
        return self.child.pid

    @property
    def status(self):
        return self.child.poll()

    def log(self):
        with open(self.log_path, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def wait_for_log(self, text, timeout=None):
        def there():
            if text in self.log():
                return True
            if self.status is not None and text not in self.log():
                raise AssertionError(f"{self.name} ended with {self.status} before it logged {text!r}")
            return False

        eventually(there, f"{self.name} logs {text!r}", timeout)

    def send(self, number):
        self.child.send_signal(number)

    def is_stopped(self):
        """Whether it stands still after SIGSTOP."""
        with open(f"/proc/{self.pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] == "T"

    def wait(self, timeout=None):
        try:
            return self.child.wait(PATIENCE if timeout is None else timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end") from None

    def kill(self):
        if self.status is None:
            self.send(signal.SIGKILL)
        self.child.wait()

    def stop(self, timeout=None):
        """SIGTERM and its status."""
        if self.status is None:
            self.send(signal.SIGTERM)
        return self.wait(timeout)

    def rss_kib(self):
        with open(f"/proc/{self.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Redis:
    """A private redis-server on a Unix socket, kept in an append-only file so that it can be killed and
    started."""

    def __init__(self, folder, arguments=(), name="redis", client_options=None, env=None):
        self.env = env or {}
        self.folder, self.name, self.arguments = folder, name, list(arguments)
        self.socket = os.path.join(folder, name + ".sock")
        self.data = os.path.join(folder, name + ".data")
        os.makedirs(self.data, exist_ok=True)
        self.client_options = client_options or {}
        self.process = None
        self.client = None

    @property
    def url(self):
        return "unix://" + self.socket

    def start(self):
        self.process = Process(
            self.name,
            self.folder,
            [
                "redis-server",
                "--port",
                "0",
                "--unixsocket",
                self.socket,
                "--dir",
                self.data,
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--daemonize",
                "no",
                *self.arguments,
            ],
            env=clean_environment(self.folder, LC_ALL="C", **self.env),
        )
        self.client = self.connect()
        eventually(self._answers, f"{self.name} answers")
        return self

    def _answers(self):
        if self.process.status is not None:
            raise AssertionError(f"redis-server ended with {self.process.status}: {self.process.log()}")
        try:
            return os.path.exists(self.socket) and self.client.ping()
        except redis.exceptions.ConnectionError:
            return False
        except redis.exceptions.BusyLoadingError:
            return False

    def connect(self, **options):
        return redis.Redis(unix_socket_path=self.socket, **{**self.client_options, **options})

    def kill(self):
        self.process.kill()

    def stop(self):
        if self.process and self.process.status is None:
            self.process.kill()


class Simulator:
    """claude-simulator and its control endpoint (tests/simulator/README.md)."""

    def __init__(self, folder, arguments=(), name="simulator", ca_file=None):
        port_file = os.path.join(folder, name + ".port")
        self.ca_file = ca_file
        self.process = Process(
            name,
            folder,
            [
                program("claude-simulator"),
                "--listen",
                "127.0.0.1:0",
                "--port-file",
                port_file,
                "--seed",
                "1",
                *arguments,
            ],
        )

        def port():
            if self.process.status is not None:
                raise AssertionError(
                    f"claude-simulator ended with {self.process.status}: {self.process.log()}"
                )
            try:
                with open(port_file) as f:
                    return int(f.read().strip() or 0)
            except FileNotFoundError:
                return 0

        self.port = eventually(port, "the simulator listens")

    @property
    def url(self):
        return f"{'https' if self.ca_file else 'http'}://127.0.0.1:{self.port}"

    def control(self, method, path, body=None):
        if self.ca_file:
            connection = http.client.HTTPSConnection(
                "127.0.0.1",
                self.port,
                timeout=PATIENCE + 10,
                context=ssl.create_default_context(cafile=self.ca_file),
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE + 10)
        try:
            connection.request(
                method, "/control/" + path, None if body is None else json.dumps(body).encode()
            )
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise AssertionError(f"control {path}: {response.status} {text!r}")
            return json.loads(text)
        finally:
            connection.close()

    def script(self, *steps):
        return self.control("POST", "script", list(steps))

    def release(self, name, count=None):
        return self.control("POST", f"release/{name}" + (f"?count={count}" if count else ""))["released"]

    def requests(self):
        """The requests to /v1/messages, in the order of their arrival."""
        return [
            r for r in self.control("GET", "requests")["requests"] if r["path"].startswith("/v1/messages")
        ]

    def bodies(self, model=None):
        return [r["body"] for r in self.requests() if model is None or r["body"]["model"] == model]

    def wait_for_requests(self, count):
        answer = self.control("GET", f"wait?count={count}&timeout_ms={int(PATIENCE * 1000)}")
        if not answer["reached"]:
            raise AssertionError(f"the simulator saw {answer['count']} requests, not {count}")

    def wait_for_held(self, count):
        eventually(lambda: self.stats()["held"] >= count, f"{count} requests are held")

    def stats(self):
        return self.control("GET", "stats")

    def stop(self):
        return self.process.stop()


class Daemon:
    """engramd. Settings are given as `store_path="…"` for store.path, or in a dictionary."""

    def __init__(self, folder, name, settings, env=None, config_file=None, key=API_KEY, **process):
        self.name = name
        command = [program("engramd")]
        if config_file:
            command += ["--config", config_file]
        for key_name, value in settings.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += ["--set", f"{key_name}={text}"]
        variables = clean_environment(folder, ANTHROPIC_API_KEY=key, **(env or {}))
        self.process = Process(name, folder, command, env=variables, **process)

    def wait_until_ready(self, client, prefix="engram"):
        def ready():
            if self.process.status is not None:
                raise AssertionError(f"engramd ended with {self.process.status}")
            try:
                members = client.zrange(prefix + ":instances", 0, -1)
            except redis.exceptions.RedisError:
                return False
            return any(m.startswith(self.name.encode() + b"-") for m in members)

        eventually(ready, f"{self.name} takes jobs")
        return self

    def __getattr__(self, name):
        return getattr(self.process, name)


class Answer:
    """What a finished command said."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


def run_program(command, folder, given=b"", env=None, timeout=None):
    """Runs a command to its end, its input from a pipe."""
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        cwd=folder,
        timeout=timeout or PATIENCE,
        env=clean_environment(folder, **(env or {})),
    )
    return Answer(
        done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
    )


class Listener(threading.Thread):
    """SUBSCRIBEs to a channel; what comes is in `messages`."""

    def __init__(self, client, channel):
        super().__init__(daemon=True)
        self.messages = []
        self._closing = threading.Event()
        self._pubsub = client.pubsub()
        self._pubsub.subscribe(channel)
        first = self._pubsub.get_message(timeout=PATIENCE)
        if not first or first["type"] != "subscribe":
            raise AssertionError(f"no subscription to {channel}: {first}")
        self.start()

    def run(self):
        while not self._closing.is_set():
            message = self._pubsub.get_message(timeout=0.05)
            if message and message["type"] == "message":
                self.messages.append(message["data"])

    def wait(self, count=1):
        eventually(lambda: len(self.messages) >= count, f"{count} messages on the channel")
        return self.messages

    def close(self):
        self._closing.set()
        self.join()
        self._pubsub.close()
