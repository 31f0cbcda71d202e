"""Every interleaving of a few daemons and jobs, with the queue's scripts in a real Redis.

  queue_interleavings.py [--deep] [--scope NAME]   explores; prints a violation with the shortest way to it
  queue_interleavings.py --mutate all|NAME         breaks a script in memory and expects a violation

See README.md beside this file.
"""

import argparse
import shutil
import sys
import tempfile
import time

from server import Queue, script_texts, start_redis
from contents import Violation
from explorer import Explorer
from mutations import MUTATIONS, mutated
from scopes import DEEP, FOR_MUTATIONS, NEVER_RECONCILES, QUICK


def explore(redis, scopes):
    queue, total, began = Queue(redis, script_texts()), [0, 0, 0], time.monotonic()
    for scope in scopes:
        try:
            found = Explorer(queue, scope).explore()
        except Violation as violation:
            print(f"{scope.name}: {violation}")
            print("\n".join(f"  {n}. {label}" for n, label in enumerate(violation.trace, 1)))
            print(f"  {scope}")
            return False
        total = [a + b for a, b in zip(total, found)]
        print(
            f"{scope.name}: {found.states} states, {found.transitions} transitions, {found.scripts} scripts, "
            f"{found.depth} deep, {time.monotonic() - began:.1f} s",
            flush=True,
        )
    print(f"all: {total[0]} states, {total[1]} transitions, {total[2]} scripts, no violation")
    return True


def find(redis, texts, scopes):
    """What gives a mistake away: (scope, Violation), or None."""
    queue = Queue(redis, texts)
    try:
        for scope in scopes:
            try:
                Explorer(queue, scope).explore()
            except Violation as violation:
                return scope, violation
    finally:
        queue.close()
    return None


def find_mutations(redis, name):
    texts, missed = script_texts(), []
    chosen = [(m[0], mutated(texts, m), FOR_MUTATIONS) for m in MUTATIONS]
    chosen.append((NEVER_RECONCILES.name, texts, (NEVER_RECONCILES,)))
    chosen = [mistake for mistake in chosen if name in ("all", mistake[0])]
    for mistake, texts, scopes in chosen:
        found = find(redis, texts, scopes)
        if found:
            scope, violation = found
            print(
                f"{mistake}: found in {scope.name} after {len(violation.trace)} steps: {violation}",
                flush=True,
            )
            if name != "all":
                print("\n".join(f"  {n}. {label}" for n, label in enumerate(violation.trace, 1)))
        else:
            missed.append(mistake)
            print(f"{mistake}: NOT FOUND", flush=True)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} mistakes found")
    return bool(chosen) and not missed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--deep", action="store_true", help="explore more: takes half an hour")
    parser.add_argument("--scope", help="explore this one only")
    parser.add_argument("--mutate", metavar="NAME", help="a mistake of mutations.py, or all of them")
    asked = parser.parse_args()
    scopes = [s for s in QUICK + (DEEP if asked.deep else ()) if asked.scope in (None, s.name)]
    if not scopes:
        parser.error(f"no scope {asked.scope}")
    folder = tempfile.mkdtemp(prefix="engram-")
    redis = start_redis(folder)
    try:
        good = find_mutations(redis, asked.mutate) if asked.mutate else explore(redis, scopes)
    finally:
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
