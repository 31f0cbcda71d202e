"""Pushes the jobs of a plan, in its order, and writes down what Redis has confirmed."""

import json
import threading

import redis

from plan import PREFIX


class Producer(threading.Thread):
    """One thread and one connection, so that the order of the list is known. A push that was not confirmed
    is made again, and stands in the ledger as one that may or may not have happened.

    No more than `window` jobs are on their way at a time, so that faults meet jobs of every age; `done` is
    kept up to date from outside.
    """

    def __init__(self, pushes, connect, ledger_path, header, window):
        super().__init__(daemon=True)
        self._pushes, self._connect, self._window = pushes, connect, window
        self._ledger = open(ledger_path, "w")
        self._write(header)
        self._turn = threading.Condition()
        self._done = 0
        self._abandoned = False
        self.pushed = 0
        self.unconfirmed = 0
        self.finished = threading.Event()

    def set_done(self, done):
        with self._turn:
            self._done = done
            self._turn.notify()

    def abandon(self):
        with self._turn:
            self._abandoned = True
            self._turn.notify()

    def run(self):
        client = self._connect()
        for push in self._pushes:
            with self._turn:
                self._turn.wait_for(lambda: self._abandoned or self.pushed - self._done < self._window)
            while not self._abandoned and not self._push(client, push):
                pass
        self._ledger.close()
        self.finished.set()

    def _push(self, client, push):
        # Only a push that Redis may have seen counts as one.
        while not self._abandoned:
            try:
                client.ping()
                break
            except (redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError):
                with self._turn:
                    self._turn.wait(0.02)
        try:
            client.lpush(PREFIX + ":jobs", push.bytes)
            confirmed = True
        except redis.exceptions.ConnectionError:
            confirmed = False
        self._write({**push.record(), "confirmed": confirmed})
        if confirmed:
            self.pushed += 1
        else:
            self.unconfirmed += 1
        return confirmed

    def _write(self, record):
        self._ledger.write(json.dumps(record) + "\n")
