"""A program whose children write files and are killed; it checks what they leave.

It is one process without threads, so that it may fork, which takes milliseconds: ``python -m
tests.backends.fs_crashes random|calls|every|quick KIND ROOT NUMBER``: so many times at random;
before each (or every second, ...) call to the operating system that changes something, in turn; or
before any call; or before any of the short way of new objects. It says how often it killed.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from storage import fs
from storage._async.backends._files.objects import ENOUGH
from tests.backends.files import litter

CHANGES = ["link", "mkdir", "rename", "rmdir", "setxattr", "unlink", "write", "copy_file_range"]
OTHERS = [
    "close",
    "dup",
    "fchmod",
    "fstat",
    "fsync",
    "open",
    "read",
    "pread",
    "scandir",
    "stat",
    "utime",
]
SHORT_WAY = ["write", "utime", "dup", "fstat", "link", "rename"]
KEYS = ["d/k", "d/l", "e/k", "e/l"]
VALUES = {b"first", b"second", b"third"}

Plan = tuple[Callable[["Store"], None], ...]
Store = fs.FilesystemStore | fs.HashdirStore


def changes(store: Store) -> None:
    """All ways to change something."""
    store.put("d/k", b"first")
    store.put("d/k", b"second", content_type="text/second")
    store.put("d/l", b"first", if_absent=True)
    store.move("d/k", "e/k")
    store.move("e/k", "e/l", if_absent=True)
    store.copy("e/l", "d/k")
    store.put("d/k", b"first", if_match=store.head("d/k").etag)
    store.delete("d/k")
    store.copy("e/l", "e/k", if_absent=True)
    store.put("d/k", [b"thi", b"rd"])
    short = store.with_ttl(3600)
    short.put("d/k", b"first")
    short.put("e/k", [b"thi", b"rd"])


def check(store: Store) -> None:
    """Every object is whole, listed if it is there, and nothing stands in the way."""
    root = Path(store.root_path)
    if not root.exists():
        return
    keys = list(store.keys())
    assert set(keys) <= set(KEYS), keys
    for key in KEYS:
        assert store.exists(key) == (key in keys), key
    for key in keys:
        value, info = store.get_with_info(key)
        assert value in VALUES, (key, value)
        assert (info.content_type == "text/second") == (value == b"second"), info
    assert "d/l" not in keys or len(keys) > 1  # then there is always one that was moved or copied
    time.sleep(0.001)
    store.sweep(older_than=0)
    assert not litter(root), litter(root)
    for key in KEYS:
        store.put(key, b"after")
    assert sorted(store.keys()) == KEYS
    store.clear()
    left = [path for path in root.rglob("*") if path.is_file()]
    assert not left, left


def new_ones(store: Store) -> None:
    """Objects that replace nothing, and one that the short way finds in its way."""
    objects = store._async._objects
    store.put("d/k", b"first")
    objects._new = ENOUGH
    store.put("d/l", b"first")
    store.put("e/k", b"third")
    store.put("e/l", b"third", if_absent=True)
    store.put("d/l", b"first")
    assert not objects._new


def prepare(store: Store) -> None:
    """What `rehash` begins with."""
    for key in KEYS:
        store.put(key, key.encode())


def rehash(store: Store) -> None:
    """The change of settings."""
    assert isinstance(store, fs.HashdirStore)
    store.rehash(1, 2)


def check_rehash(store: Store) -> None:
    """Every object is where one of the settings has it; another time moves what is left."""
    new = fs.HashdirStore(store.root_path, 1, 2)
    for key in KEYS:
        assert [s.get(key) for s in (store, new) if s.exists(key)] == [key.encode()]
    assert isinstance(store, fs.HashdirStore)
    store.rehash(1, 2)
    new.sweep(older_than=0)
    assert sorted(new.keys()) == KEYS
    assert {key: new.get(key) for key in KEYS} == {key: key.encode() for key in KEYS}
    files = [path for path in Path(store.root_path).rglob("*") if path.is_file()]
    assert len(files) == 2 * len(KEYS), files
    new.clear()


def endless(store: Store) -> None:
    """Changes until somebody kills."""
    number = 0
    while True:
        number += 1
        for key in ("a", "d/e/f"):
            value = bytes([number % 256]) * (10_000 + number % 256)
            store.put(key, value if number % 3 else [value[:5000], value[5000:]])
        store.copy("a", "copied")
        store.move("copied", "moved/to/here")
        store.delete("moved/to/here")


def check_endless(store: Store) -> None:
    """Every object is whole, and nothing stands in the way."""
    root, names = Path(store.root_path), {"a", "d/e/f", "copied", "moved/to/here"}
    keys = list(store.keys()) if root.exists() else []
    assert set(keys) <= names, keys
    for key in keys:
        value = store.get(key)
        assert len(value) == 10_000 + value[0], key
        assert len(set(value)) == 1, key
    for key in names:
        store.put(key, b"after")
        store.move(key, key + "2")
    time.sleep(0.001)
    store.sweep(older_than=0)
    assert not litter(root), litter(root)
    store.clear()


def forked(work: Callable[[], object]) -> int:
    """Do something in a child."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        os._exit(1)
    os._exit(0)


def ended(child: int) -> int:
    """How a child ended: its exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def checked(work: Callable[[], object], where: str) -> None:
    """Check something in a child, which may make as many calls as it likes."""
    if ended(forked(work)):
        sys.exit(f"not as it should be, killed {where}")


def at_random(store: Store, rounds: int) -> None:
    """Kill a writer at random."""
    chance = random.Random(7)
    for number in range(rounds):
        child = forked(lambda: endless(store))
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        ended(child)
        checked(lambda: check_endless(store), f"in round {number}")


def armed(names: list[str], number: int) -> None:
    """Let this process be killed before a call of one of these names, the ``number``-th of all."""
    left = number

    def arm(function: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for name in names:
        setattr(os, name, arm(getattr(os, name)))
    if "open" in names:
        fcntl.flock = arm(fcntl.flock)  # type: ignore[assignment]


def at_each_call(store: Store, names: list[str], step: int, plan: Plan) -> int:
    """Kill a writer before each call in turn; how often that was."""
    before, change, after = plan

    def work(number: int) -> None:
        armed(names, number)
        change(store)

    for number in range(1, 1000, step):
        checked(lambda: before(store), "never")
        code = ended(forked(lambda number=number: work(number)))  # type: ignore[misc]
        if code not in (0, -signal.SIGKILL):
            sys.exit(f"the writer failed before it was killed at the call {number}")
        checked(lambda: after(store), f"before the call {number}")
        shutil.rmtree(store.root_path, ignore_errors=True)
        if code == 0:
            return number // step
    sys.exit("the writer never ended")


def main(how: str, kind: str, root: str, number: str) -> list[int]:
    """Kill, and check."""
    store: Store = getattr(fs, kind)(root, durable=how not in ("random", "quick"))
    if how == "random":
        at_random(store, int(number))
        return [int(number)]
    plans = [(lambda store: None, changes, check)]
    if kind == "HashdirStore":
        plans.append((prepare, rehash, check_rehash))
    names = CHANGES if how == "calls" else CHANGES + OTHERS
    if how == "quick":
        plans, names = [(lambda store: None, new_ones, check)], SHORT_WAY
    return [at_each_call(store, names, int(number), plan) for plan in plans]


if __name__ == "__main__":
    sys.stdout.write(" ".join(map(str, main(*sys.argv[1:]))))
