"""The SQLite store and its file: missing, somebody else's, damaged, locked, full."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from storage import open_store
from storage._async.backends.db import file as file_module
from storage._async.backends.db import uploads
from storage._async.backends.db.database import PLAIN
from storage._async.backends.db.objects import CHUNK
from storage._core.urls import StoreURL
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    AccessDenied,
    ConfigError,
    CorruptStore,
    NoSpace,
    NotSupported,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreNotFound,
    StoreTimeout,
)
from tests.backends.sqlite import change, leftovers, locked, python, query, watched_loop


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


def pragma(connection: sqlite3.Connection, text: str) -> Any:
    return connection.execute(f"PRAGMA {text}").fetchone()[0]


async def asked(store: AsyncSqliteStore, text: str) -> Any:
    """A setting of the store's writing connection."""
    return await store._database.write(PLAIN, pragma, text)


# -- missing ---------------------------------------------------------------------------------


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
        assert await store.get("key") == b"new"
        await store.put("key", b"newer")
        assert query(path, "PRAGMA integrity_check") == [("ok",)]
        assert await store.get("key") == b"newer"


# -- somebody else's -------------------------------------------------------------------------


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


def test_a_file_of_amplify(path: Path) -> None:
    change(
        path,
        "CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)",
        "INSERT INTO objects VALUES ('key', x'00')",
    )
    refused(path, CorruptStore, "amplify-storage-utils")


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
    for start in range(3 * 4096, len(data) - 4096, 4096):
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


# -- locked ----------------------------------------------------------------------------------


@pytest.fixture
def existing(path: Path) -> Path:
    with SqliteStore(path) as store:
        store.put("key", b"value")
    return path


async def test_a_locked_file_is_waited_for_in_time(existing: Path) -> None:
    async with AsyncSqliteStore(existing, busy_timeout=0.5) as store:
        with locked(existing), watched_loop() as gaps:
            start = time.monotonic()
            results = await asyncio.gather(
                *(store.put(f"k{i}", b"x") for i in range(10)), return_exceptions=True
            )
            took = time.monotonic() - start
            assert {type(result) for result in results} == {StoreTimeout}
            assert len({id(result) for result in results}) == 10
            assert 0.5 <= took < 2
            # Reading goes on meanwhile.
            assert await store.get("key") == b"value"
            with pytest.raises(ObjectNotFound):
                await store.get("k1")
            await asyncio.sleep(0.02)
        assert max(gaps) < 0.05
        await store.put("key", b"after")


async def test_a_lock_that_goes_away_in_time_is_no_error(existing: Path) -> None:
    async with AsyncSqliteStore(existing) as store:
        with locked(existing):
            put = asyncio.create_task(store.put("key", b"new"))
            await asyncio.sleep(0.3)
            assert not put.done()
        await asyncio.wait_for(put, 5)
        assert await store.get("key") == b"new"


async def test_the_deadline_holds_also_while_the_file_is_locked(existing: Path) -> None:
    async with AsyncSqliteStore(existing, timeout=0.2) as store:
        with locked(existing):
            start = time.monotonic()
            with pytest.raises(StoreTimeout):
                await store.put("key", b"never")
            assert time.monotonic() - start < 1
        await store.put("other", b"x")
        assert await store.get("key") == b"value"


async def test_whoever_is_cancelled_while_the_file_is_locked_writes_nothing(
    existing: Path,
) -> None:
    async with AsyncSqliteStore(existing) as store:
        with locked(existing):
            put = asyncio.create_task(store.put("key", b"never"))
            await asyncio.sleep(0.15)
            start = time.monotonic()
            put.cancel()
            with pytest.raises(asyncio.CancelledError):
                await put
            assert time.monotonic() - start < 0.5
        await store.put("other", b"x")
        assert await store.get("key") == b"value"


def test_a_locked_file_and_a_blocking_caller(existing: Path) -> None:
    with SqliteStore(existing, busy_timeout=0.3) as store, locked(existing):
        start = time.monotonic()
        with pytest.raises(StoreTimeout):
            store.put("key", b"x")
        assert 0.3 <= time.monotonic() - start < 1.5
        assert store.get("key") == b"value"


async def test_a_file_that_is_locked_for_readers_too(existing: Path) -> None:
    statements = "PRAGMA locking_mode = EXCLUSIVE", "BEGIN EXCLUSIVE", "DELETE FROM uploads"
    async with AsyncSqliteStore(existing, busy_timeout=0.3) as store:
        with locked(existing, *statements), watched_loop() as gaps:
            for verb in (store.get("key"), store.put("key", b"x")):
                with pytest.raises(StoreTimeout):
                    await verb
        assert max(gaps) < 0.05
        assert await store.get("key") == b"value"


async def test_without_shared_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that cannot do WAL: SQLite falls back, and nothing else changes."""
    connect = sqlite3.connect

    def no_memory(place: str, **arguments: Any) -> Any:
        return connect(place + "&vfs=unix-dotfile", **arguments)

    monkeypatch.setattr(sqlite3, "connect", no_memory)
    async with AsyncSqliteStore(path, durable=False) as store:
        await asyncio.gather(*(store.put(f"k{i}", bytes([i])) for i in range(50)))
        await store.put("large", [bytes(CHUNK)] * 3)
        assert await store.get("k7") == b"\7"
        assert await asked(store, "journal_mode") == "delete"
        assert await asked(store, "synchronous") == 2


# -- no room, no right -----------------------------------------------------------------------


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite takes the disk for full at 1 MB."""
    prepare = file_module._prepare

    def limited(connection: sqlite3.Connection, *arguments: bool) -> str:
        connection.execute("PRAGMA max_page_count = 250")
        return prepare(connection, *arguments)

    monkeypatch.setattr(file_module, "_prepare", limited)


