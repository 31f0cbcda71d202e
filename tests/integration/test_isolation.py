"""Nobody sees or changes anything of another user, whatever ids they know or pretend to have."""

import json

from harness import main, memory_lines, prompt_turns, recalled_block, system_text
from memory_case import MemoryCase

# Pairs that something careless would take for one: by case, blanks, normal form, numbers, patterns, joints of
# keys, the ends of strings.
LOOKALIKES = ["ada", "Ada", "ada ", " ada", "ada\0", "ada\0x", "ada:", "a:da", "ada:s", "ada%", "ad_", "ada*"]
LOOKALIKES += ["аda", "\u200bada", "\u202eada", "é", "e\u0301", "ﬁ", "fi", "ß", "ss", "1", "01", "1.0", "１"]
LOOKALIKES += [
    "x" * 128,
    "x" * 127,
    "x" * 127 + "y",
    "🐝" * 32,
    "null",
    "None",
    "undefined",
    "{ada}",
    "../ada",
]
LOOKALIKES += ["ada' OR '1'='1", 'ada" OR 1=1 --', "ada'; DROP TABLE long_term_memory; --", "'||user_id||'"]
LOOKALIKES += [
    "]] redis.call('FLUSHALL') --",
    "ada\r\nDEL engram:jobs\r\n",
    "%s%n",
    "\\",
    "\\0",
    "\x7f",
    "\t",
]
TABLES = ["long_term_memory", "conversation_history", "engram_session", "engram_finished_job"]


class IsolationCase(MemoryCase):
    def start(self, **changes):
        return self.start_daemon(**{"memory_limit": 3, "summary_enabled": "false", **changes})

    def rows_of(self, user_id):
        """Everything in the database that belongs to a user, in any table."""
        rows = {t: self.rows(f"SELECT * FROM {t} WHERE user_id = ? ORDER BY 1, 2", user_id) for t in TABLES}
        rows["engram_user"] = self.rows("SELECT * FROM engram_user WHERE user_id = ?", user_id)
        self.assertEqual(len(rows["engram_user"]), 1, user_id)
        key = rows["engram_user"][0][0]
        for table in ("engram_recall", "engram_vector"):
            rows[table] = self.rows(f"SELECT * FROM {table} WHERE place >> 36 = ?", key)
        rows["engram_memory_source"] = self.rows(
            "SELECT * FROM engram_memory_source WHERE memory_id IN "
            "(SELECT id FROM long_term_memory WHERE user_id = ?) ORDER BY 1, 2",
            user_id,
        )
        self.assertTrue(rows["engram_recall"] and rows["engram_memory_source"])
        return rows

    def live(self, user_id, secret):
        """A user with memories of now and of the past, sessions, and a reply that waits."""
        fields = {"user_id": user_id}
        for n in range(4):
            self.tell(f"My {secret} violin {n}", f"The {secret} violin {n}", session_id=f"s{n % 2}", **fields)
        self.say(f"No {secret}", f"update #1|The {secret} cello", "forget #2", session_id="s", **fields)

    def refusal(self, op, **fields):
        reply = self.reply(self.push_admin(op, **fields))
        self.assertEqual((reply["status"], reply["op"]), ("error", op), reply)
        return reply["error"]

    def prompt_of(self, message, **fields):
        self.ask(message, **fields)
        return json.dumps(self.chats()[-1], ensure_ascii=False)


