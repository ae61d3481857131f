"""Copies into directories: in the kernel where it can, durable all at once, at their own times."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage._async.backends._files import deferred, kernel, opened, passing
from storage._async.backends.fs import AsyncFilesystemStore, AsyncSafeFilesystemStore
from storage._async.backends.hashdir import AsyncHashdirStore
from storage._async.backends.memory import AsyncDictStore
from storage._async.foreign import lift
from storage._async.pieces import Body
from storage._async.transfer.copying import Copier, copier
from storage._async.transfer.copying.times import parse, text
from storage._async.wrappers.checksum import AsyncChecksumStore
from storage._async.wrappers.compressing import AsyncGzipStore
from storage._core.errors import (
    ObjectExists,
    PreconditionFailed,
    SourceChanged,
    StoreError,
    StoreUnavailable,
)
from storage._core.info import ReadOptions, WriteOptions
from tests.stores import ForeignStore

DATA = bytes(range(256)) * 4096
ABSENT = WriteOptions(if_absent=True)
KINDS = [AsyncFilesystemStore, AsyncSafeFilesystemStore, AsyncHashdirStore]


class Calls:
    """Counts what would be slow."""

    def __init__(self) -> None:
        self.fsync = self.syncfs = 0
        self.fails = False


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What is asked of the kernel."""
    counted, fsync = Calls(), os.fsync

    def counted_fsync(file: int) -> None:
        counted.fsync += 1
        fsync(file)

    def syncfs(file: int) -> int:
        os.fstat(file)
        counted.syncfs += 1
        return -1 if counted.fails else 0

    monkeypatch.setattr(os, "fsync", counted_fsync)
    monkeypatch.setattr(deferred, "_syncfs", lambda: syncfs)
    return counted


def unpublished(path: Path) -> list[str]:
    return [found.name for found in path.rglob(".storage-tmp-*")]


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
@pytest.mark.parametrize("size", [0, 5000, len(DATA)])
async def test_from_files_to_files(tmp_path: Path, here: type, there: type, size: int) -> None:
    source, target = here(tmp_path / "a"), there(tmp_path / "b")
    info = await source.put("x/y", DATA[:size])
    os.utime(_path(tmp_path / "a"), ns=(1, 1_500_000_000_123_456_789))
    listed = await source.head("x/y")
    async with Copier(source, target) as copying:
        copied = await copying.copy(listed, ABSENT)
        await copying.settle()
        with pytest.raises(ObjectExists):
            await copying.copy(listed, ABSENT)
        with pytest.raises(PreconditionFailed):
            await copying.copy(listed, WriteOptions(if_match=info.etag))
        with pytest.raises(SourceChanged):
            await copying.copy(info)
    assert _path(tmp_path / "b").stat().st_mtime_ns == 1_500_000_000_123_456_789
    assert copied.info == await target.head("x/y")
    assert copied.size == size
    assert await target.get("x/y") == DATA[:size]
    assert not unpublished(tmp_path)


def _path(root: Path) -> Path:
    (found,) = (path for path in root.rglob("*") if path.is_file() and path.suffix != ".key")
    return found


async def test_where_the_kernel_does_not_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "_KERNEL", ())
    monkeypatch.setattr(passing, "PIECE", 1000)
    monkeypatch.setattr(passing, "AT_ONCE", 10_000)
    source, target = AsyncFilesystemStore(tmp_path / "a"), AsyncFilesystemStore(tmp_path / "b")
    await Copier(source, target).copy(await source.put("x", DATA))
    assert await target.get("x") == DATA


async def test_a_file_that_is_written_to_while_it_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "AT_ONCE", 100_000)
    monkeypatch.setattr(copier, "WHOLE", 1000)
    source = AsyncFilesystemStore(tmp_path / "a")
    real, read = kernel.copy_by_kernel, opened.OpenFile.read

    def appended() -> None:
        with (tmp_path / "a" / "x").open("ab") as file:
            file.write(b"!")

    def copied(*arguments: object) -> int:
        appended()
        return real(*arguments)  # type: ignore[arg-type]

    def readable(*arguments: object) -> bytes:
        appended()
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(passing, "copy_by_kernel", copied)
    monkeypatch.setattr(opened.OpenFile, "read", readable)
    for target in (AsyncFilesystemStore(tmp_path / "b"), AsyncDictStore()):
        for data in (DATA, b"small"):
            info = await source.put("x", data)
            with pytest.raises(SourceChanged):
                await Copier(source, target).copy(info)
        assert not await AsyncDictStore().exists("x")
    assert not list((tmp_path / "b").rglob("*x"))
    assert not unpublished(tmp_path)


