"""The scripts in a real redis-server: every step is put back, carried out and looked at in one round trip."""

import hashlib
import os
import socket
import sys

sys.dont_write_bytecode = True  # tests leave nothing in the sources
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.normpath(os.path.join(HERE, "../../../queue/scripts"))
sys.path.insert(0, os.path.normpath(os.path.join(HERE, "../../integration")))

from processes import Redis

import contents

SCRIPTS = ("take", "finish", "release", "delay", "heartbeat", "reconcile", "leave", "refuse")


class Failed(str):
    """An error that Redis answered with."""


def script_texts():
    """Each file of queue/scripts, by its name without .lua."""
    texts = {}
    for name in (*SCRIPTS, "common", "rights"):
        with open(os.path.join(SOURCES, name + ".lua"), encoding="utf-8") as f:
            texts[name] = f.read()
    return texts


def _whole(texts, name):
    """As queue/scripts.cpp puts a script together."""
    return texts["common"] + (texts["rights"] if name == "heartbeat" else "") + texts[name]


def _packed(*arguments):
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        raw = argument.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(raw), raw))
    return b"".join(parts)


class Queue:
    """One Redis with the scripts loaded. `texts` may differ from the files: so the test is tested."""

    def __init__(self, redis, texts):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(redis.socket)
        self._answers = self._socket.makefile("rb", buffering=1 << 18)
        self._sha = {name: self._load(_whole(texts, name)) for name in SCRIPTS}
        self._restore, self._dump = self._load(contents.RESTORE), self._load(contents.DUMP)
        self._look = _packed("EVALSHA", self._dump, "0")

    def close(self):
        self._answers.close()
        self._socket.close()

    def _load(self, text):
        self._socket.sendall(_packed("SCRIPT", "LOAD", text))
        sha = self._answer()
        if sha != hashlib.sha1(text.encode()).hexdigest():
            raise RuntimeError(f"Redis refuses a script: {sha}")
        return sha

    def carry_out(self, steps):
        """For each (JSON of the contents before, script, arguments): its answer and the dump after it."""
        sent = []
        for before, script, arguments in steps:
            sent.append(_packed("EVALSHA", self._restore, "0", before))
            sent.append(_packed("EVALSHA", self._sha[script], "1", contents.PREFIX + ":jobs", *arguments))
            sent.append(self._look)
        self._socket.sendall(b"".join(sent))
        results = []
        for _ in steps:
            restored = self._answer()
            if isinstance(restored, Failed):
                raise RuntimeError(f"contents could not be put back: {restored}")
            results.append((self._answer(), self._answer()))
        return results

    def _answer(self):
        line = self._answers.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self._answers.read(size + 2)[:-2].decode()
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"-":
            return Failed(rest.decode())
        if not kind:
            raise ConnectionError("redis-server closed the connection")
        return rest.decode()


def start_redis(folder):
    return Redis(folder, ["--appendonly", "no"]).start()
