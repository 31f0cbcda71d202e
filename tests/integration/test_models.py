"""The models that are asked: defaults, effort, thinking, what answers when one is gone, which end."""

import datetime
import os
import signal

from harness import API_KEY, Response, error_body, eventually, main, message_body, model_body
from trouble_case import CONVERSATIONS, GateCase, page, refusal

CHAT, CHEAP, NEXT, LAST = "claude-opus-5-5", "claude-haiku-5-5", "claude-next", "claude-last"
GONE = Response(error_body("not_found_error", "model: qzwording"), 404)
OVERLOADED = refusal(529, "overloaded_error")


class ModelCase(GateCase):
    """The fake answers as the model that it is asked for. One in `gone` is not known, one in `overloaded`
    has no time."""

    def setUp(self):
        super().setUp()
        self.gone, self.overloaded = set(), set()

    def speak(self, request):
        if self.trouble or request.model in self.gone:
            return self.trouble or GONE
        if request.model in self.overloaded:
            return OVERLOADED
        return message_body("re: " + request.new_message, model=request.model)

    def models_asked(self):
        return [request.model for request in list(self.claude.requests)]

    def write(self, text):
        path = os.path.join(self.folder, "engramd.toml")
        with open(path, "w") as f:
            f.write(text)
        return path

    def reload(self, daemon, text):
        self.write(text)
        before = daemon.log().count("configuration reloaded")
        daemon.send(signal.SIGHUP)
        eventually(lambda: daemon.log().count("configuration reloaded") > before, "it is reloaded")


class WhatIsAsked(ModelCase):
    def test_the_defaults(self):
        self.start(summary_trigger_turns=4, summary_keep_turns=2, summary_sweep_ms=50)
        for n in range(3):
            self.ask(f"m{n}")
        eventually(lambda: CHEAP in self.models_asked(), "there is a summary")
        chat, summary = (
            next(r.body for r in self.claude.requests if r.model == model) for model in (CHAT, CHEAP)
        )
        self.assertEqual((chat["max_tokens"], summary["max_tokens"]), (8192, 4096))
        for body in (chat, summary):
            self.assertNotIn("output_config", body)

    def test_effort_is_for_chats(self):
        self.start(claude_effort="low", summary_trigger_turns=4, summary_keep_turns=2, summary_sweep_ms=50)
        for n in range(3):
            self.ask(f"m{n}")
        eventually(lambda: CHEAP in self.models_asked(), "there is a summary")
        for request in self.claude.requests:
            expected = {"effort": "low"} if request.model == CHAT else None
            self.assertEqual(request.body.get("output_config"), expected)

    def test_effort_and_max_tokens_change_with_a_reload(self):
        daemon = self.start(config_file=self.write('claude.effort = "max"\n'))
        self.ask()
        self.reload(daemon, "claude.max_tokens = 4321\n")
        self.ask()
        first, second = (request.body for request in self.claude.requests)
        self.assertEqual((first["output_config"], first["max_tokens"]), ({"effort": "max"}, 8192))
        self.assertEqual((second.get("output_config"), second["max_tokens"]), (None, 4321))

    def test_an_unknown_effort_is_refused_at_the_start(self):
        for effort, is_fine in (("extreme", False), ("medium", True), ("", True)):
            answer = self.run_daemon("--check-config", "--set", "claude.effort=" + effort)
            self.assertEqual(answer.status == 0, is_fine, answer)
            self.assertEqual("claude.effort" in answer.err, not is_fine, answer)


class Thinking(ModelCase):
    THOUGHT = {"type": "thinking", "thinking": "", "signature": "c2ln"}

    def answer(self, *content, **more):
        self.claude.put(message_body(content=[self.THOUGHT, *content], **more))
        daemon = self.start()
        return daemon, self.ask()

    def test_the_text_comes_behind_the_thinking(self):
        _, reply = self.answer({"type": "text", "text": "Hello.\n[MEMORY: fact|The user is called Ada]"})
        self.assertEqual((reply["reply"], len(reply["memories"])), ("Hello.", 1))

    def test_thinking_that_used_up_everything_is_an_empty_answer_with_a_warning(self):
        daemon, reply = self.answer(stop_reason="max_tokens")
        self.assertEqual((reply["reply"], reply["stop_reason"]), ("", "max_tokens"))
        daemon.wait_for_log("the answer has no text")
        self.assertIn("claude.max_tokens", daemon.log())
        self.ask("next")
        texts = str(self.claude.requests[-1].body["messages"])
        self.assertNotIn("thinking", texts)

    def test_an_empty_answer_for_another_reason_brings_no_warning(self):
        daemon, reply = self.answer(stop_reason="end_turn")
        self.assertEqual(reply["reply"], "")
        self.assertNotIn("the answer has no text", daemon.log())


