#!/usr/bin/python3
"""chat.py with SUBSCRIBE in place of BLPOP: many replies over one connection, as in a web server.

    printf '%s\n' 'My name is Ada.' 'What is my name?' | python3 chat_subscribe.py [USER [SESSION]]

All messages of the input are pushed at once. Those of a conversation are answered one by one, in their order.
"""

import getpass
import json
import os
import sys
import time
import uuid

import redis

PATIENCE = 600  # seconds without any reply


def main():
    user = sys.argv[1] if len(sys.argv) > 1 else getpass.getuser()
    # Named here and not by engram, since several jobs need it before the first reply.
    session = sys.argv[2] if len(sys.argv) > 2 else str(uuid.uuid4())
    connection = redis.Redis.from_url(os.environ.get("ENGRAM_REDIS_URL", "redis://127.0.0.1:6379"))
    jobs = [{"id": str(uuid.uuid4()), "user_id": user, "session_id": session, "message": line.rstrip("\n")}
            for line in sys.stdin]
    channels = {f"engram:reply:{job['id']}": job for job in jobs}
    if not jobs:
        return

    # Subscribe first, push then: who comes late to a channel has missed what was said.
    listening = connection.pubsub()
    listening.subscribe(*channels)
    confirmed = 0
    while confirmed < len(channels):
        message = listening.get_message(timeout=PATIENCE)
        if message is None:
            sys.exit("engram: Redis does not answer")
        confirmed += message["type"] == "subscribe"
    for job in jobs:
        connection.lpush("engram:jobs", json.dumps(job))

    failed = False
    quiet_until = time.monotonic() + PATIENCE
    while channels:
        message = listening.get_message(timeout=max(0, quiet_until - time.monotonic()))
        if message is None and time.monotonic() >= quiet_until:
            sys.exit(f"engram: no reply in {PATIENCE} s; is engramd running?")
        if message is None or message["type"] != "message":
            continue
        # Should this connection break, nothing is lost: a reply also waits an hour in the list of its name.
        quiet_until = time.monotonic() + PATIENCE
        if channels.pop(message["channel"].decode(), None) is None:
            continue
        reply = json.loads(message["data"])
        if reply["status"] == "ok":
            print(reply["reply"])
        else:
            print(f"engram: {reply['error']['type']}: {reply['error']['message']}", file=sys.stderr)
            failed = True
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except redis.RedisError as problem:
        sys.exit(f"engram: {problem}")