class Isolation(IsolationCase):
    def test_no_request_shows_or_changes_anything_by_an_id_of_somebody_else(self):
        self.start()
        self.live("ada", "zq-ada")
        self.live("bob", "bob")
        before = self.rows_of("ada")
        ids = [row[0] for row in before["long_term_memory"]]
        sessions = ["s", "s0", "s1"]
        # Of bob's own there is a session of the same name: make one that is ada's alone.
        self.ask("zq-ada only", user_id="ada", session_id="ada's")
        before = self.rows_of("ada")
        for op in ("memory.history", "memory.restore", "memory.delete", "memory.update"):
            more = {"content": "taken", "type": "preference", "pinned": True} if op == "memory.update" else {}
            unknown = self.refusal(op, user_id="bob", memory_id=999_999, **more)
            self.assertEqual(unknown["type"], "not_found")
            for memory in ids:
                self.assertEqual(self.refusal(op, user_id="bob", memory_id=memory, **more), unknown)
        for op in ("session.history", "session.delete"):
            unknown = self.refusal(op, user_id="bob", session_id="nowhere")
            self.assertEqual(unknown["type"], "not_found")
            self.assertEqual(self.refusal(op, user_id="bob", session_id="ada's"), unknown)
            self.assertEqual(self.refusal(op, user_id="bob", session_id="ada's", memories=True), unknown)
        for session in sessions:
            self.assertNotIn(
                "zq-ada", json.dumps(self.admin("session.history", user_id="bob", session_id=session))
            )
            self.admin("session.delete", user_id="bob", session_id=session, memories=True)
        self.admin("user.forget", user_id="bob")
        self.assertEqual(self.rows_of("ada"), before)

    def test_lists_and_their_cursors_show_only_ones_own(self):
        self.start()
        self.live("ada", "zq-ada")
        self.live("bob", "zq-bob")
        lists = [("memory.list", {"past": True}), ("session.list", {}), ("user.export", {})]
        lists += [("session.history", {"session_id": "s0"}), ("memory.list", {"type": "fact"})]
        garbage = [
            "x",
            "-1",
            "0",
            "9" * 40,
            "t",
            "t5",
            "t5:",
            "t5:s0",
            "m",
            "m1",
            "u1",
            "\0",
            "' OR 1=1 --",
            "é" * 99,
        ]
        for op, fields in lists:
            cursors, cursor = [], None
            while True:
                page = self.admin(op, user_id="ada", limit=1, cursor=cursor, **fields)
                self.assertNotIn("zq-bob", json.dumps(page))
                cursor = page["cursor"]
                if cursor is None:
                    break
                cursors.append(cursor)
            self.assertGreater(len(cursors), 1, op)
            for cursor in cursors + garbage:
                reply = self.reply(self.push_admin(op, user_id="bob", cursor=cursor, **fields))
                self.assertIn(reply["status"], ("ok", "error"))
                self.assertNotIn("zq-ada", json.dumps(reply), (op, cursor))

    def test_a_search_and_a_prompt_find_only_ones_own(self):
        self.start(memory_limit=0, memory_recall_limit=100)
        self.live("ada", "zq-ada")
        self.live("bob", "zq-bob")
        for text in ("zq-ada violin", "zq-ada cello", "violin", "*", "s0"):
            self.assertNotIn(
                "zq-ada", json.dumps(self.admin("memory.search", user_id="bob", query=text, limit=500))
            )
        body = self.prompt_of("violin cello", user_id="bob", session_id="s1")
        self.assertIn("zq-bob", body)
        self.assertNotIn("zq-ada", body)
        stats = self.admin("stats", user_id="bob")
        self.assertEqual((stats["users"], stats["memories"], stats["past_memories"]), (1, 3, 2))
        self.assertEqual(self.admin("stats", user_id="nobody")["turns"], 0)

    def test_the_model_of_one_user_cannot_reach_the_memories_of_another(self):
        self.start()
        self.live("ada", "zq-ada")
        before = self.rows_of("ada")
        wrong = [
            f"{what} #{n}{rest}" for n in range(1, 9) for what, rest in (("forget", ""), ("update", "|Taken"))
        ]
        self.assertEqual(self.say("do it", *wrong, user_id="bob", session_id="s1"), [])
        self.assertEqual(self.rows_of("ada"), before)

    def test_the_id_of_somebody_elses_job_gives_nothing_away(self):
        self.start()
        self.answers["My zq-ada secret"] = "It is safe, zq-ada.\n[MEMORY: fact|zq-ada secret]"
        self.ask("My zq-ada secret", user_id="ada", session_id="s", id="the-job")
        before = self.rows_of("ada")
        for session in ("s", "t"):
            self.push("My zq-ada secret", user_id="bob", session_id=session, id="the-job")
            reply = self.reply("the-job")
            self.assert_error(reply, "id_conflict")
            self.assertNotIn("safe", json.dumps(reply))
        self.assertEqual(self.rows_of("ada"), before)
        self.assertEqual(self.turns("bob", "s"), [])
        # Nor is it kept from its owner.
        self.push("My zq-ada secret", user_id="ada", session_id="s", id="the-job")
        self.assertEqual(self.reply("the-job")["reply"], "It is safe, zq-ada.")

    def test_users_and_sessions_whose_names_join_to_the_same_are_kept_apart(self):
        self.start()
        pairs = [("a", "b:c"), ("a:b", "c"), ("a\0b", "c"), ("a", "b\0c"), ("a", "b"), ("a ", "b")]
        for n, (user, session) in enumerate(pairs):
            self.tell(f"I am zq{n}zq", f"The user is zq{n}zq", user_id=user, session_id=session)
        for n, (user, session) in enumerate(pairs):
            shown = json.dumps(self.admin("session.history", user_id=user, session_id=session))
            self.assertEqual([i for i in range(len(pairs)) if f"zq{i}zq" in shown], [n])
            self.admin("session.delete", user_id=user, session_id=session, memories=True)
            left = str(self.rows("SELECT content FROM conversation_history"))
            left += str(self.rows("SELECT content FROM long_term_memory"))
            self.assertEqual(
                [i for i in range(len(pairs)) if f"zq{i}zq" in left], list(range(n + 1, len(pairs)))
            )

    def test_one_session_id_of_two_users_is_two_conversations(self):
        self.start()
        for user in ("ada", "bob"):
            self.tell(f"I am zq-{user}", f"The user is zq-{user}", user_id=user, session_id="same")
        for user, other in (("ada", "bob"), ("bob", "ada")):
            self.ask("Who am I?", user_id=user, session_id="same")
            body = self.chats()[-1]
            self.assertEqual(prompt_turns(body)[0], ("user", f"I am zq-{user}"))
            self.assertEqual(len(memory_lines(body)), 1)
            self.assertNotIn(f"zq-{other}", json.dumps(body))
        before = self.rows_of("ada")
        self.admin("session.delete", user_id="bob", session_id="same", memories=True)
        self.assertEqual(self.rows_of("ada"), before)
        self.assertEqual(len(self.admin("session.history", user_id="ada", session_id="same")["turns"]), 4)