class Gone(ModelCase):
    def test_the_next_one_answers_and_the_reply_tells(self):
        self.gone = {CHAT}
        daemon = self.start(claude_fallback_models=f"{NEXT},{LAST}")
        replies = self.check_backlog(self.push_backlog())
        self.assertEqual({reply["model"] for reply in replies.values()}, {NEXT})
        self.assertEqual({reply["attempts"] for reply in replies.values()}, {1})
        self.assertLessEqual(self.models_asked().count(CHAT), CONVERSATIONS)
        before = len(self.claude.requests)
        self.ask("later", session_id="later")
        self.assertEqual(self.models_asked()[before:], [NEXT], "it is known to be gone")
        self.assertEqual(daemon.log().count("a model is gone; the next one answers"), 1)
        self.assertNotIn("Claude refuses every call", daemon.log())

    def test_the_one_after_next_answers_when_that_is_gone_as_well(self):
        self.gone = {CHAT, NEXT}
        self.start(claude_fallback_models=f"{NEXT},{LAST}")
        self.assertEqual(self.ask()["model"], LAST)
        self.assertEqual(self.models_asked(), [CHAT, NEXT, LAST])

    def test_the_same_question_is_asked(self):
        self.gone = {CHAT}
        self.start(claude_fallback_models=NEXT, claude_effort="high")
        self.ask("what is it?")
        first, second = (dict(request.body) for request in self.claude.requests)
        self.assertEqual((first.pop("model"), second.pop("model")), (CHAT, NEXT))
        self.assertEqual(first, second)

    def test_without_a_next_one_everybody_waits(self):
        self.trouble = GONE
        self.check_everybody_waits(self.start(), "model_gone", "claude_model_gone")

    def test_when_all_are_gone_everybody_waits(self):
        self.trouble = GONE
        daemon = self.start(claude_fallback_models=NEXT)
        self.check_everybody_waits(daemon, "model_gone", "claude_model_gone")

    def test_a_reload_with_another_model_is_tried_at_once(self):
        self.gone = {"claude-old"}
        daemon = self.start(
            config_file=self.write('claude.model = "claude-old"\n'), claude_pause_retry_ms=3600_000
        )
        reply = self.reply(self.push("first"))
        self.assert_error(reply, "claude_model_gone")
        job = self.push("second")
        self.reload(daemon, f'claude.model = "{NEXT}"\n')
        self.assertEqual(self.reply(job)["model"], NEXT)

    def test_a_reload_with_a_fallback_is_tried_at_once(self):
        self.gone = {CHAT}
        daemon = self.start(config_file=self.write(""), claude_pause_retry_ms=3600_000)
        self.assert_error(self.reply(self.push("first")), "claude_model_gone")
        job = self.push("second")
        self.reload(daemon, f'claude.fallback_models = ["{NEXT}"]\n')
        self.assertEqual(self.reply(job)["model"], NEXT)

    def test_a_page_instead_of_an_answer_does_not_mean_that_it_is_gone(self):
        self.trouble = page(404)
        self.start(claude_fallback_models=NEXT)
        job = self.push()
        self.wait_for_trials(2)
        self.assertEqual(set(self.models_asked()), {CHAT})
        self.trouble = None
        self.assertEqual(self.reply(job)["model"], CHAT)


