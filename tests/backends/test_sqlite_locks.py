"""The SQLite store and a file that somebody else has locked."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    ObjectNotFound,
    StoreTimeout,
)
from tests.backends.sqlite import free_loop, locked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def existing(path: Path) -> Path:
    with SqliteStore(path) as store:
        store.put("key", b"value")
    return path


async def test_a_locked_file_is_waited_for_in_time(existing: Path) -> None:
    async with AsyncSqliteStore(existing, busy_timeout=0.5) as store:
        with locked(existing), free_loop():
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
        with locked(existing, *statements), free_loop():
            for verb in (store.get("key"), store.put("key", b"x")):
                with pytest.raises(StoreTimeout):
                    await verb
        assert await store.get("key") == b"value"
