"""Trouble that concerns every job stops the taking: one bears the error, the others wait in Redis."""

import os
import signal
import threading

from harness import PATIENCE, main
from trouble_case import JOBS, GateCase, page, refusal, tests_of

UNAUTHORIZED = refusal(401, "authentication_error", "invalid x-api-key")
UNKNOWN = refusal(400, "invalid_request_error", "something new: qzwording")

KEY = {
    "401": (UNAUTHORIZED, "auth", "claude_auth"),
    "403": (refusal(403, "permission_error", "This key may not do that."), "auth", "claude_auth"),
}
REACHED = "You have reached your specified API usage limits. You will regain access on 2027-01-01."
WORKSPACE = REACHED.replace("API", "workspace API")
MONEY = {
    "402": (402, "billing_error", "qzwording", None),
    "402_spend_limit": (402, "billing_error", "qzwording", "linked_organization_spend_limit_reached"),
    "402_unavailable": (402, "billing_error", "qzwording", "linked_organization_billing_unavailable"),
    "429_enforced": (429, "rate_limit_error", "qzwording", "enforced_spend_limit_reached"),
    "429_contract": (429, "rate_limit_error", "qzwording", "contract_spend_limit_reached"),
    "429_words": (429, "rate_limit_error", "Your organization has reached its spend limit. qzwording", None),
    "429_usage": (429, "rate_limit_error", REACHED, None),
    "400_credit": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. qzwording",
        None,
    ),
    "400_usage": (400, "invalid_request_error", REACHED, None),
    "400_workspace_usage": (400, "invalid_request_error", WORKSPACE, None),
    "403_usage": (403, "permission_error", WORKSPACE, None),
}
MONEY = {
    name: (refusal(status, kind, message, code), "spend_limit", "claude_spend_limit")
    for name, (status, kind, message, code) in MONEY.items()
}
ON_HOLD = {
    "code": refusal(400, "invalid_request_error", code="organization_on_hold"),
    "encryption_key": refusal(400, "invalid_request_error", code="cmek_key_disabled"),
    "words": refusal(400, "invalid_request_error", "This organization has been disabled."),
    "403": refusal(403, "permission_error", "Your organization has been disabled. qzwording"),
}
ON_HOLD = {name: (answer, "on_hold", "claude_auth") for name, answer in ON_HOLD.items()}
EDGE = {
    "403_page": page(403),
    "404_page": page(404),
    "redirect": page(302, location="https://elsewhere.invalid/"),
    "407_proxy": page(407),
    "451_page": page(451),
}
EDGE = {name: (answer, "no_api", None) for name, answer in EDGE.items()}


@tests_of(KEY, "key", "check")
@tests_of(MONEY, "money", "check")
@tests_of(ON_HOLD, "on_hold", "check")
@tests_of(EDGE, "edge", "check")
class EverybodyWaits(GateCase):
    """A hundred jobs of twenty conversations."""

    def check(self, answer, kind, error):
        self.trouble = answer
        self.check_everybody_waits(self.start(), kind, error)

    def test_two_hundred_and_fifty_six_at_once_cost_one_job(self):
        held = threading.Event()
        self.addCleanup(held.set)
        self.trouble = lambda request: UNAUTHORIZED if held.wait(PATIENCE) else None
        daemon = self.start()
        ids = [self.push(f"m{n:03}", user_id=f"u{n}", id=f"j{n:03}") for n in range(300)]
        self.claude.wait_for_requests(256)
        held.set()
        daemon.wait_for_log("Claude refuses every call")
        self.wait_for_trials(2)
        self.assertEqual(len(self.dead_letters()), 1)
        self.trouble = None
        errors = [r["error"]["type"] for r in map(self.reply, ids) if r["status"] == "error"]
        self.assertEqual(errors, ["claude_auth"])
        self.assert_idle()

    def test_waiting_jobs_survive_a_restart_and_keep_their_place(self):
        self.trouble = UNAUTHORIZED
        first = self.start()
        ids = [self.push(f"m{n}", id=f"j{n}") for n in range(4)]
        self.assert_error(self.reply(ids[0]), "claude_auth")
        self.assertEqual(first.stop(), 0)
        self.assertEqual(self.waiting_jobs(), 3)
        self.trouble = None
        self.start()
        self.assertEqual([self.reply(job)["reply"] for job in ids[1:]], ["re: m1", "re: m2", "re: m3"])
        self.assertEqual([t for r, t in self.turns() if r == "user"], ["m1", "m2", "m3"])

    def test_an_echo_of_what_a_user_wrote_shuts_nothing(self):
        """Money words count where the provider speaks, not where it quotes."""
        self.trouble = lambda request: (
            refusal(400, "invalid_request_error", "messages: not allowed: " + request.new_message)
            if request.new_message.startswith("Your credit")
            else None
        )
        daemon = self.start()
        job = self.push("Your credit balance is too low. This organization has been disabled.")
        self.assert_error(self.reply(job), "claude_rejected")
        self.ask("next")
        self.assertNotIn("Claude refuses every call", daemon.log())


