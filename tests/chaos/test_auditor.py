"""The auditor must notice each broken promise: a good state is broken once."""

import json
import sys
import unittest

sys.dont_write_bytecode = True

from auditor_case import AuditorCase  # noqa: E402


class WhatIsGood(AuditorCase):
    def test_a_state_in_which_all_is_well_is_not_objected_to(self):
        self.assert_held()
        figures = self.audit().figures()
        self.assertEqual((figures["effects"], figures["replies"], figures["dead letters"]), (6, 9, 3))
        self.assertEqual(figures["errors"], {"claude_rejected": 1, "id_conflict": 1})
        self.assertEqual((figures["most delayed at once"], figures["lanes delayed"]), (2, 2))

    def test_a_push_that_was_not_confirmed_may_have_happened_or_not(self):
        self.push("j000007", confirmed=False)
        self.effect("j000007")
        self.effect("j000008")
        self.assert_held()
        self.answer("j000007")
        self.assert_held()
        self.answer("j000007")
        self.assert_noticed("one reply a push", "j000007")

    def test_a_job_without_an_id_that_was_pushed_again_has_two_effects_and_one_memory(self):
        raw = json.dumps({"user_id": "u", "session_id": "s", "message": "finish j000007"}).encode()
        named = {"user": "u", "session": "s", "reply_key": self.key("j000007")}
        for confirmed in (False, True):
            self.push_raw(raw, "nameless", confirmed, message="finish j000007", mark="j000007", **named)
        self.effect_of_nameless("j000007", "made-1")
        self.assert_held()
        self.effect_of_nameless("j000007", "made-2", memories=[])
        self.assert_held()
        self.edit_reply("j000007", memories=[])
        self.assert_noticed("the answer belongs to the job", "j000007")

    def test_a_poisoned_job_needs_as_many_deaths_as_allowed(self):
        self.push("j000007")
        self.error("j000007", "poisoned", attempts=20)
        self.sight()["died"] = {self.job_bytes("j000006").decode(): 3}
        self.assert_noticed("only expected errors", "j000007")
        # The third was not seen.
        self.sight()["died"] = {self.job_bytes("j000007").decode(): 2}
        self.sight()
        self.assert_held()

    def test_a_rejected_key_is_expected_only_where_keys_are_rejected(self):
        self.push("j000007")
        self.error("j000007", "claude_auth")
        self.weather.by_status["401"] = 1
        self.assert_noticed("only expected errors", "j000007")
        self.header["key_is_refused"] = True
        self.assert_held()

    def test_summaries_and_instances_that_are_gone_are_no_concern(self):
        self.db.execute(
            "INSERT INTO long_term_memory(user_id, memory_type, content) VALUES ('u', 'summary', '-')"
        )
        self.redis.set("engram:status:d0", "{}", ex=10)
        self.assert_held()