class Lookalikes(IsolationCase):
    """Everybody has a session, a memory and a question of the same form."""

    def setUp(self):
        super().setUp()
        self.assertEqual(len(set(LOOKALIKES)), len(LOOKALIKES))
        self.start()
        for n, user in enumerate(LOOKALIKES):
            self.tell(f"My word is zq{n}zq", f"The word is zq{n}zq", user_id=user, session_id="s")

    def words_in(self, text):
        return {n for n in range(len(LOOKALIKES)) if f"zq{n}zq" in text}

    def test_everybody_sees_only_what_is_his(self):
        for n, user in enumerate(LOOKALIKES):
            with self.subTest(user=user):
                self.ask("My word?", user_id=user, session_id="other")
                body = self.chats()[-1]
                self.assertEqual(self.words_in(system_text(body)), {n})
                self.assertEqual(self.words_in(recalled_block(body)), {n})
                self.assertEqual(self.words_in(str(prompt_turns(body))), set())
                for op, fields in (
                    ("memory.list", {}),
                    ("memory.search", {"query": "zq word"}),
                    ("session.history", {"session_id": "s"}),
                    ("user.export", {}),
                ):
                    result = json.dumps(self.admin(op, user_id=user, **fields))
                    self.assertEqual(self.words_in(result), {n}, op)
                self.assertEqual(self.admin("stats", user_id=user)["sessions"], 2)

    def test_who_is_forgotten_takes_nobody_else_along(self):
        left = list(LOOKALIKES)
        kept = {user: self.rows_of(user) for user in left}
        while len(left) > 2:
            user = left.pop(len(left) // 2)
            with self.subTest(user=user):
                self.assertEqual(self.admin("user.forget", user_id=user)["deleted"]["memories"], 1)
                self.assertEqual(self.admin("user.export", user_id=user)["lines"], [])
                self.assertEqual({one: self.rows_of(one) for one in left}, {one: kept[one] for one in left})


if __name__ == "__main__":
    main()
