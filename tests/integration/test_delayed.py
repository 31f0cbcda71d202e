"""Jobs that wait for another try: in their place, without a slot, woken by whichever daemon, and erased."""

import json
import signal

from harness import eventually, main
from trouble_case import BEATS, CONVERSATIONS, TroubleCase, refusal

OVERLOADED = refusal(529, "overloaded_error")
A_LONG_WHILE = refusal(529, "overloaded_error", headers={"retry-after": "30"})


class InTheirPlace(TroubleCase):
    def start(self, **changes):
        return self.start_daemon(**{"claude_max_retries": 0, **BEATS, **changes})

    def test_delayed_jobs_hold_no_place(self):
        self.trouble = lambda request: A_LONG_WHILE if request.new_message.startswith("m") else None
        daemon = self.start(queue_max_in_flight=4)
        ids = self.push_backlog(40, 40)
        self.wait_until_delayed(40)
        eventually(lambda: self.said(daemon).get("in_flight") == 0, "nothing is in hand")
        self.assertEqual([key for key in self.keys() if ":owned:" in key], [])
        self.assertEqual(self.ask("beside", session_id="beside")["attempts"], 1)
        said = eventually(lambda: (s := self.said(daemon)).get("delayed", 0) >= 40 and s, "it counts them")
        self.assertTrue(said["ready"], said)
        answer = self.ctl("queue", "status", "--json")
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        delayed = json.loads(answer.out)["delayed"]
        self.assertEqual((delayed["count"], len(delayed["lanes"])), (40, 10))
        self.assertTrue(0 < delayed["next_ms"] <= 33_000, delayed)
        self.assertEqual({lane["user"] for lane in delayed["lanes"]}, {"u"})
        self.assertEqual({lane["reason"] for lane in delayed["lanes"]}, {"HTTP status 529 overloaded_error"})
        self.assertEqual(self.waiting_jobs(), 40)
        self.trouble = None
        self.wake()
        replies = self.check_backlog(ids, conversations=40)
        self.assertEqual({reply["attempts"] for reply in replies.values()}, {2})

    def test_the_conversation_waits_in_order_and_others_go_on(self):
        self.trouble = lambda request: A_LONG_WHILE if request.new_message == "first" else None
        self.start()
        ids = [self.push(text) for text in ("first", "second", "third")]
        self.wait_until_delayed(1)
        for n in range(3):
            self.ask(f"beside {n}", session_id="beside")
        self.ask("of another user", user_id="v")
        self.assertEqual((self.asked("first"), self.asked("second"), self.asked("third")), (1, 0, 0))
        self.trouble = None
        self.wake()
        self.assertEqual([self.reply(job)["attempts"] for job in ids], [2, 1, 1])
        self.assertEqual([t for role, t in self.turns() if role == "user"], ["first", "second", "third"])
        self.assert_idle()

    def test_a_long_wish_is_waited_for_without_a_place(self):
        for answer in (refusal(429, "rate_limit_error", headers={"retry-after": "6"}), "at last"):
            self.claude.put(answer)
        daemon = self.start(claude_max_retries=2)
        job = self.push()
        self.wait_until_delayed(1)
        eventually(lambda: self.said(daemon).get("in_flight") == 0, "nothing is in hand")
        self.assertEqual(self.reply(job)["reply"], "at last")
        first, second = self.claude.requests
        self.assertGreaterEqual(second.at - first.at, 5.9)

    def test_a_short_wish_is_waited_for_in_place(self):
        for answer in (refusal(429, "rate_limit_error", headers={"retry-after": "1"}), "at last"):
            self.claude.put(answer)
        self.start(claude_max_retries=2)
        reply = self.ask()
        self.assertEqual((reply["reply"], reply["attempts"]), ("at last", 1))

    def test_the_pauses_grow(self):
        self.trouble = OVERLOADED
        self.start()
        self.push()
        times = [request.at for request in self.claude.wait_for_requests(5)]
        pauses = [later - earlier for earlier, later in zip(times, times[1:])]
        self.assertGreaterEqual(pauses[0], 0.7)
        self.assertGreater(pauses[3], 1.3 * pauses[0], pauses)

    def test_a_repeat_waits_for_the_delayed_one_and_shares_its_answer(self):
        self.trouble = A_LONG_WHILE
        self.start()
        for _ in range(2):
            self.push("hello", id="the-same")
        self.wait_until_delayed(1)
        self.trouble = None
        self.wake()
        self.assertEqual([self.reply("the-same")["reply"] for _ in range(2)], ["re: hello"] * 2)
        self.assertEqual(self.asked("hello"), 2)
        self.assertEqual(len(self.turns()), 2)


