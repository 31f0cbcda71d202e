"""engramctl chat and send: over a pipe and on a terminal."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import threading
import time

from harness import Case, PATIENCE, Response, clean_environment, error_body, main, message_body, program, run_program

EX_USAGE, EX_NOINPUT, EX_UNAVAILABLE, EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 64, 66, 69, 75, 77, 78


class ChatOverAPipe(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake(lambda request: "re: " + request.new_message)
        self.start_daemon()

    def session_of(self, out):
        return re.search(r"[Ss]ession:? (\S+)", out).group(1)

    def test_a_conversation(self):
        answer = self.ctl("chat", given=b"hello\nhow are you?\nquit\nnever said\n")
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assertIn("You: ", answer.out)
        self.assertIn("Assistant: re: hello\n", answer.out)
        self.assertIn("Assistant: re: how are you?\n", answer.out)
        self.assertLess(answer.out.index("re: hello"), answer.out.index("re: how are you?"))
        self.assertEqual([r.new_message for r in self.claude.requests], ["hello", "how are you?"])
        session = self.session_of(answer.out)
        self.assertEqual(
            [t for _, t in self.turns("tester", session)],
            ["hello", "re: hello", "how are you?", "re: how are you?"],
        )

    def test_the_end_of_input_ends_it(self):
        answer = self.ctl("chat", given=b"hello")
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assertIn("re: hello", answer.out)
        self.assertTrue(answer.out.endswith("\n"))
        self.assertEqual(self.ctl("chat", given=b"").status, 0)

    def test_each_chat_is_a_session_of_its_own_unless_one_is_named(self):
        sessions = {self.session_of(self.ctl("chat", given=b"hi\n").out) for _ in range(2)}
        self.assertEqual(len(sessions), 2)
        answer = self.ctl("chat", "--session", "mine", "--user", "ada", given=b"hi\n")
        self.assertEqual(self.session_of(answer.out), "mine")
        self.assertEqual(len(self.turns("ada", "mine")), 2)
        self.ctl("chat", "--session", "mine", "--user", "ada", given=b"again\n")
        self.assertEqual(len(self.turns("ada", "mine")), 4)

    def test_blank_lines_are_skipped_and_odd_bytes_survived(self):
        answer = self.ctl("chat", given=b"\n   \n\t\nhi \xff\xfe there\r\n\xc3\xa9t\xc3\xa9\n")
        self.assertEqual(answer.status, 0, answer)
        self.assertEqual(len(self.claude.requests), 2)
        self.assertEqual(self.claude.requests[1].new_message, "été")
        self.assertTrue(self.claude.requests[0].new_message.startswith("hi "))

    def test_an_error_is_one_line_and_a_status(self):
        self.claude.default = lambda request: Response(
            error_body("invalid_request_error", "not like this"), 400
        )
        answer = self.ctl("chat", given=b"hello\n")
        self.assertNotEqual(answer.status, 0, answer)
        self.assertEqual(len(answer.err.splitlines()), 1, answer)
        self.assertIn("claude_rejected", answer.err)
        self.assertIn("not like this", answer.err)

    def test_a_conversation_goes_on_after_an_error(self):
        self.claude.put(Response(error_body("invalid_request_error", "not like this"), 400), "fine")
        answer = self.ctl("chat", given=b"hello\nagain\n")
        self.assertEqual(len(answer.err.splitlines()), 1, answer)
        self.assertIn("Assistant: fine\n", answer.out)

    def test_an_empty_answer_says_why(self):
        self.claude.put(message_body(content=[], stop_reason="refusal"))
        answer = self.ctl("chat", given=b"hello\n")
        self.assertEqual(answer.status, 0, answer)
        self.assertIn("refusal", answer.out)

    def test_json_prints_the_replies_alone(self):
        answer = self.ctl("chat", "--json", given=b"one\ntwo\n")
        replies = [json.loads(line) for line in answer.out.splitlines()]
        self.assertEqual([r["reply"] for r in replies], ["re: one", "re: two"])

    def test_another_prefix(self):
        self.start_daemon(redis_prefix="other")
        answer = self.ctl("--prefix", "other", "chat", given=b"hello\n")
        self.assertIn("re: hello", answer.out)
        self.assertEqual(self.redis.client.exists("engram:jobs"), 0)

    def test_a_message_of_a_hundred_kilobytes(self):
        answer = self.ctl("chat", given=b"x" * 100_000 + b"\n")
        self.assertEqual(answer.status, 0, answer.err)
        self.assertIn("re: " + "x" * 100_000, answer.out)

    def test_no_reply_is_left_behind(self):
        self.ctl("chat", given=b"one\ntwo\n")
        self.assertEqual([k for k in self.keys() if k.startswith("engram:reply:")], [])

    def test_a_reader_that_goes_away_is_survived(self):
        writer = subprocess.Popen(
            [program("engramctl"), "chat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url, USER="tester"),
        )
        self.addCleanup(writer.kill)
        writer.stdout.close()
        writer.stdin.write(b"hello\n" * 3)
        writer.stdin.close()
        status = writer.wait(PATIENCE)
        writer.stderr.close()
        # An error, the signal of a broken pipe, or nothing: but no crash.
        self.assertNotIn(status, (-signal.SIGABRT, -signal.SIGSEGV))

    def test_redis_that_restarts_while_an_answer_is_awaited(self):
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.claude.default = lambda request: "at last" if gate.wait(PATIENCE) else ""
        writer = subprocess.Popen(
            [program("engramctl"), "send", "hello"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(self.folder, ENGRAMD_REDIS_URL=self.redis.url, USER="tester"),
        )
        self.addCleanup(writer.kill)
        self.claude.wait_for_requests(1)
        self.redis.kill()
        self.redis.start()
        gate.set()
        out, err = writer.communicate(timeout=PATIENCE)
        self.assertEqual((writer.returncode, out), (0, b"at last\n"), err)
        self.assertEqual(
            len(self.turns("tester", self.rows("SELECT session_id FROM conversation_history")[0][0])), 2
        )


class Send(Case):
    def setUp(self):
        super().setUp()
        self.start_redis()
        self.start_fake(lambda request: "re: " + request.new_message)

    def test_one_message_one_answer(self):
        self.start_daemon()
        answer = self.ctl("send", "--user", "ada", "--session", "s", "hello there")
        self.assertEqual((answer.status, answer.out, answer.err), (0, "re: hello there\n", ""))
        self.assertEqual(len(self.turns("ada", "s")), 2)

    def test_json(self):
        self.start_daemon()
        reply = json.loads(self.ctl("send", "--json", "hello").out)
        self.assertEqual((reply["status"], reply["reply"]), ("ok", "re: hello"))

    def test_an_error(self):
        self.start_daemon()
        self.claude.default = lambda request: Response(error_body("invalid_request_error", "bad"), 400)
        answer = self.ctl("send", "hello")
        self.assertNotEqual(answer.status, 0, answer)
        self.assertEqual(len(answer.err.splitlines()), 1, answer)

    def test_nobody_answers(self):
        answer = self.ctl("send", "--timeout", "1", "hello")
        self.assertEqual(answer.status, EX_TEMPFAIL, answer)
        self.assertEqual(len(answer.err.splitlines()), 1, answer)
        self.assertIn("engramd", answer.err)

    def test_a_message_is_required(self):
        answer = self.ctl("send")
        self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_USAGE, 1), answer)


class WithoutRedis(Case):
    def check(self, url):
        answer = self.ctl("chat", given=b"hello\n", url=url)
        self.assertEqual(answer.status, EX_UNAVAILABLE, answer)
        self.assertEqual(len(answer.err.splitlines()), 1, answer)
        self.assertTrue(answer.err.startswith("engramctl: "), answer)

    def test_nobody_listens(self):
        self.check("redis://127.0.0.1:1")
        self.check("unix:///nonexistent/redis.sock")

    def test_an_unknown_host(self):
        self.check("redis://no-such-host.invalid")

    def test_a_wrong_password(self):
        self.start_redis("--requirepass", "right", client_options={"password": "right"})
        for login, why in ((":wrong-secret@", "the password or the user of the URL is wrong"), ("", "names no password")):
            answer = self.ctl("send", "hello", url=f"unix://{login}{self.redis.socket}")
            self.assertEqual(answer.status, EX_NOPERM, answer)
            self.assertEqual(len(answer.err.splitlines()), 1, answer)
            self.assertIn(why, answer.err)
            self.assertNotIn("wrong-secret", answer.err)

    def test_an_address_that_is_none(self):
        answer = self.ctl("chat", url="http://localhost")
        self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_USAGE, 1), answer)

    def test_wrong_arguments(self):
        for arguments in (["nonsense"], [], ["chat", "--nonsense"]):
            with self.subTest(arguments=arguments):
                answer = self.ctl(*arguments, url="redis://127.0.0.1:1")
                self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_USAGE, 1), answer)

    def test_version_and_help(self):
        self.assertRegex(self.ctl("--version", url="x").out, r"^engramctl \d+\.\d+\.\d+\n$")
        self.assertIn("chat", self.ctl("--help", url="x").out)


class TheDaemonsFile(Case):
    """Where Redis is stands in engramd's configuration, if nobody says otherwise."""

    def setUp(self):
        super().setUp()
        self.etc = os.path.join(self.folder, "etc", "engramd")
        os.makedirs(self.etc)
        self.file = os.path.join(self.etc, "engramd.toml")

    def write(self, text):
        with open(self.file, "w") as file:
            file.write(text)

    def ctl_here(self, *arguments, **variables):
        """In a world whose /etc/engramd/engramd.toml is ours, and without the variables of other tests."""
        if run_program(["unshare", "-rm", "true"], self.folder).status != 0:
            self.skipTest("no mount namespaces here")
        here = ["sh", "-c", 'mount --bind "$1" /etc && shift && exec "$@"', "sh", os.path.dirname(self.etc)]
        return run_program(["unshare", "-rm", *here, program("engramctl"), *arguments], self.folder, env=variables)

    def setUpDaemon(self):
        self.start_redis()
        self.start_fake(lambda request: "re: " + request.new_message)
        self.start_daemon(redis_prefix="other")
        self.write(f'# what runs here\n[redis]\nurl = "{self.redis.url}"\nprefix = "other"\n[claude]\nmodel = 5\n')

    def test_it_is_read_when_nothing_else_is_given(self):
        self.setUpDaemon()
        answer = self.ctl_here("send", "--user", "ada", "hello")
        self.assertEqual((answer.status, answer.out), (0, "re: hello\n"), answer)
        # What is given counts, and then the file does not.
        for given in (["--redis", "unix:///nonexistent"], ["--prefix", "x", "--redis", "unix:///nonexistent"]):
            answer = self.ctl_here(*given, "send", "hello")
            self.assertEqual(answer.status, EX_UNAVAILABLE, answer)
            self.assertNotIn("engramd.toml", answer.err)
        answer = self.ctl_here("send", "hello", ENGRAMD_REDIS_URL="unix:///nonexistent")
        self.assertEqual(answer.status, EX_UNAVAILABLE, answer)

    def test_it_can_be_named(self):
        self.setUpDaemon()
        answer = self.ctl("--config", self.file, "send", "hello", env={"ENGRAMD_REDIS_URL": None})
        self.assertEqual((answer.status, answer.out), (0, "re: hello\n"), answer)
        answer = self.ctl("--config", self.file + "x", "send", "hello")
        self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_NOINPUT, 1), answer)
        self.assertIn(self.file + "x", answer.err)

    def test_where_it_names_nobody_that_answers_it_is_named_itself(self):
        self.write('[redis]\nurl = "redis://127.0.0.1:1"\n')
        answer = self.ctl_here("queue", "status")
        self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_UNAVAILABLE, 1), answer)
        self.assertIn("/etc/engramd/engramd.toml", answer.err)

    def test_a_wrong_password_in_it_is_named(self):
        self.start_redis("--requirepass", "right", client_options={"password": "right"})
        self.write(f'[redis]\nurl = "unix://:wrong-secret@{self.redis.socket}"\n')
        for command in (["queue", "status"], ["send", "hello"], ["dead", "list"]):
            answer = self.ctl_here(*command)
            self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_NOPERM, 1), answer)
            self.assertIn("the password or the user of the URL is wrong", answer.err)
            self.assertIn("mend redis.url in /etc/engramd/engramd.toml", answer.err)
            self.assertNotIn("wrong-secret", answer.err)

    def test_a_mistake_in_it_names_its_line(self):
        self.write("[redis]\nurl = 5\n")
        answer = self.ctl_here("queue", "status")
        self.assertEqual((answer.status, len(answer.err.splitlines())), (EX_CONFIG, 1), answer)
        self.assertIn("/etc/engramd/engramd.toml:2: redis.url must be a text", answer.err)

    def test_without_it_all_is_as_it_was(self):
        answer = self.ctl_here("--redis", "redis://127.0.0.1:1", "send", "hello")
        self.assertEqual(answer.status, EX_UNAVAILABLE, answer)
        self.assertIn("--redis or ENGRAMD_REDIS_URL", answer.err)


