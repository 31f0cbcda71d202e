"""What systemd sees: readiness, reloading and stopping over $NOTIFY_SOCKET, and the choice of the log's form."""

import json
import os
import re
import signal
import socket

from harness import Case, PATIENCE, main
from version_1 import write_version_1


class Notify(Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(self.path)
        self.addCleanup(self.socket.close)

    def told(self):
        """The next message that is more than the line for `systemctl status`."""
        while True:
            lines = self.socket.recv(4096).decode().splitlines()
            lines = [line for line in lines if not line.startswith("STATUS=")]
            if lines and lines != ["WATCHDOG=1"]:
                return lines

    def until_told(self, condition):
        while True:
            text = self.socket.recv(4096).decode()
            if condition(text):
                return text

    def test_ready_does_not_wait_for_redis_and_each_change_is_told(self):
        self.make_redis()
        self.start_fake(lambda request: "ok")
        daemon = self.start_daemon(ready=False, env={"NOTIFY_SOCKET": self.path})
        self.assertIn("READY=1", self.told())
        self.until_told(lambda text: re.match(r"STATUS=not ready, cut off.*No such file", text))
        self.redis.start()
        self.until_told(lambda text: text.startswith("STATUS=ready, taking"))
        self.assertEqual(self.redis.client.zcard("engram:instances"), 1)
        daemon.send(signal.SIGHUP)
        reloading = self.told()
        self.assertIn("RELOADING=1", reloading)
        self.assertTrue(any(line.startswith("MONOTONIC_USEC=") for line in reloading), reloading)
        self.assertIn("READY=1", self.told())
        daemon.send(signal.SIGTERM)
        self.assertIn("STOPPING=1", self.told())
        self.assertEqual(daemon.wait(), 0)

    def test_an_upgrade_asks_for_more_time_and_says_how_far_it_is(self):
        self.start_redis()
        self.start_fake(lambda request: "ok")
        turns = [(f"user{n % 50}", "s", "user", f"thought {n} " + "of tea " * 60) for n in range(60_000)]
        write_version_1(self.database, turns, [])
        self.start_daemon(ready=False, env={"NOTIFY_SOCKET": self.path})
        # Before the step that nothing can be told of.
        self.until_told(lambda text: text.endswith("EXTEND_TIMEOUT_USEC=600000000"))
        text = self.until_told(lambda text: text.startswith("EXTEND_TIMEOUT_USEC="))
        extended, status = text.splitlines()
        self.assertEqual(extended, "EXTEND_TIMEOUT_USEC=60000000")
        self.assertRegex(status, r"^STATUS=starting, ")
        text = self.until_told(lambda text: " of 60000 texts" in text or "READY=1" in text)
        self.assertRegex(text, r"the search index is made: \d+ of 60000 texts$")
        self.until_told(lambda text: "READY=1" in text)

    def test_a_list_of_the_forgotten_that_cannot_be_read_is_told_and_the_start_ends(self):
        self.start_redis()
        self.start_fake(lambda request: "ok")
        os.mkdir(self.database + ".forgotten")
        daemon = self.start_daemon(ready=False, env={"NOTIFY_SOCKET": self.path})
        self.assertIn("READY=1", self.told())
        line = self.until_told(
            lambda text: text.startswith("STATUS=not ready, paused") and "cannot be used" in text
        )
        self.assertIn("store: the list of who was forgotten", line)
        self.assertIn("if nobody was forgotten since the backup", line)
        self.assertNotIn("Redis: ", line)
        os.rmdir(self.database + ".forgotten")
        self.assertIn("no jobs are taken", daemon.log())
        self.assertEqual(self.ask("hello")["status"], "ok")

    def test_the_status_line_says_whether_jobs_are_answered(self):
        self.start_redis()
        self.start_fake(lambda request: "ok")
        self.start_daemon(
            env={"NOTIFY_SOCKET": self.path}, queue_lease_ms=5000, redis_command_timeout_ms=500
        )
        self.until_told(lambda text: text.startswith("STATUS=ready, taking"))
        self.redis.process.send(signal.SIGSTOP)
        line = self.until_told(lambda text: text.startswith("STATUS=not ready"))
        self.assertIn("cut off", line)
        self.redis.process.send(signal.SIGCONT)
        self.until_told(lambda text: text.startswith("STATUS=ready, taking"))

    def test_the_watchdog_is_fed_while_the_loop_turns(self):
        self.start_redis()
        self.start_fake(lambda request: "ok")
        self.start_daemon(env={"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "60000000"})
        for _ in range(3):
            self.until_told(lambda text: text == "WATCHDOG=1")


class LogForm(Case):
    def test_an_inherited_journal_variable_that_names_another_stream_is_not_followed(self):
        self.start_redis()
        self.start_fake(lambda request: "ok")
        daemon = self.start_daemon(env={"JOURNAL_STREAM": "1:1"}, log_format="auto")
        self.ask("hi")
        daemon.wait_for_log("job answered")
        lines = [json.loads(line) for line in daemon.log().splitlines()]
        self.assertIn("job answered", [line["msg"] for line in lines])


if __name__ == "__main__":
    main()