class WhatOperatorsSee(GateCase):
    HOUR = 3600_000

    def check_seen(self, answer, kind, cause, *cure):
        self.trouble = answer
        daemon = self.start(claude_pause_retry_ms=self.HOUR)
        self.push()
        api = self.wait_until_shut(daemon, kind)
        self.assertEqual((api["state"], api["cause"]), ("shut", cause))
        self.assertTrue(0 < api["next_try_ms"] <= 4 * self.HOUR, api)
        for part in cure:
            self.assertIn(part, api["cure"])
        said = self.said(daemon)
        self.assertEqual((said["ready"], said["paused"]), (False, False))
        self.assertIn(cause, said["trouble"])
        answer = self.ctl("queue", "status")
        self.assertEqual((answer.status, answer.err), (75, ""), answer)
        for part in ("Claude refuses every call", cause, api["cure"]):
            self.assertIn(part, answer.out)
        log = daemon.log()
        self.assertIn("cure=", log)
        self.assertIn(cause, log)

    def test_a_rejected_key(self):
        self.check_seen(UNAUTHORIZED, "auth", "HTTP status 401 authentication_error", "ANTHROPIC_API_KEY")

    def test_no_credit(self):
        self.check_seen(
            refusal(402, "billing_error", code="linked_organization_spend_limit_reached"),
            "spend_limit",
            "HTTP status 402 billing_error/linked_organization_spend_limit_reached",
            "credit",
        )

    def test_something_between(self):
        self.check_seen(page(403), "no_api", "HTTP status 403", "claude.base_url")


class Trials(GateCase):
    """Only an answer opens the gate."""

    def shut(self, **changes):
        """Met by one job, which bears the error; two others wait."""
        self.trouble = UNAUTHORIZED
        daemon = self.start(**changes)
        self.assert_error(self.reply(self.push("bearer", session_id="bearer")), "claude_auth")
        self.ids = [self.push(f"m{n}", session_id=f"s{n}", id=f"j{n}") for n in range(3)]
        self.wait_until_shut(daemon, "auth")
        return daemon

    def check_still_shut(self, daemon):
        self.wait_for_trials(3)
        self.assertEqual((len(self.dead_letters()), self.waiting_jobs()), (1, 3))
        self.assertEqual(self.api(daemon)["kind"], "auth")
        self.assertNotIn("Claude answers again", daemon.log())
        self.trouble = None
        for job in self.ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        daemon.wait_for_log("Claude answers again")
        self.assert_idle()

    def test_a_refused_request_does_not_open(self):
        daemon = self.shut()
        self.trouble = UNKNOWN
        self.check_still_shut(daemon)

    def test_an_overload_does_not_open(self):
        daemon = self.shut(claude_max_retries=0)
        self.trouble = refusal(529, "overloaded_error")
        self.check_still_shut(daemon)

    def test_a_page_of_the_edge_does_not_open(self):
        daemon = self.shut()
        self.trouble = page(403)
        self.wait_for_trials(3)
        self.assertEqual((len(self.dead_letters()), self.waiting_jobs()), (1, 3))
        self.trouble = None
        for job in self.ids:
            self.assertEqual(self.reply(job)["status"], "ok")
        daemon.wait_for_log("Claude answers again")

    def test_one_bad_job_cannot_keep_it_shut(self):
        daemon = self.shut()
        self.trouble = lambda request: UNKNOWN if request.new_message == "m0" else None
        for job in self.ids[1:]:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.assert_error(self.reply(self.ids[0]), "claude_rejected")
        daemon.wait_for_log("Claude answers again")
        self.assert_idle()

    def test_a_new_key_is_taken_over_on_sighup_and_tried_at_once(self):
        credentials = os.path.join(self.folder, "credentials")
        os.mkdir(credentials)

        def write_key(key):
            with open(os.path.join(credentials, "anthropic_api_key"), "w") as f:
                f.write(key + "\n")

        write_key("old-key")
        self.claude.default = (
            lambda request: UNAUTHORIZED if request.headers["x-api-key"] != "new-key" else "welcome"
        )
        daemon = self.start_daemon(
            key=None, env={"CREDENTIALS_DIRECTORY": credentials}, claude_pause_retry_ms=3600_000
        )
        self.assert_error(self.reply(self.push("first")), "claude_auth")
        second = self.push("second")
        write_key("new-key")
        daemon.send(signal.SIGHUP)
        self.assertEqual(self.reply(second)["reply"], "welcome")
        self.assertEqual({r.headers["x-api-key"] for r in self.claude.requests}, {"old-key", "new-key"})
        self.assertNotIn("new-key", daemon.log())


