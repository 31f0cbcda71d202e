"""Memories are kept true: what has changed is replaced, what is known is not noted twice, and where
something is known from can be told."""

import os
import re

from harness import eventually, main, memory_lines, recalled_block, system_text
from memory_case import MemoryCase

CATEGORIES = """
[[memory.category]]
name = "crm_contact"
description = "people the user deals with <and> their roles"
max_per_user = 2

[[memory.category]]
name = "reminder"
description = "what is to be done soon"
ttl = "1s"
"""


class CorrectionsCase(MemoryCase):
    def list(self, **fields):
        return self.admin_pages("memory.list", "memories", **fields)

    def contents(self, **fields):
        return [m["content"] for m in self.list(**fields)]

    def dump(self, user_id):
        """All that is stored of a user's memories."""
        return self.rows("SELECT * FROM long_term_memory WHERE user_id = ? ORDER BY id", user_id)

    def assert_known(self, body, known, unknown):
        lines = "\n".join(self.known_in(body))
        self.assertIn(known, lines)
        self.assertNotIn(unknown, lines)


class Updates(CorrectionsCase):
    def move(self):
        """From Paris to Rome; the ids of both versions."""
        old = self.tell("I live in Paris", "The user lives in Paris", session_id="one")
        (new,) = self.say("I have moved from Paris to Rome", "update #1|The user lives in Rome", session_id="two")
        self.assertEqual((new["action"], new["content"]), ("updated", "The user lives in Rome"))
        return old["id"], new["id"]

    def test_the_next_prompt_holds_the_new_value_and_not_the_old_one(self):
        for limit in (20, 0):  # in the list, and found for the message
            with self.subTest(memory_limit=limit):
                daemon = self.start_daemon(memory_limit=limit, store_path=f"{self.folder}/{limit}.db")
                self.move()
                for question in ("In which city is it that the user lives?", "Am I still in Paris?"):
                    body = self.prompt_for(question)
                    self.assert_known(body, "- #1 (fact, ", "lives in Paris")
                    self.assert_known(body, ") The user lives in Rome", "lives in Paris")
                daemon.stop()

    def test_the_turns_that_told_the_old_value_are_not_recalled(self):
        self.start_daemon(memory_limit=0)
        self.ask("A bridge of Paris is in my picture", session_id="picture")
        said = "I live in Paris"
        self.answers[said] = "Paris, how nice.\n[MEMORY: fact|The user lives in Paris]"
        self.ask(said, session_id="one")
        before = self.recalled_for("What do you know of Paris?")
        for text in (said, "Paris, how nice.", "A bridge of Paris is in my picture"):
            self.assert_recalled(") " + text, before)
        moved = "Not Paris, I have moved to Rome"
        self.say(moved, "update #1|The user lives in Rome", session_id="two")
        after = self.recalled_for("What do you know of Paris?")
        for text in (moved, "A bridge of Paris is in my picture"):
            self.assert_recalled(") " + text, after)
        for text in (said, "Paris, how nice."):
            self.assertFalse([line for line in after if ") " + text in line], after)
        found = [turn["content"] for turn in self.admin("memory.search", query="Paris")["turns"]]
        self.assertIn(said, found)

    def test_the_past_is_kept_and_can_be_brought_back(self):
        self.start_daemon()
        old, new = self.move()
        history = self.admin("memory.history", memory_id=new)
        self.assertEqual(self.admin("memory.history", memory_id=old), history)
        first, second = history["memories"]
        self.assertEqual((first["id"], first["content"]), (old, "The user lives in Paris"))
        self.assertEqual((first["superseded_by"], first["label"]), (new, second["label"]))
        self.assertEqual(first["valid_to"], second["valid_from"])
        self.assertEqual((second["valid_to"], second["superseded_by"]), (None, None))
        self.assertEqual(self.contents(), ["The user lives in Rome"])
        self.assertEqual(len(self.contents(past=True)), 2)

        restored = self.admin("memory.restore", memory_id=old)["memory"]
        self.assertEqual((restored["id"], restored["valid_to"]), (old, None))
        self.assertEqual(self.contents(), ["The user lives in Paris"])
        self.assert_known(self.prompt_for("Where do I live?"), "lives in Paris", "lives in Rome")
        self.admin("memory.restore", memory_id=new)
        self.assert_known(self.prompt_for("Where do I live?"), "lives in Rome", "lives in Paris")

    def test_what_is_to_be_forgotten_is_in_no_prompt(self):
        self.start_daemon()
        self.tell("I live in Paris", "The user lives in Paris")
        (gone,) = self.say("Forget where I live", "forget #1")
        self.assertEqual((gone["action"], gone["content"]), ("forgotten", "The user lives in Paris"))
        self.assertEqual(self.known_in(self.prompt_for("Where do I live?")), [])
        (past,) = self.list(past=True)
        self.assertIsNotNone(past["valid_to"])
        self.assertEqual(self.list(), [])
        # Its number is not given away again.
        self.tell("I have a goat", "The user has a goat")
        self.assertIn("#2 (fact", "\n".join(self.known_in(self.prompt_for("goat?"))))

    def test_a_number_that_is_not_there_or_is_another_users_changes_nothing(self):
        daemon = self.start_daemon()
        self.tell("I live in Paris", "The user lives in Paris")
        for n in range(3):
            self.tell(f"Animal {n} is mine", f"The user of v has animal {n}", user_id="v")
        before = self.dump("u"), self.dump("v")
        wrong = ["update #3|The user lives in Rome", "forget #2", "forget #999999999999999999", "update #4|x"]
        self.assertEqual(self.say("I have moved", *wrong), [])
        self.assertEqual((self.dump("u"), self.dump("v")), before)
        daemon.wait_for_log("the model named memories that it was not shown")
        (line,) = [one for one in daemon.log().split("\n") if "was not shown" in one]
        self.assertIn("notes=4", line)
        self.assertNotIn("Rome", line)

    def test_a_summary_is_not_the_models_to_change(self):
        self.start_daemon(summary_trigger_turns=4, summary_keep_turns=2)
        self.ask("one")
        self.ask("two")
        eventually(lambda: self.dump("u"), "there is a summary")
        before = self.dump("u")
        self.assertEqual(self.say("three", "update #1|They did not talk", "forget #1", session_id="t"), [])
        self.assertEqual(self.dump("u"), before)


