"""P:admin from outside: the shape of every answer, what is wrong with a request, and that none is lost."""

import json

import redis

from acl_case import AclCase
from erasing_case import COUNTERS, ErasingCase
from harness import Listener, eventually, main

TIME = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$"
MEMORY = """id label type content created_at updated_at last_seen times_seen pinned valid_from valid_to
superseded_by expires_at session_id job_id""".split()
TURN = "id session_id role content created_at summarized".split()
OPS = """memory.list memory.search memory.add memory.update memory.history memory.restore memory.delete
session.list session.history session.delete user.export user.forget stats""".split()


class Shapes(ErasingCase):
    def setUp(self):
        super().setUp()
        self.start()

    def check_memory(self, memory, *more, **fields):
        self.assertEqual(sorted(memory), sorted([*MEMORY, *more]))
        for name in ("created_at", "updated_at", "last_seen", "valid_from"):
            self.assertRegex(memory[name], TIME)
        self.assertEqual({**memory, **fields}, memory)

    def check_turn(self, turn, *more, **fields):
        self.assertEqual(sorted(turn), sorted([*TURN, *more]))
        self.assertRegex(turn["created_at"], TIME)
        self.assertEqual({**turn, **fields}, turn)

    def check_members(self, result, *names):
        self.assertEqual(sorted(result), sorted(names))

    def test_a_memory_through_its_life(self):
        added = self.admin("memory.add", content=" lives in\nRome ", type="preference", pinned=True)
        self.check_members(added, "memory", "action")
        first = added["memory"]
        rome = {"type": "preference", "content": "lives in Rome", "pinned": True}
        self.check_memory(first, **rome, label=1, times_seen=1, valid_to=None)
        self.assertEqual((added["action"], first["session_id"], first["job_id"]), ("added", "", ""))
        again = self.admin("memory.add", content="lives in Rome", type="preference")
        self.assertEqual((again["action"], again["memory"]["id"]), ("confirmed", first["id"]))

        updated = self.admin("memory.update", memory_id=str(first["id"]), content="lives in Oslo")
        self.check_members(updated, "memory", "action", "superseded")
        second = updated["memory"]
        self.check_memory(second, label=1, type="preference", content="lives in Oslo", pinned=True)
        self.assertEqual((updated["action"], updated["superseded"]), ("updated", first["id"]))
        same = self.admin("memory.update", memory_id=second["id"], content="lives in Oslo")
        self.assertEqual((same["action"], same["superseded"]), ("confirmed", None))

        history = self.admin("memory.history", memory_id=second["id"])
        self.check_members(history, "memories", "sources")
        self.assertEqual([m["id"] for m in history["memories"]], [first["id"], second["id"]])
        self.assertRegex(history["memories"][0]["valid_to"], TIME)
        self.assertEqual(history["memories"][0]["superseded_by"], second["id"])
        self.assertEqual([m["id"] for m in self.admin("memory.list")["memories"]], [second["id"]])
        past = self.admin("memory.list", past=True)["memories"]
        self.assertEqual({m["id"] for m in past}, {first["id"], second["id"]})

        restored = self.admin("memory.restore", memory_id=first["id"])
        self.check_members(restored, "memory")
        self.check_memory(restored["memory"], id=first["id"], valid_to=None, superseded_by=None)
        deleted = self.admin("memory.delete", memory_id=first["id"])
        self.check_members(deleted, "deleted")
        self.check_members(deleted["deleted"], *COUNTERS)
        self.assertEqual(deleted["deleted"]["memories"], 2)
        self.assertEqual(self.admin("memory.list", past=True), {"memories": [], "cursor": None})

    def test_what_was_told_is_found_listed_and_exported(self):
        id = self.tell("I keep a dog named Rex", "The user keeps a dog named Rex", session_id="s1")
        self.ask("hello", session_id="s2")
        listed = self.admin("memory.list")["memories"][0]
        self.check_memory(listed, id=id, session_id="s1", content="The user keeps a dog named Rex")
        source = self.admin("memory.history", memory_id=id)["sources"][0]
        self.check_members(source, "session_id", "job_id", "at", "turns")
        self.assertRegex(source["at"], TIME)
        self.check_turn(source["turns"][0], role="user", content="I keep a dog named Rex", summarized=False)

        found = self.admin("memory.search", query="what is the dog named?")
        self.check_members(found, "memories", "turns")
        self.check_memory(found["memories"][0], "score", "why", id=id)
        self.check_turn(found["turns"][0], "score", "why", session_id="s1")
        self.assertIn("dog", found["memories"][0]["why"])
        best = self.admin("memory.search", query="the dog named Rex", limit=1)
        self.assertEqual(len(best["memories"]) + len(best["turns"]), 1)

        sessions = self.admin("session.list")
        self.check_members(sessions, "sessions", "cursor")
        self.assertEqual([s["session_id"] for s in sessions["sessions"]], ["s2", "s1"])
        self.check_members(sessions["sessions"][0], "session_id", "turns", "updated_at")
        history = self.admin("session.history", session_id="s1")
        self.check_members(history, "turns", "cursor")
        self.assertEqual([t["role"] for t in history["turns"]], ["user", "assistant"])
        lines = [json.loads(line) for line in self.admin("user.export")["lines"]]
        kinds = [line.pop("kind") for line in lines]
        self.assertEqual(sorted(kinds), ["memory", "session", "session", "turn", "turn", "turn", "turn"])
        self.check_memory(lines[kinds.index("memory")], id=id)
        self.check_turn(lines[kinds.index("turn")])

        totals = self.admin("stats")
        self.check_members(totals, *"users memories past_memories turns sessions database_bytes".split())
        self.assertEqual((totals["memories"], totals["turns"], totals["sessions"]), (1, 4, 2))
        self.assertEqual(self.admin("stats", None)["users"], 1)
        deleted = self.admin("session.delete", session_id="s2")["deleted"]
        self.check_members(deleted, *COUNTERS)
        self.assertEqual((deleted["turns"], deleted["memories"]), (2, 0))

    def test_pages_meet_without_a_gap_or_an_overlap(self):
        for n in range(7):
            self.admin("memory.add", content=f"number {n} of the things I own")
        for op, name, limit, count in (("memory.list", "memories", 3, 7), ("user.export", "lines", 2, 7)):
            seen, cursor = [], None
            for _ in range(count):
                page = self.admin(op, limit=limit, cursor=cursor)
                self.assertLessEqual(len(page[name]), limit)
                seen += [json.dumps(item) for item in page[name]]
                cursor = page["cursor"]
                if cursor is None:
                    break
            self.assertEqual((len(seen), len(set(seen)), cursor), (count, count, None), op)

    def test_what_is_another_users_is_as_if_it_did_not_exist(self):
        id = self.tell("I keep a dog", "The user keeps a dog", session_id="s1")
        asked = [(op, {"memory_id": id}) for op in ("memory.history", "memory.restore", "memory.delete")]
        asked += [("memory.update", {"memory_id": id, "pinned": True})]
        asked += [(op, {"session_id": "s1"}) for op in ("session.history", "session.delete")]
        before = self.stored("u")
        for op, fields in asked:
            nothing = {name: 999 if name == "memory_id" else "none" for name in fields if name != "pinned"}
            said = [
                self.refused(self.reply(self.request(op, "v", **{**fields, **one})), "not_found")
                for one in ({}, nothing)
            ]
            self.assertEqual(said[0], said[1])
        self.assertEqual(self.admin("user.export", "v"), {"lines": [], "cursor": None})
        self.assertEqual(self.stored("u"), before)


