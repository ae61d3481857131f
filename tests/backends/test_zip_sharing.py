"""Threads, processes, loops and cancelled tasks on one archive."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage._async.backends._zip import journal, volume
from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import (
    ObjectExists,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)

from .zips import abandon, contents, drive, following, keys, listed, open_files, opened, unpacked


def in_threads(*works: Callable[[], object]) -> None:
    """Do all of it at once; raise what any of it raises."""
    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(work) for work in works]:
            future.result()


def test_threads_share_a_store(tmp_path: Path) -> None:
    done = threading.Event()
    with opened(tmp_path / "x.zip") as store:
        drive(store.put("shared", b"0" * 50_000))

        def write(number: int) -> Callable[[], None]:
            def work() -> None:
                for turn in range(60):
                    drive(store.put(f"{number}/{turn}", b"%d" % turn * 100))
                    drive(store.put("shared", b"%d" % number * 50_000))
                    if turn % 3 == 2:
                        drive(store.delete(f"{number}/{turn - 1}"))

            return work

        def read() -> None:
            while not done.is_set():
                data = drive(store.get("shared"))
                assert len(data) == 50_000
                assert len(set(data)) == 1
                data = b"".join(drive(listed(store.stream("shared"))))
                assert len(set(data)) == 1
                for key in keys(store):
                    number, _, turn = key.partition("/")
                    try:
                        assert key == "shared" or drive(store.get(key)) == turn.encode() * 100
                    except KeyError:
                        assert int(turn) % 3 == 1, number

        def check() -> None:
            while not done.is_set():
                drive(store.checkpoint())

        def write_all() -> None:
            try:
                in_threads(*(write(number) for number in range(4)))
            finally:
                done.set()

        in_threads(write_all, read, read, check)
    assert len(unpacked(tmp_path / "x.zip")) == 4 * 40 + 1


def test_reads_do_not_wait_for_a_slow_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "x.zip", durable=True) as store:
        drive(store.put("a", b"old"))
        began, go_on = threading.Event(), threading.Event()

        def flush(fd: int) -> None:
            began.set()
            assert go_on.wait(20)

        monkeypatch.setattr(journal, "_flush", flush)
        writer = threading.Thread(target=lambda: drive(store.put("a", b"new")))
        writer.start()
        assert began.wait(20)
        assert drive(store.get("a")) == b"old"  # the new one is not safe yet
        assert keys(store) == ["a"]
        go_on.set()
        writer.join()
        assert drive(store.get("a")) == b"new"
        monkeypatch.undo()


def test_one_of_many_threads_and_stores_wins(tmp_path: Path) -> None:
    stores = [AsyncZipStore(tmp_path / "x.zip") for _ in range(4)]
    winners: list[int] = []

    def race(number: int) -> None:
        for turn in range(30):
            try:
                drive(stores[number % 4].put(f"k{turn}", b"%d" % number, if_absent=True))
            except ObjectExists:
                continue
            winners.append(turn)

    in_threads(*(lambda number=number: race(number) for number in range(8)))
    assert sorted(winners) == list(range(30))
    for store in stores:
        assert len(keys(store)) == 30
        drive(store.aclose())


def test_stores_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with opened(path) as one, opened(path) as two:
        for turn in range(4):
            etag = drive(one.put("a", b"one %d" % turn)).etag
            assert drive(two.get("a")) == b"one %d" % turn
            drive(two.put("a", b"two", if_match=etag))
            with pytest.raises(PreconditionFailed):
                drive(one.put("a", b"one", if_match=etag))
            drive(two.put(f"b{turn}", b""))
            if turn == 2:
                drive(one.checkpoint())
            assert keys(one) == keys(two) == ["a", *(f"b{n}" for n in range(turn + 1))]


def test_readers_keep_their_version(tmp_path: Path) -> None:
    path, old = tmp_path / "x.zip", os.urandom(1_000_000)
    with opened(path) as store:
        drive(store.put("in archive", old))
        drive(store.checkpoint())
        drive(store.put("in journal", old))
        streams = [store.stream("in archive"), store.stream("in journal")]
        heads = [drive(following(stream)) for stream in streams]
        for key in ("in archive", "in journal"):
            drive(store.put(key, b"new"))
        drive(store.checkpoint())
        drive(store.clear())
        drive(store.checkpoint())
        for head, stream in zip(heads, streams, strict=True):
            assert head + b"".join(drive(listed(stream))) == old


async def test_seeking_back_into_a_replaced_object(tmp_path: Path) -> None:
    async with AsyncZipStore(tmp_path / "x.zip") as store:
        await store.put("a", os.urandom(1_000_000))
        async with store.open_reader("a") as reader:
            await reader.read(10)
            await store.put("a", b"new")
            await reader.seek(5)
            with pytest.raises(PreconditionFailed):
                await reader.read(10)


# -- locks ----------------------------------------------------------------------------------


@pytest.fixture
def busy(tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Another one holds the lock of ``x.zip``, until this is called."""
    with (tmp_path / "x.zip-journal").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield lambda: fcntl.flock(file, fcntl.LOCK_UN)


