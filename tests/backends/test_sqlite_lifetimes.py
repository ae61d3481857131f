"""Objects in a SQLite file that go by themselves; the rules of all such stores are in the kit."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage import open_store
from storage._async.backends.db import objects
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import ConfigError, DictStore, ObjectNotFound, SupportsTTL
from storage.utils import sync_stores
from tests.backends.sqlite import change, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "objects.sqlite"


def count(path: Path, table: str) -> int:
    (row,) = query(path, f"SELECT count(*) FROM {table}")
    return int(row[0])


def test_room_is_free_again_after_a_sweep(path: Path) -> None:
    with SqliteStore(path, ttl=0) as store:
        store.with_ttl(None).put("ever", b"1")
        store.with_ttl(100).put("long", b"2")
        store.put_many({f"k{n:04}": b"x" for n in range(1_100)})
        assert sorted(store.keys()) == ["ever", "long"]
        assert count(path, "objects") == count(path, "chunks") == 1_102
        assert store.sweep() == 1_100
        assert count(path, "objects") == count(path, "chunks") == 2
        assert store.sweep() == 0
        assert store.check().sound


def test_what_is_put_over_it_takes_its_room(path: Path) -> None:
    with SqliteStore(path) as store:
        gone = store.with_ttl(0)
        for data in (b"small", bytes(700_000)):
            gone.put("a", data)
            with pytest.raises(ObjectNotFound):
                store.move("a", "b")
            store.put("a", b"new", if_absent=True)
            assert store.get("a") == b"new"
            gone.put("target", data)
            store.copy("a", "target", if_absent=True)
            assert store.get("target") == b"new"
            store.delete("target")
        assert count(path, "chunks") == 1


def test_a_copy_in_pieces_goes_with_its_source(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "COPY_AT_ONCE", 100_000)
    with SqliteStore(path, ttl=3600) as store:
        store.with_ttl(1_000).put("a", bytes(600_000))
        store.with_ttl(None).put("b", bytes(600_000))
        store.copy("a", "a2")
        store.copy("b", "b2")
        ends = dict(query(path, "SELECT key, expires FROM objects"))
        assert abs(ends["a"] - ends["a2"]) < 10_000
        assert ends["b"] is ends["b2"] is None


def test_views(path: Path) -> None:
    store = open_store(f"sqlite://{path}?ttl=3600")
    assert isinstance(store, SupportsTTL)
    view: Any = store.with_ttl(None)
    view.put("a", b"1")
    view.close()  # which closes nothing that others use
    store.put("b", b"2")
    assert dict(query(path, "SELECT key, expires IS NULL FROM objects")) == {"a": 1, "b": 0}
    store.close()
    for wrong in (-1, "5", float("nan")):
        with pytest.raises(ConfigError):
            SqliteStore(path, ttl=wrong)  # type: ignore[arg-type]


EARLIER = """
    CREATE TABLE objects (key TEXT NOT NULL PRIMARY KEY COLLATE BINARY, version INTEGER NOT NULL,
        size INTEGER NOT NULL, modified INTEGER NOT NULL, content_type TEXT, metadata TEXT)
        WITHOUT ROWID;
    CREATE TABLE chunks (version INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL,
        PRIMARY KEY (version, seq));
    CREATE TABLE uploads (version INTEGER NOT NULL PRIMARY KEY, touched INTEGER NOT NULL);
    INSERT INTO objects VALUES ('old', 7, 5, 1000000, NULL, NULL);
    INSERT INTO chunks VALUES (7, 0, x'68656c6c6f');
    PRAGMA user_version = 1;
    PRAGMA application_id = 0x73746F72;
"""


@pytest.mark.parametrize("first", ["reader", "writer"])
def test_a_file_of_before_lifetimes(path: Path, first: str) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(EARLIER)
    with SqliteStore(path, ttl=3600) as store:
        if first == "writer":
            store.put("new", b"1")
        assert store.get("old") == b"hello"
        assert store.head("old").etag == "7"
        store.put("new", b"1")
        assert list(store.keys()) == ["new", "old"]
        assert store.check().sound
    assert query(path, "PRAGMA user_version") == [(2,)]


def test_a_file_of_amplifys_is_not_touched(path: Path) -> None:
    change(path, "CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)")
    change(path, "INSERT INTO objects VALUES ('a', x'31')")
    before = path.read_bytes()
    with SqliteStore(path) as store:
        assert list(store.keys()) == ["a"]
        assert [info.size for info in store.list()] == [1]
        assert (store.exists("a"), store.exists("b")) == (True, False)
        with pytest.raises(NotImplementedError):
            store.with_ttl(5).put("b", b"2")
        with pytest.raises(NotImplementedError):
            store.sweep()
    assert path.read_bytes() == before
    with SqliteStore(path, upgrade=True) as store:
        store.with_ttl(0).put("b", b"2")
        assert list(store.keys()) == ["a"]


async def test_async(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.with_ttl(0).put("gone", b"0")
        await store.with_ttl(3600).put("a", b"1")
        assert await store.sweep() == 1


def test_a_sync_carries_no_lifetimes(path: Path) -> None:
    """What arrives lives as its new store says."""
    source: DictStore = DictStore(ttl=0.5)
    with SqliteStore(path) as target:
        source.put("a", b"1")
        source.with_ttl(0).put("gone", b"0")
        report = sync_stores(source, target)
        assert (report.copied, report.failed) == (1, 0)
        assert dict(query(path, "SELECT key, expires FROM objects")) == {"a": None}