class BadRequests(ErasingCase):
    def setUp(self):
        super().setUp()
        self.start(queue_max_job_bytes=20000)

    def test_each_is_told_what_is_wrong_and_does_nothing(self):
        add = {"op": "memory.add", "content": "x"}
        bad = [
            ({}, "op is required"),
            ({"op": "memory.eat"}, "op must be one of"),
            ({"op": 7}, "op must be one of"),
            *(({"op": op, "user_id": None}, "user_id is required") for op in OPS if op != "stats"),
            *(({**add, "user_id": one}, "user_id must be") for one in (7, "", "u" * 129, ["u"])),
            *(({"op": "memory.list", "limit": one}, "limit must be") for one in (0, 501, -1, 1.5, "9", True)),
            *(({"op": "memory.list", "cursor": one}, "cursor must be") for one in (7, "", "c" * 2000)),
            ({"op": "memory.list", "past": "yes"}, "past must be"),
            *(({"op": "memory.list", "type": one}, "type must be") for one in ("lie", 7)),
            *(({**add, "content": one}, "content must") for one in (7, " \n ", "x" * 8001)),
            ({"op": "memory.add"}, "content is required"),
            ({**add, "pinned": 1}, "pinned must be"),
            ({"op": "memory.update", "memory_id": 1}, "is required: what is to change"),
            ({"op": "memory.delete"}, "memory_id is required"),
            *(
                ({"op": "memory.delete", "memory_id": one}, "memory_id must be")
                for one in (0, -1, 1.5, "1x", [], 2**63)
            ),
            *(({"op": "memory.search", "query": one}, "query must") for one in (7, " ", "q" * 8001)),
            ({"op": "memory.search"}, "query is required"),
            ({"op": "session.delete"}, "session_id is required"),
            ({"op": "session.delete", "session_id": "s" * 129}, "session_id must be"),
            ({"op": "session.delete", "session_id": "s", "memories": "no"}, "memories must be"),
            ({**add, "reply_to": "elsewhere"}, "reply_to must be"),
            ({**add, "reply_to": 7}, "reply_to must be"),
            ({**add, "more": "x" * 20001}, "at most 20000 are allowed"),
        ]
        for fields, complaint in bad:
            with self.subTest(fields=str(fields)[:100]):
                fields = {"user_id": "u", **fields}
                id = f"bad-{next(self._numbers)}"
                self.redis.client.lpush("engram:admin", json.dumps({"id": id, **fields}))
                reply = self.one_reply(id)
                self.assertIn(complaint, self.refused(reply, "invalid_job"))
                self.assertEqual(reply.get("op"), fields.get("op") if fields.get("op") in OPS else None)
        self.assertEqual(self.dead_letters(), [])
        self.assertEqual(self.admin("memory.list")["memories"], [])
        self.assertFalse(self.redis.client.exists("elsewhere"))
        self.assert_idle()

    def test_a_cursor_that_no_result_had_is_refused(self):
        for op in ("memory.list", "session.list", "user.export"):
            for cursor in ("x", "\u0000", "9" * 1000, "-1", "1:2:3"):
                message = self.refused(self.one_reply(self.request(op, cursor=cursor)), "invalid_job")
                self.assertEqual(message, "cursor must be a string that an earlier result had as its cursor")

    def test_one_that_cannot_be_read_or_has_nobody_to_tell_becomes_a_dead_letter(self):
        bad = [b"", b"no json", b"[]", b"7", b"x" * 90000, b"[" * 10000]
        bad += [b'{"op":"memory.add","user_id":"u","content":"\xff"}']
        bad += [b'{"op":"memory.eat","user_id":"u"}', b'{"id":"a b","op":"stats"}']
        bad += [b'{"op":"memory.delete","user_id":"u","memory_id":5}', b'{"id":"\xff","op":"stats"}']
        for raw in bad:
            self.redis.client.lpush("engram:admin", raw)
        self.admin("stats")
        letters = self.dead_letters()
        self.assertEqual([letter[b"job"] for letter in letters], bad)
        self.assertEqual({letter[b"reason"] for letter in letters}, {b"invalid_job", b"not_found"})
        self.assertTrue(all(letter[b"message"] for letter in letters))
        self.assert_idle()

    def test_one_without_an_address_is_carried_out(self):
        self.redis.client.lpush("engram:admin", b'{"op":"memory.add","user_id":"u","content":"tea","x":null}')
        self.assertEqual(self.admin("memory.list")["memories"][0]["content"], "tea")
        self.assertEqual(self.dead_letters(), [])


