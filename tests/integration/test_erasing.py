"""Deleting deletes: no place holds what a memory or a session said, and everything else is as it was."""

import json
import signal

from erasing_case import CHEAP, COUNTERS, LEASE_MS, ErasingCase, note
from harness import Response, error_body, eventually, main

OLD = "The user lives near the qzorlin harbour"
NEW = 'The user lives in "Qzmelk" – high in the hills'
MOST_AT_START = 2  # transactions of a daemon that begins
NOTE = "The user owns the qznote of the town"
OTHER = "The user plays the qzhapsi on Mondays"


class DeletedMemory(ErasingCase):
    def live_a_life(self):
        """OLD is told, confirmed, repeated, summarized and replaced by NEW, which first fails to be told, and
        is confirmed and repeated, too. Most replies are left where they are. Returns the ids of both."""
        self.summary = f"- {OLD}.\n- The user is at ease."
        old = self.tell("hello, I live near the qzorlin harbour", OLD, session_id="s1")
        self.tell("I play the qzhapsi on Mondays", OTHER, session_id="music")
        self.answers["I still live near the qzorlin harbour"] = note(OLD)
        again = self.ask("I still live near the qzorlin harbour", session_id="s2", id="again")
        self.assertEqual(again["memories"][0]["action"], "confirmed")
        self.answers["where do I live?"] = f"Well. {OLD}. Is that right?"
        self.leave("where do I live?", session_id="s3")

        moved = "I have moved, to Qzmelk in the hills"
        label = self.rows("SELECT label FROM long_term_memory WHERE id = ?", old)[0][0]
        self.answers[moved] = [
            Response(error_body("invalid_request_error", "no"), status=400),
            f"Oh!\n[MEMORY: update #{label}|{NEW}]",
        ]
        self.assert_error(self.reply(self.push(moved, session_id="s4", id="moved")), "claude_rejected")
        self.leave(moved, session_id="s4", id="moved")
        self.answers["and now?"] = f"You told me: {NEW}."
        self.leave("and now?", session_id="s5")
        for n in range(2):
            self.ask(f"small talk {n}", session_id="s1")
        # What was replaced is not in it any more.
        eventually(lambda: "at ease" in str(self.stored("u")["long_term_memory"][-1]), "the summary is stored")
        return old, self.rows("SELECT max(id) FROM long_term_memory WHERE content = ?", NEW)[0][0]

    def live_beside(self):
        """What has nothing to do with it: a conversation of the same user, and another user."""
        self.leave("I like tea", session_id="tea", id="tea")
        self.tell("I live near the qzother harbour", "The user lives near the qzother harbour", user_id="v")
        self.answers["not now"] = Response(error_body("invalid_request_error", "no"), status=400)
        self.reply(self.push("not now", user_id="v", session_id="s1"))

    def assert_full_of_it(self):
        held = self.places_that_hold("qzorlin", "qzmelk")
        for place in ("engram.db-wal", "dump.rdb", "engram:reply:moved", "engram:dead"):
            self.assertIn(place, held)

    def check_deletion(self, delete):
        daemon = self.start(summary_enabled="true", summary_trigger_turns=6, summary_keep_turns=2)
        self.live_beside()
        ids = self.live_a_life()
        self.assert_full_of_it()
        beside = self.stored("v"), self.redis.client.lrange("engram:reply:tea", 0, -1)
        kept = self.turns(session_id="tea") + self.turns(session_id="music") + [("user", "small talk 1")]
        turns_before = len(self.stored("u")["conversation_history"])

        self.summary = "- They talked of nothing."
        deleted = delete(ids)
        self.assertEqual(sorted(deleted), sorted(COUNTERS))
        self.assertEqual(deleted["memories"], 3)  # the summary is one
        self.assertEqual(deleted["summaries"], 1)
        self.assertEqual(deleted["replies"], 5)
        self.assertEqual(self.places_that_hold("qzorlin", "qzmelk", OLD, NEW), [])
        self.assertEqual((self.stored("v"), self.redis.client.lrange("engram:reply:tea", 0, -1)), beside)
        self.assertEqual([f[b"job"].count(b"not now") for f in self.dead_letters()], [1])
        self.assertEqual(len(self.stored("u")["conversation_history"]), turns_before)
        for turn in kept:
            self.assertIn(turn, self.rows("SELECT role, content FROM conversation_history"))
        self.assertIn(("fact", OTHER), self.memories())

        # A repeat brings nothing back, and the assistant knows nothing.
        moved = self.push("I have moved, to Qzmelk in the hills", session_id="s4", id="moved")
        reply = self.one_reply(moved)
        self.assertEqual((reply["status"], reply["reply"], reply["memories"]), ("ok", "", []))
        for session in ("s1", "s2", "s3", "s4", "s5", "anew"):
            self.ask("so where do I live?", session_id=session)
            self.assertNotIn(b"qzorlin", self.calls_for("so where do I live?")[-1].raw.lower())
            self.assertNotIn(b"qzmelk", self.calls_for("so where do I live?")[-1].raw.lower())
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(self.places_that_hold("qzorlin", "qzmelk"), [])

    def test_it_is_nowhere_with_all_that_it_was_and_became(self):
        self.check_deletion(lambda ids: self.admin("memory.delete", memory_id=ids[1])["deleted"])

    def test_it_is_nowhere_when_a_version_of_the_past_is_deleted_from_the_command_line(self):
        def delete(ids):
            answer = self.ctl("memory", "delete", str(ids[0]), "--user", "u", "--yes", "--json")
            self.assertEqual(answer.status, 0, answer)
            return json.loads(answer.out)["deleted"]

        self.check_deletion(delete)

    def test_an_error_that_repeated_it_before_it_was_told_is_gone(self):
        self.start()
        told = "I live near the qzorlin harbour"
        self.answers[told] = [
            Response(error_body("invalid_request_error", f"not this: {told}"), status=400),
            note(OLD),
        ]
        self.assert_error(self.reply(self.push(told, id="told")), "claude_rejected")
        id = self.one_reply(self.push(told, id="told"))["memories"][0]["id"]
        self.admin("memory.delete", memory_id=id)
        self.assertEqual(self.places_that_hold("qzorlin"), [])

    def test_another_user_cannot_delete_it_and_keeps_the_same_words(self):
        self.start()
        mine, theirs = (self.tell("I live there", OLD, user_id=user) for user in "uv")
        message = self.refused(self.reply(self.request("memory.delete", "v", memory_id=mine)), "not_found")
        nobody = self.refused(self.reply(self.request("memory.delete", "v", memory_id=999)), "not_found")
        self.assertEqual(message, nobody)
        before = self.stored("v")
        self.admin("memory.delete", memory_id=mine)
        self.assertEqual(self.stored("v"), before)
        self.assertEqual(self.admin("memory.list", "v")["memories"][0]["id"], theirs)