class WhoeverWakesThem(TroubleCase):
    def setUp(self):
        super().setUp()
        self.trouble = A_LONG_WHILE

    def start(self, **changes):
        return self.start_daemon(**{"claude_max_retries": 0, **BEATS, **changes})

    def check_the_next_one_answers(self, ids, conversations):
        self.assertEqual(self.delayed(), conversations)
        self.trouble = None
        self.wake()
        replies = self.check_backlog(ids, conversations=conversations)
        self.assertLessEqual(max(reply["attempts"] for reply in replies.values()), 2)

    def test_a_stop_leaves_them_delayed_and_the_next_daemon_wakes_them(self):
        daemon = self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        self.assertEqual(daemon.stop(), 0)
        self.start()
        self.check_the_next_one_answers(ids, 10)

    def test_a_death_leaves_them_delayed_and_counts_against_none(self):
        daemon = self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        eventually(lambda: self.said(daemon).get("in_flight") == 0, "nothing is in hand")
        daemon.kill()
        self.start(queue_max_deliveries=1)
        self.check_the_next_one_answers(ids, 10)

    def test_any_of_two_wakes_what_the_other_delayed(self):
        one = self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        two = self.start()
        one.send(signal.SIGSTOP)
        self.addCleanup(one.send, signal.SIGCONT)
        self.check_the_next_one_answers(ids, 10)
        self.assertIsNone(two.status)

    def test_two_daemons_share_what_comes_back(self):
        for _ in range(2):
            self.start()
        ids = self.push_backlog()
        self.wait_until_delayed(CONVERSATIONS)
        self.trouble = None
        self.wake()
        self.check_backlog(ids)
        self.assertEqual(len(self.claude.requests), len(ids) + CONVERSATIONS)

    def test_redis_restarts_meanwhile(self):
        self.start()
        ids = self.push_backlog(20, 10)
        self.wait_until_delayed(10)
        self.redis.kill()
        self.redis.start()
        self.client = self.redis.client
        self.check_the_next_one_answers(ids, 10)


class WhatIsErased(TroubleCase):
    def setUp(self):
        super().setUp()
        self.start_daemon(claude_max_retries=0, **BEATS)
        self.ask("before")
        self.trouble = A_LONG_WHILE

    def test_a_user_who_is_forgotten_has_no_delayed_job_left(self):
        mine = [self.push("one", session_id="a"), self.push("two", session_id="a"), self.push("three")]
        other = self.push("of another", user_id="v")
        self.wait_until_delayed(3)
        self.assertEqual(self.admin("user.forget")["redis"]["cancelled_jobs"], 3)
        for job in mine:
            self.assert_error(self.reply(job), "cancelled")
        self.assertEqual(self.delayed(), 1)
        self.trouble = None
        self.wake()
        self.assertEqual(self.reply(other)["reply"], "re: of another")
        self.assertEqual((self.asked("one"), self.asked("two")), (1, 0))
        self.assertEqual(self.rows("SELECT count(*) FROM conversation_history WHERE user_id = 'u'"), [(0,)])
        self.assert_idle()

    def test_a_conversation_that_is_deleted_goes_on_with_what_waits(self):
        job = self.push("after")
        self.wait_until_delayed(1)
        self.admin("session.delete", session_id="s")
        self.trouble = None
        self.wake()
        self.assertEqual(self.reply(job)["reply"], "re: after")
        self.assertEqual([text for _, text in self.turns()], ["after", "re: after"])
        self.assert_idle()


if __name__ == "__main__":
    main()
