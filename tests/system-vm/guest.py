"""The tests of a booted machine: installing by the README, units, signals, kills, upgrades.

Runs in the guest as root, started by engram-vm.service, on a Debian with nothing of engram but the files that
make-image has laid there. Each step is a function below; they run in their order, and each leaves both instances
running. What is printed is read by tests/system-vm/run. Emulation makes everything some ten times slower.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import termios
import time
import traceback

HERE = "/opt/engram-vm"
SIMULATOR = "http://127.0.0.1:8787"
CONFIGURATION = "/etc/engramd/engramd.toml"
DATABASE = "/var/lib/engramd/engram.db"
UNITS = ("engramd.service", "engramd@2.service")
PATIENCE = 180
STEPS = []


class Failed(Exception):
    pass


def step(function):
    STEPS.append(function)
    return function


def check(condition, what):
    if not condition:
        raise Failed(what)


# ---- the machine


def run(*command, status=0, given=None, shell=False, folder="/"):
    """What it printed; `status` None: any."""
    done = subprocess.run(
        command[0] if shell else command,
        shell=shell, executable="/bin/bash" if shell else None, cwd=folder,
        input=given, stdin=None if given is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"},
    )
    if status is not None and done.returncode != status:
        raise Failed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def checkout():
    with open(f"{HERE}/checkout", encoding="utf-8") as file:
        return file.read().splitlines()[0]


def preset():
    with open(f"{HERE}/checkout", encoding="utf-8") as file:
        return file.read().splitlines()[1]


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text)


def eventually(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.3)
    raise Failed(f"not within {seconds} s: {what}")


def shown(unit, *properties):
    """The values of a unit's properties; one alone is not in a list."""
    lines = run("systemctl", "show", unit, *(f"--property={p}" for p in properties)).splitlines()
    values = dict(line.split("=", 1) for line in lines)
    return values[properties[0]] if len(properties) == 1 else [values[p] for p in properties]


def journal(*arguments):
    return run("journalctl", "--no-pager", "--quiet", "--output=cat", *arguments)


def now():
    """For `journalctl --since`."""
    run("journalctl", "--sync")
    return time.strftime("%Y-%m-%d %H:%M:%S")


def is_ready(unit):
    return shown(unit, "StatusText").startswith("ready, taking")


def until_ready(*units):
    for unit in units or UNITS:
        eventually(lambda: is_ready(unit), f"{unit} is ready, it says: {shown(unit, 'StatusText')}")


# ---- Redis and jobs


