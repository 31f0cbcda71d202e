"""`./dev chat`, the quick start: a second conversation knows what the first was told, and nothing is left
running.

It runs on a copy of ./dev beside the programs that are built already; what would build or install is
replaced.
"""

import os
import shutil
import signal
import subprocess

from harness import BIN, PATIENCE, Case, clean_environment, eventually, main

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


class DevChat(Case):
    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.folder, "checkout")
        os.makedirs(os.path.join(self.root, "build", "release"))
        os.symlink(os.path.abspath(BIN), os.path.join(self.root, "build", "release", "bin"))
        shutil.copy(os.path.join(SOURCE, "dev"), self.root)
        shutil.copytree(os.path.join(SOURCE, "dev.d"), os.path.join(self.root, "dev.d"))
        self.stand_ins = os.path.join(self.folder, "stand-ins")
        os.mkdir(self.stand_ins)
        self.stand_in("cmake", "exit 0")
        self.stand_in("dpkg-query", "printf installed")
        self.stand_in("apt-get", "exit 1")
        self.addCleanup(self.end_all)

    def stand_in(self, name, script):
        path = os.path.join(self.stand_ins, name)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n" + script + "\n")
        os.chmod(path, 0o755)

    def environment(self):
        path = self.stand_ins + ":" + os.environ.get("PATH", "/usr/bin:/bin")
        return {
            **clean_environment(self.folder, XDG_STATE_HOME=os.path.join(self.folder, "state")),
            "PATH": path,
        }

    def start(self, *arguments):
        child = subprocess.Popen(
            ["./dev", *arguments],
            cwd=self.root,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(
            lambda: (
                child.poll() is None and child.kill(),
                child.wait(),
                child.stdin.close(),
                child.stdout.close(),
                child.stderr.close(),
            )
        )
        return child

    def dev(self, *arguments, given=""):
        done = subprocess.run(
            ["./dev", *arguments],
            input=given,
            cwd=self.root,
            env=self.environment(),
            text=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def survivors(self):
        """Processes that have to do with this test's folder, which every one that ./dev starts has in its
        arguments."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    command = f.read().replace(b"\0", b" ").decode("utf-8", "replace")
                folder = os.readlink(f"/proc/{pid}/cwd")
            except OSError:
                continue
            if int(pid) != os.getpid() and (self.folder in command or folder.startswith(self.folder)):
                found[int(pid)] = command
        return found

    def end_all(self):
        for pid in self.survivors():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def test_a_second_conversation_knows_what_the_first_was_told(self):
        first = self.dev("chat", given="My name is Ada and I prefer short answers.\n")
        self.assertEqual(self.survivors(), {})
        second = self.dev("chat", given="What is my name?\n")
        self.assertEqual(self.survivors(), {})
        self.assertIn("Assistant: ", first.stdout)
        self.assertIn("Ada", second.stdout)
        self.assertNotIn("[MEMORY", first.stdout + second.stdout)
        self.assertIn(os.path.join(self.folder, "state", "engram"), first.stderr)
        self.assertIn("simulat", first.stderr)

    def test_what_it_started_ends_with_it_when_it_is_stopped(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number):
                child = self.start("chat")
                self.read_prompt(child)
                child.send_signal(number)
                self.assertEqual(child.wait(PATIENCE), 128 + number)
                self.assertEqual(self.survivors(), {})

    def test_so_it_does_when_it_is_stopped_while_it_starts(self):
        for program in ("redis-server", "claude-simulator", "engramd", "engramctl"):
            with self.subTest(program=program):
                child = self.start("chat")
                eventually(
                    lambda: any(program in command for command in self.survivors().values()),
                    f"{program} has been started",
                )
                child.send_signal(signal.SIGTERM)
                self.assertEqual(child.wait(PATIENCE), 128 + signal.SIGTERM)
                # A subshell that was signalled as well may take a moment longer.
                eventually(
                    lambda: not self.survivors(), f"everything has ended: {self.survivors()}", timeout=10
                )

    def test_two_conversations_share_what_runs(self):
        first = self.start("chat")
        self.read_prompt(first)
        second = self.dev("chat", given="My name is Ada.\n")
        self.assertIn("Assistant: ", second.stdout)
        first.stdin.write(b"What is my name?\n")
        first.stdin.close()
        said = first.stdout.read().decode()
        self.assertEqual(first.wait(PATIENCE), 0, said)
        self.assertIn("Ada", said)
        self.assertEqual(self.survivors(), {})

    def read_prompt(self, child):
        seen = b""
        while b"You: " not in seen:
            data = os.read(child.stdout.fileno(), 4096)
            self.assertTrue(data, seen)
            seen += data

    def test_up_stays_and_down_ends_it(self):
        said = self.dev("up").stdout
        self.assertTrue(any("engramd" in c for c in self.survivors().values()))
        self.assertIn("LPUSH", said)
        self.assertIn("Ada", self.dev("chat", given="My name is Ada.\n").stdout)
        self.assertTrue(any("engramd" in c for c in self.survivors().values()))
        self.dev("down")
        self.assertEqual(self.survivors(), {})


if __name__ == "__main__":
    main()