class DeletedSession(ErasingCase):
    """A session whose words are summarized, repeated in another one, and left in replies and dead letters."""

    def live(self):
        self.start(summary_enabled="true", summary_trigger_turns=6, summary_keep_turns=2)
        self.summary = "- They spoke of qzturn."
        self.answers["this is qzturn"] = [
            Response(error_body("invalid_request_error", "no"), status=400),
            note(NOTE),
        ]
        self.assert_error(self.reply(self.push("this is qzturn", id="told")), "claude_rejected")
        self.leave("this is qzturn", id="told")
        self.answers[f"I think: {NOTE}"] = note(NOTE)
        self.ask(f"I think: {NOTE}", session_id="another")
        for n in range(3):
            self.leave(f"qzturn again {n}", id=f"again{n}")
        eventually(lambda: "spoke of qzturn" in str(self.memories()), "the summary is stored")

        for place in ("engram.db-wal", "dump.rdb", "engram:reply:again0", "engram:dead"):
            self.assertIn(place, self.places_that_hold("qzturn"))

    def test_its_words_are_nowhere_and_what_was_learnt_stays(self):
        self.live()
        self.summary = "- They talked."
        deleted = self.admin("session.delete", session_id="s")["deleted"]
        self.assertEqual((deleted["turns"], deleted["summaries"], deleted["replies"]), (8, 1, 4))
        self.assertEqual(self.places_that_hold("qzturn"), [])
        self.assertEqual(self.memories(), [("fact", NOTE)])
        self.assertEqual([s["session_id"] for s in self.admin("session.list")["sessions"]], ["another"])
        self.assertIn(("assistant", note(NOTE)), self.turns(session_id="another"))
        self.refused(self.reply(self.request("session.delete", session_id="s")), "not_found")
        self.ask("qzfresh")
        self.assertEqual(len(self.calls_for("qzfresh")[0].body["messages"]), 1)

    def test_from_the_command_line_with_what_was_learnt(self):
        self.live()
        answer = self.ctl("session", "delete", "s", "--memories", "--user", "u", "--yes", "--json")
        self.assertEqual(answer.status, 0, answer)
        self.assertEqual(self.places_that_hold("qzturn", "qznote"), [])
        self.assertEqual(self.memories(), [])
        self.assertEqual(self.turns(session_id="another"), [("user", ""), ("assistant", "")])
        self.ask("qzfresh", session_id="another")
        self.assertEqual(len(self.calls_for("qzfresh")[0].body["messages"]), 1)


