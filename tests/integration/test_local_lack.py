"""What the machine lacks is told as that: files, threads, standard streams."""

import contextlib
import errno
import os
import resource
import socket

from harness import BIN, PATIENCE, Case, eventually, main
from processes import Process, clean_environment, program

EX_OSERR, EX_TEMPFAIL = 71, 75


class LackCase(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake(lambda request: "re: " + request.new_message)

    def check_jobs(self, count):
        ids = [self.push(f"m{n}", session_id=f"s{n}", id=f"j{n}") for n in range(count)]
        for n, job in enumerate(ids):
            self.assertEqual(self.reply(job).get("reply"), f"re: m{n}")
        self.assertEqual(self.dead_letters(), [])


class Files(LackCase):
    def limited(self, files):
        return {"wrapper": ["prlimit", f"--nofile={files}"]}

    def test_with_few_fewer_calls_run_at_a_time_and_all_jobs_are_answered(self):
        daemon = self.start_daemon(process=self.limited(64))
        daemon.wait_for_log("few file descriptors: fewer calls run at a time limit=64 needed=394 calls=9")
        self.assertIn("LimitNOFILE=", daemon.log())
        self.check_jobs(100)
        self.assertNotIn("Too many open files", daemon.log())

    def test_with_too_few_it_says_so_and_ends(self):
        daemon = self.start_daemon(ready=False, process=self.limited(40))
        self.assertEqual(daemon.wait(), EX_OSERR)
        self.assertIn("too few file descriptors limit=40", daemon.log())
        self.assertIn("LimitNOFILE=", daemon.log())

    def test_with_plenty_nothing_is_said(self):
        daemon = self.start_daemon()
        self.check_jobs(1)
        self.assertNotIn("file descriptors", daemon.log())


class Shortage(LackCase):
    """What is lacking for a while, in a daemon that runs."""

    BLAME = ("gave no answer", "asking Claude again", "the embedding endpoint failed", "cannot be resolved")

    @contextlib.contextmanager
    def without_files(self, daemon):
        """Whatever is open stays so."""
        usual = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (3, usual[1]))
        try:
            yield
        finally:
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, usual)

    def start(self, **more):
        """Every call needs a connection of its own: that of the question for its models is closed again."""
        daemon = self.start_daemon(claude_max_idle_connections=0, **more)
        eventually(lambda: self.claude.gets, "it has asked about its models")
        return daemon

    def push_some(self):
        return [self.push(f"m{n}", session_id=f"s{n}", id=f"w{n}") for n in range(20)]

    def trouble(self, daemon):
        return self.said(daemon).get("trouble", "")

    def check_they_wait(self, daemon, lack):
        """Nobody is asked and nobody blamed; it is told, and soon it is not ready."""
        eventually(lambda: f"this machine: {lack}" in self.trouble(daemon), "its status names the lack")
        said = eventually(lambda: (now := self.said(daemon))["ready"] is False and now, "it is not ready")
        self.assertEqual((said["delayed"], said["failed_last_minute"]), (0, 0), said)
        self.assertEqual(self.ctl("queue", "status").status, 75)
        self.assertEqual((self.claude.requests, self.dead_letters()), ([], []))

    def check_they_are_answered(self, daemon, ids):
        for n, job in enumerate(ids):
            reply = self.reply(job)
            self.assertEqual((reply.get("reply"), reply["attempts"]), (f"re: m{n}", 1), reply)
        self.assertEqual(len(self.claude.requests), len(ids))
        self.assertEqual(self.dead_letters(), [])
        eventually(lambda: self.said(daemon)["ready"] and not self.trouble(daemon), "it is ready again")
        for words in self.BLAME:
            self.assertNotIn(words, daemon.log())

    def test_calls_wait_for_a_file(self):
        daemon = self.start()
        with self.without_files(daemon):
            ids = self.push_some()
            self.check_they_wait(daemon, "no file descriptor is free (limit 3): raise LimitNOFILE=")
        self.check_they_are_answered(daemon, ids)
        self.assertEqual(daemon.log().count("calls to Claude wait for what this machine lacks"), 1)

    def test_calls_wait_for_a_file_to_look_a_name_up_with(self):
        daemon = self.start(claude_base_url=self.claude.url.replace("127.0.0.1", "localhost"))
        with self.without_files(daemon):
            ids = self.push_some()
            self.check_they_wait(daemon, "no file descriptor is free")
        self.check_they_are_answered(daemon, ids)

    def test_a_deadline_says_what_was_lacking(self):
        daemon = self.start()
        with self.without_files(daemon):
            self.push(id="late", deadline_ms=1500)
            error = self.reply("late")["error"]
        self.assertEqual(error["type"], "deadline_exceeded")
        self.assertIn("this machine: no file descriptor is free", error["message"])
        self.assertEqual(self.claude.requests, [])

    def test_the_watchdog_is_fed_without_a_file(self):
        path = os.path.join(self.folder, "notify.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
            supervisor.bind(path)
            daemon = self.start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"})
            with self.without_files(daemon):
                supervisor.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while supervisor.recv(4096):
                        pass
                supervisor.settimeout(PATIENCE)
                told = ""
                while told != "WATCHDOG=1":
                    told = supervisor.recv(4096).decode()

    def test_redis_is_not_blamed_for_a_file(self):
        daemon = self.start()
        with self.without_files(daemon):
            self.redis.client.client_kill_filter(_type="normal", skipme=True)
            daemon.wait_for_log("no connection to Redis")
            daemon.wait_for_log("this machine: no file descriptor is free (limit 3)")
        self.check_jobs(3)

    def check_lacking(self, call, number, lack):
        path = os.path.join(self.folder, "sockets")
        daemon = self.start(env={"LD_PRELOAD": os.path.join(BIN, "no_sockets.so"), "NO_SOCKETS_FILE": path})
        with open(path, "w", encoding="ascii") as f:
            f.write(f"{call} {number}")
        ids = self.push_some()
        self.check_they_wait(daemon, lack)
        os.unlink(path)
        self.check_they_are_answered(daemon, ids)

    def test_calls_wait_for_a_file_of_the_system(self):
        self.check_lacking("socket", errno.ENFILE, "the system has no file descriptor free: raise fs.file-max")

    def test_calls_wait_for_memory_for_connections(self):
        self.check_lacking("socket", errno.ENOBUFS, "no memory is free for connections")

    def test_calls_wait_for_memory(self):
        self.check_lacking("socket", errno.ENOMEM, "no memory is free")

    def test_calls_wait_for_a_local_port(self):
        self.check_lacking("connect", errno.EADDRNOTAVAIL, "no local port is free to connect from")


class Streams(LackCase):
    def test_jobs_are_answered_without_any_and_no_socket_gets_their_number(self):
        closed = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
        daemon = self.start_daemon(process={"wrapper": closed}, log_format="text")
        for stream in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{daemon.pid}/fd/{stream}"), "/dev/null")
        self.check_jobs(3)

    def test_engramctl_that_cannot_print_says_so_by_its_status(self):
        self.start_daemon()
        for closed, ends_well in ((">&-", False), ("2>&-", True), ("<&-", True)):
            with self.subTest(closed=closed):
                answer = self.ctl_without(closed, "queue", "status")
                self.assertEqual(answer == 0, ends_well, answer)

    def ctl_without(self, closed, *arguments):
        variables = clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url)
        command = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", program("engramctl"), *arguments]
        return self._owned(Process("engramctl", self.folder, command, env=variables)).wait()