class Duplicates(CorrectionsCase):
    def test_what_is_told_ten_times_is_one_memory(self):
        self.start_daemon(memory_recall_limit=0)
        forms = [
            "The user lives in Paris",
            "the user lives in paris.",
            "User lives in PARIS!",
            "Lives in  Paris",
        ]
        actions = []
        for n in range(10):
            told = self.tell(f"I live in Paris, {n}", forms[n % 4], session_id=f"s{n % 3}")
            actions.append(told["action"])
        self.assertEqual(actions, ["added"] + ["confirmed"] * 9)
        (one,) = self.list(past=True)
        self.assertEqual((one["content"], one["times_seen"]), (forms[0], 10))
        self.assertGreater(one["last_seen"], one["created_at"])
        self.assertEqual(len(self.admin("memory.history", memory_id=one["id"])["sources"]), 10)

    def test_what_ten_sessions_tell_three_daemons_at_once_is_one_memory(self):
        for _ in range(3):
            self.start_daemon()
        for n in range(10):
            self.answers[f"I live in Paris {n}"] = "Ah.\n[MEMORY: fact|The user lives in Paris]"
        jobs = [self.push(f"I live in Paris {n}", session_id=f"s{n}") for n in range(10)]
        actions = sorted(self.reply(job)["memories"][0]["action"] for job in jobs)
        self.assertEqual(actions, ["added"] + ["confirmed"] * 9)
        (one,) = self.list(past=True)
        self.assertEqual(one["times_seen"], 10)

    def test_what_only_resembles_it_is_another_memory(self):
        self.start_daemon(memory_recall_limit=0)
        contents = [
            "name is Ada",
            "name is Eva",
            "has 2 dogs",
            "has 3 dogs",
            "likes tea",
            "does not like tea",
        ]
        contents += ["moved from Paris to Rome", "moved from Rome to Paris"]
        for content in contents:
            self.tell(content, "The user " + content)
        self.assertEqual(len(self.list()), len(contents))

    def test_the_models_echo_of_what_it_was_shown_is_no_memory(self):
        self.start_daemon()
        told = "The old violin of uncle Bruno was built by Amati in 1690 for a bishop"
        self.answers["Which violin?"] = told
        self.ask("Which violin?", session_id="old")
        daemon = self.processes[-1]
        self.assertEqual(self.say("violin?", "fact|" + told, session_id="new"), [])
        self.assertIn(told, recalled_block(self.chats()[-1]))
        self.assertEqual(self.dump("u"), [])
        daemon.wait_for_log("not kept")
        # With a word of the message it is something else; and what the user says again is told.
        other = told.replace("Bruno", "Karel")
        self.assertEqual(self.tell("Karel's violin too!", other, session_id="new2")["action"], "added")
        self.assertEqual(self.tell(told, told, session_id="new3")["action"], "added")


