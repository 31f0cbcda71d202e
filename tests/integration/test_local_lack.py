"""What the machine lacks is told as that: files, threads, standard streams."""

import os

from harness import BIN, Case, eventually, main
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
        return self.start_daemon(ready=False, env=preload), path

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
        os.unlink(path)
        self.check_jobs(3)


if __name__ == "__main__":
    main()
