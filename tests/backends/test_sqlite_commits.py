"""The SQLite store: puts that share a commit, and what a cancelled one leaves."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.db import objects, uploads
from storage._async.backends.db.database import PLAIN
from storage._async.backends.db.objects import CHUNK
from storage._core.info import WRITE_OVER
from storage.aiodb import AsyncSqliteStore
from storage.object import (
    NoSpace,
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
)
from tests.backends.sqlite import leftovers, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits of all writing connections that are opened from here on."""
    seen: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda text: seen.append(text) if text == "COMMIT" else None)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return seen


async def test_concurrent_puts_share_commits(path: Path, commits: list[str]) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("first", b"")
        commits.clear()
        await asyncio.gather(*(store.put(f"k{i}", b"x") for i in range(640)))
        assert len(commits) <= 640 / 4
        assert len([key async for key in store.keys("k")]) == 640
        # Each is committed when its caller hears of it.
        commits.clear()
        for i in range(5):
            await store.put("alone", b"x")
            assert len(commits) == i + 1


async def test_each_of_a_group_has_its_own_error(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("there", b"old")

        def broken(connection: sqlite3.Connection) -> None:
            objects.put(connection, "broken", b"x", WRITE_OVER)
            raise LookupError("half done")

        def full(connection: sqlite3.Connection) -> None:
            objects.put(connection, "full", b"x", WRITE_OVER)
            raise NoSpace("half done, too")

        outcomes = await asyncio.gather(
            store.put("a", b"a"),
            store.put("there", b"x", if_absent=True),
            store._database.write(PLAIN, broken),
            store.put("b", b"b"),
            store._database.write(PLAIN, full),
            store.delete("missing"),
            store.put("c", b"c"),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [
            ObjectInfo, ObjectExists, LookupError, ObjectInfo, NoSpace, ObjectNotFound, ObjectInfo,
        ]  # fmt: skip
        assert [key async for key in store.keys()] == ["a", "b", "c", "there"]
        assert await store.get("there") == b"old"
    assert leftovers(path) == 0


async def test_the_chunks_of_a_stream_do_not_wait_for_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the commit that publishes does."""
    settings: list[Any] = []
    for name in ("add_chunk", "publish"):

        def spy(
            connection: sqlite3.Connection, *rest: Any, real: Callable[..., Any], name: str
        ) -> Any:
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
            settings.append((name, level))
            return real(connection, *rest)

        monkeypatch.setattr(uploads, name, partial(spy, real=getattr(uploads, name), name=name))
    async with AsyncSqliteStore(path) as store:
        await store.put("key", iter([bytes(CHUNK)] * 3))
    assert settings == [("add_chunk", 1)] * 3 + [("publish", 2)]


async def pieces() -> AsyncIterator[bytes]:
    for i in range(6):
        yield bytes([i]) * CHUNK


NEW = b"".join(bytes([i]) * CHUNK for i in range(6))


async def test_a_put_can_be_cancelled_at_any_time(path: Path) -> None:
    """At each pass of the loop, for as long as the put takes."""
    async with AsyncSqliteStore(path) as store:
        for make in (lambda: NEW, pieces, lambda: b"small"):
            step = 0
            while True:
                await store.put("key", b"old")
                put = asyncio.create_task(store.put("key", make()))
                for _ in range(step):
                    await asyncio.sleep(0)
                if put.done():
                    break
                put.cancel()
                outcome = (await asyncio.gather(put, return_exceptions=True))[0]
                assert isinstance(outcome, asyncio.CancelledError | ObjectInfo)
                found = await asyncio.wait_for(store.get("key"), 5)
                assert found in {b"old", NEW, b"small"}
                count = (0,) if found == b"old" else (len(found) // CHUNK or 1,)
                assert leftovers(path) == 0, (step, count)
                assert query(path, "SELECT count(*) FROM uploads") == [(0,)]
                step += max(1, step // 3)
            assert step > 2
        assert not store._database._connections.lanes().writes._waiting


async def test_all_may_be_cancelled_at_once(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        for round_ in range(30):
            work: list[Any] = [store.put(f"{round_}-{i}", b"x") for i in range(20)]
            work += [store.get("key") for _ in range(20)]
            tasks = [asyncio.create_task(each) for each in work]
            for _ in range(round_):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
            stored = {i for i, outcome in enumerate(outcomes[:20]) if type(outcome) is ObjectInfo}
            for i in stored:
                assert await store.get(f"{round_}-{i}") == b"x"
        assert await asyncio.wait_for(store.get("key"), 5) == b"old"


async def test_whoever_is_cancelled_before_its_turn_writes_nothing(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        hold = threading.Event()
        blocker = asyncio.create_task(store._database.write(PLAIN, lambda _: hold.wait(5)))
        await asyncio.sleep(0.05)
        put = asyncio.create_task(store.put("key", b"never"))
        await asyncio.sleep(0.05)
        put.cancel()
        with pytest.raises(asyncio.CancelledError):
            await put  # although the thread is still busy with the other
        assert not blocker.done()
        hold.set()
        await blocker
        assert await store.get("key") == b"old"


async def test_whoever_is_cancelled_during_its_turn_waits_for_its_end(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        begun, hold = threading.Event(), threading.Event()

        def unit(connection: sqlite3.Connection) -> None:
            begun.set()
            hold.wait(5)
            objects.put(connection, "key", b"new", WRITE_OVER)

        write = asyncio.create_task(store._database.write(PLAIN, unit))
        while not begun.is_set():
            await asyncio.sleep(0.01)
        for _ in range(3):
            write.cancel()
            await asyncio.sleep(0.02)
            assert not write.done()
        hold.set()
        with pytest.raises(asyncio.CancelledError):
            await write
        assert await store.get("key") == b"new"


async def test_cleaning_up_goes_on_if_it_is_cancelled_too(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        for step in range(12):
            put = asyncio.create_task(store.put("key", pieces()))
            while not leftovers(path):
                await asyncio.sleep(0)
            put.cancel()
            for _ in range(step):
                await asyncio.sleep(0)
            put.cancel()
            with pytest.raises(asyncio.CancelledError):
                await put
            assert leftovers(path) == 0, step
        assert await store.get("key") == b"old"


def test_a_loop_that_ends_in_the_midst(path: Path) -> None:
    store = AsyncSqliteStore(path)

    async def leave() -> None:
        for i in range(20):
            _ = asyncio.create_task(store.put(f"k{i}", bytes(CHUNK)))
            _.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.sleep(0.002)

    async def go_on() -> None:
        await store.put("key", b"x")
        assert await store.get("key") == b"x"

    for _ in range(10):
        asyncio.run(leave())
        asyncio.run(go_on())
    asyncio.run(store.aclose())
    assert leftovers(path) == 0