def test_waiting_ends_with_the_timeout(tmp_path: Path, busy: Callable[[], None]) -> None:
    store = AsyncZipStore(tmp_path / "x.zip", timeout=0.2)
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match="another process is writing"):
        drive(store.put("a", b"1"))
    assert 0.1 < time.monotonic() - started < 5
    threading.Timer(0.1, busy).start()
    drive(store.put("a", b"1"))
    drive(store.aclose())


async def test_waiting_can_be_cancelled(tmp_path: Path, busy: Callable[[], None]) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    task = asyncio.create_task(store.put("a", b"1"))
    await asyncio.sleep(0.1)
    assert not task.done()
    task.cancel()
    started = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 2
    impatient = AsyncZipStore(tmp_path / "x.zip", timeout=0.2)
    with pytest.raises((StoreTimeout, StoreUnavailable)):
        await impatient.put("a", b"1")
    busy()
    await store.put("b", b"2")
    assert [key async for key in store.keys()] == ["b"]
    await store.aclose()


# -- cancelling -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["cancel", "error"])
async def test_an_unfinished_stream_leaves_nothing(tmp_path: Path, way: str) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    await store.put("a", b"old")
    before, started = sorted(os.listdir(tmp_path)), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield os.urandom(256 * 1024)
        started.set()
        if way == "error":
            raise ValueError(way)
        await asyncio.sleep(60)

    task = asyncio.create_task(store.put("a", source()))
    await started.wait()
    assert sorted(os.listdir(tmp_path)) == before  # the spool has no name
    await store.put("b", b"the writer's lock is free")
    if way == "cancel":
        task.cancel()
    with pytest.raises((asyncio.CancelledError, ValueError)):
        await task
    assert sorted(os.listdir(tmp_path)) == before
    assert await store.get("a") == b"old"
    await store.aclose()
    assert not [name for name in open_files() if name.startswith(str(tmp_path))]
    assert unpacked(tmp_path / "x.zip") == {"a": b"old", "b": b"the writer's lock is free"}


async def test_cancelled_at_any_moment(tmp_path: Path) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    values = {b"old", *(b"%d" % turn * 100_000 for turn in range(60))}
    await store.put("a", b"old")
    for turn in range(60):
        data = b"%d" % turn * 100_000
        task = asyncio.create_task(store.put("a", data if turn % 2 else iter([data])))
        await asyncio.sleep(turn / 60 * 0.004)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await store.get("a") in values
        assert await store.exists("a")
    await store.aclose()
    assert unpacked(tmp_path / "x.zip")["a"] in values
    assert os.listdir(tmp_path) == ["x.zip"]
    assert not [name for name in open_files() if name.startswith(str(tmp_path))]


# -- processes ------------------------------------------------------------------------------


def test_after_a_fork(tmp_path: Path) -> None:
    """The child's store has a lock of its own: the two do not write over each other."""
    program = """
import os, sys
from tests.backends.zips import *
store = AsyncZipStore(sys.argv[1])
drive(store.put("before", b"1"))
pid = os.fork()
who = "parent" if pid else "child"
for turn in range(200):
    drive(store.put(f"{who} {turn}", who.encode() * 20))
if pid:
    assert os.waitpid(pid, 0)[1] == 0
    drive(store.aclose())
else:
    drive(store.aclose())
    os._exit(0)
"""
    command = [sys.executable, "-W", "error", "-c", program, str(tmp_path / "x.zip")]
    subprocess.run(command, check=True, timeout=60)
    found = unpacked(tmp_path / "x.zip")
    assert len(found) == 401
    assert found["child 7"] == b"child" * 20
    assert os.listdir(tmp_path) == ["x.zip"]