class Replies(AuditorCase):
    def test_a_lost_reply(self):
        self.redis.rpop(self.key("j000001"))
        self.assert_noticed("no reply is lost", "j000001")

    def test_the_only_reply_lost(self):
        self.redis.delete(self.key("j000006"))
        self.assert_noticed("no reply is lost", "j000006")
        self.assert_noticed("one effect a job", "j000006")

    def test_a_double_reply(self):
        self.answer("j000003", user="v")
        self.assert_noticed("one reply a push", "j000003")

    def test_a_reply_that_nobody_asked_for(self):
        self.answer("j000099")
        self.assert_noticed("no reply without a job")

    def test_a_reply_that_is_no_json(self):
        self.redis.lset(self.key("j000003"), 0, "{")
        self.assert_noticed("a reply is JSON", "j000003")

    def test_a_reply_to_a_foreign_user_session_or_id(self):
        for field in ("user_id", "session_id", "id"):
            with self.subTest(field):
                before = self.redis.lindex(self.key("j000003"), 0)
                self.edit_reply("j000003", **{field: "other"})
                self.assert_noticed("the reply belongs to the job", "j000003")
                self.redis.lset(self.key("j000003"), 0, before)

    def test_an_answer_to_another_job(self):
        self.edit_reply("j000003", reply="I noted: j000002.")
        self.assert_noticed("the answer belongs to the job", "j000003")

    def test_the_memories_of_another_job(self):
        self.edit_reply("j000003", memories=[{"content": "Plans to finish j000002"}])
        self.assert_noticed("the answer belongs to the job", "j000003")

    def test_a_tag_that_was_left_in_the_answer(self):
        self.edit_reply("j000003", reply="I noted: j000003. [MEMORY: fact|j000003]")
        self.assert_noticed("the answer belongs to the job", "j000003")

    def test_metadata_that_nobody_sent(self):
        self.edit_reply("j000003", metadata={"n": 1})
        self.assert_noticed("metadata is returned untouched", "j000003")

    def test_an_unexpected_error(self):
        self.push("j000007")
        self.error("j000007", "internal")
        self.assert_noticed("only expected errors", "j000007")

    def test_a_bad_job_that_was_answered(self):
        self.push("j000007", kind="refused")
        self.answer("j000007")
        self.assert_noticed("a bad job is refused", "j000007")

    def test_a_repeat_with_another_answer(self):
        self.edit_reply("j000001", at=1, model="another")
        self.assert_noticed("a repeat gets the answer again", "j000001")

    def test_an_error_after_an_answer(self):
        self.push("j000003", user="v")
        self.error("j000003", "claude_rejected", user="v")
        self.assert_noticed("a repeat gets the answer again", "j000003")

    def test_two_jobs_of_one_id_answered(self):
        self.push("j000003x", user="v", job="j000003")
        self.answer("j000003x", user="v", job="j000003")
        self.store("j000003x", user="v")
        self.assert_noticed("one effect an id", "j000003")

    def test_jobs_that_all_fail(self):
        self.weather.by_status["400"] = 10
        self.fail_four("claude_rejected")
        self.assert_noticed("jobs are answered")

    def test_a_failure_that_passes_and_cost_a_job(self):
        for n, kind in enumerate(("honest", "nameless", "hasty"), 10):
            self.push(f"j{n:06}", kind=kind)
            self.error(f"j{n:06}", "claude_unavailable")
            self.assert_noticed("only expected errors", f"j{n:06}")

    def test_a_deadline_that_an_honest_job_was_not_given(self):
        self.push("j000007", kind="hasty")
        self.error("j000007", "deadline_exceeded")
        self.assert_held()
        self.push("j000008")
        self.error("j000008", "deadline_exceeded")
        self.assert_noticed("only expected errors", "j000008")

    def test_a_job_that_nobody_gave_up_or_whose_model_is_there(self):
        self.header["key_is_refused"] = True
        for n, kind in enumerate(("cancelled", "claude_model_gone"), 10):
            self.push(f"j{n:06}")
            self.error(f"j{n:06}", kind)
            self.assert_noticed("only expected errors", f"j{n:06}")

    def test_more_rejected_jobs_than_requests_were_refused(self):
        self.push("j000007")
        self.error("j000007", "claude_rejected")
        self.assert_noticed("a refusal costs one job")
        self.weather.by_status["400"] = 2
        self.assert_held()

    def test_more_jobs_than_one_a_daemon_bear_what_concerns_all(self):
        self.header["key_is_refused"] = True
        for kind, status in (("claude_auth", 401), ("claude_spend_limit", 402)):
            with self.subTest(kind):
                self.weather.by_status[str(status)] = 30
                self.weather.spans = [self.span("api_refusing", status, refused=30, daemons=3)]
                self.fail_four(kind, 10 + status)
                self.assert_noticed("a refusal costs one job")
                self.weather.spans[0]["daemons"] = 4
                self.assert_held()
                # One of the refusals was that of a single call.
                self.weather.spans[0].update(daemons=3, refused=29)
                self.assert_held()

    def fail_four(self, kind, first=10):
        for n in range(first, first + 4):
            self.push(f"j{n:06}")
            self.error(f"j{n:06}", kind)

    def test_a_conflict_with_nothing(self):
        self.push("j000007")
        self.error("j000007", "id_conflict")
        self.assert_noticed("a conflict needs another job", "j000007")


