"""Full disks, closed doors, failing syncs: a typed error, the old object, and nothing left over."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.aiofs import AsyncFilesystemStore
from storage.object import AccessDenied, IntegrityError, NoSpace, ObjectNotFound
from tests.backends.files import FileStore, each_kind, listed, litter, needs_root, python, tree


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a MiB."""
    where = tmp_path / "small"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", where], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


@needs_root
@each_kind
async def test_a_full_disk(small: Path, kind: type[FileStore]) -> None:
    store = kind(small / "root")
    await store.put("d/k", b"old")
    before = tree(small)
    for data in (bytes(2_000_000), [bytes(300_000)] * 7):
        for key in ("d/k", "n/e/w"):
            for options in ({}, {"if_absent": key != "d/k", "content_type": "a/b"}):
                with pytest.raises(NoSpace):
                    await store.put(key, data, **options)  # type: ignore[arg-type]
                assert tree(small) == before
    await store.put("big", bytes(300_000))
    with pytest.raises(NoSpace) as caught:
        await store.copy("big", "d/k")
    assert caught.value.operation == "copy"
    assert caught.value.__cause__ is not None
    await store.delete("big")
    assert tree(small) == before
    await store.put("d/k", bytes(300_000))
    assert await store.get("d/k") == bytes(300_000)


@needs_root
async def test_no_inode_left(tmp_path: Path) -> None:
    where = tmp_path / "few"
    where.mkdir()
    options = "size=1m,nr_inodes=6"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", where], check=True)
    try:
        store = AsyncFilesystemStore(where)
        with pytest.raises(NoSpace):
            for number in range(10):
                await store.put(f"a/b/{number}", b"v")
        assert litter(where) == []
        with pytest.raises(NoSpace):
            await store.put("c/d/e/f/g", b"v")
        assert sorted(p.name for p in where.iterdir()) == ["a"]
    finally:
        subprocess.run(["umount", where], check=True)


@needs_root
@each_kind
async def test_a_disk_that_cannot_be_written(small: Path, kind: type[FileStore]) -> None:
    store = kind(small)
    await store.put("d/k", b"old")
    before = tree(small)
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    for call in (
        store.put("d/k", b"new"),
        store.put("n/e/w", [b"new"]),
        store.delete("d/k"),
        store.copy("d/k", "e"),
        store.move("d/k", "e"),
    ):
        with pytest.raises(AccessDenied):
            await call
    assert await store.get("d/k") == b"old"
    assert await listed(store) == ["d/k"]
    assert tree(small) == before


TOO_LARGE = """
import resource, signal, sys
from storage._core import calls
from storage.aiofs import AsyncFilesystemStore
from storage.object import NoSpace
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
store = AsyncFilesystemStore(sys.argv[1])
for data in (bytes(200_000), [bytes(60_000)] * 4):
    try:
        calls.drive(store.put("k", data))
    except NoSpace:
        print("no space")
calls.drive(store.put("k", bytes(90_000)))
"""


def test_a_file_larger_than_may_be(tmp_path: Path) -> None:
    output, _ = python(TOO_LARGE, tmp_path).communicate(timeout=60)
    assert output.split() == [b"no", b"space"] * 2
    assert tree(tmp_path) == {"k": bytes(90_000)}


MANY = """
import asyncio, os, resource, sys
from storage.aiofs import AsyncFilesystemStore
from storage._async.backends._files import room
from storage.fs import FilesystemStore
from storage.object import StoreUnavailable

async def main():
    store = AsyncFilesystemStore(sys.argv[1], durable=False)
    await store.put("a/b/k", b"value")
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    await asyncio.gather(*(store.get("a/b/k") for _ in range(1000)))
    await asyncio.gather(*(store.put(f"a/{n % 9}/{n}", b"v") for n in range(1000)))
    # More streams than there may be: some wait for the others' end, in their order.
    order, most = [], 0
    async def stream(number):
        nonlocal most
        async with store.open_reader("a/b/k") as reader:
            order.append(number)
            most = max(most, len(os.listdir("/proc/self/fd")))
            await asyncio.sleep(0.02)
            return await reader.read()
    async def write(number):
        async with store.open_writer(f"b/{number}") as writer:
            await writer.write(await stream(number))
    assert set(await asyncio.gather(*(stream(n) for n in range(200)))) == {b"value"}
    late = max(abs(place - number) for place, number in enumerate(order))
    print("in order", late < 64, "some left", most < 55)
    await asyncio.gather(*(write(n) for n in range(60)))
    room.PATIENCE = 0.1
    readers = []
    try:
        for _ in range(100):
            readers.append(await store.open_reader("a/b/k").__aenter__())
    except StoreUnavailable as error:
        print("unavailable", len(readers))
    try:
        FilesystemStore(sys.argv[1]).open_reader("a/b/k").__enter__()
    except StoreUnavailable as error:
        print("unavailable")
    for reader in readers:
        await reader.aclose()
    print(len([key async for key in store.keys()]))

asyncio.run(main())
"""


def test_more_work_than_descriptors(tmp_path: Path) -> None:
    output, _ = python(MANY, tmp_path).communicate(timeout=100)
    lines = ["in order True some left True", "unavailable 32", "unavailable", "1061"]
    assert output.decode().splitlines() == lines
    assert litter(tmp_path) == []


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A directory that may be entered, in a process without privileges."""
    where = Path(tempfile.mkdtemp(dir="/tmp"))
    where.chmod(0o755)
    yield where
    shutil.rmtree(where)


@needs_root
async def test_a_denied_key_is_not_an_absent_one(nobody: Path) -> None:
    store = AsyncFilesystemStore(nobody)
    for key in ("open/k", "closed/k", "unreadable"):
        await store.put(key, b"v")
    (nobody / "unreadable").chmod(0)
    (nobody / "closed").chmod(0)
    before = tree(nobody)
    os.seteuid(65534)
    try:
        assert await store.get("open/k") == b"v"
        with pytest.raises(ObjectNotFound):
            await store.get("absent")
        for call in (
            store.get("unreadable"),
            store.get("closed/k"),
            store.exists("closed/k"),
            store.head("closed/k"),
            store.delete("closed/k", missing_ok=True),
            store.delete("open/k"),
            store.put("open/k", b"new"),
            store.put("new/k", [b"new"]),
            store.copy("open/k", "new"),
            store.move("open/k", "new"),
            listed(store),
        ):
            with pytest.raises(AccessDenied):
                await call
    finally:
        os.seteuid(0)
    assert tree(nobody) == before


async def test_a_file_that_is_cut_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("k", bytes(3_000_000))
    async with store.open_reader("k") as reader:
        await reader.read(10)
        os.truncate(tmp_path / "k", 1_000_000)
        with pytest.raises(IntegrityError, match="cut by another program"):
            await reader.read()


async def test_an_object_that_is_replaced_while_it_is_read_is_read_to_its_end(
    tmp_path: Path,
) -> None:
    store = AsyncFilesystemStore(tmp_path)
    await store.put("k", b"a" * 3_000_000)
    async with store.open_reader("k") as reader:
        first = await reader.read(10)
        await store.put("k", b"b" * 3_000_000)
        assert set(first + await reader.read()) == set(b"a")


@needs_root
async def test_a_move_between_mounts_copies(small: Path) -> None:
    store = AsyncFilesystemStore(small.parent)
    await store.put("k", b"value", if_absent=True)
    info = await store.move("k", "small/k")
    assert await listed(store) == ["small/k"]
    assert await store.head("small/k") == info
    with pytest.raises(ObjectNotFound):
        await store.move("k", "small/l")
    await store.delete("small/k")
    assert small.is_mount()
