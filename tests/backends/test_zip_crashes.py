"""Killed, out of space, out of luck: what was acknowledged stays, what was not leaves no trace."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import NoSpace, StoreError

from .zips import abandon, contents, drive, make, open_files, opened, unpacked


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A directory on a memory file system where there is one: death is the same, only faster."""
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=shm) as path:
        yield Path(path)


@pytest.mark.parametrize(("kind", "least"), [("calls", 80), ("moments", 2), ("races", 100)])
def test_killed_and_raced(in_memory: Path, kind: str, least: int) -> None:
    """Killed at every call of the system, and at some moments; four processes that count.

    STORAGE_CRASH_ROUNDS says at how many moments.
    """
    command = [sys.executable, "-W", "error", "-m", "tests.backends.zip_crashes", kind]
    done = subprocess.run(
        [*command, str(in_memory)], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= least


CALLS = [
    "open",
    "pwritev",
    "ftruncate",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "rename",
    "unlink",
]


def failing(monkeypatch: pytest.MonkeyPatch, turn: int, number: int) -> Callable[[], bool]:
    """Let one call of the system fail, after half of its work; tells whether it was reached."""
    left = turn

    def wrap(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                if name == "pwritev":
                    data = b"".join(arguments[1])
                    os.pwrite(arguments[0], data[: len(data) // 2], arguments[2])
                raise OSError(number, os.strerror(number))
            return real(*arguments, **options)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, wrap(name, getattr(os, name)))
    monkeypatch.setattr(
        "storage._async.backends._zip.journal._flush", wrap("fdatasync", os.fdatasync)
    )
    return lambda: left <= 0


def outcome(work: Coroutine[Any, Any, Any]) -> StoreError | None:
    """What the work raises."""
    try:
        drive(work)
    except StoreError as error:
        return error
    return None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("verb", ["put", "stream", "delete", "copy", "checkpoint"])
def test_every_call_fails_once(in_memory: Path, verb: str, number: int) -> None:
    path, turn, reached = in_memory / "x.zip", 0, True
    old = {"a": b"1" * 100, "b": b"2"}
    works: dict[str, Callable[[AsyncZipStore], Any]] = {
        "put": lambda store: store.put("a", b"new" * 100),
        "stream": lambda store: store.put("a", iter([os.urandom(600_000)] * 2)),
        "delete": lambda store: store.delete("a"),
        "copy": lambda store: store.copy("b", "a"),
        "checkpoint": lambda store: store.checkpoint(),
    }
    while reached:
        turn += 1
        make(path, old)
        store = AsyncZipStore(path, durable=True)
        if verb == "checkpoint":
            drive(store.put("b", b"2"))
        with pytest.MonkeyPatch.context() as patch:
            was_reached = failing(patch, turn, number)
            failure = outcome(works[verb](store))
            reached = was_reached()
        if failure is not None:
            assert isinstance(failure.__cause__, OSError)
            assert isinstance(failure, NoSpace) == (number == errno.ENOSPC)
            assert contents(store) == old
        for _ in range(2):  # and the next ones are right
            drive(store.put("next", b"n"))
            before = contents(store)
            abandon(store)
            store = AsyncZipStore(path)
            assert contents(store) == before
        drive(store.checkpoint())
        assert unpacked(path) == contents(store)
        assert os.listdir(in_memory) == ["x.zip"]
        drive(store.aclose())
    assert turn > 4


@pytest.mark.parametrize("durable", [False, True])
def test_every_call_of_a_long_put_fails_once(in_memory: Path, durable: bool) -> None:
    path, turn, reached, unknown = in_memory / "x.zip", 0, True, 0
    old, pieces = {"a": b"1" * 100, "b": b"2"}, [os.urandom(600_000)] * 2
    while reached:
        turn += 1
        make(path, old)
        store = AsyncZipStore(path, durable=durable)
        store._volume._journal_size = 0
        with pytest.MonkeyPatch.context() as patch:
            was_reached = failing(patch, turn, errno.EIO)
            failure = outcome(store.put("a", iter(pieces)))
            reached = was_reached()
        made = failure is None or "the object was put" in str(failure)
        unknown += made and failure is not None
        assert contents(store) == (old | {"a": b"".join(pieces)} if made else old)
        drive(store.put("next", b"n"))
        before = contents(store)
        abandon(store)
        store = AsyncZipStore(path)
        assert contents(store) == before
        drive(store.checkpoint())
        drive(store.aclose())
        assert os.listdir(in_memory) == ["x.zip"]
    assert turn > 8
    assert (unknown > 0) is durable


async def test_a_lost_piece_is_never_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the caller goes on after the error, nothing with a hole is published."""
    pieces = [os.urandom(1_200_000) for _ in range(3)]
    async with AsyncZipStore(tmp_path / "x.zip") as store:
        await store.put("a", b"old")
        with pytest.raises(StoreError, match="nothing was published"):
            async with store.open_writer("a") as writer:
                await writer.write(pieces[0])
                with monkeypatch.context() as patch, pytest.raises(NoSpace):
                    failing(patch, 1, errno.ENOSPC)
                    await writer.write(pieces[1])
                await writer.write(b"short")
        assert await store.get("a") == b"old"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", tmp_path], check=True)
    try:
        path = tmp_path / "x.zip"
        with opened(path) as store:
            drive(store.put("a", b"old"))
            for data in (os.urandom(400_000), iter([os.urandom(300_000)] * 9)):
                with pytest.raises(NoSpace):
                    drive(store.put("a", data))
            assert contents(store) == {"a": b"old"}
            drive(store.put("b", os.urandom(100_000)))
            drive(store.checkpoint())
            drive(store.put("c", os.urandom(60_000)))
            with pytest.raises(NoSpace):  # two archives do not fit
                drive(store.checkpoint())
            assert sorted(contents(store)) == ["a", "b", "c"]
            assert sorted(unpacked(path)) == ["a", "b"]
            drive(store.delete("b"))
        assert sorted(unpacked(path)) == ["a", "c"]
        assert not [name for name in open_files() if name.startswith(str(tmp_path))]
    finally:
        subprocess.run(["umount", tmp_path], check=True)
