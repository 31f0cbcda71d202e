"""Search by meaning, with the help of an embedding endpoint; and without it, when it is not there."""

import threading
import time

from fake_embeddings import FakeEmbeddings
from harness import PATIENCE, eventually, main, recalled_lines
from memory_case import MemoryCase

MEANINGS = [
    ["repairs", "occupation", "earn", "workshop"],
    ["goat", "animal", "pets"],
    ["cello", "instrument"],
]
FACT = "Ada repairs violins"
QUESTION = "How does she earn money?"  # no word of the fact
TIMEOUT_MS = 400


class EmbeddingCase(MemoryCase):
    def setUp(self):
        super().setUp()
        self.embeddings = FakeEmbeddings(MEANINGS)
        self.addCleanup(self.embeddings.stop)
        self.going_on = threading.Event()
        self.addCleanup(self.going_on.set)

    def start(self, **changes):
        settings = {
            "embedding_base_url": self.embeddings.url,
            "embedding_model": "meaning-1",
            "embedding_timeout_ms": TIMEOUT_MS,
            "memory_word_neighbours": "off",
            "memory_limit": 0,
            "summary_enabled": "false",
        }
        return self.start_daemon(**{**settings, **changes})

    def vectors(self, model=None):
        sql = "SELECT v.place FROM engram_vector v JOIN engram_vector_model m USING(model)"
        return self.rows(sql + " WHERE m.name LIKE ?", f"%{model or ''}%")

    def wait_for_vectors(self, count, model=None):
        eventually(lambda: len(self.vectors(model)) == count, f"{count} vectors are stored")

    def learn(self):
        """Two memories and two exchanges, with their vectors."""
        told = self.tell("You know Ada, don't you?", FACT, session_id="one")
        self.tell("I own a beast", "The user has a goat", session_id="two")
        self.wait_for_vectors(4)
        return told["id"]

    def has_fact(self, question=QUESTION):
        self.ask(question, session_id="question")
        found = [line for line in recalled_lines(self.chats()[-1]) if line.endswith(FACT)]
        self.admin("session.delete", session_id="question")
        return bool(found)

    def hang(self, request):
        self.going_on.wait(PATIENCE)


class Meaning(EmbeddingCase):
    def test_a_question_that_shares_no_word_with_a_memory_finds_it(self):
        daemon = self.start()
        self.learn()
        self.assertTrue(self.has_fact())
        daemon.stop()
        self.start(embedding_base_url="", embedding_model="")
        self.assertFalse(self.has_fact())
        self.assertTrue(self.has_fact("Who mends violins?"))

    def test_the_endpoint_is_told_what_it_needs_and_the_log_nothing(self):
        daemon = self.start(env={"EMBEDDING_API_KEY": "secret-of-embedding"}, embedding_dimensions=64)
        self.learn()
        request = self.embeddings.requests[0]
        self.assertEqual((request["path"], request["model"]), ("/v1/embeddings", "meaning-1"))
        self.assertEqual(request["dimensions"], 64)
        headers = {name.lower(): value for name, value in request["headers"].items()}
        self.assertEqual(headers["authorization"], "Bearer secret-of-embedding")
        self.assertNotIn("secret-of", daemon.log())
        self.assertNotIn("Ada", daemon.log())
        self.assertNotIn("[MEMORY", str(self.embeddings.inputs()))

    def test_every_text_is_embedded_once_and_every_message_too(self):
        self.start()
        self.learn()
        inputs = self.embeddings.inputs()
        messages = ["You know Ada, don't you?", "I own a beast"]
        for text in messages:  # as the question that it is, and to be found with its answer
            self.assertEqual((inputs.count(text), inputs.count(text + "\nI see.")), (1, 1), inputs)
        self.assertEqual(inputs.count(FACT), 1, inputs)

    def test_another_model_embeds_all_anew(self):
        first = self.start()
        self.learn()
        first.stop()
        self.embeddings.requests.clear()
        self.start(embedding_model="meaning-2")
        self.wait_for_vectors(4, "meaning-2")
        self.assertEqual(self.vectors("meaning-1"), [])
        self.assertEqual({r["model"] for r in self.embeddings.requests}, {"meaning-2"})
        self.assertTrue(self.has_fact())

    def test_texts_of_a_time_without_an_endpoint_are_embedded_later(self):
        without = self.start(embedding_base_url="", embedding_model="")
        self.tell("You know Ada, don't you?", FACT, session_id="one")
        without.stop()
        self.start()
        self.wait_for_vectors(2)
        self.assertTrue(self.has_fact())

    def test_what_is_deleted_or_replaced_loses_its_vector(self):
        self.start()
        memory = self.learn()
        self.say("not any more", "update #2|The user has a cello", session_id="three")
        self.wait_for_vectors(5)  # an exchange more, and the new memory in place of the old
        places = "SELECT DISTINCT item FROM {} WHERE item IS NOT NULL"
        items = [r for t in ("long_term_memory", "conversation_history") for r in self.rows(places.format(t))]
        self.assertEqual(len(items), 5)
        deleted = self.admin("memory.delete", memory_id=memory)["deleted"]
        self.assertEqual((deleted["memories"], deleted["turns"], deleted["vectors"]), (1, 2, 2))
        self.assertEqual(len(self.vectors()), 3)
        self.assertFalse(self.has_fact())
        self.assertEqual(self.admin("user.forget")["deleted"]["vectors"], 3)
        self.assertEqual(self.vectors(), [])


