"""Medians of several rounds, as Markdown."""

import os
import platform
import statistics
import subprocess

SCENARIO_FIGURES = [
    # title, path in a result, unit's format
    ("jobs/s", ("jobs_per_s",), "{:.0f}"),
    ("CPU of engramd, µs a job", ("used", "engramd", "cpu_us"), "{:.0f}"),
    ("… user", ("used", "engramd", "user_us"), "{:.0f}"),
    ("… system", ("used", "engramd", "system_us"), "{:.0f}"),
    ("CPU of all instances, µs a job", ("all_cpu_us",), "{:.0f}"),
    ("round trips to Redis a job", ("round_trips",), "{:.2f}"),
    ("… time of the scripts in Redis, µs", ("script_us",), "{:.0f}"),
    ("voluntary switches a job", ("used", "engramd", "switches"), "{:.2f}"),
    ("CPU of Redis, µs a job", ("used", "redis", "cpu_us"), "{:.0f}"),
    ("CPU of the simulator, µs a job", ("used", "simulator", "cpu_us"), "{:.0f}"),
    ("CPU of chat-load, µs a job", ("client_cpu_us_per_job",), "{:.0f}"),
    ("latency p50, ms", ("latency_ms", "p50"), "{:.1f}"),
    ("latency p95, ms", ("latency_ms", "p95"), "{:.1f}"),
    ("latency p99, ms", ("latency_ms", "p99"), "{:.1f}"),
    ("added to the simulator's delay, p50, ms", ("added_ms", "p50"), "{:.2f}"),
    ("added to the simulator's delay, p99, ms", ("added_ms", "p99"), "{:.2f}"),
    ("calls in flight at most", ("calls_in_flight",), "{:.0f}"),
    ("memory when idle, MiB", ("idle_mb",), "{:.1f}"),
    ("memory at most, MiB", ("peak_mb",), "{:.1f}"),
    ("summaries", ("summaries",), "{:.0f}"),
]

LIMITS = [
    ("Redis: LPUSH/s, 64 connections", "redis_lpush_per_s", "{:.0f}"),
    ("Redis: LPUSH/s, 64 connections, 16 in a row", "redis_lpush_pipelined_per_s", "{:.0f}"),
    ("disk: fdatasync/s, 4 KiB", "fdatasync_per_s", "{:.0f}"),
    ("SQLite: commits/s, synchronous=FULL, WAL, 1 row each", "sqlite_commits_per_s", "{:.0f}"),
    ("SQLite: commits/s, synchronous=FULL, WAL, 64 rows each", "sqlite_commits_of_64_per_s", "{:.0f}"),
    ("simulator alone: requests/s, 64 connections", "simulator_requests_per_s", "{:.0f}"),
    ("simulator alone, 200 ms: p50, ms", "simulator_200_p50_ms", "{:.2f}"),
    ("simulator alone, 200 ms: p99, ms", "simulator_200_p99_ms", "{:.2f}"),
]


def machine(folder):
    model = "unknown"
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    with open("/proc/meminfo") as info:
        memory_kib = int(info.readline().split()[1])
    return {"cpu": model, "cores": os.cpu_count(), "memory_gib": round(memory_kib / 1024 / 1024, 1),
            "kernel": platform.release(), "disk": file_system(folder), "load_at_start": os.getloadavg()[0]}


def file_system(folder):
    command = ["stat", "-f", "-c", "%T", folder]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip()


def _at(result, path):
    for step in path:
        if not isinstance(result, dict) or step not in result:
            return None
        result = result[step]
    return result


def _cell(values, form):
    values = [v for v in values if v is not None]
    if not values:
        return ""
    text = form.format(statistics.median(values))
    if len(values) > 1:
        text += f" ({form.format(min(values))}–{form.format(max(values))})"
    return text


def _table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" + "---:|" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def markdown(of_machine, scenarios, rounds):
    yield ("{cores} × {cpu}, {memory_gib} GiB, Linux {kernel}, {disk}; load {load_at_start:.1f} at the start; "
           .format(**of_machine)
           + ("one round." if len(rounds) == 1 else f"medians of {len(rounds)} rounds (lowest–highest)."))
    yield ""
    if any("limits" in r for r in rounds):
        yield from _table(["the machine", ""],
                          [[title, _cell([r.get("limits", {}).get(key) for r in rounds], form)]
                           for title, key, form in LIMITS])
        yield ""
    rows = []
    for title, path, form in SCENARIO_FIGURES:
        cells = [_cell([_at(r[s.name], path) for r in rounds], form) for s in scenarios]
        if any(cells):
            rows.append([title, *cells])
    yield from _table(["engramd", *[s.title for s in scenarios]], rows)
