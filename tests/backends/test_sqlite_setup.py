"""How the SQLite store sets its file up, and what URLs mean."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from storage import open_store
from storage._async.backends.db import uploads
from storage._async.backends.db.database import PLAIN
from storage._async.backends.db.file import LOG_PAGES
from storage._async.backends.db.format import PAGE_BYTES
from storage._async.backends.db.objects import CHUNK
from storage._core.urls import StoreURL
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    ConfigError,
    StoreError,
)
from tests.backends.sqlite import change, leftovers, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


def pragma(connection: sqlite3.Connection, text: str) -> Any:
    return connection.execute(f"PRAGMA {text}").fetchone()[0]


async def asked(store: AsyncSqliteStore, text: str) -> Any:
    """A setting of the store's writing connection."""
    return await store._database.write(PLAIN, pragma, text)


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


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])
async def test_how_the_file_is_used(path: Path, durable: bool, synchronous: int) -> None:
    async with AsyncSqliteStore(path, durable=durable) as store:
        await store.put("key", b"x")
        assert await asked(store, "synchronous") == synchronous
        assert await asked(store, "journal_mode") == "wal"
        assert await asked(store, "page_size") == PAGE_BYTES
        assert await asked(store, "wal_autocheckpoint") == LOG_PAGES
        assert await asked(store, "secure_delete") == 2
        assert await store._database.read(pragma, "query_only") == 1
        assert query(path, "PRAGMA application_id") == [(0x73746F72,)]
        assert query(path, "PRAGMA user_version") == [(2,)]
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
