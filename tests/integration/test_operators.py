"""engramctl queue pause, resume and engramctl cancel, and the daemons that obey."""

import json
import threading

from harness import PATIENCE, eventually, main
from trouble_case import BEATS, TroubleCase, refusal

JOBS, PAUSED, CANCEL = "engram:jobs", "engram:paused", "engram:cancel"
NOT_TAKEN, TAKEN_AGAIN = "jobs are not taken", "jobs are taken again"


class OperatorCase(TroubleCase):
    """A message that begins with "hold" is answered when `gate` opens; one with "fail" is delayed while
    `fails` is true."""

    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)
        self.fails = True
        self.trouble = self.hold_or_fail

    def hold_or_fail(self, request):
        if request.new_message.startswith("hold"):
            self.gate.wait(PATIENCE)
        if self.fails and request.new_message.startswith("fail"):
            return refusal(529, "overloaded_error", headers={"retry-after": "30"})
        return None

    def start(self, **changes):
        return self.start_daemon(**{"claude_max_retries": 0, **BEATS, **changes})

    def succeed(self, *arguments):
        answer = self.ctl(*arguments)
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        return answer.out

    def pause(self, *daemons):
        self.succeed("queue", "pause", "--reason", "maintenance")
        for daemon in daemons:
            daemon.wait_for_log(NOT_TAKEN)

    def hold_one(self, message="hold", **fields):
        job = self.push(message, **fields)
        eventually(lambda: self.asked(message), "it runs")
        return job


class Pause(OperatorCase):
    def test_what_is_pushed_waits_and_what_runs_ends(self):
        daemon = self.start()
        held = self.hold_one()
        out = self.succeed("queue", "pause", "--reason", "maintenance")
        self.assertIn("1 is under way and will end", out)
        daemon.wait_for_log(NOT_TAKEN)
        jobs = [self.push("behind"), self.push("beside", session_id="beside")]
        self.gate.set()
        self.assertEqual(self.reply(held)["status"], "ok")
        said = eventually(
            lambda: (s := self.said(daemon)).get("paused") and s["in_flight"] == 0 and s, "it says so"
        )
        self.assertIn("paused by an operator", said["trouble"])
        answer = self.ctl("queue", "status")
        self.assertEqual((answer.status, answer.err), (75, ""), answer)
        self.assertRegex(answer.out, r'paused by tester@\S+ since .*: "maintenance"')
        self.assertEqual((self.asked("behind"), self.asked("beside")), (0, 0))
        self.assertEqual(self.waiting_jobs(), 2)
        self.assertEqual(self.succeed("queue", "resume"), "jobs are taken again\n")
        for job in jobs:
            self.assertEqual(self.reply(job)["attempts"], 1)
        daemon.wait_for_log(TAKEN_AGAIN)
        eventually(lambda: self.ctl("queue", "status").status == 0, "jobs are answered")
        self.assert_idle()

    def test_all_daemons_obey_and_those_that_start_later(self):
        two = [self.start(), self.start()]
        self.pause(*two)
        ids = self.push_backlog()
        third = self.start()
        third.wait_for_log(NOT_TAKEN)
        for daemon in two:
            self.assertEqual(daemon.stop(), 0)
        self.start().wait_for_log(NOT_TAKEN)
        self.assertEqual((self.claude.requests, self.waiting_jobs()), ([], len(ids)))
        self.assertEqual(self.client.ttl(PAUSED), -1)
        self.succeed("queue", "resume")
        self.check_backlog(ids)

    def test_a_delayed_job_that_is_due_waits_for_the_end_of_the_pause(self):
        daemon = self.start()
        job = self.push("fail")
        self.wait_until_delayed(1)
        self.pause(daemon)
        self.fails = False
        self.wake()
        self.wait_until_delayed(0)
        self.assertEqual(self.asked("fail"), 1)
        self.succeed("queue", "resume")
        self.assertEqual(self.reply(job)["attempts"], 2)

    def test_memories_can_be_seen_meanwhile(self):
        self.pause(self.start())
        self.assertEqual(self.admin("memory.list")["memories"], [])

    def test_it_can_be_stopped_while_it_is_paused(self):
        daemon = self.start()
        self.pause(daemon)
        self.push()
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.waiting_jobs(), 1)

    def test_a_pause_set_by_hand_is_obeyed(self):
        daemon = self.start()
        self.client.set(PAUSED, "1")
        daemon.wait_for_log(NOT_TAKEN)
        job = self.push()
        self.client.delete(PAUSED)
        self.assertEqual(self.reply(job)["status"], "ok")


