"""What systemd sees: readiness, reloading and stopping over $NOTIFY_SOCKET, and the choice of the log's form."""

import json
import os
import signal
import socket

from harness import Case, PATIENCE, main


class Notify(Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.folder, "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.bind(self.path)
        self.addCleanup(self.socket.close)

    def told(self):
        return self.socket.recv(4096).decode().splitlines()

    def test_ready_comes_when_jobs_are_taken_and_each_change_is_told(self):
        self.make_redis()
        self.start_fake(lambda request: "ok")
        daemon = self.start_daemon(ready=False, env={"NOTIFY_SOCKET": self.path})
        daemon.wait_for_log("no connection to Redis")
        self.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.told()  # not ready while there is no Redis
        self.socket.settimeout(PATIENCE)
        self.redis.start()
        self.assertIn("READY=1", self.told())
        self.assertEqual(self.redis.client.zcard("engram:instances"), 1)
        daemon.send(signal.SIGHUP)
        reloading = self.told()
        self.assertIn("RELOADING=1", reloading)
        self.assertTrue(any(line.startswith("MONOTONIC_USEC=") for line in reloading), reloading)
        self.assertIn("READY=1", self.told())
        daemon.send(signal.SIGTERM)
        self.assertIn("STOPPING=1", self.told())
        self.assertEqual(daemon.wait(), 0)


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
