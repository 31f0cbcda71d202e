"""A provider in trouble: a backlog that meets it, what waits meanwhile, and how it comes back."""

from harness import Case, PREFIX, Response, error_body, eventually

JOBS, CONVERSATIONS = 100, 20
DELAYED, DELAYS = PREFIX + ":delayed", PREFIX + ":delays"
BEATS = {"queue_lease_ms": 2500}  # two a second: what is due is woken with a beat


def refusal(status, kind, message="qzwording", code=None, **more):
    """An error of the API."""
    details = {"error_code": code} if code else None
    return Response(error_body(kind, message, details), status, **more)


def page(status, **headers):
    """What a proxy or the network's edge answers in place of the API."""
    return Response(b"<html>qzwording</html>", status, {"content-type": "text/html", **headers})


def tests_of(cases, name, check):
    """A decorator: adds a test for each case, a dictionary of arguments for `check`, a method's name."""

    def add_to(test_case):
        for case, arguments in cases.items():

            def test(self, arguments=arguments):
                getattr(self, check)(*arguments)

            test.__name__ = f"test_{name}_{case}"
            setattr(test_case, test.__name__, test)
        return test_case

    return add_to


class TroubleCase(Case):
    """The fake answers what `trouble` says (a Response, or a function of the request), and "re: …" while it
    is None."""

    def setUp(self):
        super().setUp()
        self.trouble = None
        self.start_redis()
        self.client = self.redis.client
        self.start_fake(self.speak)

    def speak(self, request):
        trouble = self.trouble(request) if callable(self.trouble) else self.trouble
        return trouble or "re: " + request.new_message

    # ---- a backlog

    def push_backlog(self, jobs=JOBS, conversations=CONVERSATIONS):
        return [
            self.push(f"m{n:03}", session_id=f"s{n % conversations}", id=f"j{n:03}") for n in range(jobs)
        ]

    def check_backlog(self, ids, errors=(), conversations=CONVERSATIONS):
        """All are answered, in the order of their conversations, but for those that bear these errors."""
        replies = {job: self.reply(job) for job in ids}
        failed = {job for job in ids if replies[job]["status"] == "error"}
        types = sorted(replies[job]["error"]["type"] for job in failed)
        self.assertEqual(types, sorted(errors), [replies[job] for job in failed])
        for session in range(conversations):
            said = [text for role, text in self.turns(session_id=f"s{session}") if role == "user"]
            expected = [
                f"m{n:03}" for n, job in enumerate(ids) if n % conversations == session and job not in failed
            ]
            self.assertEqual(said, expected)
        self.assertEqual(sorted(d[b"reason"].decode() for d in self.dead_letters()), sorted(errors))
        self.assert_idle()
        return replies

    def waiting_jobs(self):
        return self.client.llen(PREFIX + ":jobs") + self.client.hlen(PREFIX + ":body")

    def replies_that_wait(self):
        return [key for key in self.keys() if key.startswith(PREFIX + ":reply:")]

    def asked(self, message):
        return len([r for r in list(self.claude.requests) if r.new_message == message])

    # ---- what is delayed

    def delayed(self):
        return self.client.zcard(DELAYED)

    def wait_until_delayed(self, count):
        eventually(lambda: self.delayed() == count, f"{count} conversations wait for another try")

    def reasons(self):
        return {reason.decode() for reason in self.client.hvals(DELAYS)}

    def wake(self):
        """All that is delayed is due now."""
        for lane in self.client.zrange(DELAYED, 0, -1):
            self.client.zadd(DELAYED, {lane: 0}, xx=True)


class GateCase(TroubleCase):
    """Trouble that concerns every job; a trial ten times a second at most."""

    def start(self, **changes):
        return self.start_daemon(**{"claude_pause_retry_ms": 100, **BEATS, **changes})

    def api(self, daemon):
        return self.said(daemon).get("api", {})

    def wait_until_shut(self, daemon, kind):
        return eventually(
            lambda: (api := self.api(daemon)).get("kind") == kind and api, f"its status says {kind}"
        )

    def wait_for_trials(self, count):
        """Some more that are refused: one at a time is tried meanwhile."""
        asked = len(self.claude.requests)
        eventually(lambda: len(self.claude.requests) >= asked + count, f"{count} more are tried")

    def check_everybody_waits(self, daemon, kind, error):
        """A hundred jobs of twenty conversations, of which one bears the error, if there is one."""
        ids = self.push_backlog()
        daemon.wait_for_log("Claude refuses every call")
        bearers = 1 if error else 0
        eventually(lambda: len(self.dead_letters()) >= bearers, "who met it bears the error")
        self.wait_for_trials(2)
        self.assertEqual(
            (len(self.dead_letters()), len(self.replies_that_wait()), self.waiting_jobs()),
            (bearers, bearers, JOBS - bearers),
        )
        api = self.wait_until_shut(daemon, kind)
        self.assertIn(api["state"], ("shut", "trial"))
        self.assertTrue(api["cure"], api)
        self.trouble = None
        self.check_backlog(ids, [error] if error else [])
        daemon.wait_for_log("Claude answers again")
        eventually(lambda: self.api(daemon).get("state") == "open", "its status says that it is over")
        self.assertEqual(self.api(daemon)["kind"], "")
        self.assertNotIn("qzwording", daemon.log())