class Threads(LackCase):
    """As many threads as a file says; without the file as many as are wanted."""

    def start(self, allowed):
        path = os.path.join(self.folder, "threads")
        with open(path, "w", encoding="ascii") as f:
            f.write(str(allowed))
        preload = {"LD_PRELOAD": os.path.join(BIN, "no_threads.so"), "NO_THREADS_FILE": path}
        by_name = self.claude.url.replace("127.0.0.1", "localhost")
        return self.start_daemon(ready=False, env=preload, claude_base_url=by_name), path

    def is_registered(self, daemon):
        members = self.redis.client.zrange("engram:instances", 0, -1)
        return any(member.startswith(daemon.name.encode() + b"-") for member in members)

    def test_without_one_it_ends_with_a_status_after_which_it_is_tried_again(self):
        for allowed in range(20):
            daemon, path = self.start(allowed)
            eventually(lambda: daemon.status is not None or self.is_registered(daemon), "it ends or starts")
            if daemon.status is None:
                break
            self.assertEqual(daemon.status, EX_TEMPFAIL, daemon.log())
            self.assertIn("engramd cannot start for now", daemon.log())
            self.assertIn("TasksMax=", daemon.log())
        self.assertTrue(3 < allowed < 19, "it needs some threads")
        # All but that which looks names up.
        job = self.push("m0", id="by-name")
        trouble = "this machine: no thread could be started: raise TasksMax="
        eventually(lambda: trouble in self.said(daemon).get("trouble", ""), "its status names the lack")
        os.unlink(path)
        self.assertEqual(self.reply(job).get("reply"), "re: m0")
        self.assertNotIn("cannot be resolved", daemon.log())
        self.check_jobs(3)


if __name__ == "__main__":
    main()