class ManyRequests(ErasingCase):
    def test_the_reply_comes_as_that_of_a_job_does(self):
        self.start()
        listener = Listener(self.redis.client, "engram:reply:there")
        self.addCleanup(listener.close)
        self.admin_at("engram:reply:there")
        stored = self.redis.client.lrange("engram:reply:there", 0, -1)
        self.assertEqual(listener.wait(), stored)
        self.assertTrue(0 < self.redis.client.ttl("engram:reply:there") <= 3600)

    def admin_at(self, key):
        self.request("stats", reply_to=key)
        eventually(lambda: self.redis.client.exists(key), "there is a reply")

    def test_they_are_answered_in_order(self):
        for n in range(50):
            self.request("memory.add", content=f"item {n:02} of my list", reply_to="engram:reply:all")
        self.start()
        replies = [self.reply("engram:reply:all") for _ in range(50)]
        self.assertEqual([r["id"] for r in replies], [f"r-{n + 1}" for n in range(50)])
        listed = [m["content"] for m in self.admin("memory.list", limit=500)["memories"]]
        self.assertEqual(listed, [f"item {n:02} of my list" for n in reversed(range(50))])

    def test_two_hundred_at_once_while_users_chat(self):
        for _ in range(2):
            self.start()
        requests = [self.request("memory.add", f"u{n % 20}", content=f"thing {n}, mine") for n in range(200)]
        jobs = [self.push(f"m{n}", user_id=f"u{n % 20}", session_id=f"s{n}") for n in range(50)]
        for request in requests:
            self.assertEqual(self.one_reply(request)["result"]["action"], "added")
        for job in jobs:
            self.assertEqual(self.one_reply(job)["status"], "ok")
        self.assertEqual(self.admin("stats", None)["memories"], 200)
        self.assert_idle()

    def test_what_a_dead_daemon_had_taken_is_answered_by_another(self):
        first = self.start()
        self.admin("stats")
        key = "engram:reply:all"
        with self.locked_store():
            for n in range(3):
                self.request("memory.add", content=f"item {n} of my list", reply_to=key)
            eventually(lambda: self.redis.client.keys("engram:admin:taken:*"), "one is taken")
            first.kill()
        self.assertEqual(self.redis.client.llen("engram:admin"), 2)
        self.start()
        replies = [self.reply(key) for _ in range(3)]
        said = sorted((r["result"]["memory"]["content"], r["result"]["action"]) for r in replies)
        self.assertEqual(said, [(f"item {n} of my list", "added") for n in range(3)])
        self.assertFalse(self.redis.client.exists(key))
        self.assert_idle()


class Rights(AclCase):
    def test_who_may_only_push_jobs_cannot_push_requests_and_the_other_way_round(self):
        self.start()
        chat, memory = self.login("engram-chat"), self.login("engram-memory")
        request = json.dumps({"op": "stats", "id": "one"})
        for client, key in ((chat, "engram:admin"), (memory, "engram:jobs")):
            with self.assertRaises(redis.exceptions.NoPermissionError):
                client.lpush(key, request)
        self.client.acl_log_reset()
        memory.lpush("engram:admin", request)
        self.assertEqual(self.reply("one", client=memory)["status"], "ok")
        self.assertEqual(self.reply(self.push(client=chat), client=chat)["status"], "ok")
        self.client.lpush("engram:admin", json.dumps({"op": "user.forget", "user_id": "u", "id": "two"}))
        self.assertEqual(self.reply("two")["result"]["deleted"]["turns"], 2)
        self.assert_nothing_was_refused()


if __name__ == "__main__":
    main()
