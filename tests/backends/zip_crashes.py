"""A program whose children write to an archive and are killed; it checks what they leave.

It is one process without threads, so that it may fork: ``python -m tests.backends.zip_crashes
calls|moments|races DIRECTORY``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import ObjectExists, PreconditionFailed

from .zips import contents, drive, make, opened, unpacked

OLD = {"old": b"old" * 500, "a": b"first"}
BIG = os.urandom(1_500_000)
Contents = dict[str, bytes]
Step = tuple[Callable[[AsyncZipStore], Any], Callable[[Contents], Any]]


def at_once(store: AsyncZipStore) -> Any:
    """Put what is too long for the journal."""
    store._volume._journal_size = 0
    return store.put("large", iter([BIG, BIG]))


STEPS: list[Step] = [
    (lambda store: store.put("a", b"second" * 90), lambda now: now.update(a=b"second" * 90)),
    (lambda store: store.put("big", iter([BIG])), lambda now: now.update(big=BIG)),
    (lambda store: store.delete("old"), lambda now: now.pop("old")),
    (lambda store: store.checkpoint(), lambda now: None),
    (lambda store: store.vacuum(), lambda now: None),
    (lambda store: store.copy("big", "copy"), lambda now: now.update(copy=BIG)),
    (at_once, lambda now: now.update(large=BIG + BIG)),
    (lambda store: store.put("a", b"third"), lambda now: now.update(a=b"third")),
    (lambda store: store.delete("big"), lambda now: now.pop("big")),
    (lambda store: store.aclose(), lambda now: None),
]
CALLS = ["open", "pwritev", "ftruncate", "copy_file_range", "fchmod", "fsync", "fdatasync"]
CALLS += ["rename", "unlink"]
ROUNDS = int(os.environ.get("STORAGE_CRASH_ROUNDS", "10"))
"""Random moments to die at; before a release, run 200 of them."""
HALVES = ["pwritev", "copy_file_range"]


def states() -> list[Contents]:
    """What the archive holds after each number of steps."""
    found, now = [dict(OLD)], dict(OLD)
    for _, change in STEPS:
        change(now)
        found.append(dict(now))
    return found


def die() -> NoReturn:
    """As by ``kill -9``."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_at(turn: int, half: bool) -> None:
    """Die at the given call of the system; if asked, only at those that write, in their midst."""
    left = turn

    def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if half and name == "pwritev":
                    data = b"".join(arguments[1])
                    os.pwrite(arguments[0], data[: len(data) // 2], arguments[2])
                if half and name == "copy_file_range":
                    real(*arguments[:2], arguments[2] // 2, *arguments[3:])
                die()
            return real(*arguments, **options)

        return call

    for name in HALVES if half else CALLS:
        setattr(os, name, wrap(name, getattr(os, name)))


def child(work: Callable[[], None]) -> int:
    """Do the work in a child; returns its process id."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return pid


def write(path: Path, log: int, before: Callable[[], None]) -> None:
    """Take all steps, and log each that was acknowledged."""
    store = AsyncZipStore(path, durable=True)
    before()
    for step, _ in STEPS:
        drive(step(store))
        os.write(log, b".")


def run_child(
    path: Path, before: Callable[[], None], kill_after: float | None = None
) -> int | None:
    """Let a child write; the steps that it had acknowledged when it died, None if it did not."""
    for name in os.listdir(path.parent):
        os.unlink(path.parent / name)
    make(path, OLD)
    read_end, write_end = os.pipe()
    pid = child(lambda: write(path, write_end, before))
    os.close(write_end)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    steps = len(os.read(read_end, 100))
    os.close(read_end)
    assert os.WIFSIGNALED(status) or status == 0, status
    return steps if os.WIFSIGNALED(status) else None


def check(path: Path, steps: int) -> None:
    """The archive is whole, and the store holds what was acknowledged and perhaps one step more."""
    allowed = states()[steps : steps + 2]
    published = [OLD, *(states()[number] for number in (4, 7, 10))]
    assert unpacked(path) in published, "the archive is none of those that were ever published"
    with opened(path) as store:
        found = contents(store)
        assert found in allowed, (steps, sorted(found))
        drive(store.put("after", b"1"))
    assert unpacked(path) == {**found, "after": b"1"}
    assert os.listdir(path.parent) == ["x.zip"]


def at_every_call(path: Path) -> int:
    """Die at each call of the system in turn."""
    rounds = 0
    for half in (False, True):
        turn = 1
        while (steps := run_child(path, partial(die_at, turn, half))) is not None:
            check(path, steps)
            turn += 1
            rounds += 1
    return rounds


def at_any_moment(path: Path, rounds: int = ROUNDS) -> int:
    """Die after a random time."""
    started = time.monotonic()
    assert run_child(path, lambda: None) is None
    length = time.monotonic() - started
    killed = 0
    for _ in range(rounds):
        steps = run_child(path, lambda: None, random.random() * length)
        if steps is not None:
            check(path, steps)
            killed += 1
    return killed


def races(path: Path, workers: int = 4, turns: int = 25) -> int:
    """Count in one object from several processes, by compare and swap, opening and closing."""
    with opened(path) as store:
        drive(store.put("count", b"0"))
    for pid in [child(partial(count, path, number, turns)) for number in range(workers)]:
        assert os.waitpid(pid, 0)[1] == 0
    found = unpacked(path)
    assert found.pop("count") == b"%d" % (workers * turns)
    assert set(found) == {f"only {turn}" for turn in range(turns)}
    return workers * turns


def count(path: Path, number: int, turns: int) -> None:
    """Add one, again and again; and try to be the only one who creates an object."""
    for turn in range(turns):
        with opened(path) as store:
            with suppress(ObjectExists):
                drive(store.put(f"only {turn}", b"%d" % number, if_absent=True))
            while not add_one(store):
                continue


def add_one(store: AsyncZipStore) -> bool:
    """Whether nobody came in between."""
    info = drive(store.head("count"))
    try:
        value = int(drive(store.get("count", if_match=info.etag)))
        drive(store.put("count", b"%d" % (value + 1), if_match=info.etag))
    except PreconditionFailed:
        return False
    return True


def main() -> None:
    """See the module."""
    kinds = {"calls": at_every_call, "moments": at_any_moment, "races": races}
    path = Path(sys.argv[2]) / "x.zip"
    sys.stdout.write(f"{kinds[sys.argv[1]](path)} rounds\n")


if __name__ == "__main__":
    main()