class Redis:
    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", 6379), timeout=PATIENCE + 20)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def __call__(self, *words):
        parts = [str(word).encode() for word in words]
        head = b"*%d\r\n" % len(parts)
        self.socket.sendall(head + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return self.answer()

    def answer(self):
        line = self.stream.readline().decode().rstrip("\r\n")
        kind, rest = line[:1], line[1:]
        if kind == "-":
            raise Failed(f"Redis: {rest}")
        if kind == ":":
            return int(rest)
        if kind == "+":
            return rest
        count = int(rest)
        if count < 0:
            return None
        if kind == "*":
            return [self.answer() for _ in range(count)]
        return self.stream.read(count + 2)[:-2].decode()


def push(redis, job, user, message, session="s"):
    redis("LPUSH", "engram:jobs",
          json.dumps({"user_id": user, "session_id": session, "id": job, "message": message}))


def replies(redis, jobs):
    """One of each, which must be the only one and say ok."""
    found = {}
    for job in jobs:
        popped = redis("BLPOP", f"engram:reply:{job}", PATIENCE)
        check(popped is not None, f"{job} was not answered")
        found[job] = json.loads(popped[1])
        check(found[job]["status"] == "ok", f"{job}: {popped[1]}")
    twice = [job for job in jobs if redis("LLEN", f"engram:reply:{job}") > 0]
    check(not twice, f"answered twice: {twice}")
    return found


def answered(redis, jobs):
    return sum(redis("EXISTS", f"engram:reply:{job}") for job in jobs)


numbers = iter(range(1, 1_000_000))


def ask(message="hi", user="ada"):
    with Redis() as redis:
        job = f"vm-{next(numbers)}"
        push(redis, job, user, message)
        return replies(redis, [job])[job]["reply"]


def push_crowd(redis, name, users, each):
    """`each` messages of every user, in order; returns the ids."""
    jobs = []
    for n in range(each):
        for user in range(users):
            jobs.append(f"{name}-{user}-{n}")
            push(redis, jobs[-1], f"{name}-{user}", f"message {n}")
    return jobs


def rows(query, path=DATABASE):
    """Read as the user that the files belong to, so that none is made that the daemon cannot open."""
    program = ("import json,sqlite3,sys; db=sqlite3.connect(sys.argv[1]); "
               "print(json.dumps(db.execute(sys.argv[2]).fetchall()))")
    return json.loads(run("runuser", "-u", "engramd", "--", "python3", "-c", program, path, query))


def check_crowd(name, users, each):
    """Each conversation holds its messages once, in order, each with its answer."""
    for user in range(users):
        turns = rows(f"SELECT role, content FROM conversation_history WHERE user_id = '{name}-{user}' ORDER BY id")
        told = [content for role, content in turns if role == "user"]
        check(told == [f"message {n}" for n in range(each)], f"{name}-{user}: {told}")
        check([role for role, _ in turns] == ["user", "assistant"] * each, f"{name}-{user}: {turns}")


@contextlib.contextmanager
def drop_in(unit, text):
    """A change of the unit, for as long as this lasts."""
    path = f"/etc/systemd/system/{unit}.d/vm-test.conf"
    write(path, "[Service]\n" + text)
    run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        os.remove(path)
        run("systemctl", "daemon-reload")


# ---- the steps


def place_simulator():
    """Answers in place of Claude: a unit, and a drop-in of both of engram's."""
    write("/etc/systemd/system/claude-simulator.service",
          "[Service]\nExecStart=/usr/bin/claude-simulator --listen 127.0.0.1:8787 --latency-ms uniform:300-3000 --quiet\n"
          "DynamicUser=yes\n")
    for unit in ("engramd.service", "engramd@.service"):
        write(f"/etc/systemd/system/{unit}.d/simulator.conf",
              f"[Service]\nEnvironment=ENGRAMD_CLAUDE_BASE_URL={SIMULATOR}\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", "claude-simulator")


@step
def install_by_readme():
    """To the letter, but for what needs a compiler and for the key that a person types."""
    readme = f"{checkout()}/README.md"
    packages = run(f"{HERE}/readme", "packages", readme).split()
    commands = run(f"{HERE}/readme", "commands", readme).splitlines()
    check("./dev build" in commands and commands[-1] == "systemctl enable --now engramd", f"the README says {commands}")
    for command in commands:
        tell(f"  # {command}")
        if command == "./dev build":
            # Built on the host; what it would install there comes from the README's list for a machine without a compiler.
            run("apt-get", "install", "-y", *(p for p in packages if p != "redis-server"))
            continue
        if command == commands[-1]:
            place_simulator()
        run("set -euo pipefail; " + command.replace("build/release", f"build/{preset()}"), shell=True, folder=checkout(),
            given="key-of-the-simulator\n" if "/dev/stdin" in command else None)
    until_ready("engramd.service")
    mode = os.stat("/etc/engramd/anthropic_api_key").st_mode & 0o777
    check(mode == 0o600, f"the key has mode {mode:o}")
    for path in ("/usr/share/bash-completion/completions/engramctl", "/usr/share/doc/engram/engram.acl",
                 "/usr/share/doc/engram/CHANGELOG.md", "/usr/share/man/man8/engramd.8"):
        check(os.path.exists(path), f"{path} was not installed")
    with Redis() as redis:
        check(redis("CONFIG", "GET", "appendonly")[1] == "yes", "Redis keeps no append-only file")
    with open("/etc/redis/redis.conf", encoding="utf-8") as file:
        check("\nappendonly yes\n" in file.read(), "Redis keeps none after its next start")
    # Warnings of Redis' settings would mean that the README leaves something out.
    check("not set up to keep" not in journal("-u", "engramd"), "the daemon warns of Redis' settings")


@step
def job_answered():
    check("Ada" in ask("My name is Ada.") + ask("What is my name?"), "the name is not known")


@step
def second_instance():
    run("systemctl", "enable", "--now", "engramd@2")
    until_ready()
    run("engramctl", "queue", "status")
    with Redis() as redis:
        check(redis("ZCARD", "engram:instances") == 2, "there are not two instances")
    owners = {(os.stat(DATABASE + end).st_uid, os.stat(DATABASE + end).st_mode & 0o077) for end in ("", "-wal", "-shm")}
    check(len(owners) == 1 and owners.pop()[1] == 0, "the files of the database are not the daemon's own")


@step
def kill_nine_of_two_under_40_jobs():
    with Redis() as redis:
        jobs = push_crowd(redis, "killed", users=20, each=2)
        eventually(lambda: answered(redis, jobs) >= 3, "some are answered")
        run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", *UNITS)
        check(answered(redis, jobs) < len(jobs), "all were answered before the kill")
        replies(redis, jobs)
        check(redis("XLEN", "engram:dead") == 0, "there are dead letters")
    check_crowd("killed", users=20, each=2)
    for unit in UNITS:
        eventually(lambda: shown(unit, "NRestarts") == "1", f"{unit} is started again")
    until_ready()


@step
def stop_under_load():
    with Redis() as redis:
        jobs = push_crowd(redis, "stopped", users=10, each=4)
        eventually(lambda: answered(redis, jobs) >= 3, "some are answered")
        run("systemctl", "stop", *UNITS)
        for unit in UNITS:
            how = shown(unit, "ActiveState", "Result", "ExecMainStatus")
            check(how == ["inactive", "success", "0"], f"{unit} ended so: {how}")
        check(redis("ZCARD", "engram:instances") == 0, "an instance is still registered")
        run("systemctl", "start", *UNITS)
        replies(redis, jobs)
    check_crowd("stopped", users=10, each=4)
    until_ready()


@step
def redis_away_and_back():
    run("systemctl", "stop", "redis-server")
    line = eventually(lambda: (text := shown("engramd", "StatusText")).startswith("not ready") and text, "it is not ready")
    check("cut off" in line, f"the state is: {line}")
    run("engramctl", "queue", "status", status=69)
    run("systemctl", "start", "redis-server")
    until_ready()
    ask()


@step
def watchdog():
    with drop_in("engramd.service", "WatchdogSec=20s\n"):
        run("systemctl", "restart", "engramd")
        until_ready("engramd.service")
        since, stopped = now(), shown("engramd", "MainPID")
        run("kill", "-STOP", stopped)
        eventually(lambda: shown("engramd", "MainPID") not in (stopped, "0"), "it is started again")
        check("Watchdog timeout" in journal("-u", "engramd", f"--since={since}"), "it was not the watchdog")
        until_ready("engramd.service")
    run("systemctl", "restart", "engramd")
    until_ready()
    ask()


@step
def reload_with_a_typo():
    before = shown("engramd", "MainPID")
    shutil.copy(CONFIGURATION, "/var/backups/engramd.toml")
    with open(CONFIGURATION, encoding="utf-8") as file:
        lines = len(file.read().splitlines())
    with open(CONFIGURATION, "a", encoding="utf-8") as file:
        file.write("[log\n")
    since = now()
    run("systemctl", "reload", "engramd", status=1)
    told = journal("-u", "engramd", f"--since={since}")
    check(f"engramd: {CONFIGURATION}:{lines + 1}: " in told, f"the journal does not say where:\n{told}")
    check(f"{CONFIGURATION}:{lines + 1}: " in run("systemctl", "status", "engramd"), "systemctl status does not say where")
    check(shown("engramd", "ActiveState", "MainPID") == ["active", before], "it does not run on")
    ask()
    shutil.copy("/var/backups/engramd.toml", CONFIGURATION)
    run("systemctl", "reload", "engramd")
    check(shown("engramd", "MainPID") == before, "the reload was a restart")
    ask()


@step
def missing_second_credential():
    os.remove("/etc/engramd/embedding_api_key")
    run("systemctl", "restart", "engramd")
    until_ready()
    ask()
    run("systemd-tmpfiles", "--create", "engramd.conf")


@step
def no_first_credential_says_so():
    """With Anthropic's own address, which needs one."""
    key, aside = "/etc/engramd/anthropic_api_key", "/var/backups/anthropic_api_key"
    os.rename(key, aside)
    since = now()
    with drop_in("engramd.service", "Environment=ENGRAMD_CLAUDE_BASE_URL=https://api.anthropic.com\n"):
        run("systemctl", "restart", "engramd", status=1)
        eventually(lambda: shown("engramd", "ActiveState") == "failed", "it is given up")
        check(shown("engramd", "ExecMainStatus") == "78", f"its status is {shown('engramd', 'ExecMainStatus')}")
    told = journal("-u", "engramd", f"--since={since}")
    check("anthropic_api_key" in told, f"the journal does not say what is lacking:\n{told}")
    os.rename(aside, key)
    run("systemctl", "restart", "engramd")
    until_ready()


@step
def check_unit():
    """As the unit has it, beside the daemons that work."""
    told = run("engramd", "--check", "--unit", "engramd")
    check("FAIL" not in told and "an API key from /etc/engramd/anthropic_api_key" in told, told)
    ask()


@step
def backup_and_restore():
    """As docs/operations.md has it: online, refused while a daemon runs, and nobody who was forgotten comes back."""
    copy = "/var/backups/engram.db"
    ask("I prefer green tea.", user="restored")
    ask("My name is Zoe.", user="forgotten")
    check("checked" in run("engramctl", "backup", copy), "it does not say that the copy was checked")
    check(os.stat(copy).st_mode & 0o777 == 0o600, "others may read the copy")
    ask("I prefer black coffee.", user="restored")
    run("engramctl", "user", "forget", "--user", "forgotten", "--yes")
    refused = run("engramctl", "restore", copy, status=75)
    check("systemctl stop 'engramd*' first" in refused, f"it does not say what to do: {refused}")
    run("systemctl", "stop", *UNITS)
    since = now()
    run("engramctl", "restore", copy)
    run("systemctl", "start", *UNITS)
    until_ready()
    memories = [content for content, in rows("SELECT content FROM long_term_memory WHERE user_id = 'restored'")]
    check(any("tea" in m for m in memories), f"what the backup held is gone: {memories}")
    check(not any("coffee" in m for m in memories), f"what came later is still there: {memories}")
    check(rows("SELECT count(*) FROM conversation_history WHERE user_id = 'forgotten'") == [[0]], "they came back")
    told = journal("-u", "engramd", "-u", "engramd@2", f"--since={since}")
    check("are forgotten again" in told, "the log does not say that somebody was forgotten again")
    ask("What do I prefer?", user="restored")


@step
def upgrade():
    """From the engramd of the schema before, with what it has written."""
    run("systemctl", "stop", *UNITS)
    os.makedirs("/var/backups/aside")
    write("/opt/old/engramd.toml", "")  # it does not know the keys of today
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(DATABASE + end, f"/var/backups/aside/engram.db{end}")
    run("systemd-run", "--unit=engramd-old", "--property=User=engramd", "--property=StateDirectory=engramd",
        "--property=UMask=0077", "--setenv=ANTHROPIC_API_KEY=key", f"--setenv=ENGRAMD_CLAUDE_BASE_URL={SIMULATOR}",
        "/opt/old/engramd", "--config", "/opt/old/engramd.toml")
    with Redis() as redis:
        jobs = push_crowd(redis, "old", users=20, each=5)
        for user in range(20):
            jobs.append(f"name-{user}")
            push(redis, jobs[-1], f"old-{user}", f"My name is Berta{user}.")
        replies(redis, jobs)
    run("systemctl", "stop", "engramd-old")
    old = rows("PRAGMA user_version")[0][0]
    turns = rows("SELECT id, user_id, session_id, role, content FROM conversation_history ORDER BY id")
    memories = rows("SELECT id, user_id, memory_type, content FROM long_term_memory ORDER BY id")
    check(len(turns) == 240 and len(memories) >= 20, f"the old one has written {len(turns)} and {len(memories)} rows")
    run("systemctl", "start", *UNITS)
    until_ready()
    check(rows("PRAGMA user_version")[0][0] > old, f"the schema is still version {old}")
    check(rows("PRAGMA integrity_check") == [["ok"]], "the database is damaged")
    check(rows("SELECT id, user_id, session_id, role, content FROM conversation_history ORDER BY id") == turns,
          "turns were changed")
    check(rows("SELECT id, user_id, memory_type, content FROM long_term_memory ORDER BY id") == memories,
          "memories were changed")
    for user in (0, 19):
        check(f"Berta{user}" in ask("What is my name?", user=f"old-{user}"), f"old-{user} is not known any more")
        found = run("engramctl", "memory", "search", "--user", f"old-{user}", f"Berta{user}")
        check(f"Berta{user}" in found, f"nothing is found: {found}")
    run("systemctl", "stop", *UNITS)
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(DATABASE + end)
    os.rename("/var/backups/aside/engram.db", DATABASE)
    run("systemctl", "start", *UNITS)
    until_ready()


# ---- running them


def chosen():
    """engram.steps=a,b on the kernel's command line; installing always comes first."""
    with open("/proc/cmdline", encoding="utf-8") as file:
        named = re.search(r"engram\.steps=(\S+)", file.read())
    if not named:
        return STEPS
    names = ["install_by_readme", "second_instance", *named.group(1).split(",")]
    unknown = set(names) - {s.__name__ for s in STEPS}
    if unknown:
        raise SystemExit(f"vm: there is no step {', '.join(sorted(unknown))}")
    return [s for s in STEPS if s.__name__ in names]


def tell(line):
    print(f"vm: {line}", flush=True)


def main():
    passed = failed = 0
    for function in chosen():
        name, begun = function.__name__, time.monotonic()
        tell(f"begins {name}")
        try:
            function()
            passed += 1
            tell(f"ok {name} {time.monotonic() - begun:.0f} s")
        except Exception as error:  # each step tells of its own failure, and the others go on
            failed += 1
            tell(f"FAILED {name}: {error}" if isinstance(error, Failed) else f"FAILED {name}: {traceback.format_exc()}")
            done = subprocess.run(["journalctl", "--no-pager", "--lines=60", "--output=short-monotonic"],
                                  stdout=subprocess.PIPE, text=True, check=False)
            for line in done.stdout.splitlines():
                print(f"vm| {line}", flush=True)
            if name == "install_by_readme":
                break
    tell(f"{passed} passed, {failed} failed")
    termios.tcdrain(sys.stdout.fileno())  # the machine is switched off as soon as this has ended
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