class DuringACall(ErasingCase):
    def test_an_answer_that_was_made_from_it_is_not_stored_and_the_job_is_asked_anew(self):
        self.start()
        id = self.tell("I live near the qzorlin harbour", OLD)
        self.hold("plan my day")
        self.answers["plan my day"] = [f"{OLD}, so swim.\n[MEMORY: fact|The user swims at qzorlin]", "Read."]
        job = self.push("plan my day", session_id="s2")
        self.wait_for_calls("plan my day")
        self.assertIn(b"qzorlin", self.calls_for("plan my day")[0].raw)
        self.admin("memory.delete", memory_id=id)
        self.release_all()
        self.assertEqual(self.one_reply(job)["reply"], "Read.")
        self.assertEqual(len(self.calls_for("plan my day")), 2)
        self.assertNotIn(b"qzorlin", self.calls_for("plan my day")[1].raw)
        self.assertEqual(self.turns(session_id="s2"), [("user", "plan my day"), ("assistant", "Read.")])
        self.assertEqual(self.memories(), [])
        self.assertEqual(self.places_that_hold("qzorlin"), [])

    def test_the_session_of_a_call_is_deleted_and_the_answer_knows_nothing_of_it(self):
        self.start()
        self.ask("I live near the qzorlin harbour")
        self.hold("plan my day")
        self.answers["plan my day"] = ["Swim at qzorlin.", "Read."]
        job = self.push("plan my day")
        self.wait_for_calls("plan my day")
        self.admin("session.delete", session_id="s")
        self.release_all()
        self.assertEqual(self.one_reply(job)["reply"], "Read.")
        self.assertEqual(self.turns(), [("user", "plan my day"), ("assistant", "Read.")])
        self.assertEqual(self.places_that_hold("qzorlin"), [])

    def test_a_late_summary_of_it_is_not_stored_and_what_is_left_is_summarized(self):
        daemon = self.start(
            summary_enabled="true", summary_trigger_turns=6, summary_keep_turns=2, summary_sweep_ms=50
        )
        self.gate.clear()
        self.summary = f"- {OLD}."
        id = self.tell("I live near the qzorlin harbour", OLD)
        for n in range(2):
            self.ask(f"small talk {n}")
        summaries = lambda: [r for r in self.claude.requests if r.model == CHEAP]  # noqa: E731
        eventually(summaries, "a summary is asked for")
        self.assertIn(b"qzorlin", summaries()[0].raw)
        self.admin("memory.delete", memory_id=id)
        self.gate.set()
        daemon.wait_for_log("a summary was dropped")
        self.assertEqual(self.memories(), [])
        self.summary = "- Nothing."
        for n in range(2):
            self.ask(f"more talk {n}")
        eventually(lambda: len(summaries()) >= 2, "a summary is asked for anew")
        eventually(lambda: ("summary", "- Nothing.") in self.memories(), "it is stored")
        self.assertNotIn(b"qzorlin", summaries()[1].raw)
        self.assertEqual(self.places_that_hold("qzorlin"), [])


