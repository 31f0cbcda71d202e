"""The users that docs/redis.md describes, in a Redis of one's own."""

import os
import re
import threading

from harness import Case, PATIENCE

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DOCUMENT = os.path.join(ROOT, "docs", "redis.md")
ACL_FILE = os.path.join(ROOT, "etc", "engram.acl")
PASSWORD = "the-password"
LEASE_MS = 1500
NOPERM, NOPERM_IN_SCRIPT = "NOPERM", "The user executing the script can't run this command"
TROUBLE = "the queue has trouble with Redis"


def documented_rules():
    """The arguments of each ACL SETUSER line, in order, by user."""
    rules = {}
    with open(DOCUMENT, encoding="utf-8") as f:
        for line in f:
            if line.startswith("ACL SETUSER "):
                _, _, user, *arguments = line.replace("PASSWORD", PASSWORD).split()
                rules.setdefault(user, []).append(arguments)
    return rules


RULES = documented_rules()


def granted_commands(user):
    """As they are written, without the plus."""
    return re.findall(r"\+([a-z|]+)", " ".join(sum(RULES[user], [])))


class AclCase(Case):
    """The fake answers "re: …"; a message that begins with "hold" waits for `gate`. The test's own
    connections are those of the default user."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.start_redis()
        self.start_fake(self.speak)
        self.client = self.redis.client
        for user in RULES:
            self.set_user(user)

    def speak(self, request):
        if request.new_message.startswith("hold"):
            self.gate.wait(PATIENCE)
        return "re: " + request.new_message

    def set_user(self, user):
        for arguments in RULES[user]:
            self.client.execute_command("ACL", "SETUSER", user, *arguments)

    def change(self, user, *arguments):
        self.client.execute_command("ACL", "SETUSER", user, *arguments)

    def set_user_without(self, user, rule):
        """All its rights but one, such as "+lpush" or "%R~engram:body", wherever it stands."""
        for arguments in RULES[user]:
            kept = [a.replace(rule, "") if a.strip("()") == rule else a for a in arguments]
            self.change(user, *(a for a in kept if a))

    def url(self, user):
        return f"unix://{user}:{PASSWORD}@{self.redis.socket}"

    def login(self, user):
        return self.redis.connect(username=user, password=PASSWORD, socket_timeout=PATIENCE)

    def start(self, **changes):
        settings = {
            "redis_url": self.url("engram-daemon"),
            "queue_lease_ms": LEASE_MS,
            "summary_enabled": "false",
            "redis_backoff_max_ms": 50,
        }
        return self.start_daemon(**{**settings, **changes})

    def refusals(self):
        """{(user, what was refused)}"""
        return {(e["username"], e["object"]) for e in self.client.acl_log()}

    def assert_nothing_was_refused(self):
        self.assertEqual(self.refusals(), set())


class WithoutRight:
    """Takes one command from a user, and asserts that somebody missed it."""

    def __init__(self, case, user, right):
        self.case, self.user, self.right = case, user, right

    def __enter__(self):
        self.case.client.acl_log_reset()
        self.case.change(self.user, "-" + self.right)
        return self

    def restore(self):
        missed = {what.lower() for user, what in self.case.refusals() if user == self.user}
        self.case.assertEqual(missed, {self.right})
        self.case.set_user(self.user)

    def __exit__(self, *failure):
        self.case.set_user(self.user)