@pytest.mark.usefixtures("full")
async def test_a_full_disk(existing: Path) -> None:
    async with AsyncSqliteStore(existing) as store:
        outcomes = await asyncio.gather(
            store.put("small-1", b"1"),
            store.put("key", bytes(8 * CHUNK)),
            store.put("small-2", b"2"),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes][1] is NoSpace
        assert await store.get("small-1") == b"1"
        assert await store.get("small-2") == b"2"
        assert await store.get("key") == b"value"


@pytest.mark.usefixtures("full")
async def test_a_full_disk_under_a_stream(existing: Path) -> None:
    async with AsyncSqliteStore(existing) as store:
        with pytest.raises(NoSpace):
            await store.put("key", iter([bytes(CHUNK)] * 8))
        assert await store.get("key") == b"value"
        await store.put("small", b"x")
    assert leftovers(existing) == 0


def test_no_right_to_write(existing: Path) -> None:
    code = """
        import os, sys
        from storage.db import SqliteStore
        from storage.object import AccessDenied
        os.setuid(65534)
        with SqliteStore(sys.argv[1]) as store:
            for verb in (lambda: store.get("key"), lambda: store.put("key", b"x")):
                try:
                    print(verb())
                except AccessDenied as error:
                    print("denied")
    """
    if os.geteuid():
        pytest.skip("only root can become somebody else")
    folder = existing.parent
    for above in [folder, *folder.parents[:-2]]:
        above.chmod(above.stat().st_mode | stat.S_IXOTH)
    existing.chmod(0o600)
    assert python(code, existing).stdout == "denied\ndenied\n"
    existing.chmod(0o644)
    folder.chmod(0o755)
    assert python(code, existing).stdout.endswith("denied\n")
    folder.chmod(0o700)
    assert python(code, existing).stdout == "denied\ndenied\n"


def test_a_read_only_database(existing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def read_only(place: str, **arguments: Any) -> Any:
        return connect(place.partition("?")[0] + "?mode=ro", **arguments)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with SqliteStore(existing) as store:
        assert store.get("key") == b"value"
        with pytest.raises(AccessDenied):
            store.put("key", b"x")


# -- set-up ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
async def test_how_the_file_is_used(path: Path, durable: bool, synchronous: int) -> None:
    async with AsyncSqliteStore(path, durable=durable) as store:
        await store.put("key", b"x")
        assert await asked(store, "synchronous") == synchronous
        assert await asked(store, "journal_mode") == "wal"
        assert await store._database.read(pragma, "query_only") == 1
        assert query(path, "PRAGMA application_id") == [(0x73746F72,)]
        assert query(path, "PRAGMA user_version") == [(1,)]
    # The log is in the file, and gone, when all is closed.
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("prefix", ["", "prefix", "\U0010ffff"])
def test_listings_use_the_index(path: Path, prefix: str) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"x")
        seen: list[str] = []
        link = store._async._database._connections._readers
        list(store.keys())
        link[0].connection().set_trace_callback(seen.append)
        list(store.keys(prefix, start_after="a"))
        plans = [row[3] for row in query(path, f"EXPLAIN QUERY PLAN {seen[-1]}")]
    assert [plan for plan in plans if plan.startswith("SEARCH objects USING PRIMARY KEY")] == plans


def test_an_upload_that_stood_still_for_a_day_is_given_up(path: Path) -> None:
    with SqliteStore(path) as store:
        with pytest.raises(StoreError, match="stood still"), store.open_writer("key") as writer:
            writer.write(bytes(2 * CHUNK))
            assert leftovers(path) == 2
            with SqliteStore(path) as other:
                other.put("a", b"x")
            assert leftovers(path) == 2
            yesterday = int(time.time()) - uploads.ABANDONED - 1
            change(path, f"UPDATE uploads SET touched = {yesterday}")
            with SqliteStore(path) as other:
                other.put("b", b"x")
            assert leftovers(path) == 0
            writer.write(bytes(CHUNK))
        assert list(store.keys()) == ["a", "b"]
    assert leftovers(path) == 0


def test_urls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    places = {
        f"sqlite://{tmp_path}/absolute.sqlite": "absolute.sqlite",
        "sqlite://Relative.sqlite": "Relative.sqlite",
        "sqlite://folder/deep.sqlite?durable=no&timeout=3&busy_timeout=2": "folder/deep.sqlite",
        f"sqlite://{quote(str(tmp_path))}/a%20%3F%23%25.sqlite": "a ?#%.sqlite",
    }
    for url, place in places.items():
        with open_store(url) as store:
            store.put("key", url.encode())
        assert query(tmp_path / place, "SELECT key FROM objects") == [("key",)], url
    assert AsyncSqliteStore.from_url(StoreURL.parse("sqlite:x.sqlite"))._path == "x.sqlite"
    for bad in (
        "sqlite://",
        "sqlite://user@x.sqlite",
        "sqlite://x?durabel=no",
        "sqlite://x?timeout=0",
    ):
        with pytest.raises(ConfigError):
            open_store(bad)
    with pytest.raises(ConfigError, match="AsyncDictStore"):
        SqliteStore(":memory:")
    with pytest.raises(ConfigError):
        SqliteStore("x", busy_timeout=-1)
    assert repr(SqliteStore("x.sqlite")) == "SqliteStore('x.sqlite')"
