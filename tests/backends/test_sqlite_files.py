"""The SQLite store and its file: missing, somebody else's, damaged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage._async.backends.db.format import PAGE_BYTES
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    CorruptStore,
    NotSupported,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreNotFound,
)
from tests.backends.sqlite import change, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


async def reads(store: AsyncSqliteStore) -> AsyncIterator[StoreError | None]:
    """What each verb says that is not to make a file."""

    async def keys() -> list[str]:
        return [key async for key in store.keys()]

    async def stream() -> list[bytes]:
        return [chunk async for chunk in store.stream("key")]

    for verb in (
        lambda: store.get("key"),
        lambda: store.head("key"),
        lambda: store.exists("key"),
        lambda: store.delete("key"),
        lambda: store.delete("key", missing_ok=True),
        lambda: store.copy("key", "other"),
        lambda: store.move("key", "other"),
        store.list_with_delimiter,
        store.clear,
        keys,
        stream,
    ):
        try:
            await verb()
        except StoreError as error:
            yield error
        else:
            yield None


async def test_a_missing_file_is_no_empty_store(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        async for error in reads(store):
            assert isinstance(error, StoreNotFound)
        with pytest.raises(PreconditionFailed):
            await store.put("key", b"", if_match="etag")
        assert not os.listdir(path.parent)
        await store.put("key", b"value")
        assert await store.get("key") == b"value"


async def test_an_empty_file_is_no_empty_store(path: Path) -> None:
    """Somebody was killed before the first put."""
    path.touch()
    async with AsyncSqliteStore(path) as store:
        async for error in reads(store):
            assert isinstance(error, StoreNotFound)
        assert path.stat().st_size == 0
        await store.put("key", b"value")
        assert await store.get("key") == b"value"


async def test_a_stream_that_fails_at_once_makes_no_file(path: Path) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"x"
        raise OSError("the source broke")

    async with AsyncSqliteStore(path) as store:
        with pytest.raises(OSError, match="broke"):
            await store.put("key", source())
    assert not path.exists()


def test_directories_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    with SqliteStore(tmp_path / "a" / "b" / "x.sqlite") as store:
        store.put("key", b"value")
    assert synced == [tmp_path.stat().st_ino, (tmp_path / "a").stat().st_ino]


async def test_a_file_that_goes_away_is_missed(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        assert await store.get("key") == b"old"
        for file in path.parent.iterdir():
            file.unlink()
        await asyncio.sleep(0.002)
        with pytest.raises(StoreNotFound):
            await store.get("key")
        with pytest.raises(StoreNotFound):
            await store.delete("key")
        await store.put("other", b"new")
        with pytest.raises(ObjectNotFound):
            await store.get("key")
        assert query(path, "SELECT key FROM objects") == [("other",)]


async def test_a_file_that_is_replaced_is_seen(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    async with AsyncSqliteStore(path) as store, AsyncSqliteStore(other) as prepared:
        await store.put("key", b"old")
        await prepared.put("key", b"new")
        await prepared.aclose()
        for end in ("-wal", "-shm"):
            os.unlink(f"{path}{end}")
        os.replace(other, path)
        await asyncio.sleep(0.002)
        assert await store.get("key") == b"new"
        await store.put("key", b"newer")
        assert query(path, "PRAGMA integrity_check") == [("ok",)]
        assert await store.get("key") == b"newer"


def refused(path: Path, kind: type[StoreError], text: str) -> None:
    before = path.read_bytes() if path.is_file() else b""
    with SqliteStore(path) as store:
        for verb in (
            lambda: store.get("key"),
            lambda: store.put("key", b"x"),
            lambda: list(store.keys()),
        ):
            with pytest.raises(kind, match=text):
                verb()
    if path.is_file():
        assert path.read_bytes() == before
        assert os.listdir(path.parent) == [path.name]


def test_a_directory(path: Path) -> None:
    path.mkdir()
    refused(path, CorruptStore, "no file")


def test_a_pipe(path: Path) -> None:
    os.mkfifo(path)
    refused(path, CorruptStore, "no file")


@pytest.mark.parametrize("data", [b"xy", b"no database" * 1000])
def test_no_database(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refused(path, CorruptStore, "not a database")


def test_another_programs_database(path: Path) -> None:
    change(path, "CREATE TABLE objects (name TEXT, size INTEGER)")
    refused(path, CorruptStore, "another program's")


def test_another_programs_mark(path: Path) -> None:
    change(path, "PRAGMA application_id = 77")
    refused(path, CorruptStore, "another program's")


def test_a_newer_format(path: Path) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"x")
    change(path, "PRAGMA user_version = 99")
    refused(path, NotSupported, "99")


# -- damaged ---------------------------------------------------------------------------------


def test_a_dropped_table(path: Path) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"x")
        change(path, "DROP TABLE chunks")
        for verb in (lambda: store.get("key"), lambda: store.put("key", b"y")):
            with pytest.raises(CorruptStore, match="no such table"):
                verb()


def test_damaged_pages(path: Path) -> None:
    with SqliteStore(path) as store:
        for i in range(500):
            store.put(f"key-{i}", bytes(1000))
    data = bytearray(path.read_bytes())
    for start in range(3 * PAGE_BYTES, len(data) - PAGE_BYTES, PAGE_BYTES):
        data[start : start + 16] = b"\xff" * 16
    path.write_bytes(data)
    with SqliteStore(path) as store:
        with pytest.raises(CorruptStore):
            for i in range(500):
                store.get(f"key-{i}")
        with pytest.raises(CorruptStore):
            for i in range(500):
                store.put(f"key-{i}", bytes(1000))


def test_a_key_that_is_no_text(path: Path) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"x")
    change(path, "UPDATE objects SET key = CAST(x'ff' AS TEXT)")
    with SqliteStore(path) as store, pytest.raises(CorruptStore, match="UTF-8"):
        list(store.keys())