class WithoutTheEndpoint(EmbeddingCase):
    def assert_words_are_used(self):
        """… and no reply comes later than the timeout, whatever the endpoint does. The time of the slowest."""
        slowest = 0
        for _ in range(5):
            begun = time.monotonic()
            self.assertTrue(self.has_fact("Who is it that repairs violins?"))
            slowest = max(slowest, time.monotonic() - begun)
        # Half a second for the rest, on a machine that is busy.
        self.assertLess(slowest, TIMEOUT_MS / 1000 + 0.5)
        return slowest

    def test_one_that_hangs_costs_its_timeout_and_no_more(self):
        daemon = self.start()
        self.learn()
        self.embeddings.behave = self.hang
        before = len(self.embeddings.requests)
        slowest = self.assert_words_are_used()
        self.assertGreater(slowest, TIMEOUT_MS / 1000 * 0.9)
        # It rests after that: not every message waits.
        self.assertLess(len(self.embeddings.requests) - before, 5)
        daemon.wait_for_log("the embedding endpoint failed")
        self.embeddings.behave = lambda request: None
        self.going_on.set()
        eventually(self.has_fact, "meaning counts again")  # it is a query that ends the rest
        daemon.wait_for_log("the embedding endpoint answers again")

    def test_one_that_refuses_or_talks_nonsense_costs_nothing(self):
        daemon = self.start()
        self.learn()
        answers = [
            (500, b"no"),
            (401, b"{}"),
            (400, b"Ada?"),
            (200, b"no JSON"),
            (200, b'{"data":[]}'),
            (302, b""),
        ]
        answers += [
            (200, b'{"data":[{"index":0,"embedding":[1,2]}]}'),
            (200, b'{"data":[{"index":0,"embedding":[]}]}'),
        ]
        for answer in answers:
            with self.subTest(answer=answer):
                self.embeddings.behave = lambda request: answer
                self.assert_words_are_used()
        self.assertNotIn("Ada", daemon.log())

    def test_one_that_is_gone_costs_nothing(self):
        self.start()
        self.learn()
        self.embeddings.stop()
        self.assertLess(self.assert_words_are_used(), TIMEOUT_MS / 1000)

    def test_one_that_was_never_there(self):
        self.start(embedding_base_url="http://127.0.0.1:9")
        self.tell("You know Ada, don't you?", FACT, session_id="one")
        self.assert_words_are_used()

    def test_a_daemon_whose_texts_are_being_embedded_stops_at_once(self):
        self.embeddings.behave = self.hang
        daemon = self.start(embedding_timeout_ms=50)
        self.tell("You know Ada, don't you?", FACT, session_id="one")
        eventually(lambda: FACT in self.embeddings.inputs(), "its text is being embedded")
        begun = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual(self.vectors(), [])
        self.assertEqual(self.memories(), [("fact", FACT)])


if __name__ == "__main__":
    main()
