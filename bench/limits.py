"""What this machine can do at most, with engramd left out: Redis, the disk under SQLite, the simulator."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import time

from processes import Failed, Redis, Simulator


def measure(runner, quick):
    runner.count += 1
    folder = os.path.join(runner.folder, f"{runner.count}-limits")
    os.makedirs(folder)
    try:
        return {**redis(folder, runner.socket_folder, quick), **disk(folder, quick),
                **sqlite(folder, quick), **simulator(runner, folder, quick)}
    finally:
        shutil.rmtree(folder)


def redis(folder, socket_folder, quick):
    server = Redis(folder, socket_folder)
    try:
        return {"redis_lpush_per_s": _redis_benchmark(server, 2000 if quick else 100000, 1),
                "redis_lpush_pipelined_per_s": _redis_benchmark(server, 2000 if quick else 500000, 16)}
    finally:
        server.stop()


def _redis_benchmark(server, requests, pipeline):
    command = ["redis-benchmark", "-s", server.socket, "-t", "lpush", "-d", "256", "-c", "64", "--csv",
               "-n", str(requests), "-P", str(pipeline)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    for row in csv.reader(done.stdout.splitlines()):
        if row and row[0].startswith("LPUSH"):
            return float(row[1])
    raise Failed("redis-benchmark says nothing of LPUSH:\n" + done.stdout)


def disk(folder, quick):
    """Appends of 4 KiB, each made safe by fdatasync."""
    count = 20 if quick else 500
    descriptor = os.open(os.path.join(folder, "disk"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        started = time.perf_counter()
        for _ in range(count):
            os.write(descriptor, bytes(4096))
            os.fdatasync(descriptor)
        return {"fdatasync_per_s": count / (time.perf_counter() - started)}
    finally:
        os.close(descriptor)


def sqlite(folder, quick):
    return {"sqlite_commits_per_s": _commits(folder, "one.db", 20 if quick else 1000, 1),
            "sqlite_commits_of_64_per_s": _commits(folder, "many.db", 5 if quick else 200, 64)}


def _commits(folder, name, commits, rows):
    database = sqlite3.connect(os.path.join(folder, name), isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, user TEXT, content TEXT)")
        started = time.perf_counter()
        for _ in range(commits):
            database.execute("BEGIN IMMEDIATE")
            for _ in range(rows):
                database.execute("INSERT INTO t(user, content) VALUES(?, ?)", ("user", "x" * 200))
            database.execute("COMMIT")
        return commits / (time.perf_counter() - started)
    finally:
        database.close()


def simulator(runner, folder, quick):
    at_once = _simulator_load(runner, folder, 0, 64, 500 if quick else 50000)
    # As many connections as the scenario "added" has calls in flight.
    delayed = _simulator_load(runner, folder, 200, 40, 80 if quick else 2000)
    return {"simulator_requests_per_s": at_once["requests_per_s"],
            "simulator_200_p50_ms": delayed["latency_ms"]["p50"],
            "simulator_200_p99_ms": delayed["latency_ms"]["p99"]}


def _simulator_load(runner, folder, latency_ms, connections, requests):
    folder = os.path.join(folder, f"simulator-{latency_ms}")
    os.makedirs(folder)
    server = Simulator(folder, runner.binaries, latency_ms)
    try:
        command = [runner.program("simulator-load"), "--port", str(server.port),
                   "--connections", str(connections), "--requests", str(requests)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failed("simulator-load failed; the simulator's log ends with:\n" + server.log_tail())
        return json.loads(done.stdout)
    finally:
        server.stop()
