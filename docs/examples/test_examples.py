"""The examples, run as a reader would: against a real Redis, engramd and the simulator.

ENGRAM_BIN=build/dev/bin /usr/bin/python3 docs/examples/test_examples.py shell|python|subscribe|node [test]
Status 77: this one cannot run here, and why is printed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
EXAMPLES = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(EXAMPLES, "..", "..", "tests", "integration"))

from harness import Case, free_port, run_program  # noqa: E402

SKIPPED = 77
NPM_CI = os.path.join(EXAMPLES, "..", "..", "tests", "support", "npm_ci.sh")


class Example:
    """The commands of these tests; each set up by main()."""

    command = None


class Stack(Case):
    def setUp(self):
        super().setUp()
        port = free_port()
        self.start_redis("--port", str(port), "--bind", "127.0.0.1")
        self.url = f"redis://127.0.0.1:{port}"
        self.start_simulator()
        self.start_daemon()

    def sessions(self):
        return self.rows("SELECT session_id, count(*) FROM conversation_history GROUP BY session_id")


class AnExample(Stack):
    def converse(self, *lines, user="ada", session=()):
        given = "".join(line + "\n" for line in lines).encode()
        return run_program([*Example.command, user, *session], self.folder, given=given,
                           env={"ENGRAM_REDIS_URL": self.url})

    def test_a_conversation_is_one_session_and_remembers(self):
        done = self.converse("My name is Ada.", "What is my name?")
        self.assertEqual(done.status, 0, done)
        # What is noted may be shown beneath an answer.
        answers = [line for line in done.out.splitlines() if not line.startswith("  ")]
        self.assertEqual(len(answers), 2, done)
        self.assertIn("Ada", answers[1], done)
        self.assertNotIn("[MEMORY", done.out)
        self.assertEqual([count for _, count in self.sessions()], [4])
        self.assert_idle()

    def test_a_later_session_knows_the_user(self):
        self.assertEqual(self.converse("My name is Ada.").status, 0)
        later = self.converse("What is my name?")
        self.assertIn("Ada", later.out, later)
        self.assertEqual([count for _, count in self.sessions()], [2, 2])
        stranger = self.converse("What is my name?", user="bob")
        self.assertEqual(stranger.status, 0, stranger)
        self.assertNotIn("Ada", stranger.out, stranger)

    def test_a_named_session_is_kept(self):
        for _ in range(2):
            self.assertEqual(self.converse("Hello there.", session=("mine",)).status, 0)
        self.assertEqual(self.sessions(), [("mine", 4)])

    def test_any_text_arrives_unchanged(self):
        text = r'Tom said: "a\b	c" — naïve ☃ $HOME `id` %s \n \\ it'"'s 100%"
        done = self.converse(text, session=("mine",))
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.turns("ada", "mine")[0], ("user", text))

    def test_an_error_reply_is_told(self):
        done = self.converse("Hello.", user="x" * 129)
        self.assertNotEqual(done.status, 0, done)
        self.assertIn("invalid_job", done.err)
        self.assertEqual(len(done.err.strip().splitlines()), 1, done)
        self.assertEqual(done.out, "")

    def test_no_redis_is_told(self):
        self.url = f"redis://127.0.0.1:{free_port()}"
        done = self.converse("Hello.")
        self.assertNotEqual(done.status, 0, done)
        self.assertRegex(done.err, "(?i)refused|connect")


class TheTwoLines(Stack):
    """Those that the README begins with."""

    def test_the_two_lines_of_the_readme_are_answered(self):
        with open(os.path.join(EXAMPLES, "README.md"), encoding="utf-8") as readme:
            block = re.search(r"```sh\n(.*?)```", readme.read(), re.DOTALL).group(1)
        self.assertEqual(len(block.splitlines()), 2, block)
        # redis-cli, told where this test's Redis is.
        folder = os.path.join(self.folder, "bin")
        os.mkdir(folder)
        script = os.path.join(folder, "redis-cli")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {shutil.which("redis-cli")} -u {self.url} "$@"\n')
        os.chmod(script, 0o755)
        path = folder + ":" + os.environ["PATH"]
        done = run_program(["sh", "-euc", block], self.folder, env={"PATH": path})
        self.assertEqual(done.status, 0, done)
        pushed, key, reply = done.out.splitlines()
        self.assertEqual((pushed, key), ("1", "engram:reply:1"))
        self.assertIn('"status":"ok"', reply)
        self.assertEqual(self.sessions(), [("s", 2)])


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def node_command(folder):
    """Installs what the example needs into `folder`, never into the source tree."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        skip("Node and npm are not installed")
    version = subprocess.run([node, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0] or 0) < 18:
        skip(f"Node is {version}; 18 or later is needed")
    for name in ("chat.mjs", "package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(EXAMPLES, name), folder)
    done = subprocess.run([NPM_CI, folder], check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)  # it has said why
    return [node, os.path.join(folder, "chat.mjs")]


def main():
    which = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory(prefix="engram-example-") as folder:
        commands = {"shell": lambda: ["sh", os.path.join(EXAMPLES, "chat.sh")],
                    "python": lambda: ["/usr/bin/python3", os.path.join(EXAMPLES, "chat.py")],
                    "subscribe": lambda: ["/usr/bin/python3", os.path.join(EXAMPLES, "chat_subscribe.py")],
                    "node": lambda: node_command(folder)}
        if which not in commands:
            sys.exit(__doc__)
        Example.command = commands[which]()
        tests = unittest.TestSuite()
        loader = unittest.defaultTestLoader
        if len(sys.argv) > 1:
            tests = loader.loadTestsFromNames(sys.argv[1:], sys.modules[__name__])
        else:
            tests.addTests(loader.loadTestsFromTestCase(AnExample))
            if which == "shell":
                tests.addTest(TheTwoLines("test_the_two_lines_of_the_readme_are_answered"))
        done = unittest.TextTestRunner(verbosity=2).run(tests)
    sys.exit(0 if done.wasSuccessful() and done.testsRun > 0 else 1)


if __name__ == "__main__":
    main()