class Effects(AuditorCase):
    def test_a_double_effect(self):
        self.store("j000003", user="v")
        self.assert_noticed("one effect a job", "j000003")
        self.assert_noticed("one memory a job", "j000003")

    def test_a_missing_effect(self):
        self.change("DELETE FROM conversation_history WHERE content LIKE '%j000003%'")
        self.assert_noticed("no effect is lost", "j000003")

    def test_a_missing_memory(self):
        self.change("DELETE FROM long_term_memory WHERE content LIKE '%j000003'")
        self.assert_noticed("no memory is lost", "j000003")

    def test_a_double_memory(self):
        self.add_memory("j000003", user="v")
        self.assert_noticed("one memory a job", "j000003")

    def test_an_effect_of_a_job_that_ended_in_an_error(self):
        self.store("j000002x")
        self.assert_noticed("one effect a job", "j000002")

    def test_an_effect_of_no_job(self):
        self.add_turn("j000099", "user", "finish j000099")
        self.assert_noticed("nothing is made up")

    def test_a_memory_of_no_job(self):
        self.add_memory("j000099")
        self.assert_noticed("nothing is made up")

    def test_half_an_exchange(self):
        self.change("DELETE FROM conversation_history WHERE content = 'I noted: j000003.'")
        self.assert_noticed("turns come in pairs", "j000003")

    def test_an_answer_without_a_question(self):
        self.change("DELETE FROM conversation_history WHERE content = 'finish j000003'")
        self.assert_noticed("turns come in pairs")

    def test_the_answer_to_another_job_behind_a_turn(self):
        sql = "UPDATE conversation_history SET content = ? WHERE content = ?"
        self.change(sql, "I noted: j000002.", "I noted: j000003.")
        self.assert_noticed("turns come in pairs", "j000003")

    def test_turns_with_a_foreign_user(self):
        self.change("UPDATE conversation_history SET user_id = 'u' WHERE content LIKE '%j000003%'")
        self.assert_noticed("nothing under another user or session", "j000003")

    def test_turns_in_a_foreign_session(self):
        self.change("UPDATE conversation_history SET session_id = 't' WHERE content LIKE '%j000003%'")
        self.assert_noticed("nothing under another user or session", "j000003")

    def test_turns_in_another_session_than_the_one_that_was_made(self):
        self.change("UPDATE conversation_history SET session_id = 't' WHERE content LIKE '%j000004%'")
        self.assert_noticed("nothing under another user or session", "j000004")

    def test_a_memory_with_a_foreign_user(self):
        self.change("UPDATE long_term_memory SET user_id = 'u' WHERE content LIKE '%j000003'")
        self.assert_noticed("nothing under another user or session", "j000003")

    def test_an_inversion(self):
        swap = "UPDATE conversation_history SET id = id + 1000 WHERE content LIKE '%j000001%'"
        self.change(swap)
        self.assert_noticed("a conversation keeps its order", "j000001")

    def test_a_repeat_after_an_error_takes_its_own_place(self):
        # j000005 failed and was answered by its repeat, which was pushed before j000006.
        self.change("UPDATE conversation_history SET id = id + 1000 WHERE content LIKE '%j000005%'")
        self.assert_noticed("a conversation keeps its order", "j000005")


class DeadLetters(AuditorCase):
    def entry(self, at):
        return self.redis.xrange("engram:dead")[at]

    def replace(self, at, **changes):
        name, fields = self.entry(at)
        self.redis.xdel("engram:dead", name)
        self.redis.xadd("engram:dead", {**fields, **{k.encode(): v for k, v in changes.items()}})

    def test_an_error_without_one(self):
        self.redis.xdel("engram:dead", self.entry(0)[0])
        self.assert_noticed("each error has one dead letter", "j000002")

    def test_a_bad_job_without_one(self):
        self.redis.xdel("engram:dead", self.entry(2)[0])
        self.assert_noticed("each error has one dead letter")

    def test_two_for_one_error(self):
        self.redis.xadd("engram:dead", self.entry(0)[1])
        self.assert_noticed("each error has one dead letter", "j000002")

    def test_one_for_a_job_that_was_answered(self):
        self.bury(self.job_bytes("j000003", "v"), "j000003", "claude_rejected")
        self.assert_noticed("each error has one dead letter", "j000003")

    def test_the_wrong_reason(self):
        self.replace(0, reason=b"claude_auth")
        self.assert_noticed("each error has one dead letter", "j000002")

    def test_the_wrong_id(self):
        self.replace(0, id=b"j000003")
        self.assert_noticed("a dead letter names its job", "j000002")

    def test_other_bytes(self):
        self.replace(0, job=self.entry(0)[1][b"job"] + b" ")
        self.assert_noticed("a dead letter has the original bytes")
        self.assert_noticed("each error has one dead letter", "j000002")