class DuringACrash(ErasingCase):
    def check_death(self, place, passing=1):
        """A daemon dies at a point on the way of an answer that repeats what another daemon deletes before
        the job comes to it."""
        daemon = self.start()
        id = self.tell("I live near the qzorlin harbour", OLD)
        self.assertEqual(daemon.stop(), 0)
        # Its lease outlasts the start of the next daemon, so that the request comes before the job.
        first = self.start(env={"ENGRAM_FAILPOINT": f"{place}:{passing}"}, queue_lease_ms=5 * LEASE_MS)
        for n in range(MOST_AT_START + 1):
            self.answers[f"plan {n}"] = [f"{OLD}, so swim.", "Read.", "Read."]
            job = self.push(f"plan {n}", session_id="s2")
            there = lambda: self.redis.client.exists("engram:reply:" + job)  # noqa: B023, E731
            eventually(lambda: there() or first.status is not None, "an answer or a death")  # noqa: B023
            if first.status is not None:
                break
            self.reply(job)
        self.assertEqual(first.status, -signal.SIGKILL)
        self.assertEqual(len(self.calls_for(f"plan {n}")), 1)
        self.assertNotEqual(self.places_that_hold("qzorlin"), [])
        request = self.request("memory.delete", memory_id=id)
        self.start()
        self.assertEqual(self.one_reply(request)["status"], "ok")
        reply = self.one_reply(job)
        self.assertEqual((reply["status"], reply["attempts"] > 1), ("ok", place != "committed"), reply)
        self.assertEqual(self.places_that_hold("qzorlin"), [])
        self.assertEqual([role for role, _ in self.turns(session_id="s2")], ["user", "assistant"] * (n + 1))
        self.assert_idle()

    def test_before_the_answer_is_stored(self):
        self.check_death("before_commit")

    def test_in_the_transaction(self):
        self.check_death("in_commit", MOST_AT_START + 1)

    def test_when_the_answer_is_stored_and_the_reply_is_not_out(self):
        self.check_death("committed")

    def test_in_the_transaction_of_the_deletion_itself(self):
        daemon = self.start()
        texts = ["The user has a qzorlin boat", "The user likes qzorlin fish", "The user was born at qzorlin"]
        ids = [self.tell(text, text, session_id=f"s{n}") for n, text in enumerate(texts)]
        self.assertEqual(daemon.stop(), 0)
        first = self.start(env={"ENGRAM_FAILPOINT": f"in_commit:{MOST_AT_START + 1}"})
        requests = [self.request("memory.delete", memory_id=id) for id in ids]
        self.assertEqual(first.wait(), -signal.SIGKILL)
        self.assertEqual(len(self.redis.client.keys("engram:admin:taken:*")), 1)
        self.assertNotEqual(self.memories(), [])
        self.start()
        for request in requests:
            self.assertEqual(self.one_reply(request)["result"]["deleted"]["memories"], 1)
        self.assertEqual(self.places_that_hold("qzorlin"), [])
        self.assert_idle()

    def test_a_daemon_that_was_stalled_before_it_stored_its_answer_brings_nothing_back(self):
        first = self.start(env={"ENGRAM_FAILPOINT": "before_commit:2:stop"})
        id = self.tell("I live near the qzorlin harbour", OLD)
        # The second daemon may ask before the deletion, and then once more.
        self.answers["plan my day"] = [f"{OLD}, so swim.\n[MEMORY: fact|Swims at qzorlin]", "Read.", "Read."]
        job = self.push("plan my day", session_id="s2")
        second = self.start()
        second.wait_for_log("took over the jobs")
        self.admin("memory.delete", memory_id=id)
        self.reply(job)
        first.send(signal.SIGCONT)
        first.wait_for_log("it begins anew")
        self.assertEqual(self.places_that_hold("qzorlin"), [])

    def test_a_reply_that_was_on_its_way_in_the_moment_of_the_deletion_is_erased_when_it_has_arrived(self):
        first = self.start(env={"ENGRAM_FAILPOINT": "committed:2:stop"}, queue_lease_ms=8000)
        id = self.tell("I live near the qzorlin harbour", OLD)
        client = self.redis.client
        of_first = {int(one["id"]) for one in client.client_list()}
        self.answers["plan my day"] = f"{OLD}, so swim."
        job = self.push("plan my day", session_id="s2")
        there = lambda: client.exists("engram:reply:" + job)  # noqa: E731
        eventually(first.is_stopped, "the answer is stored and the daemon stands still")
        # Else it would be handed the request, and keep it.
        for one in client.client_list():
            if int(one["id"]) in of_first and "b" in one["flags"]:
                client.client_unblock(int(one["id"]))
        self.start(queue_lease_ms=8000)
        self.admin("memory.delete", memory_id=id)
        self.assertFalse(there())
        first.send(signal.SIGCONT)
        eventually(there, "the reply arrives")
        self.assertIn("qzorlin", client.lindex("engram:reply:" + job, 0).decode())
        eventually(lambda: not there(), "it is erased")
        self.assertEqual(self.places_that_hold("qzorlin"), [])


