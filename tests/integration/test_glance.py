"""What an operator sees at a glance: whether jobs are answered, and if not why."""

from harness import Response, error_body, eventually, main
from trouble_case import BEATS, TroubleCase, refusal

REJECTED = refusal(400, "invalid_request_error")
CREDIT = "Your credit balance is too low to access the Anthropic API"


class WhoFails(TroubleCase):
    def have_rejected(self, jobs):
        for _ in range(jobs):
            self.assert_error(self.reply(self.push("no good")), "claude_rejected")

    def reject(self, request):
        return REJECTED if request.new_message == "no good" else None

    def check_failing(self, daemon, words):
        said = eventually(
            lambda: (said := self.said(daemon)) and said["trouble"] == words and said, f"it says: {words}"
        )
        self.assertEqual((said["ready"], said["state"]), (False, "taking"), said)
        answer = self.ctl("queue", "status")
        self.assertEqual((answer.status, answer.err), (75, ""), answer)
        self.assertIn(f": {words})\n", answer.out)
        self.assertRegex(answer.out, rf"(?m)^{daemon.name}-\S+ +no +taking ")
        daemon.wait_for_log("no jobs are answered")
        self.assertIn(words, daemon.log())

    def test_is_not_ready_until_most_jobs_are_answered(self):
        self.trouble = self.reject
        daemon = self.start_daemon(**BEATS)
        self.have_rejected(2)
        self.ask("one of them is answered")
        self.have_rejected(2)
        why = "(claude_rejected: HTTP status 400 invalid_request_error)"
        self.check_failing(daemon, "4 of 5 jobs of the last minute failed " + why)
        self.assertNotIn("qzwording", daemon.log())
        for _ in range(3):
            self.ask("well")
        eventually(lambda: self.said(daemon).get("ready"), "it is ready")
        self.assertEqual(self.ctl("queue", "status").status, 0)
        daemon.wait_for_log("jobs are answered again")

    def test_is_not_ready_when_nothing_that_comes_can_be_read(self):
        daemon = self.start_daemon(**BEATS)
        for n in range(3):
            self.assert_error(self.reply(self.push("", id=f"blank-{n}")), "invalid_job")
        self.check_failing(
            daemon, "3 of 3 jobs of the last minute failed (invalid_job: message must not be blank)"
        )

    def test_two_failures_or_many_delays_leave_it_ready(self):
        self.trouble = self.reject
        daemon = self.start_daemon(**BEATS)
        self.have_rejected(2)
        eventually(lambda: self.said(daemon).get("failed_last_minute") == 2, "they are counted")
        self.trouble = refusal(529, "overloaded_error")
        for n in range(4):
            self.push("later", session_id=f"s{n}", id=f"later-{n}")
        eventually(lambda: self.client.zcard("engram:delayed") == 4, "they wait for later")
        taken = self.said(daemon)["taken"]
        self.assertTrue(self.said(daemon)["ready"])
        self.trouble = None
        for n in range(4):
            self.assertEqual(self.reply(f"later-{n}")["status"], "ok")
        eventually(lambda: self.said(daemon)["taken"] >= taken, "it has spoken again")
        self.assertTrue(self.said(daemon)["ready"])


class Words(TroubleCase):
    def test_the_words_of_the_provider_are_told_and_no_others(self):
        self.trouble = Response(error_body("invalid_request_error", CREDIT + ". Add some. qzwording"), 400)
        daemon = self.start_daemon(**BEATS)
        self.assert_error(self.reply(self.push("hi")), "claude_spend_limit")
        words = "HTTP status 400 invalid_request_error: " + CREDIT
        eventually(lambda: words in self.said(daemon).get("trouble", ""), "the status says why")
        self.assertIn(words, self.ctl("queue", "status").out)
        daemon.wait_for_log(words)
        self.assertNotIn("qzwording", daemon.log())

    def test_jobs_are_answered_again_once_one_was(self):
        daemon = self.start_daemon(**BEATS)
        self.ask("before")
        self.assertEqual(self.ctl("queue", "pause").status, 0)
        daemon.wait_for_log("no jobs are answered")
        self.assertEqual(self.ctl("queue", "resume").status, 0)
        daemon.wait_for_log("jobs are taken again\n")
        self.assertNotIn("jobs are answered again", daemon.log())
        self.ask("after")
        daemon.wait_for_log("jobs are answered again")


class Dead(TroubleCase):
    def test_an_instance_that_was_killed_is_shown_as_dead(self):
        daemon = self.start_daemon(**BEATS)
        self.ask("before")
        daemon.kill()

        def page():
            answer = self.ctl("queue", "status")
            return answer if " over " in answer.out else None

        answer = eventually(page, "its lease is over")
        self.assertRegex(answer.out, rf"(?m)^{daemon.name}-\S+ +dead +- +over ")
        self.assertEqual(answer.status, 75)
        self.assertTrue(answer.out.endswith("no instance is alive: nobody takes jobs\n"), answer.out)


if __name__ == "__main__":
    main()
