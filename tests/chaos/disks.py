"""A small disk of its own for the database, that can be filled, and syncs that take their time."""

import ctypes
import os
import subprocess

DISK_BYTES = 96 * 1024 * 1024
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x4000, 0x40000, 2


class Unavailable(Exception):
    """This machine does not allow it."""


def enter_private_mounts():
    """Mounts made from now on are seen by this process and its children alone, and end with them. Must be
    called before any thread is started."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    flags = _CLONE_NEWNS if user == 0 else _CLONE_NEWNS | _CLONE_NEWUSER
    if libc.unshare(flags) != 0:
        raise Unavailable(f"no mounts of one's own: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as f:
                f.write(text)
    if libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None) != 0:
        raise Unavailable(f"mounts stay shared: {os.strerror(ctypes.get_errno())}")


def mount_small_disk(folder):
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"size={DISK_BYTES},mode=700".encode()
    if libc.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, options) != 0:
        raise Unavailable(f"no tmpfs: {os.strerror(ctypes.get_errno())}")


def unmount(folder):
    """Does nothing if nothing is mounted there."""
    ctypes.CDLL(None).umount2(folder.encode(), _MNT_DETACH)


class Ballast:
    """Fills a disk to the last byte."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "ballast")

    def fill(self):
        block = b"\0" * 65536
        with open(self.path, "ab", buffering=0) as f:
            while block:
                try:
                    f.write(block)
                except OSError:
                    block = block[: len(block) // 2]

    def drop(self):
        if os.path.exists(self.path):
            os.unlink(self.path)


class SlowSync:
    """The library that delays syncs, and the file that says by how much."""

    def __init__(self, folder, program):
        with open(program, "rb") as f:
            if b"__asan_init" in f.read():
                raise Unavailable("a sanitizer wants to be loaded first")
        self.library = os.path.join(folder, "slow_sync.so")
        self.control = os.path.join(folder, "slow_sync")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow_sync.c")
        command = ["-shared", "-fPIC", "-O1", "-o", self.library, source, "-ldl"]
        for compiler in ("cc", "gcc", "clang", "clang-19"):
            try:
                if subprocess.run([compiler, *command], capture_output=True).returncode == 0:
                    return
            except FileNotFoundError:
                pass
        raise Unavailable("no C compiler")

    @property
    def environment(self):
        return {"LD_PRELOAD": self.library, "SLOW_SYNC": self.control}

    def begin(self, ms):
        with open(self.control + ".new", "w") as f:
            f.write(str(ms))
        os.rename(self.control + ".new", self.control)

    def end(self):
        if os.path.exists(self.control):
            os.unlink(self.control)