async def test_cancelled_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "AT_ONCE", 1000)
    source, target = AsyncFilesystemStore(tmp_path / "a"), AsyncFilesystemStore(tmp_path / "b")
    info = await source.put("x", DATA)
    before = len(os.listdir("/proc/self/fd"))
    async with Copier(source, target) as copying:
        task = asyncio.create_task(copying.copy(info))
        while not unpublished(tmp_path):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not unpublished(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


# -- durability -----------------------------------------------------------------------------


async def test_durable_all_at_once(tmp_path: Path, calls: Calls) -> None:
    source = AsyncDictStore({f"{number}/{number}": b"x" for number in range(20)})
    target = AsyncPrefixed(AsyncFilesystemStore(tmp_path / "b"))
    async with Copier(source, target) as copying:
        async for info in source.list():
            await copying.copy(info)
        first = calls.fsync
        assert first < 8  # the way to the root, and what came before there was one
        assert calls.syncfs == 0
        await copying.settle()
        assert (calls.fsync, calls.syncfs) == (first, 1)
        calls.fails = True
        with pytest.raises(StoreUnavailable, match="power cut"):
            await copying.settle()
    await target.put("by hand", b"")
    assert calls.fsync > first


class AsyncPrefixed(AsyncChecksumStore):
    """A store made of another one, of which the copier knows nothing."""


async def test_what_need_not_be_durable_is_not(tmp_path: Path, calls: Calls) -> None:
    source = AsyncDictStore({"x": b"x"})
    async with Copier(source, AsyncFilesystemStore(tmp_path / "b", durable=False)) as copying:
        async for info in source.list():
            await copying.copy(info)
        await copying.settle()
    assert (calls.fsync, calls.syncfs) == (0, 0)


@pytest.mark.parametrize("links", [True, False])
async def test_each_by_itself_where_it_cannot_be_deferred(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(deferred, "_syncfs", lambda: None)
    source = AsyncDictStore({"x": b"x", "y": b"y", "z": b"z"})
    target = AsyncFilesystemStore(tmp_path, follow_symlinks=links)
    async with Copier(source, target) as copying:
        async for info in source.list():
            await copying.copy(info)
        assert calls.fsync == 6  # of each the file and its directory
        await copying.settle()
    assert calls.syncfs == 0


def test_the_kernel_knows_the_call(tmp_path: Path) -> None:
    found = deferred.file_systems(os.fsencode(tmp_path))
    if found is None:
        pytest.skip("there is no syncfs, or one that keeps silent")
    found.redeem()
    found.release()
    if os.path.isdir("/proc/self"):
        assert b"/proc" in set(deferred._mounted_below(b"/"))


# -- times, lengths, values -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2020, 5, 6, 21, 20, tzinfo=UTC), "1588800000"),
        (datetime(2020, 5, 6, 21, 20, 0, 123000, tzinfo=UTC), "1588800000.123"),
        (datetime(1969, 12, 31, 23, 59, 58, 500000, tzinfo=UTC), "-1.5"),
        (datetime(1970, 1, 1, tzinfo=UTC), "0"),
    ],
)
def test_times_in_metadata(moment: datetime, told: str) -> None:
    assert text(moment) == told
    assert parse(told) == moment


@pytest.mark.parametrize("told", ["", "x", "1e9", "1.", ".5", "9" * 12, "١", "1588800000.1.2"])
def test_what_is_no_time(told: str) -> None:
    assert parse(told) is None


async def test_a_time_goes_through_stores_that_have_none(tmp_path: Path) -> None:
    source, back = AsyncFilesystemStore(tmp_path / "a"), AsyncFilesystemStore(tmp_path / "b")
    info = await source.put("x", DATA)
    between = AsyncDictStore()
    await Copier(source, between).copy(info)
    os.utime(tmp_path / "a" / "x", ns=(0, 0))
    await Copier(between, back).copy(await between.head("x"))
    assert (await back.head("x")).modified == info.modified


async def test_lengths_that_are_not_known(tmp_path: Path) -> None:
    source = AsyncGzipStore(AsyncFilesystemStore(tmp_path))
    await source.put("x", DATA)
    (listed,) = [info async for info in source.list()]
    assert listed.size is None
    target = AsyncDictStore()
    assert (await Copier(source, target).copy(listed)).size == len(DATA)
    assert await target.get("x") == DATA


async def test_somebody_elses_store() -> None:
    source, target = ForeignStore(), ForeignStore()
    source.objects["x"] = DATA
    here, there = lift(source), lift(target)
    (listed,) = [info async for info in here.list()]
    assert (await Copier(here, there).copy(listed, key="y")).size == len(DATA)
    assert target.objects == {"y": DATA}


class Cut(AsyncDictStore):
    """Gives a byte less than it tells."""

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        data, info = await self._get(key, options)

        async def pieces() -> AsyncIterator[bytes]:
            yield data[:-1]

        yield Body(info, pieces())


async def test_a_stream_that_ends_early_publishes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copier, "WHOLE", 1000)
    source, target = Cut(), AsyncDictStore()
    info = await source.put("x", DATA)
    with pytest.raises(StoreError, match="copied of an object of"):
        await Copier(source, target).copy(info)
    assert not target.objects