class Overloaded(ModelCase):
    def test_the_next_one_answers_if_that_is_wanted_and_the_first_is_asked_again(self):
        self.overloaded = {CHAT}
        daemon = self.start(
            claude_fallback_models=NEXT, claude_fallback_on_overload="true", claude_max_retries=1
        )
        reply = self.ask("one")
        self.assertEqual((reply["model"], reply["attempts"]), (NEXT, 1))
        self.assertEqual(self.models_asked(), [CHAT, CHAT, NEXT])
        daemon.wait_for_log("a model is overloaded; the next one answers")
        self.overloaded = set()
        self.assertEqual(self.ask("two")["model"], CHAT)

    def test_by_default_it_is_waited_for(self):
        self.overloaded = {CHAT}
        self.start(claude_fallback_models=NEXT, claude_max_retries=0)
        job = self.push()
        self.wait_until_delayed(1)
        self.overloaded = set()
        self.assertEqual(self.reply(job)["model"], CHAT)
        self.assertNotIn(NEXT, self.models_asked())

    def test_when_all_are_overloaded_the_job_waits(self):
        self.overloaded = {CHAT, NEXT}
        self.start(claude_fallback_models=NEXT, claude_fallback_on_overload="true", claude_max_retries=0)
        job = self.push()
        self.wait_until_delayed(1)
        self.overloaded = {CHAT}
        self.wake()
        self.assertEqual(self.reply(job)["model"], NEXT)


class Ending(ModelCase):
    """Some seconds after the start the API is asked about the models in use."""

    @staticmethod
    def in_days(days):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def wait_until_told(self, daemon, model, **expected):
        def told():
            for one in self.said(daemon).get("models", []):
                if one["model"] == model and all(one[name] == value for name, value in expected.items()):
                    return one
            return None

        return eventually(told, f"its status says {expected} of {model}")

    def test_a_model_that_ends_within_sixty_days_is_warned_of(self):
        end = self.in_days(30.5)
        self.claude.models[CHAT] = model_body(CHAT, end)
        daemon = self.start()
        daemon.wait_for_log("a model in use ends soon")
        self.assertIn(CHAT, daemon.log())
        one = self.wait_until_told(daemon, CHAT, gone=False)
        self.assertEqual(one["retires_at"][:10], end[:10])
        answer = self.ctl("queue", "status")
        self.assertEqual((answer.status, answer.err), (0, ""), answer)
        self.assertIn(f"{CHAT} ends on {end[:10]}", answer.out)
        self.assertEqual(self.ask()["model"], CHAT)

    def test_one_that_ends_later_or_never_is_not(self):
        self.claude.models[CHAT] = model_body(CHAT, self.in_days(62))
        daemon = self.start()
        self.wait_until_told(daemon, CHAT, gone=False, retires_at=self.claude.models[CHAT]["retires_at"])
        self.wait_until_told(daemon, CHEAP, gone=False, retires_at=None)
        self.assertNotIn("ends soon", daemon.log())
        self.assertNotIn("is gone", daemon.log())
        self.assertNotIn("ends on", self.ctl("queue", "status").out)

    def test_each_model_in_use_is_asked_for_once(self):
        self.start(claude_fallback_models=NEXT)
        eventually(lambda: len(self.claude.gets) >= 3, "all are asked for")
        asked = sorted(path for path, _ in self.claude.gets)
        self.assertEqual(asked, sorted(f"/v1/models/{model}" for model in (CHAT, CHEAP, NEXT)))
        for _, headers in self.claude.gets:
            self.assertEqual(headers["x-api-key"], API_KEY)
            self.assertEqual(headers["anthropic-version"], "2023-06-01")
        self.assertEqual(self.claude.requests, [])

    def test_one_that_is_gone_is_told_and_shuts_nothing(self):
        self.claude.models[CHEAP] = Response(error_body("not_found_error", "model: qzwording"), 404)
        daemon = self.start()
        daemon.wait_for_log("a model in use is gone")
        self.wait_until_told(daemon, CHEAP, gone=True)
        answer = self.ctl("queue", "status")
        self.assertEqual(answer.status, 0, answer)
        self.assertIn(f"{CHEAP} is gone", answer.out)
        self.assertEqual(self.ask()["status"], "ok")

    def test_a_server_that_does_not_tell_is_left_alone(self):
        unauthorized, odd = refusal(401, "authentication_error"), Response(b"{", 200)
        for answer in (page(501), page(404), page(405), unauthorized, odd):
            with self.subTest(status=answer.status):
                self.claude.gets.clear()
                self.claude.models = {CHAT: answer, CHEAP: answer}
                daemon = self.start()
                eventually(lambda: len(self.claude.gets) >= 2, "both are asked for")
                self.assertEqual(self.ask()["status"], "ok")
                self.assertEqual(daemon.stop(), 0)
                self.assertNotIn("a model in use", daemon.log())
                self.assertNotIn("Claude refuses every call", daemon.log())


if __name__ == "__main__":
    main()
