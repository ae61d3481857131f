"""Writers against each other: one winner, no lost update, in threads and in processes."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

import pytest

from storage._async.backends._files import hidden
from storage._async.backends._files import tree as trees
from storage._core import calls
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from storage.object import (
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreTimeout,
    StoreUnavailable,
)
from tests.backends.files import FileStore, each_kind, listed, litter, python, tree


@each_kind
async def test_one_of_many_puts_if_absent_wins(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path, durable=False)
    for number in range(10):
        key = f"d{number % 2}/{number}"

        async def attempt(value: int, key: str = key) -> int | None:
            try:
                if value % 3:
                    await store.put(key, b"%d" % value, if_absent=True)
                else:
                    await store.put(key, [b"%d" % value], if_absent=True)
            except ObjectExists:
                return None
            return value

        results = await asyncio.gather(*(attempt(value) for value in range(24)))
        (winner,) = [result for result in results if result is not None]
        assert await store.get(key) == b"%d" % winner
    assert litter(tmp_path) == []


@each_kind
def test_compare_and_swap_loses_no_count_between_threads(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path, durable=False)
    calls.drive(store.put("d/n", b"0"))
    with ThreadPoolExecutor(8) as pool:
        counting = [pool.submit(_count_up, store, 10) for _ in range(8)]
        for counter in wait(counting, return_when=FIRST_EXCEPTION).done:
            counter.result()
    assert calls.drive(store.get("d/n")) == b"80"
    assert litter(tmp_path) == []


Dead = Callable[[int], None]


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Dead:
    """Let the next directories that are found by their names be removed ones, so many times.

    So they are on Linux while whoever removes one waits for a processor.
    """
    left, create = 0, hidden.create_unnamed

    def tried(directory: int) -> int | None:
        nonlocal left
        if left:
            left -= 1
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return create(directory)

    def times(count: int) -> None:
        nonlocal left
        left = count

    monkeypatch.setattr(hidden, "create_unnamed", tried)
    return times


@each_kind
async def test_a_directory_is_found_by_its_name_after_its_end(
    tmp_path: Path, kind: type[FileStore], dead: Dead
) -> None:
    store = kind(tmp_path, durable=False)
    dead(150)
    await store.put("d/k", b"data", if_absent=True)
    assert await store.get("d/k") == b"data"


@each_kind
@pytest.mark.parametrize("error", [KeyboardInterrupt, StoreUnavailable])
def test_who_waits_for_a_directory_leaves_nothing_behind(
    tmp_path: Path,
    kind: type[FileStore],
    dead: Dead,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    """Interrupted, or out of patience."""
    store = kind(tmp_path, durable=False)
    calls.drive(store.put("d/old", b"data"))
    before, files = tree(tmp_path), os.listdir("/proc/self/fd")

    def pressed(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if error is KeyboardInterrupt:
            patch.setattr(trees, "sleep", pressed)
        patch.setattr(trees, "PATIENCE", 0.05)
        dead(1_000_000)
        with pytest.raises(error):
            calls.drive(store.put("d/k", b"data", if_absent=True))
    assert tree(tmp_path) == before
    assert os.listdir("/proc/self/fd") == files
    dead(0)
    calls.drive(store.put("d/k", b"data", if_absent=True))


COUNTER = """
import sys
from storage import aiofs
from tests.backends.test_fs_races import _count_up
_count_up(getattr(aiofs, sys.argv[1])(sys.argv[2], durable=False), 20)
"""


@pytest.mark.parametrize("kind", [AsyncFilesystemStore, AsyncHashdirStore])
def test_compare_and_swap_loses_no_count_between_processes(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path, durable=False)
    calls.drive(store.put("d/n", b"0"))
    counters = [python(COUNTER, kind.__name__, tmp_path) for _ in range(3)]
    for counter in counters:
        counter.communicate(timeout=60)
        assert counter.returncode == 0
    assert calls.drive(store.get("d/n")) == b"60"


def _count_up(store: FileStore, times: int) -> None:
    """Add to a number, by conditional puts, and now and then by delete and put."""
    for turn in range(times):
        patience = 5_000
        while patience:
            try:
                info = calls.drive(store.head("d/n"))
                value = b"%d" % (int(calls.drive(store.get("d/n"))) + 1)
                if turn % 5 == 0:
                    calls.drive(store.delete("d/n", if_match=info.etag))
                    # Nobody else can make it: all others wait for the object to be there.
                    calls.drive(store.put("d/n", value, if_absent=True))
                else:
                    calls.drive(store.put("d/n", value, if_match=info.etag))
                break
            except PreconditionFailed:
                continue
            except ObjectNotFound:
                # Gives way to the one who makes it; if he has failed, it never comes.
                time.sleep(0.001)
                patience -= 1
        assert patience, "the object does not come back"


@each_kind
async def test_a_plain_put_or_delete_never_slips_into_a_compare_and_swap(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    """Whoever holds the lock on the directory keeps all writers out, and no readers."""
    import fcntl

    store = kind(tmp_path, durable=False)
    await store.put("k", b"old")
    (path,) = (p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".key")
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        writers = [
            asyncio.create_task(call)
            for call in (
                store.put("k", b"plain"),
                store.put("k", [b"stream"]),
                store.copy("k", "k"),
                store.delete("k", missing_ok=True),
            )
        ]
        await asyncio.sleep(0.05)
        assert [writer.done() for writer in writers] == [False, False, True, False]
        assert await store.get("k") == b"old"
    finally:
        os.close(directory)
    await asyncio.gather(*writers)


async def test_a_lock_that_is_held_for_ever_is_an_error_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage._async.backends._files.locks.PATIENCE", 0.1)
    holding = ["flock", str(tmp_path), "sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(holding, start_new_session=True, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            holder.stdout.readline()
            (tmp_path / "k").write_bytes(b"old")
            store = AsyncFilesystemStore(tmp_path)
            with pytest.raises(StoreTimeout, match="another program has held the lock"):
                await store.put("k", b"v")
            assert tree(tmp_path) == {"k": b"old"}
        finally:
            os.killpg(holder.pid, signal.SIGKILL)


@each_kind
async def test_moves_and_copies_if_absent_have_one_winner(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path, durable=False)
    for number in range(20):
        await store.put(f"s{number}/k", b"%d" % number)

    async def attempt(number: int) -> int | None:
        verb = store.move if number % 2 else store.copy
        try:
            await verb(f"s{number}/k", "t/k", if_absent=True)
        except ObjectExists:
            return None
        return number

    results = await asyncio.gather(*(attempt(number) for number in range(20)))
    (winner,) = [result for result in results if result is not None]
    assert await store.get("t/k") == b"%d" % winner
    expected = {f"s{number}/k" for number in range(20)} | {"t/k"}
    assert set(await listed(store)) == expected - ({f"s{winner}/k"} if winner % 2 else set())


@each_kind
async def test_what_seemed_to_be_new_may_be_there_by_now(
    tmp_path: Path, kind: type[FileStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without a name was begun, and then others put the object."""
    store = kind(tmp_path, durable=False)
    old = await store.put("a/k", b"old")
    files = len(tree(tmp_path))
    monkeypatch.setattr("storage._async.backends._files.pending._is_there", lambda *_: False)
    new = await store.put("a/k", b"new")
    assert (await store.get_with_info("a/k"))[0] == b"new"
    assert new.etag != old.etag
    assert len(tree(tmp_path)) == files
    with pytest.raises(ObjectExists):
        await store.put("a/k", b"late", if_absent=True)
    assert await store.get("a/k") == b"new"
