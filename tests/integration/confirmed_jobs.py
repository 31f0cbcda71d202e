"""A producer that knows what Redis has confirmed, however often its master changes."""

import json
import threading

import redis

from processes import PATIENCE, eventually


class Producer(threading.Thread):
    """Pushes jobs of several conversations in turn. Each is pushed until `copies` replicas have it, too, and
    only then the next, so that the order of what is confirmed is known. `pushes` counts for each job the
    pushes that may have happened. While many jobs are under way it waits, so that faults meet young ones."""

    SESSIONS = 4
    WINDOW = 40

    def __init__(self, connect, prefix, copies=0):
        super().__init__(daemon=True)
        self._connect, self._prefix = connect, prefix
        self._client = None
        self._closing = threading.Event()
        self.copies = copies
        self.pushes = {}
        self.confirmed = []
        self.start()

    @staticmethod
    def session_of(number):
        return f"s{number % Producer.SESSIONS}"

    def run(self):
        number = 0
        while not self._closing.is_set():
            self._push_until_confirmed(number)
            number += 1

    def _push_until_confirmed(self, number):
        job = f"j{number:05}"
        body = {"user_id": "u", "session_id": self.session_of(number), "id": job, "message": f"m{number:05}"}
        eventually(lambda: self._push(job, json.dumps(body)), f"{job} is confirmed")
        self.confirmed.append(job)

    def _push(self, job, body):
        self.pushes.setdefault(job, 0)
        try:
            self._client = self._client or self._connect()
            if self._client.hlen(self._prefix + ":body") >= self.WINDOW:
                return False
            self._client.lpush(self._prefix + ":jobs", body)
            self.pushes[job] += 1
            return self.copies == 0 or self._client.execute_command("WAIT", self.copies, 300) >= self.copies
        except redis.exceptions.ResponseError:  # refused: it did not happen
            self._client = None
        except (redis.exceptions.RedisError, AssertionError):
            self.pushes[job] += 1
            self._client = None
        return False

    def wait_for(self, count):
        """Until so many more are confirmed."""
        goal = len(self.confirmed) + count
        eventually(lambda: len(self.confirmed) >= goal, f"{count} more jobs are confirmed")

    def finish(self):
        """Ends it. Every job that was begun is confirmed."""
        self._closing.set()
        self.join(PATIENCE)
        if len(self.confirmed) != len(self.pushes):
            raise AssertionError(f"{len(self.pushes)} jobs pushed, {len(self.confirmed)} confirmed")
        return self.confirmed
