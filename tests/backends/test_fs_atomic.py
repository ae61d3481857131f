"""Atomic puts: against readers, against other writers, against a kill at any moment."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage._core import calls
from storage._core.info import READ_ALL
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from storage.object import ObjectExists, ObjectNotFound, PreconditionFailed, StoreTimeout
from tests.backends.files import FileStore, each_kind, listed, litter, python, tree


@each_kind
def test_readers_see_whole_objects_while_they_are_replaced(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path, durable=False)
    calls.drive(store.put("d/k", bytes(300_000)))
    done = threading.Event()

    def read() -> int:
        count = 0
        while not done.is_set():
            data, info = calls.drive(store._get("d/k", READ_ALL))
            assert len(data) == info.size
            assert len(set(data)) == 1
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(60):
            calls.drive(store.put("d/k", bytes([number]) * (300_000 + number)))
        done.set()
        assert min(reader.result() for reader in readers) > 0


WRITER = """
import sys
from storage._core import calls
from storage import aiofs
store = getattr(aiofs, sys.argv[1])(sys.argv[2], durable=False)
print(flush=True)
number = 0
while True:
    number += 1
    for key in ("a", "d/e/f"):
        value = bytes([number % 256]) * (10_000 + number % 256)
        calls.drive(store.put(key, value if number % 3 else [value[:5000], value[5000:]]))
    calls.drive(store.copy("a", "copied"))
    calls.drive(store.move("copied", "moved/to/here"))
    calls.drive(store.delete("moved/to/here"))
"""


@each_kind
async def test_a_killed_writer_leaves_every_object_whole(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path)
    chance = random.Random(7)
    for _ in range(20 if kind is AsyncFilesystemStore else 7):
        with python(WRITER, kind.__name__, tmp_path) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0, 0.02))
            writer.kill()
        keys = await listed(store) if tmp_path.exists() else []
        assert set(keys) <= {"a", "d/e/f", "copied", "moved/to/here"}
        for key in keys:
            value = await store.get(key)
            assert len(value) == 10_000 + value[0]
            assert len(set(value)) == 1
    # What a killed writer leaves stands in nobody's way.
    for key in ("a", "d/e/f", "copied", "moved/to/here"):
        await store.put(key, b"after")
        assert await store.get(key) == b"after"
        await store.move(key, key + "2")


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
    with ThreadPoolExecutor(24) as pool:
        list(pool.map(_count_up, [store] * 24, [10] * 24))
    assert calls.drive(store.get("d/n")) == b"240"
    assert litter(tmp_path) == []


COUNTER = """
import sys
from storage import aiofs
from tests.backends.test_fs_atomic import _count_up
_count_up(getattr(aiofs, sys.argv[1])(sys.argv[2], durable=False), 40)
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
    assert calls.drive(store.get("d/n")) == b"120"


def _count_up(store: FileStore, times: int) -> None:
    """Add to a number, by conditional puts, and now and then by delete and put."""
    for turn in range(times):
        while True:
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
            except (PreconditionFailed, ObjectNotFound):
                continue


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
            store = AsyncFilesystemStore(tmp_path)
            with pytest.raises(StoreTimeout, match="another program has held the lock"):
                await store.put("k", b"v")
            assert tree(tmp_path) == {}
        finally:
            os.killpg(holder.pid, signal.SIGKILL)


@each_kind
async def test_the_etag_changes_with_every_put_however_fast(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    for root in (tmp_path, Path("/dev/shm") / tmp_path.name):
        store = kind(root, durable=False)
        try:
            etags = []
            for number in range(300):
                if number % 3 == 0:
                    await store.delete("d/k", missing_ok=number == 0) if number else None
                info = await store.put("d/k", b"%03d" % number)
                etags.append(info.etag)
                assert (await store.head("d/k")) == info
            assert len(set(etags)) == len(etags)
        finally:
            await store.clear()
            (root.rmdir() if root != tmp_path else None)


async def test_a_put_is_newer_than_what_it_replaces_also_when_the_clock_says_otherwise(
    tmp_path: Path,
) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("k", b"1")
    os.utime(tmp_path / "k", ns=(0, 2**62))
    first = await store.head("k")
    second = await store.put("k", b"2")
    third = await store.put("k", b"3")
    assert first.modified is not None
    assert [os.stat(tmp_path / "k").st_mtime_ns, first.modified.year] == [2**62 + 2, 2116]
    assert len({first.etag, second.etag, third.etag}) == 3


async def test_times_outside_of_the_calendar_are_unknown(tmp_path: Path) -> None:
    shm = Path("/dev/shm") / tmp_path.name
    shm.mkdir()
    try:
        (shm / "k").write_bytes(b"")
        os.utime(shm / "k", (2**40, 2**40))
        store = AsyncFilesystemStore(shm)
        assert (await store.head("k")).modified is None
        assert [info.key async for info in store.list()] == ["k"]
    finally:
        (shm / "k").unlink()
        shm.rmdir()


@each_kind
async def test_a_listing_tells_the_truth_while_keys_come_and_go(
    tmp_path: Path, kind: type[FileStore]
) -> None:
    store = kind(tmp_path, durable=False)
    await store.put("stays", b"")
    await store.put("d/stays", b"")
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            for key in ("d/x/y", "d/z", "e"):
                calls.drive(store.put(key, b"1"))
                calls.drive(store.put(key, b"2"))
                calls.drive(store.move(key, "moved"))
                calls.drive(store.delete("moved"))

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(60):
            found = await listed(store)
            assert {"stays", "d/stays"} <= set(found)
            assert set(found) <= {"stays", "d/stays", "d/x/y", "d/z", "e", "moved"}
            assert kind is AsyncHashdirStore or found == sorted(found)
    finally:
        done.set()
        thread.join()


@each_kind
def test_directories_come_and_go_under_many_writers(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path, durable=False)

    def work(number: int) -> None:
        for turn in range(60):
            key = f"a/b/{number if turn % 2 else turn % 3}"
            calls.drive(store.put(key, b"v"))
            calls.drive(store.copy(key, f"c/{number}")) if turn % 4 == 0 and turn % 2 else None
            calls.drive(store.delete(key, missing_ok=True))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert litter(tmp_path) == []


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


async def test_a_move_after_a_killed_one_ends_it(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("old", b"v")
    os.link(tmp_path / "old", tmp_path / "new")  # killed between its two steps
    await store.move("old", "new")
    assert await listed(store) == ["new"]
    assert await store.get("new") == b"v"