class Categories(CorrectionsCase):
    def start_with_categories(self, **changes):
        path = os.path.join(self.folder, "engramd.toml")
        with open(path, "w") as file:
            file.write(CATEGORIES)
        return self.start_daemon(config_file=path, **changes)

    def test_they_are_offered_and_kept_with_their_type(self):
        self.start_with_categories()
        noted = self.say("Ann of Acme called", "CRM_Contact|Ann works at Acme", "unheard|Ann has a dog")
        self.assertEqual([m["type"] for m in noted], ["crm_contact", "fact"])
        text = system_text(self.chats()[-1])
        self.assertIn("\n- crm_contact: people the user deals with &lt;and&gt; their roles\n", text)
        self.assertLess(text.index("\n- preference: "), text.index("\n- crm_contact: "))
        self.assertRegex(
            "\n".join(memory_lines(self.prompt_for("Ann?"))), r"#1 \(crm_contact, .*Ann works at"
        )
        self.assertEqual(self.contents(type="crm_contact"), ["Ann works at Acme"])

    def test_of_a_bounded_one_the_least_lately_seen_ends(self):
        self.start_with_categories()
        for name in ("Ann", "Bob"):
            self.say(f"{name} called", f"crm_contact|{name} is a customer")
        self.say("Ann called again", "crm_contact|Ann is a customer")
        self.say("Cid called", "crm_contact|Cid is a customer")
        self.assertEqual(self.contents(type="crm_contact"), ["Cid is a customer", "Ann is a customer"])
        self.assertEqual(len(self.contents(past=True)), 3)

    def test_a_lifetime_ends_in_the_prompt_and_in_the_database(self):
        self.start_with_categories()
        self.say("Call Bob today", "reminder|The user wants to call Bob")
        eventually(lambda: not self.known_in(self.prompt_for("Bob?")), "the memory is in no prompt")
        self.assertEqual(self.list(), [])
        # What has had its time is removed at a start and every minute, once the clocks are trusted.
        self.start_with_categories(memory_settle_ms=0)
        eventually(lambda: not self.dump("u"), "the memory is in no row")

    def test_what_is_pinned_stays_in_the_list(self):
        self.start_with_categories(memory_limit=3, summary_enabled="false")
        one = self.tell("I must not eat nuts", "The user is allergic to nuts")
        answer = self.ctl("memory", "edit", str(one["id"]), "--pin", "--user", "u")
        self.assertEqual(answer.status, 0, answer)
        for n in range(10):
            self.tell(f"I bought album {n}", f"The user owns album {n}")
        listed = [re.sub(r".*\) The user ", "", line) for line in memory_lines(self.prompt_for("hi"))]
        self.assertEqual(listed, ["is allergic to nuts", "owns album 8", "owns album 9"])


class Sources(CorrectionsCase):
    def test_where_something_is_known_from_can_be_told(self):
        self.start_daemon()
        self.tell("I live in Paris", "The user lives in Paris", session_id="one", id="job-one")
        self.ask("What a day", session_id="one")
        one = self.tell("Paris is where I live!", "The user lives in Paris", session_id="two", id="job-two")
        history = self.admin("memory.history", memory_id=one["id"])
        places = [(s["session_id"], s["job_id"]) for s in history["sources"]]
        self.assertEqual(places, [("one", "job-one"), ("two", "job-two")])
        for source, said in zip(history["sources"], ("I live in Paris", "Paris is where I live!")):
            self.assertEqual([(t["role"], t["content"]) for t in source["turns"]][0], ("user", said))
            self.assertIn("[MEMORY: fact|The user lives in Paris]", source["turns"][1]["content"])
            self.assertRegex(source["at"], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
        added = self.admin("memory.add", content="The user has a boat")["memory"]
        self.assertEqual(self.admin("memory.history", memory_id=added["id"])["sources"], [])

    def test_a_search_tells_why(self):
        self.start_daemon()
        self.tell("I live in Paris", "The user lives in Paris")
        found = self.admin("memory.search", query="Paris")
        self.assertIn("paris", found["memories"][0]["why"])
        self.assertGreater(found["memories"][0]["score"], 0)
        self.assertEqual(found["turns"][0]["content"], "I live in Paris")


if __name__ == "__main__":
    main()