class WhenRedisFails(ErasingCase):
    """Between the two halves of a deletion: the store has erased, and Redis refuses."""

    def fail_between(self):
        daemon = self.start()
        id = self.tell("I live near the qzorlin harbour", OLD, session_id="s1")
        self.answers["where do I live?"] = f"Well. {OLD}."
        reply = "engram:reply:" + self.leave("where do I live?", session_id="s2")
        self.redis.client.execute_command("ACL", "SETUSER", "default", "-lrange")
        failed = self.reply(self.request("memory.delete", memory_id=id))
        self.assertIn("is deleted", self.refused(failed, "internal", retryable=True))
        self.assertEqual(self.memories(), [])
        self.assertIn("qzorlin", self.redis.client.lindex(reply, 0).decode())
        return daemon, id

    def allow(self):
        self.redis.client.execute_command("ACL", "SETUSER", "default", "+lrange")

    def test_a_repeat_finishes_it_and_is_answered_as_the_first_would_have_been(self):
        _, id = self.fail_between()
        self.allow()
        deleted = self.admin("memory.delete", memory_id=id)["deleted"]
        self.assertEqual((deleted["memories"], deleted["turns"], deleted["replies"]), (1, 3, 2), deleted)
        self.assertEqual(self.places_that_hold("qzorlin"), [])
        self.refused(self.reply(self.request("memory.delete", memory_id=id)), "not_found")

    def test_without_a_repeat_the_daemon_finishes_it(self):
        self.fail_between()
        self.allow()
        eventually(lambda: self.places_that_hold("qzorlin") == [], "nothing holds it")

    def test_another_daemon_finishes_it_after_a_restart(self):
        daemon, _ = self.fail_between()
        self.assertEqual(daemon.stop(), 0)
        self.allow()
        self.start()
        eventually(lambda: self.places_that_hold("qzorlin") == [], "nothing holds it")


if __name__ == "__main__":
    main()