def test_readers_in_another_process(tmp_path: Path) -> None:
    """They see whole objects of both files while these are written, replaced and removed."""
    program = """
import sys, time
from tests.backends.zips import *
end, reads = time.monotonic() + 1.5, 0
store = AsyncZipStore(sys.argv[1])
last = 0
while time.monotonic() < end:
    data = drive(store.get("a"))
    assert len(set(data)) == 1 and len(data) == 5000, len(data)
    turn = int(drive(store.get("turn")))
    assert turn >= last, (turn, last)
    last = turn
    assert len(contents(store)) >= 2
    reads += 1
assert last > 10, last
print(reads)
"""
    path = tmp_path / "x.zip"
    with opened(path) as store:
        drive(store.put("a", b"0" * 5000))
        drive(store.put("turn", b"0"))
        command = [sys.executable, "-W", "error", "-c", program, str(path)]
        readers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
        turn = 0
        while any(reader.poll() is None for reader in readers):
            turn += 1
            drive(store.put("a", b"%d" % (turn % 10) * 5000))
            drive(store.put("turn", b"%d" % turn))
            if turn % 7 == 0:
                drive(store.checkpoint())
        for reader in readers:
            output, _ = reader.communicate()
            assert reader.returncode == 0
            assert int(output) > 10


# -- growth ---------------------------------------------------------------------------------


def test_memory_is_bounded(tmp_path: Path) -> None:
    size, piece = 40_000_000, os.urandom(500_000)

    async def read(key: str) -> int:
        return sum([len(part) async for part in store.stream(key)])

    for compression in ("deflate", "store"):
        with opened(tmp_path / "x.zip", compression=compression) as store:
            drive(store.put("warm", iter([piece])))
            tracemalloc.start()
            drive(store.put("noise", (piece for _ in range(size // len(piece)))))
            drive(store.put("zeros", (bytes(500_000) for _ in range(size // 500_000))))
            drive(store.checkpoint())
            drive(store.copy("noise", "copy"))
            for key in ("noise", "zeros", "copy"):
                assert drive(read(key)) == size
                assert len(drive(store.get_range(key, size - 10))) == 10
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert peak < 8_000_000
            drive(store.clear())


def test_a_journal_that_outgrows_its_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(volume, "JOURNAL_SIZE", 200_000)
    path, data = tmp_path / "x.zip", os.urandom(50_000)
    with opened(path) as store:
        biggest = 0
        for turn in range(40):
            drive(store.put(f"k{turn % 10}", data + b"%d" % turn))
            journal = tmp_path / "x.zip-journal"
            biggest = max(biggest, journal.stat().st_size if journal.exists() else 0)
        assert biggest < 800_000
        assert len(unpacked(path)) == 10
        assert drive(store.get("k9")) == data + b"39"


def test_an_early_checkpoint_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(volume, "JOURNAL_SIZE", 10_000)
    store = AsyncZipStore(tmp_path / "x.zip")
    (tmp_path / "x.zip-new").mkdir()  # nothing can be written there
    for turn in range(10):
        drive(store.put(f"k{turn}", os.urandom(5000)))
    assert "no checkpoint" in caplog.text
    assert len(caplog.records) < 5
    assert len(contents(AsyncZipStore(tmp_path / "x.zip"))) == 10
    with pytest.raises(StoreError):
        drive(store.aclose())
    (tmp_path / "x.zip-new").rmdir()
    with opened(tmp_path / "x.zip") as store:
        drive(store.checkpoint())
    assert len(unpacked(tmp_path / "x.zip")) == 10


def test_many_small_objects_take_seconds(tmp_path: Path) -> None:
    """Neither a put nor opening costs what the archive weighs."""
    path, count = tmp_path / "x.zip", 5_000
    store = AsyncZipStore(path)
    started = time.monotonic()
    for number in range(count):
        drive(store.put(f"dir{number % 50}/{number}", b"some text %d " % number * 20))
    drive(store.aclose())
    assert time.monotonic() - started < 20
    store = AsyncZipStore(path)
    started = time.monotonic()
    assert drive(store.exists("dir1/1"))
    assert time.monotonic() - started < 2
    abandon(store)
    assert path.stat().st_size < count * 400