class NewRefusals(GateCase):
    """A refusal of an unknown kind concerns one job, until everybody gets it."""

    def test_a_new_refusal_of_everybody_stops_the_taking(self):
        self.trouble = UNKNOWN
        daemon = self.start()
        ids = self.push_backlog()
        self.wait_until_shut(daemon, "refuses_all")
        self.wait_for_trials(2)
        self.assertEqual((len(self.dead_letters()), self.waiting_jobs()), (4, JOBS - 4))
        self.trouble = None
        self.check_backlog(ids, ["claude_rejected"] * 4)
        daemon.wait_for_log("Claude answers again")

    def test_a_server_that_says_no_to_everybody_stops_it_as_well(self):
        self.trouble = refusal(503, "api_error", headers={"x-should-retry": "false"})
        daemon = self.start()
        ids = self.push_backlog()
        self.wait_until_shut(daemon, "refuses_all")
        self.assertEqual(len(self.dead_letters()), 4)
        self.trouble = None
        self.check_backlog(ids, ["claude_unavailable"] * 4)

    def test_one_after_the_other_too(self):
        self.trouble = UNKNOWN
        daemon = self.start(queue_max_in_flight=1)
        ids = [self.push(f"m{n}", session_id=f"s{n}") for n in range(8)]
        self.wait_until_shut(daemon, "refuses_all")
        self.trouble = None
        replies = [self.reply(job) for job in ids]
        errors = [reply["error"]["type"] for reply in replies if reply["status"] == "error"]
        self.assertEqual(errors, ["claude_rejected"] * 4)

    def test_refusals_with_answers_between_concern_one_job_each(self):
        self.trouble = lambda request: UNKNOWN if request.new_message == "bad" else None
        daemon = self.start()
        for n in range(8):
            self.assert_error(self.reply(self.push("bad")), "claude_rejected")
            self.ask(f"good {n}")
        self.assertNotIn("Claude refuses every call", daemon.log())

    def test_requests_that_are_too_large_concern_one_job_each(self):
        daemon = self.start()
        answers = [refusal(413, "request_too_large"), refusal(422, "invalid_request_error")] * 4
        for n, answer in enumerate(answers):
            self.trouble = answer
            reply = self.reply(self.push(session_id=f"s{n}"))
            self.assert_error(reply, "claude_rejected")
            self.assertFalse(reply["error"]["retryable"])
        self.trouble = None
        self.ask("good")
        self.assertNotIn("Claude refuses every call", daemon.log())
        self.assertEqual(len(self.dead_letters()), 8)

    def test_images_of_one_job_concern_that_job(self):
        self.trouble = lambda request: (
            refusal(400, "invalid_request_error", code="image_dimensions_too_large")
            if request.new_message == "m007"
            else None
        )
        self.start()
        self.check_backlog(self.push_backlog(), ["claude_rejected"])


if __name__ == "__main__":
    main()