class Terminal:
    """A program on a pseudo terminal; `seen` is everything it wrote."""

    def __init__(self, command, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, environment)
        attributes = termios.tcgetattr(self.fd)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.fd, termios.TCSANOW, attributes)
        self.seen = b""
        self.status = None

    def read_until(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition(self.seen):
            ready, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"not in time: {what}; seen: {self.seen!r}")
            if not self._read():
                raise AssertionError(f"ended before: {what}; seen: {self.seen!r}")

    def _read(self):
        try:
            data = os.read(self.fd, 4096)
        except OSError:  # the other side is closed
            return False
        self.seen += data
        return bool(data)

    def write(self, text):
        os.write(self.fd, text)

    def wait(self):
        while self._read():
            continue
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def close(self):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.status = -signal.SIGKILL
        os.close(self.fd)


class ChatOnATerminal(Case):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.start_redis()
        self.start_fake(lambda request: "the answer" if self.gate.wait(PATIENCE) else "")
        self.start_daemon()

    def open_chat(self):
        environment = clean_environment(
            self.folder, ENGRAMD_REDIS_URL=self.redis.url, USER="tester", TERM="xterm"
        )
        terminal = Terminal([program("engramctl"), "chat"], environment)
        self.addCleanup(terminal.close)
        terminal.read_until(lambda seen: seen.endswith(b"You: "), "the prompt")
        return terminal

    def test_an_indicator_moves_while_an_answer_is_awaited_and_goes_away(self):
        terminal = self.open_chat()
        terminal.write(b"hello\n")
        terminal.read_until(
            lambda seen: len(set(re.findall(rb"[|/\\-](?=\x08)", seen.split(b"Assistant: ")[-1]))) >= 3,
            "the indicator turns",
        )
        self.gate.set()
        terminal.read_until(lambda seen: b"the answer\r\nYou: " in seen, "the answer and the next prompt")
        last = terminal.seen.split(b"Assistant: ")[-1].split(b"the answer")[0]
        self.assertTrue(last.endswith(b"\x08 \x08"), last)
        terminal.write(b"quit\n")
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual(terminal.seen.count(b"hello"), 0, "what was typed is not repeated")

    def test_the_end_of_input_ends_it(self):
        terminal = self.open_chat()
        terminal.write(b"\x04")
        self.assertEqual(terminal.wait(), 0)

    def test_an_interrupt_ends_it_while_it_waits(self):
        terminal = self.open_chat()
        terminal.write(b"hello\n")
        self.claude.wait_for_requests(1)
        terminal.write(b"\x03")
        self.assertIn(terminal.wait(), (130, -signal.SIGINT))


if __name__ == "__main__":
    main()
