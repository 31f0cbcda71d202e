"""docs/operations.md: the table of troubles does not go stale. Its words stand in the sources, its tests exist."""

import os
import re
import unittest

from harness import main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FOLDERS = ("base", "claude", "ctl", "daemon", "embedding", "http", "net", "queue", "redis", "store", "workers")
# What Redis, SQLite, the API and systemd say; and an example.
FOREIGN = {"WRONGPASS", "NOPERM", "OOM", "MISCONF", "BUSY", "database or disk is full", "database is locked",
           "HTTP status 529", "WatchdogSec", "engramd.toml:12"}


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
                found = re.search(rf"def {name}\(self|TEST_CASE\({name}[,)]", tests)
                self.assertTrue(found, f"{trouble}: there is no {name}")


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