class OnTheWay(AuditorCase):
    """What was seen in Redis while the run went on."""

    def test_a_delayed_job_that_a_daemon_owns(self):
        self.sight(delayed={"1:u:s": 900}, owned={"d0-1": ["1:u:s"]})
        self.assert_noticed("a delayed job holds no place")
        self.assertEqual(self.audit().figures()["places held while delayed"], 1)

    def test_a_delayed_job_without_a_reason_and_a_reason_without_a_job(self):
        one = self.sight(delayed={"1:u:s": 900})
        one["delays"] = {}
        self.assert_noticed("a delayed lane has a reason")
        one["delays"] = {"1:u:s": "no connection", "1:u:t": "no connection"}
        self.assert_noticed("a delayed lane has a reason")
        one["delays"] = {"1:u:s": "no connection"}
        self.assert_held()

    def test_a_reason_with_a_word_of_the_user_or_without_a_word_or_too_long(self):
        one = self.sight(delayed={"1:u:s": 950})
        for why in ("cannot finish j000001", "", "x" * 121):
            with self.subTest(why):
                one["delays"]["1:u:s"] = why
                self.assert_noticed("a reason is one short line without a user's word")
        one["delays"]["1:u:s"] = "x" * 120
        self.assert_held()

    def test_a_pause_of_more_than_half_a_minute(self):
        self.sight(delayed={"1:u:s": 30_000})
        self.assert_held()
        self.sight(delayed={"1:u:s": 30_100})
        self.assert_noticed("a pause is short")

    def test_jobs_in_hand_that_the_daemon_does_not_own(self):
        self.sightings.clear()
        for n in range(30):
            self.sight(owned={"d0-1": ["1:u:s"]}, d0=self.said(in_flight=2), d1=self.said())
        self.assert_held()
        self.sight(owned={"d0-1": ["1:u:s"]}, d0=self.said(in_flight=2), d1=self.said())
        self.assert_noticed("a place is a job")
        # Once meanwhile it owned as many.
        self.sightings[9]["owned"]["d0-1"].append("1:u:t")
        self.assert_held()

    def test_what_was_not_seen_for_a_while_tells_nothing(self):
        """Neither if nobody looked, nor if the daemon had not renewed its lease."""
        says = {"d0": self.said(in_flight=2)}
        for said, later in ((says, 2000), ({}, 100)):
            with self.subTest(later):
                self.sightings.clear()
                for n in range(32):
                    self.sight(**(said if n == 16 else says), later=later if n == 16 else 100)
                self.assert_held()

    def test_a_job_that_is_taken_from_a_paused_queue(self):
        for taken in (7, 7, 9, 9, 9):  # on its way when the daemon heard of it
            self.sight(paused="one", d0=self.said(taken=taken, paused=True), later=300)
        self.assert_held()
        self.sight(paused="one", d0=self.said(taken=10, paused=True))
        self.assert_noticed("nothing is taken from a paused queue")

    def test_a_job_that_is_taken_between_two_pauses_or_by_who_has_not_heard(self):
        for note in ("one", "two"):
            for _ in range(10):
                self.sight(paused=note, d0=self.said(taken=len(note + note), paused=True))
            self.sight(paused=note, d0=self.said(taken=8, paused=False))
            self.sight(paused=note, d0=self.said(taken=9, paused=True))
        # Over before anybody looked again.
        for note, taken in (("three", 10), ("four", 11)):
            for _ in range(10):
                self.sight(paused=note, d0=self.said(taken=taken, paused=True))
        self.assert_held()

    def test_a_gate_that_shuts_for_nothing_or_for_one_job(self):
        self.sight(d0=self.said(gate="no_api"))
        self.assert_noticed("the gate shuts for what concerns all")
        self.weather.spans.append(self.span("api_refusing", 403))
        self.assert_held()
        self.sight(d0=self.said(gate="refuses_all"))
        self.assert_noticed("the gate shuts for what concerns all")


class WhatIsLeft(AuditorCase):
    def test_anything_that_does_not_expire(self):
        self.redis.rpush("engram:lane:1:u:s", "ticket")
        self.redis.hset("engram:body", "ticket", "{}")
        self.redis.hset("engram:owned:d0-1", "1:u:s", "ticket")
        self.redis.zadd("engram:instances", {"d0-1": 1})
        self.redis.lpush("engram:jobs", "{}")
        self.redis.zadd("engram:delayed", {"1:u:t": 1})
        self.redis.hset("engram:delays", "1:u:t", "why")
        self.redis.set("engram:paused", "{}")
        left = {b["what"] for b in self.audit().broken if b["promise"] == "nothing is left behind"}
        self.assertEqual(
            left,
            {
                "the list engram:lane:1:u:s",
                "the hash engram:body",
                "the hash engram:owned:d0-1",
                "the zset engram:instances",
                "the list engram:jobs",
                "the zset engram:delayed",
                "the hash engram:delays",
                "the string engram:paused",
            },
        )

    def test_a_reply_that_does_not_expire(self):
        self.redis.persist(self.key("j000003"))
        self.assert_noticed("nothing is left behind")

    def test_a_log_that_tells_of_a_failure(self):
        self.logs.append(("engramd0.log", "2026 E the database: database is locked\n"))
        self.assert_noticed("daemons log no failure")


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
