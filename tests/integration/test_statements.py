"""Two statements are two memories: only what differs in nothing but a short closed list is the same."""

from harness import main, recalled_block
from memory_case import MemoryCase

DIFFERENT = [
    # A word that turns or limits what is said, in any language.
    (
        "Der Nutzer isst am Abend mit Freunden gerne Fisch und Reis",
        "Der Nutzer isst am Abend mit Freunden nie gerne Fisch und Reis",
    ),
    (
        "El usuario come carne con su familia los domingos en casa de sus padres",
        "El usuario nunca come carne con su familia los domingos en casa de sus padres",
    ),
    (
        "L'utente mangia sempre carne la domenica a casa dei suoi genitori a Torino",
        "L'utente non mangia sempre carne la domenica a casa dei suoi genitori a Torino",
    ),
    (
        "Użytkownik często jada mięso w niedzielę u swoich rodziców w Krakowie",
        "Użytkownik nie często jada mięso w niedzielę u swoich rodziców w Krakowie",
    ),
    ("Пользователь ест мясо по воскресеньям", "Пользователь не ест мясо по воскресеньям"),
    ("Kullanıcı pazar günleri et yer", "Kullanıcı pazar günleri et yemez"),
    ("用户周末喜欢吃肉", "用户周末不喜欢吃肉"),
    ("ユーザーは週末に肉を食べます", "ユーザーは週末に肉を食べません"),
    ("المستخدم يأكل اللحم يوم الأحد", "المستخدم لا يأكل اللحم يوم الأحد"),
    (
        "The user cooks for the big family dinner of the neighbours every single Sunday evening",
        "The user cooks for the big vegan family dinner of the neighbours every single Sunday evening",
    ),
    (
        "The user's sister works as a nurse at the big hospital near the old bridge in Bonn",
        "The user's pregnant sister works as a nurse at the big hospital near the old bridge in Bonn",
    ),
    (
        "The user has a new address in Bonn near the big old bridge over the river Rhine",
        "The user has a new temporary address in Bonn near the big old bridge over the river Rhine",
    ),
    # Names, whatever words they are.
    ("The user's cat is called My", "The user's cat is called Very"),
    ("The user's cat is called My", "The user's cat is called The"),
    ("The user's friend is called An", "The user's friend is called Do"),
    # Signs, letters and their case, numbers.
    ("The user's address is a.b@example.org", "The user's address is a_b@example.org"),
    ("The user calls the function fooBar", "The user calls the function FooBar"),
    ("The user programs in C", "The user programs in C++"),
    ("The user wrote a résumé", "The user wrote a resume"),
    ("The user's flat has 50 m²", "The user's flat has 50 m2"),
    ("The user has a dog", "The user has a dog?"),
]

SAME = [
    ("The user lives in Paris", "the user lives in  paris."),
    ("The user plays the piano", "User plays piano"),
    ("The user’s name is Ada", "User's name is Ada!"),
    ("Der Nutzer mag Tee", "Nutzer mag Tee."),
    ("El usuario vive en Madrid", "Usuario vive en Madrid."),
    ("L’utilisateur habite à Lyon", "L'utilisateur habite à Lyon."),
    ("Пользователь живёт в Париже", "пользователь живёт в париже."),
    ("用户喜欢Ｐｙｔｈｏｎ。", "用户喜欢Python"),
]


class Statements(MemoryCase):
    def tell_pair(self, number, pair):
        """Both as notes of one user of their own; the actions, and the memories in the next prompt."""
        user = f"u{number}"
        actions = [self.tell(text, text, user_id=user)["action"] for text in pair]
        return actions, [line.split(") ", 1)[1] for line in self.known_in(self.prompt_for("hi", user_id=user))]

    def test_what_differs_in_more_than_the_list_is_two_memories(self):
        self.start_daemon()
        for number, pair in enumerate(DIFFERENT):
            with self.subTest(pair=pair):
                actions, known = self.tell_pair(number, pair)
                self.assertEqual(actions, ["added", "added"])
                self.assertEqual(sorted(known), sorted(pair))

    def test_what_differs_in_nothing_else_is_one_memory(self):
        self.start_daemon()
        for number, pair in enumerate(SAME):
            with self.subTest(pair=pair):
                actions, known = self.tell_pair(number, pair)
                self.assertEqual(actions, ["added", "confirmed"])
                self.assertEqual(known, [pair[0]])

    def test_a_note_that_is_written_again_as_it_was_is_confirmed(self):
        self.start_daemon(memory_recall_limit=0)
        for number, text in enumerate({text for pair in DIFFERENT for text in pair}):
            actions, known = self.tell_pair(number, (text, text))
            self.assertEqual((actions, known), (["added", "confirmed"], [text]))


class Remembering(MemoryCase):
    TOLD = [
        (
            "I live in a small house in Lyon near the river Saône with two cats",
            "Remember where I live, please!",
            "The user lives in a small house in Lyon near the river Saône with two cats",
        ),
        (
            "Ich wohne in einem kleinen Haus in Lyon an der Saône mit zwei Katzen",
            "Merk dir bitte, wo ich wohne!",
            "Wohnt in einem kleinen Haus in Lyon an der Saône mit zwei Katzen",
        ),
        (
            "Mi hermana Inés vive en Sevilla con sus tres hijos y un perro blanco",
            "¡Recuerda lo de mi hermana, por favor!",
            "Inés, hermana del usuario, vive en Sevilla con sus tres hijos y un perro blanco",
        ),
    ]

    def test_what_was_told_in_an_earlier_session_is_noted_when_the_user_asks_for_it(self):
        self.start_daemon()
        for number, (told, asked, note) in enumerate(self.TOLD):
            with self.subTest(told=told):
                user = f"u{number}"
                # The answer says it too: it is no echo all the same.
                self.answers[told] = f"So you said: {told}!"
                self.ask(told, session_id="old", user_id=user)
                self.assertEqual(self.tell(asked, note, session_id="new", user_id=user)["action"], "added")
                self.assertIn(told, recalled_block(self.chats()[-1]))
                (line,) = self.known_in(self.prompt_for("hi", user_id=user))
                self.assertTrue(line.endswith(") " + note), line)


if __name__ == "__main__":
    main()
