"""The SQLite store's verbs on many keys: few transactions, and an outcome for each key."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.db import bulk, objects
from storage._async.backends.db import file as file_module
from storage._async.backends.db.database import PLAIN
from storage._async.backends.db.objects import CHUNK
from storage._core.info import WRITE_OVER
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import BulkError, InvalidKey, NoSpace, StoreTimeout
from tests.backends.sqlite import leftovers, locked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits of all connections that are opened from here on."""
    seen: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda text: seen.append(text) if text == "COMMIT" else None)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return seen


MANY = {f"key-{i:04}": b"%d" % i for i in range(5000)}


def test_many_in_few_transactions(path: Path, commits: list[str]) -> None:
    with SqliteStore(path, durable=False) as store:
        assert store.put_many(MANY) == 5000
        assert len(commits) <= 22
        assert dict(store.get_many(MANY)) == MANY
        assert len(commits) <= 22
        assert store.delete_many(MANY) == 5000
        assert len(commits) <= 42
        assert list(store.keys()) == []


async def test_many_in_few_transactions_of_a_loop(path: Path, commits: list[str]) -> None:
    async with AsyncSqliteStore(path, durable=False) as store:
        assert await store.put_many(MANY) == 5000
        assert {key: value async for key, value in store.get_many(MANY)} == MANY
        assert await store.clear() == 5000
        assert len(commits) <= 42


def test_large_objects_do_not_gather(path: Path, commits: list[str]) -> None:
    with SqliteStore(path, durable=False) as store:
        store.put("first", b"")
        commits.clear()
        assert store.put_many((f"{i}", bytes(bulk.ROOM // 2)) for i in range(6)) == 6
        assert len(commits) == 3


@pytest.mark.parametrize("pause", [0.0, 60.0])
async def test_what_a_slow_source_gives_is_stored_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    monkeypatch.setattr(bulk, "PAUSE", pause)
    found: list[bool] = []
    async with AsyncSqliteStore(path) as store:
        await store.put("first", b"")

        async def source() -> AsyncIterator[tuple[str, bytes]]:
            yield "a", b"1"
            found.append(await store.exists("a"))
            yield "b", b"2"

        assert await store.put_many(source()) == 2
        assert found == [pause == 0.0]
        assert await store.get("b") == b"2"


def test_each_key_has_its_own_error(path: Path) -> None:
    odd: Any = [("a", b"a"), ("", b"x"), ("b", 7), ("c", [b"str", b"eam"]), ("d", b"d")]
    with SqliteStore(path) as store:
        with pytest.raises(BulkError) as caught:
            store.put_many(odd)
        errors = caught.value.errors
        assert {key: type(error) for key, error in errors.items()} == {
            "": InvalidKey,
            "b": TypeError,
        }
        assert dict(store.get_many(["a", "c", "d"])) == {"a": b"a", "c": b"stream", "d": b"d"}


def test_the_last_of_a_key_wins(path: Path) -> None:
    values: Any = [("key", b"1"), ("key", [b"2"]), ("key", b"3"), ("key", bytearray(b"4"))]
    with SqliteStore(path) as store:
        for count in range(1, 5):
            assert store.put_many(values[:count]) == count
            assert store.get("key") == b"%d" % count
    assert leftovers(path) == 0


async def test_a_source_that_fails(path: Path) -> None:
    """What it gave before is stored, as if each had been put."""

    async def source() -> AsyncIterator[tuple[str, bytes]]:
        yield "a", b"1"
        yield "b", b"2"
        raise LookupError("no more")

    async with AsyncSqliteStore(path) as store:
        with pytest.raises(LookupError, match="no more"):
            await store.put_many(source())
        assert [key async for key in store.keys()] == ["a", "b"]


def test_one_that_finds_no_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others of its group do."""
    prepare = file_module._prepare

    def limited(connection: sqlite3.Connection, *arguments: Any) -> file_module.Setting:
        connection.execute("PRAGMA max_page_count = 125")
        return prepare(connection, *arguments)

    monkeypatch.setattr(file_module, "_prepare", limited)
    with SqliteStore(path) as store:
        with pytest.raises(BulkError) as caught:
            store.put_many({"a": b"1", "large": bytes(8 * CHUNK), "b": b"2"})
        assert {key: type(error) for key, error in caught.value.errors.items()} == {
            "large": NoSpace
        }
        assert list(store.keys()) == ["a", "b"]
    assert leftovers(path) == 0


def test_a_lock_is_waited_for_once(path: Path) -> None:
    with SqliteStore(path, busy_timeout=0.05) as store:
        store.put("key", b"old")
        with locked(path), pytest.raises(BulkError) as caught:
            store.put_many({f"{i}": b"x" for i in range(200)})
        assert {type(error) for error in caught.value.errors.values()} == {StoreTimeout}
        assert list(store.keys()) == ["key"]


async def test_readers_do_not_wait_for_a_group(path: Path) -> None:
    """In the midst of a transaction that has written already, they see what was before."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        objects.put(connection, "key", b"new", WRITE_OVER)
        begun.set()
        assert go_on.wait(10)

    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        group: list[asyncio.Future[Any]] = []
        group.append(asyncio.create_task(store._database.write(PLAIN, slow)))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        group += [asyncio.create_task(store.put(f"{i}", b"x")) for i in range(10)]
        async with asyncio.timeout(10):
            assert await store.get("key") == b"old"
            assert [key async for key in store.keys()] == ["key"]
            twin = SqliteStore.around(store)
            assert await asyncio.to_thread(twin.get, "key") == b"old"
        assert not any(task.done() for task in group)
        go_on.set()
        await asyncio.gather(*group)
        assert await store.get("key") == b"new"
        assert len([key async for key in store.keys()]) == 11