class Cancel(OperatorCase):
    def cancel(self, job, user="u"):
        out = self.succeed("cancel", "--user", user, job)
        self.assertIn("carried out", out)
        self.assertEqual(self.client.exists(CANCEL), 0)

    def check_cancelled(self, job):
        reply = self.reply(job)
        self.assert_error(reply, "cancelled")
        self.assertEqual((reply["id"], reply["user_id"], reply["session_id"]), (job, "u", "s"))
        self.assertFalse(reply["error"]["retryable"])

    def check_end(self, *said):
        """What was said in the conversation; a cancelled job is no dead letter."""
        self.assertEqual([text for role, text in self.turns() if role == "user"], list(said))
        self.assertEqual(self.dead_letters(), [])
        self.assert_idle()

    def test_one_that_waits_in_its_conversation(self):
        self.start()
        jobs = [self.hold_one(), self.push("second"), self.push("third")]
        eventually(lambda: self.client.hlen("engram:body") == 3, "all are in their lane")
        self.cancel(jobs[1])
        self.check_cancelled(jobs[1])
        self.gate.set()
        for job in (jobs[0], jobs[2]):
            self.assertEqual(self.reply(job)["status"], "ok")
        self.check_end("hold", "third")

    def test_one_that_is_delayed_lets_the_next_go_on(self):
        self.start()
        jobs = [self.push("fail"), self.push("second")]
        self.wait_until_delayed(1)
        self.cancel(jobs[0])
        self.check_cancelled(jobs[0])
        self.assertEqual(self.reply(jobs[1])["status"], "ok")
        self.assertEqual(self.delayed(), 0)
        self.check_end("second")

    def test_the_only_one_of_a_delayed_conversation(self):
        self.start()
        job = self.push("fail")
        self.wait_until_delayed(1)
        self.cancel(job)
        self.check_cancelled(job)
        self.assertEqual((self.delayed(), self.reasons()), (0, set()))
        self.check_end()

    def test_one_behind_a_delayed_one(self):
        self.start()
        jobs = [self.push("fail"), self.push("second"), self.push("third")]
        self.wait_until_delayed(1)
        eventually(lambda: self.client.hlen("engram:body") == 3, "all are in their lane")
        self.cancel(jobs[1])
        self.check_cancelled(jobs[1])
        self.assertEqual(self.delayed(), 1)
        self.fails = False
        self.wake()
        for job in (jobs[0], jobs[2]):
            self.assertEqual(self.reply(job)["status"], "ok")
        self.check_end("fail", "third")

    def test_one_that_nobody_has_looked_at_yet(self):
        self.pause(self.start())
        jobs = [self.push("first"), self.push("second")]
        self.assertEqual(self.client.llen(JOBS), 2)
        self.cancel(jobs[0])
        self.check_cancelled(jobs[0])
        self.succeed("queue", "resume")
        self.assertEqual(self.reply(jobs[1])["status"], "ok")
        self.check_end("second")

    def test_one_in_the_users_backlog(self):
        self.start(queue_max_parked_per_user=2)
        jobs = [self.hold_one(), *(self.push(f"m{n}") for n in range(4))]
        eventually(lambda: self.client.get("engram:behind") == b"3", "three are behind the user's share")
        self.cancel(jobs[3])
        self.check_cancelled(jobs[3])
        self.gate.set()
        for job in jobs[:3] + jobs[4:]:
            self.assertEqual(self.reply(job)["status"], "ok")
        self.check_end("hold", "m0", "m1", "m3")

    def test_one_that_runs_is_left_alone(self):
        self.start()
        job = self.hold_one()
        self.cancel(job)
        self.gate.set()
        self.assertEqual(self.reply(job)["status"], "ok")
        self.check_end("hold")

    def test_one_that_has_ended_or_never_was(self):
        self.start()
        self.ask("hello", id="ended")
        for job in ("ended", "never"):
            self.cancel(job)
            self.assertEqual(self.client.exists("engram:reply:" + job), 0)
        self.check_end("hello")

    def test_the_same_id_of_another_user_is_left_alone(self):
        self.start()
        for user in ("u", "v"):
            self.push("fail", id="the-same", user_id=user, reply_to=f"engram:reply:{user}")
        self.wait_until_delayed(2)
        self.cancel("the-same")
        self.assert_error(self.reply("engram:reply:u"), "cancelled")
        self.assertEqual(self.delayed(), 1)
        self.fails = False
        self.wake()
        self.assertEqual(self.reply("engram:reply:v")["status"], "ok")

    def test_all_that_were_pushed_with_the_id(self):
        self.start()
        self.hold_one(session_id="s")
        for _ in range(2):
            self.push("again", id="again")
        eventually(lambda: self.client.hlen("engram:body") == 3, "all are in their lane")
        self.cancel("again")
        for _ in range(2):
            self.check_cancelled("again")
        self.gate.set()

    def test_it_can_be_pushed_again(self):
        self.start()
        self.push("fail", id="again")
        self.wait_until_delayed(1)
        self.cancel("again")
        self.check_cancelled("again")
        self.fails = False
        self.assertEqual(self.ask("fail", id="again")["reply"], "re: fail")

    def test_any_program_may_ask_for_it(self):
        self.start()
        job = self.push("fail", metadata={"m": 1})
        self.wait_until_delayed(1)
        self.client.lpush(CANCEL, json.dumps({"user_id": "u", "id": job}))
        self.check_cancelled(job)
        eventually(lambda: not self.client.exists(CANCEL), "the entry is done with")

    def test_what_is_no_cancel_is_thrown_away_and_stops_no_other(self):
        self.start()
        job = self.push("fail")
        self.wait_until_delayed(1)
        odd = [b"", b"{", b"\xff", b"[]", b"7", b'{"user_id":"u"}', b'{"user_id":7,"id":[]}', b'{"id":"x"}']
        for raw in odd:
            self.client.lpush(CANCEL, raw)
        self.cancel(job)
        self.check_cancelled(job)

    def test_many_at_once(self):
        for _ in range(2):
            self.start()
        jobs = [self.push("fail", session_id="s", id=f"j{n}") for n in range(40)]
        eventually(lambda: self.client.hlen("engram:body") == 40, "all are in their lane")
        for job in jobs[1:]:
            self.client.lpush(CANCEL, json.dumps({"user_id": "u", "id": job}))
        for job in jobs[1:]:
            self.check_cancelled(job)
        self.fails = False
        self.wake()
        self.assertEqual(self.reply(jobs[0])["status"], "ok")
        self.check_end("fail")


if __name__ == "__main__":
    main()
