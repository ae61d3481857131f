"""Atomic puts: against readers, against other writers."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import ANY

import pytest

from storage._async.backends._files import hidden
from storage._core import calls
from storage._core.info import READ_ALL
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
from storage.object import ObjectExists
from tests.backends.files import FileStore, each_kind, listed, litter, tree


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


async def test_a_move_after_a_killed_one_ends_it(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("old", b"v")
    os.link(tmp_path / "old", tmp_path / "new")  # killed between its two steps
    await store.move("old", "new")
    assert await listed(store) == ["new"]
    assert await store.get("new") == b"v"


@each_kind
@pytest.mark.parametrize("unnamed", [True, False])
async def test_a_new_object_in_a_directory_that_goes_meanwhile(
    tmp_path: Path, kind: type[FileStore], unnamed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unnamed:  # as where the system or the file system has none
        monkeypatch.setattr(hidden, "_UNNAMED", 0)
    store = kind(tmp_path / "root")
    async with store.open_writer("d/e/k", if_absent=True, content_type="a/b") as writer:
        await writer.write(b"value")
        assert litter(tmp_path) == ([] if unnamed else [ANY])
        await store.put("d/e/k2", b"other")
        await store.delete("d/e/k2")
        if unnamed:
            assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert await store.get("d/e/k") == b"value"
    assert (await store.head("d/e/k")).content_type == "a/b"
    with pytest.raises(ObjectExists):
        async with store.open_writer("d/e/k", if_absent=True) as writer:
            await writer.write(b"late")
    with pytest.raises(ObjectExists):
        await store.copy("d/e/k", "d/e/k", if_absent=True)
    await store.delete("d/e/k")
    assert tree(tmp_path / "root") == {}


def test_nothing_is_made_in_a_directory_that_is_gone(tmp_path: Path) -> None:
    for where in (tmp_path / "gone", Path("/dev/shm", tmp_path.name)):
        where.mkdir()
        directory = os.open(where, os.O_RDONLY)
        where.rmdir()
        try:  # the put begins anew, now or where the file is to get its name
            file = hidden.create_unnamed(directory)
            assert file is not None
            with pytest.raises(FileNotFoundError):
                hidden.give_name(file, directory, b"k")
            os.close(file)
        except FileNotFoundError:
            pass
        os.close(directory)
