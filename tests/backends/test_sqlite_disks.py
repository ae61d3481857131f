"""The SQLite store on disks that are full, read-only or limited, and in files cut short."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from storage._async.backends.db import room
from storage._async.backends.db.format import PAGE_BYTES
from storage._async.backends.db.objects import CHUNK
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import AccessDenied, CorruptStore, NoSpace, ObjectNotFound
from tests.backends.sqlite import python, value

SIZE = 8 * 1024 * 1024

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount disks")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    where = tmp_path / "small"
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", where], check=True)
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 100_000):
        yield bytes(100_000)


@pytest.mark.parametrize("how", ["whole", "stream", "copy", "many"])
async def test_a_full_disk(disk: Path, how: str) -> None:
    """The old object stays, small puts go on, and what is deleted makes room."""
    async with AsyncSqliteStore(disk / "x.sqlite") as store:
        await store.put("key", b"old")
        await store.put("large", value(1_000_000))
        with pytest.raises(NoSpace) as caught:
            if how == "whole":
                await store.put("key", bytes(SIZE))
            elif how == "stream":
                await store.put("key", pieces(SIZE))
            for number in range(1000):
                if how == "copy":
                    await store.copy("large", f"copy-{number}")
                else:
                    await store.put(f"many-{number}", bytes(50_000))
        assert caught.value.key
        assert await store.get("key") == b"old"
        assert await store.get("large") == value(1_000_000)
        await store.put("small", b"x")
        await store.delete("large")
        await store.put("key", value(250_000))
        assert await store.get("key") == value(250_000)
        await store.clear()
        await store.put("key", value(250_000))
        assert (await store.check()).sound
        assert await store.vacuum() > 0
        assert os.path.getsize(disk / "x.sqlite") < 1_000_000


def test_others_fill_the_disk(disk: Path) -> None:
    """What needs no room in the file is still stored."""
    with SqliteStore(disk / "x.sqlite") as store:
        store.put_many((f"{i}", bytes(100_000)) for i in range(10))
        store.vacuum()
        store.put("small", b"x")
        store.delete("3")
        with (disk / "other").open("wb", buffering=0) as other, suppress(OSError):
            while other.write(bytes(4096)):
                pass
        with pytest.raises(NoSpace):
            store.put("large", bytes(400_000))
        assert store.get("small") == b"x"
        assert store.get("5") == bytes(100_000)
        assert store.check().sound
        (disk / "other").unlink()
        store.put("large", bytes(400_000))


def test_a_vacuum_without_room(disk: Path) -> None:
    with SqliteStore(disk / "x.sqlite") as store:
        store.put_many((f"{i}", bytes(100_000)) for i in range(25))
        (disk / "other").write_bytes(bytes(4_000_000))
        with pytest.raises(NoSpace, match="vacuum"):
            store.vacuum()
        assert store.get("3") == bytes(100_000)
        assert store.check().sound


def test_a_large_disk_is_not_looked_at_closer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_held", lambda _: pytest.fail("it looked"))
    with SqliteStore(tmp_path / "x.sqlite") as store:
        store.put("key", b"x")
        store.put("key", iter([bytes(CHUNK)] * 2))


def test_a_disk_that_cannot_be_written(disk: Path) -> None:
    with SqliteStore(disk / "x.sqlite") as store:
        store.put("key", b"old")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with SqliteStore(disk / "x.sqlite") as store:
        for verb in (
            lambda: store.get("key"),
            lambda: store.put("key", b"new"),
            lambda: store.put("key", iter([bytes(CHUNK)] * 2)),
            lambda: store.delete("key"),
            lambda: store.copy("key", "other"),
            store.vacuum,
        ):
            with pytest.raises(AccessDenied, match="beside the file"):
                verb()
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert store.get("key") == b"old"


TOO_LARGE = """
    import resource, signal, sys
    from storage.db import SqliteStore
    from storage.object import NoSpace
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
    with SqliteStore(sys.argv[1]) as store:
        store.put("key", b"old")
        try:
            store.put("key", bytes(800_000))
        except NoSpace:
            print(store.get("key").decode())
        store.put("small", b"x")
"""


def test_a_file_larger_than_may_be(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    done = python(TOO_LARGE, path)
    assert (done.returncode, done.stdout) == (0, "old\n"), done.stderr
    with SqliteStore(path) as store:
        assert {key: store.get(key) for key in store.keys()} == {"key": b"old", "small": b"x"}
        assert store.check().sound


@pytest.mark.parametrize("length", [100, 4096, PAGE_BYTES, 3 * PAGE_BYTES, -PAGE_BYTES, -1])
def test_a_file_cut_short(tmp_path: Path, length: int) -> None:
    """A typed error, or the very bytes that were stored; never others."""
    path = tmp_path / "x.sqlite"
    stored = {f"{i}": value(30_000 + i) for i in range(20)}
    with SqliteStore(path) as store:
        store.put_many(stored)
    os.truncate(path, length if length > 0 else path.stat().st_size + length)
    damaged = 0
    with SqliteStore(path) as store:
        for key, data in stored.items():
            try:
                assert store.get(key) == data
            except ObjectNotFound:
                pytest.fail("it says that there is no object")
            except CorruptStore:
                damaged += 1
        try:
            sound = store.check().sound
        except CorruptStore:
            sound = False
    assert damaged
    assert not sound
