"""docs/operations.md: the table of troubles does not go stale. Its words stand in the sources, its tests exist."""

import os
import re
import unittest

from harness import main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDERS = ("base", "claude", "ctl", "daemon", "embedding", "http", "net", "queue", "redis", "store", "workers")
# What Redis, SQLite, the API and systemd say; and an example.
FOREIGN = {"WRONGPASS", "NOPERM", "OOM", "MISCONF", "BUSY", "database or disk is full", "database is locked",
           "HTTP status 529", "WatchdogSec=", "engramd.toml:12"}


# Of Python, of C++, or a step of the booted machine (tests/system-vm).
TEST = r"def {0}\((?:self|\))|TEST_CASE\({0}[,)]"


def text_of(folders, endings):
    texts = []
    for folder in folders:
        for path, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in names:
                if name.endswith(endings):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        texts.append(file.read())
    return "\n".join(texts)


def rows():
    """The cells of each row, without the head."""
    with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
        table = file.read().split("## What is wrong", 1)[1]
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def pieces_of(cell):
    """What a program prints of the words in a cell."""
    pieces = (piece.strip() for words in quoted(cell) for piece in re.split(r"…|, |: ", words))
    return [piece for piece in pieces if piece]


class TestSources:
    """The tests, and what they call: helpers and names of their own file and of those that it takes them from."""

    def __init__(self):
        self.files = {}
        for path, _, names in os.walk(os.path.join(ROOT, "tests")):
            for name in names:
                if name.endswith((".py", ".cpp", ".hpp")):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        # A text of several literals is one.
                        self.files[name] = re.sub(r'"\s*\n\s*f?"', "", file.read())

    def files_with(self, test):
        return [name for name, text in self.files.items()
                if re.search(TEST.format(test), text)]

    def near(self, name):
        """That file, and those whose names it takes."""
        text = self.files[name]
        taken = re.findall(r"^from (\w+) import", text, re.M) + re.findall(r'#include "(?:\w+/)*(\w+\.hpp)"', text)
        others = [other if other.endswith(".hpp") else other + ".py" for other in taken]
        return [name] + [other for other in others if other in self.files and other != "harness.py"]

    @staticmethod
    def definitions(text):
        """Each function and each name of a module or class, with its text."""
        found = {}
        for match in re.finditer(r"^( *)(?:async )?def (\w+)\(.*\n(?:(?:\1 +.*)?\n)*", text, re.M):
            found.setdefault(match[2], []).append(match[0])
        for match in re.finditer(r"^ *([A-Z][A-Z_]+) = .*\n(?:[ \])}].*\n)*", text, re.M):
            found.setdefault(match[1], []).append(match[0])
        for match in re.finditer(
                r"^( *)(?:BOOST_\w+_TEST_CASE\(|[\w:<>&*][\w:<>&* ]* )(\w+)[(,].*\{\n"
                r"(?:(?:\1[ #].*)?\n)*\1\}", text, re.M):
            found.setdefault(match[2], []).append(match[0])
        return found

    def shown_by(self, test):
        """The text of the test and of everything that it calls, of each file that has a test of that name."""
        shown = ""
        for name in self.files_with(test):
            known = {}
            for file in self.near(name):
                for what, texts in self.definitions(self.files[file]).items():
                    known.setdefault(what, []).extend(texts)
            left, seen = [test], set()
            while left:
                what = left.pop()
                if what in seen:
                    continue
                seen.add(what)
                for text in known.get(what, []):
                    shown += text
                    left += re.findall(r"\w+", text)
        return shown


class Troubles(unittest.TestCase):
    def test_there_are_some_and_each_tells_what_to_do(self):
        self.assertGreaterEqual(len(rows()), 25)
        for row in rows():
            self.assertEqual(len(row), 4, row)
            self.assertTrue(all(row), row)

    def test_what_shows_stands_in_the_sources(self):
        # A text of several literals is one.
        sources = re.sub(r'"\s*\n\s*"', "", text_of(FOLDERS, (".cpp", ".hpp", ".lua")))
        for trouble, shows, *_ in rows():
            for words in quoted(shows):
                if words in FOREIGN or words.startswith("systemctl "):
                    continue
                for piece in re.split(r"…|, |: ", words):
                    piece = piece.strip()
                    if piece in FOREIGN or not piece:
                        continue
                    self.assertTrue(piece in sources, f"{trouble}: nothing says '{piece}'")

    def test_the_tests_exist(self):
        tests = text_of(["tests"], (".py", ".cpp"))
        for trouble, *_, tested_by in rows():
            names = quoted(tested_by)
            self.assertTrue(names, trouble)
            for name in names:
                found = re.search(TEST.format(name), tests)
                self.assertTrue(found, f"{trouble}: there is no {name}")

    def test_a_row_and_its_test_are_of_the_same_trouble(self):
        sources = TestSources()
        for trouble, shows, _, tested_by in rows():
            pieces = pieces_of(shows)
            for name in quoted(tested_by):
                shown = sources.shown_by(name)
                self.assertTrue(shown, f"{name} cannot be read")
                with self.subTest(trouble):
                    self.assertTrue(any(piece in shown for piece in pieces),
                                    f"{name} shows nothing of {pieces}")


class Headings(unittest.TestCase):
    def test_those_that_the_sources_name_are_there(self):
        with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as file:
            headings = re.findall(r"(?m)^#+ (.+)$", file.read())
        sources = re.sub(r'"\s*\n\s*"', "", text_of((*FOLDERS, "backup", "systemd", "etc"), ("",)))
        named = re.findall(r"docs/operations\.md(?:, | \()([A-Z][a-z ]+[a-z])", sources)
        self.assertTrue(named)
        for heading in named:
            self.assertIn(heading, headings)


if __name__ == "__main__":
    main()
