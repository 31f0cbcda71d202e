#!/usr/bin/python3
"""A conversation with engram from Python (redis-py 4.3 or later): one message a line.

    printf '%s\n' 'My name is Ada.' 'What is my name?' | python3 chat.py [USER [SESSION]]

ENGRAM_REDIS_URL says where Redis is: redis://127.0.0.1:6379.
"""

import getpass
import json
import os
import sys
import time
import uuid

import redis


class EngramError(Exception):
    """An error reply. error["type"] is for programs, error["message"] for people."""

    def __init__(self, error):
        super().__init__(f"{error['type']}: {error['message']}")
        self.type = error["type"]
        self.retryable = error["retryable"]


def ask(connection, user, message, session=None, patience=600, tries=3):
    """Returns the reply as a dictionary. Raises EngramError, TimeoutError or redis.RedisError."""
    job = {"id": str(uuid.uuid4()), "user_id": user, "message": message}
    if session is not None:
        job["session_id"] = session  # without one, engram begins a conversation and names it in the reply
    # The very same bytes with the same id may be pushed again at any time: they have their effect once.
    body = json.dumps(job)
    for attempt in range(1, tries + 1):
        try:
            connection.lpush("engram:jobs", body)
            popped = connection.blpop(f"engram:reply:{job['id']}", timeout=patience)
            if popped is None:
                raise TimeoutError(f"no reply in {patience} s; is engramd running?")
            reply = json.loads(popped[1])
            if reply["status"] == "ok":
                return reply
            error = EngramError(reply["error"])
            if not error.retryable or attempt == tries:
                raise error
        except redis.ConnectionError:
            if attempt == tries:
                raise
        time.sleep(attempt)


def main():
    user = sys.argv[1] if len(sys.argv) > 1 else getpass.getuser()
    session = sys.argv[2] if len(sys.argv) > 2 else None
    connection = redis.Redis.from_url(os.environ.get("ENGRAM_REDIS_URL", "redis://127.0.0.1:6379"))
    for line in sys.stdin:
        reply = ask(connection, user, line.rstrip("\n"), session)
        session = reply["session_id"]
        print(reply["reply"])
        for memory in reply["memories"]:
            print(f"  [{memory['action']} {memory['type']}: {memory['content']}]")


if __name__ == "__main__":
    try:
        main()
    except (EngramError, TimeoutError, redis.RedisError) as problem:
        sys.exit(f"engram: {problem}")
