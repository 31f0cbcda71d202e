"""A Redis that takes or gives less than what there is: nobody waits for ever, and the others go on."""

import json

from harness import Case, eventually, main

KIB, MIB = 1024, 1024 * 1024
SHORT_ARGUMENTS = ("--proto-max-bulk-len", "1mb")
SHORT_BUFFER = ("--client-query-buffer-limit", "1mb")
SHORT_OUTPUT = ("--client-output-buffer-limit", "normal", "1mb", "0", "0")


def answer(request):
    """As long as the message says: 'give me 2048 KiB'."""
    words = request.new_message.split()
    return "x" * (int(words[2]) * KIB) if words[:2] == ["give", "me"] else "short"


class Limits(Case):
    def start(self, *arguments, **changes):
        self.start_redis(*arguments)
        self.start_fake(answer)
        return self.start_daemon(**changes)

    def fill(self, user, answers, kib):
        for n in range(answers):
            self.ask(f"give me {kib} KiB", user_id=user, session_id=f"s{n}")

    def check_others_go_on(self, count=20):
        ids = [self.push("hi", user_id=f"other{n}", session_id="s") for n in range(count)]
        for job in ids:
            self.assertEqual(self.reply(job).get("reply"), "short")

    def check_long_answer(self, *arguments):
        daemon = self.start(*arguments)
        self.push("give me 2048 KiB", id="long", metadata={"shop": 7})
        self.check_others_go_on()
        reply = self.reply("long")
        self.assert_error(reply, "internal")
        self.assertIn("proto-max-bulk-len", reply["error"]["message"])
        self.assertEqual((reply["user_id"], reply["session_id"], reply["metadata"]), ("u", "s", {"shop": 7}))
        letters = self.dead_letters()
        self.assertEqual([(x[b"id"], x[b"reason"]) for x in letters], [(b"long", b"internal")])
        daemon.wait_for_log("a reply is larger than Redis takes")
        # It was answered and paid for: once Redis takes it, the answer comes without another call.
        self.assertEqual(len(self.turns()), 2)
        return reply

    def test_a_long_answer_ends_with_an_error_and_others_go_on(self):
        self.check_long_answer(*SHORT_ARGUMENTS)
        calls = len(self.claude.requests)
        self.redis.client.config_set("proto-max-bulk-len", 512 * MIB)
        self.push("give me 2048 KiB", id="long", metadata={"shop": 7})
        self.assertEqual(len(self.reply("long")["reply"]), 2 * MIB)
        self.assertEqual(len(self.claude.requests), calls)
        self.assert_idle()

    def test_so_it_does_where_redis_closes_without_a_word(self):
        self.check_long_answer(*SHORT_BUFFER)
        self.assert_idle()

    def check_export(self, *arguments):
        self.start(*arguments)
        self.fill("u", 15, 200)
        lines = [json.loads(line) for line in self.admin_pages("user.export", "lines", limit=500)]
        answers = [x for x in lines if x["kind"] == "turn" and x["role"] == "assistant"]
        self.assertEqual([len(x["content"]) for x in answers], [200 * KIB] * 15)
        self.check_others_go_on(3)

    def test_a_user_with_three_mib_is_exported_to_a_redis_that_takes_little(self):
        self.check_export(*SHORT_ARGUMENTS)

    def test_and_to_one_that_gives_little(self):
        self.check_export(*SHORT_OUTPUT)

    def test_a_turn_that_is_too_long_for_any_page_is_an_error_and_other_requests_go_on(self):
        self.start(*SHORT_BUFFER)
        self.push("give me 2048 KiB", id="long")
        self.assert_error(self.reply("long"), "internal")
        # The first page ends before it.
        first = self.reply(self.push_admin("session.history", session_id="s"))
        request = self.push_admin("session.history", session_id="s", cursor=first["result"]["cursor"])
        after = self.push_admin("stats")
        reply = self.reply(request)
        self.assert_error(reply, "internal")
        self.assertIn("client-query-buffer-limit", reply["error"]["message"])
        self.assertEqual(self.reply(after)["status"], "ok")
        self.check_others_go_on(3)

    def test_a_batch_of_jobs_that_is_too_much_comes_in_pieces(self):
        self.start_redis(*SHORT_OUTPUT)
        self.start_fake(answer)
        text = "x" * (100 * KIB)
        ids = [self.push(text, user_id=f"u{n}", session_id="s") for n in range(64)]
        self.start_daemon()
        for job in ids:
            self.assertEqual(self.reply(job).get("reply"), "short")
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(len(self.claude.requests), 64)
        self.assert_idle()

    def test_a_user_with_many_large_jobs_is_forgotten(self):
        self.start_redis(*SHORT_OUTPUT)
        self.start_fake(answer)
        daemon = self.start_daemon()
        self.ctl("queue", "pause")
        eventually(lambda: self.said(daemon).get("paused"), "it takes no jobs")
        text = "x" * (200 * KIB)
        ids = [self.push(text, user_id="u", session_id=f"s{n}") for n in range(40)]
        receipt = self.admin("user.forget")
        self.assertEqual(receipt["redis"]["cancelled_jobs"], 40)
        for job in ids:
            self.assert_error(self.reply(job), "cancelled")
        self.ctl("queue", "resume")
        self.check_others_go_on(3)


if __name__ == "__main__":
    main()
