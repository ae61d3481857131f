"""How archives end: forged ends, ZIP64, nothing at all; and how stores do."""

from __future__ import annotations

import asyncio
import errno
import os
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._zip import archive, journal
from storage._async.backends._zip.archive import _end_records
from storage._async.backends._zip.files import copy_bytes, open_file
from storage._async.backends._zip.format import END64, LOCATOR, entry_of, local_header, relocated
from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import NoSpace, NotSupported, ObjectNotFound
from storage.zip import ZipStore

from .test_zip_crashes import outcome
from .test_zip_hostile import refused
from .test_zip_interop import needs, run
from .zips import abandon, contents, drive, keys, make, opened, unpacked

END = struct.Struct("<4s4H2LH")
GIB = 1 << 30


def commented(path: Path, comment: bytes) -> None:
    """An archive of two members with a comment."""
    make(path, {"a": b"1", "b": b"2"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = comment


# -- end records ----------------------------------------------------------------------------


@pytest.mark.parametrize("trailer", [b"", b"\0" * 9])
def test_an_end_within_a_comment(tmp_path: Path, trailer: bytes) -> None:
    """What zipfile takes for an empty archive: members would go without a word."""
    path = tmp_path / "x.zip"
    commented(path, END.pack(b"PK\5\6", 0, 0, 0, 0, 0, 0, len(trailer)) + trailer)
    refused(path)
    commented(path, b"text before" + END.pack(b"PK\5\6", 0, 0, 0, 0, 0, 0, 0) + trailer)
    refused(path)


@pytest.mark.parametrize(
    "comment", [b"PK\5\6", b"PK\5\6" * 9, b"PK\5\6" + b"x" * 60, END.pack(b"PK\5\6", *[0] * 6, 99)]
)
def test_a_comment_that_only_looks_so(tmp_path: Path, comment: bytes) -> None:
    path = tmp_path / "x.zip"
    commented(path, comment)
    with opened(path) as store:
        assert contents(store) == {"a": b"1", "b": b"2"}
        drive(store.put("c", b"3"))
    assert path.read_bytes().endswith(comment)
    with opened(path) as store:
        assert contents(store) == {"a": b"1", "b": b"2", "c": b"3"}


def wide(path: Path, change: Callable[[list[int]], None], between: bytes = b"") -> None:
    """An archive with ZIP64 end records that a forger has changed.

    He gets: of the wide record its size, members here, members, directory's size and offset; of
    the locator its offset and the number of disks; of the end record members and offset.
    """
    make(path, {"a": b"1", "b": b"2"})
    data = path.read_bytes()
    _, _, _, count, _, size, offset, _ = END.unpack(data[-END.size :])
    place = offset + size
    values = [END64.size - 12 + len(between), count, count, size, offset, place, 1, 0xFFFF]
    values.append(0xFFFFFFFF)
    change(values)
    record, here, count, size, offset, told, disks, few, near = values
    path.write_bytes(
        data[: -END.size]
        + END64.pack(b"PK\6\6", record, 45, 45, 0, 0, here, count, size, offset)
        + between
        + LOCATOR.pack(b"PK\6\7", 0, told, disks)
        + END.pack(b"PK\5\6", 0, 0, few, few, min(size, 0xFFFFFFFF), near, 0)
    )


def setting(**changes: int) -> Callable[[list[int]], None]:
    """Change some of the values."""
    names = ["record", "here", "count", "size", "offset", "told", "disks", "few", "near"]

    def change(values: list[int]) -> None:
        for name, value in changes.items():
            values[names.index(name)] += value

    return change


@pytest.mark.parametrize("between", [b"", b"\1\0\4\0\0\0data"])
def test_wide_ends_that_are_right(tmp_path: Path, between: bytes) -> None:
    path = tmp_path / "x.zip"
    wide(path, setting(), between)
    with opened(path) as store:
        assert contents(store) == {"a": b"1", "b": b"2"}
        drive(store.put("c", b"3"))
    assert unpacked(path) == {"a": b"1", "b": b"2", "c": b"3"}


@pytest.mark.parametrize("prefix", [b"#!/bin/sh\n", b"P" * 99])
def test_a_wide_end_behind_something(tmp_path: Path, prefix: bytes) -> None:
    path = tmp_path / "x.zip"
    wide(path, setting())
    path.write_bytes(prefix + path.read_bytes())
    with opened(path) as store:
        assert contents(store) == {"a": b"1", "b": b"2"}


@pytest.mark.parametrize(
    "changes",
    [
        {"told": 1},
        {"told": -1},
        {"told": 1 << 40},
        {"record": 1},
        {"record": 1 << 50},
        {"count": 1, "here": 1},
        {"count": -1, "here": -1},
        {"count": (1 << 63) - 2, "here": (1 << 63) - 2},
        {"size": 1},
        {"size": -50},
        {"size": 1 << 62},
        {"offset": 1},
        {"offset": 1 << 62},
        {"few": -0xFFFF + 1},  # the two records differ, and so do programs
        {"near": -0xFFFFFFFF},
    ],
)
def test_wide_ends_that_lie(tmp_path: Path, changes: dict[str, int]) -> None:
    path = tmp_path / "x.zip"
    wide(path, setting(**changes))
    refused(path)


@pytest.mark.parametrize("changes", [{"disks": 1}, {"here": -1}])
def test_parts_of_several(tmp_path: Path, changes: dict[str, int]) -> None:
    path = tmp_path / "x.zip"
    wide(path, setting(**changes))
    with pytest.raises(NotSupported, match="one part of several"):
        keys(AsyncZipStore(path))


# -- beyond 4 GiB ---------------------------------------------------------------------------


def giant(path: Path) -> None:
    """An archive with 5 GiB of zeros, which are a hole, and a member behind them."""
    size, fd = 5 * GIB, os.open(path, os.O_RDWR | os.O_CREAT)
    header = local_header("huge", 0, 0x12345678, size, size, b"")
    behind = local_header("behind", 0, zlib.crc32(b"last"), 4, 4, b"")
    start = len(header) + size
    os.pwrite(fd, header, 0)
    os.pwrite(fd, behind + b"last", start)
    file, place = open_file(str(path)), start + len(behind) + 4
    records = [
        relocated(entry_of(header, file, 0), 0),
        relocated(entry_of(behind, file, start), start),
    ]
    directory = b"".join(records)
    os.pwrite(fd, directory + _end_records(2, len(directory), place, b""), place)
    os.close(fd)


@needs("unzip")
def test_beyond_4_gib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, real = tmp_path / "x.zip", copy_bytes

    def copy(source: int, start: int, target: int, position: int, size: int) -> None:
        for at in (0, size - 500) if size > GIB else ():  # the rest stays a hole
            real(source, start + at, target, position + at, 500)
        if size <= GIB:
            real(source, start, target, position, size)

    giant(path)
    monkeypatch.setattr(archive, "copy_bytes", copy)
    with opened(path) as store:
        assert drive(store.head("huge")).size == 5 * GIB
        assert drive(store.get_range("huge", 5 * GIB - 3)) == bytes(3)
        assert drive(store.get_range("huge", 4 * GIB + 7, 4 * GIB + 9)) == bytes(2)
        assert drive(store.get("behind")) == b"last"
        drive(store.put("new", b"1"))
    with zipfile.ZipFile(path) as other:
        assert other.read("behind") == b"last"
        assert other.read("new") == b"1"
        assert other.getinfo("huge").file_size == 5 * GIB
        assert other.getinfo("new").header_offset > 5 * GIB
    assert "5368709120" in run("unzip", "-l", path)
    with opened(path) as store:
        assert drive(store.get("new")) == b"1"
        drive(store.delete("huge"))
    assert unpacked(path) == {"behind": b"last", "new": b"1"}
    assert path.stat().st_size < 1000


# -- an empty file --------------------------------------------------------------------------


def test_an_empty_file_is_an_empty_archive(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.touch(0o600)
    with opened(path) as store:
        assert keys(store) == []
        assert not drive(store.exists("a"))
        with pytest.raises(ObjectNotFound):
            drive(store.get("a"))
        drive(store.checkpoint())
    assert path.stat().st_size == 0  # who only reads changes nothing
    with opened(path) as store:
        drive(store.put("a", b"1"))
        assert contents(AsyncZipStore(path)) == {"a": b"1"}
    assert unpacked(path) == {"a": b"1"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_archive_that_was_emptied_under_its_journal(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    make(path, {"a": b"1"})
    store = AsyncZipStore(path)
    drive(store.put("b", b"2"))
    os.truncate(path, 0)
    refused(path)
    abandon(store)


# -- the ends of stores ---------------------------------------------------------------------


async def test_writes_that_end_after_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several of them, each of which closes behind itself, are all in the archive."""
    path = tmp_path / "x.zip"
    store = AsyncZipStore(path, durable=True)
    await store.put("first", b"0")
    began, go_on, flush = threading.Event(), threading.Event(), os.fdatasync

    def slow(fd: int) -> None:
        began.set()
        assert go_on.wait(20)
        flush(fd)

    monkeypatch.setattr(journal, "_flush", slow)
    writes = [asyncio.create_task(store.put(f"late {n}", b"%d" % n)) for n in range(5)]
    await asyncio.to_thread(began.wait, 20)
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(*writes)
    await closing
    assert unpacked(path) == {"first": b"0"} | {f"late {n}": b"%d" % n for n in range(5)}
    assert os.listdir(tmp_path) == ["x.zip"]


def test_threads_that_write_while_others_close_and_check(tmp_path: Path) -> None:
    """What a checkpoint has not seen is never taken for what it has."""
    for turn in range(15):
        path = tmp_path / f"{turn}" / "x.zip"
        store = ZipStore(path)
        store.put("first", b"")
        start = threading.Barrier(3)

        def write(number: int, store: ZipStore = store, start: Any = start) -> None:
            start.wait()
            store.put(f"k{number}", b"")

        def close(store: ZipStore = store, start: Any = start) -> None:
            start.wait()
            store._async._volume.checkpoint()
            store.close()

        works: list[Callable[[], None]] = [lambda: write(1), lambda: write(2), close]
        failed: list[BaseException] = []

        def guarded(work: Callable[[], None], failed: list[BaseException] = failed) -> None:
            try:
                work()
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = {f"k{n}" for n in (1, 2)}
        assert set(unpacked(path)) >= {"first"}
        assert len(set(unpacked(path)) & told) + len(failed) >= 2
        assert os.listdir(path.parent) == ["x.zip"]


async def test_a_cancelled_write_that_ends_after_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.zip"
    store = AsyncZipStore(path, durable=True)
    await store.put("first", b"0")
    began, go_on = threading.Event(), threading.Event()

    def slow(fd: int) -> None:
        began.set()
        assert go_on.wait(20)

    monkeypatch.setattr(journal, "_flush", slow)
    write = asyncio.create_task(store.put("late", b"1"))
    await asyncio.to_thread(began.wait, 20)
    write.cancel()
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0.01)
    go_on.set()
    await asyncio.gather(write, closing, return_exceptions=True)
    assert write.cancelled()
    assert os.listdir(tmp_path) == ["x.zip"]
    assert unpacked(path) in ({"first": b"0"}, {"first": b"0", "late": b"1"})


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_full_disk_while_the_store_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    """At each write of the new archive, its directory included."""
    path, left = tmp_path / "x.zip", turn
    make(path, {"old": b"0" * 1000})
    store = AsyncZipStore(path)
    for number in range(3):
        drive(store.put(f"k{number}", os.urandom(100)))
    wanted = contents(store)

    def limited(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("pwritev", "copy_file_range", "fsync", "open", "rename"):
            patch.setattr(os, name, limited(getattr(os, name)))
        failure = outcome(store.aclose())
    assert isinstance(failure, NoSpace) == (left <= 0)
    assert left <= 0 or turn == 8
    assert not list(tmp_path.glob("*-new"))
    assert set(unpacked(path)) in ({"old"}, set(wanted))
    with opened(path) as again:
        assert contents(again) == wanted
        drive(again.checkpoint())
    assert unpacked(path) == wanted
    assert os.listdir(tmp_path) == ["x.zip"]
