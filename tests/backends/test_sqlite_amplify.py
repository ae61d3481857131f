"""The SQLite store and files of amplify-storage-utils: read as they are, upgraded when asked."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import open_store
from storage._async.backends.db import amplify, check, upkeep
from storage._async.backends.db.format import File
from storage._async.backends.db.objects import CHUNK
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    CorruptStore,
    NotSupported,
    ObjectInfo,
    ObjectNotFound,
    StoreNotFound,
    StoreTimeout,
)
from tests.backends.sqlite import change, leftovers, locked, query, started, value

VALUES: dict[str, bytes | str] = {
    "a/b": b"bytes",
    "a/c": "a text: \N{SNOWMAN}",
    "empty": b"",
    "empty text": "",
    "text with a NUL": "a\0b",
    "large": value(3 * CHUNK + 17),
    "large text": "\N{SNOWMAN}" * CHUNK,
    "\N{SNOWMAN}": b"\0\xff",
}
BYTES = {key: data.encode() if isinstance(data, str) else data for key, data in VALUES.items()}


def write(path: Path, values: Mapping[Any, Any]) -> None:
    """Make a file as amplify-storage-utils makes it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS objects (key TEXT PRIMARY KEY, data BLOB)")
        for item in values.items():
            connection.execute("INSERT OR REPLACE INTO objects (key, data) VALUES (?, ?)", item)
            connection.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.sqlite"
    write(path, VALUES)
    return path


def test_a_file_is_read_as_it_is(path: Path) -> None:
    before = path.read_bytes(), path.stat().st_mtime_ns
    with SqliteStore(path) as store:
        assert list(store.keys()) == sorted(BYTES)
        assert list(store.keys("a/", start_after="a/b")) == ["a/c"]
        assert list(store.list()) == [ObjectInfo(key, len(BYTES[key])) for key in sorted(BYTES)]
        assert store.list_with_delimiter().prefixes == ("a/",)
        for key, data in BYTES.items():
            info = ObjectInfo(key, len(data))
            assert store.get(key) == data
            assert store.get_with_info(key) == (data, info)
            assert store.head(key) == info
            assert store.exists(key)
            assert store.get_range(key, 1, 5) == data[1:5]
            assert store.get_range(key, -3) == data[-3:]
            assert b"".join(store.stream(key, start=2)) == data[2:]
            with store.open_reader(key) as reader:
                assert reader.read() == data
        assert not store.exists("missing")
        for verb in (store.get, store.head, lambda key: list(store.stream(key))):
            with pytest.raises(ObjectNotFound):
                verb("missing")
        with pytest.raises(NotSupported, match="upgrade"):
            store.get("a/b", if_match="1")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert os.listdir(path.parent) == [path.name]


async def test_a_loop_reads_it_too(path: Path) -> None:
    before = path.read_bytes()
    async with AsyncSqliteStore(path) as store:
        values = await asyncio.gather(*map(store.get, BYTES))
        assert dict(zip(BYTES, values, strict=True)) == BYTES
        assert [info.size async for info in store.list("a/")] == [5, len(BYTES["a/c"])]
        assert [chunk async for chunk in store.stream("a/b")] == [b"bytes"]
        with pytest.raises(NotSupported, match="upgrade"):
            await store.put("key", b"x")
    assert path.read_bytes() == before


def test_a_stream_is_of_one_version(path: Path) -> None:
    with SqliteStore(path) as store:
        chunks = store.stream("large")
        first = next(chunks)
        write(path, {"large": b"new"})
        assert first + b"".join(chunks) == BYTES["large"]
        assert store.get("large") == b"new"


WRITES: list[Callable[[SqliteStore], object]] = [
    lambda store: store.put("key", b"x"),
    lambda store: store.put("key", iter([bytes(CHUNK)] * 2)),
    lambda store: store.put("key", b"x", if_absent=True),
    lambda store: store.delete("a/b"),
    lambda store: store.delete("missing", missing_ok=True),
    lambda store: store.copy("a/b", "key"),
    lambda store: store.move("a/b", "key"),
    lambda store: store.clear(),
]


@pytest.mark.parametrize("verb", WRITES)
def test_writing_is_refused(path: Path, verb: Callable[[SqliteStore], object]) -> None:
    before = path.read_bytes()
    with SqliteStore(path) as store:
        with pytest.raises((NotSupported, ExceptionGroup)) as caught:
            verb(store)
        errors = getattr(caught.value, "exceptions", [caught.value])
        assert all(
            isinstance(error, NotSupported) and "upgrade()" in str(error) for error in errors
        )
        assert store.get("a/b") == b"bytes"
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_what_is_no_object(path: Path) -> None:
    write(path, {b"bytes": b"x", None: b"x", "number": 7, "nothing": None})
    before = path.read_bytes()
    with SqliteStore(path) as store:
        assert set(store.keys()) == {*BYTES, "number", "nothing"}
        assert {info.key: info.size for info in store.list("n")} == {
            "number": None,
            "nothing": None,
        }
        for key in ("number", "nothing"):
            with pytest.raises(CorruptStore, match="neither bytes nor text"):
                store.get(key)
    with SqliteStore(path, upgrade=True) as store, pytest.raises(CorruptStore, match="upgraded"):
        store.get("a/b")
    assert path.read_bytes() == before


# -- upgrading -------------------------------------------------------------------------------


def upgraded(store: SqliteStore) -> None:
    infos = list(store.list())
    assert {info.key: info.size for info in infos} == {
        key: len(data) for key, data in BYTES.items()
    }
    assert len({info.etag for info in infos} - {None}) == len(BYTES)
    for key, data in BYTES.items():
        assert store.get(key) == data
        assert b"".join(store.stream(key)) == data
    store.put("a/b", b"new", if_match=store.head("a/b").etag)
    assert store.get("a/b") == b"new"
    store.delete("large")
    store.put("large", iter([b"x" * CHUNK] * 3))


def is_sound(path: Path) -> bool:
    return query(path, "PRAGMA integrity_check") == [("ok",)] and leftovers(path) == 0


def test_an_upgrade(path: Path) -> None:
    with SqliteStore(path) as store, SqliteStore(path) as other:
        assert other.get("a/c") == store.get("a/c") == BYTES["a/c"]
        assert store.upgrade()
        assert not store.upgrade()
        # Those who had the file open notice.
        assert other.get("a/c") == BYTES["a/c"]
        assert other.head("large").etag == store.head("large").etag
        upgraded(store)
        assert list(other.keys("l")) == ["large", "large text"]
    assert is_sound(path)


async def test_an_upgrade_on_a_loop(path: Path) -> None:
    async with AsyncSqliteStore(path) as store, AsyncSqliteStore(path) as other:
        assert (await other.head("a/b")).etag is None
        assert await store.upgrade()
        await store.put("a/b", b"new")
        assert (await other.head("a/b")).etag is not None
        assert await other.get("a/b") == b"new"
        await other.put("key", b"x")
    assert is_sound(path)


@pytest.mark.parametrize(
    "first", [lambda store: store.get("a/b"), lambda store: store.put("new", b"x")]
)
def test_an_upgrade_by_option(path: Path, first: Callable[[SqliteStore], object]) -> None:
    with open_store(f"sqlite://{path}?upgrade=true") as store:
        assert isinstance(store, SqliteStore)
        first(store)
        store.delete("new", missing_ok=True)
        upgraded(store)
    assert is_sound(path)


def test_many_upgrade_at_once(path: Path) -> None:
    async def main() -> None:
        stores = [AsyncSqliteStore(path, upgrade=True) for _ in range(4)]
        got = await asyncio.gather(*(store.get("large") for store in stores))
        assert set(got) == {BYTES["large"]}
        await asyncio.gather(*(store.aclose() for store in stores))

    asyncio.run(main())
    assert is_sound(path)


def test_batches(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amplify, "BATCH", 2)
    with SqliteStore(path) as store:
        store.upgrade()
        upgraded(store)
    assert is_sound(path)


def test_an_upgrade_of_what_is_none(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "none") as store:
        with pytest.raises(StoreNotFound):
            store.upgrade()
        store.put("key", b"x")
        assert not store.upgrade()
        assert store.get("key") == b"x"


def test_an_upgrade_of_a_locked_file(path: Path) -> None:
    with SqliteStore(path, busy_timeout=0.1) as store:
        with locked(path), pytest.raises(StoreTimeout):
            store.upgrade()
        assert store.upgrade()


def test_other_tables_are_not_upgraded(path: Path) -> None:
    change(path, "CREATE TABLE chunks (mine)")
    before = path.read_bytes()
    with SqliteStore(path) as store:
        assert store.get("a/b") == b"bytes"
        with pytest.raises(NotSupported, match="chunks"):
            store.upgrade()
    assert path.read_bytes() == before


async def test_an_upgrade_that_nobody_waits_for_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go_on = threading.Event(), threading.Event()
    unit = upkeep.upgrade

    def watched(connection: sqlite3.Connection, file: File, stopped: check.Stopped) -> bool:
        assert stopped is not None

        def stop() -> bool:
            asked.set()
            assert go_on.wait(10)
            return stopped()

        return unit(connection, file, stop)

    monkeypatch.setattr(upkeep, "upgrade", watched)
    async with AsyncSqliteStore(path) as store:
        upgrade = asyncio.create_task(store.upgrade())
        while not asked.is_set():
            await asyncio.sleep(0.001)
        upgrade.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await upgrade
        assert dict(query(path, "SELECT key, CAST(data AS BLOB) FROM objects")) == BYTES
        monkeypatch.undo()
        assert await store.upgrade()
        assert await store.get("large") == BYTES["large"]
    assert is_sound(path)


KILLED = """
    import os, signal, sys
    from storage._async.backends.db import amplify
    from storage.db import SqliteStore

    amplify.BATCH = 1
    move, left = amplify._move, int(sys.argv[2])

    def killed(connection, *arguments):
        global left
        connection.execute("PRAGMA cache_spill = ON")
        connection.execute("PRAGMA cache_size = 2")  # changes get into the file early
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        move(connection, *arguments)

    amplify._move = killed
    SqliteStore(sys.argv[1]).upgrade()
"""


@pytest.mark.parametrize("left", [0, 6])
def test_a_killed_upgrade_leaves_the_old_file(path: Path, left: int) -> None:
    with started(KILLED, path, left) as process:
        assert process.wait(20) == -9
    if left:
        assert os.path.exists(f"{path}-journal")
    rows = dict(query(path, "SELECT key, CAST(data AS BLOB) FROM objects"))
    assert rows == BYTES
    with SqliteStore(path) as store:
        assert store.get("large") == BYTES["large"]
        assert store.upgrade()
        upgraded(store)
    assert is_sound(path)
