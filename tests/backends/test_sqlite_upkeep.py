"""The SQLite store: what is done to the whole file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest

from storage._async.backends.db import check, upkeep
from storage._async.backends.db.format import PAGE_BYTES, File
from storage._async.backends.db.objects import CHUNK
from storage.aiodb import AsyncSqliteStore, CheckReport
from storage.db import SqliteStore
from storage.object import (
    CorruptStore,
    NotSupported,
    StoreClosed,
    StoreNotFound,
    StoreTimeout,
)
from tests.backends.sqlite import change, locked, query, value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def filled(path: Path) -> Path:
    with SqliteStore(path, durable=False) as store:
        store.put("empty", b"")
        store.put("exact", value(2 * CHUNK))
        store.put("large", value(3 * CHUNK + 17))
        store.put("small", b"small")
    return path


SIZE = 5 * CHUNK + 17 + 5


def checked(path: Path) -> CheckReport:
    with SqliteStore(path) as store:
        return store.check()


def test_a_sound_file(filled: Path) -> None:
    report = checked(filled)
    assert report == CheckReport(4, SIZE, 0, (), (), 0)
    assert report.sound


async def test_an_upload_is_no_fault(filled: Path) -> None:
    async with AsyncSqliteStore(filled) as store:
        async with store.open_writer("key") as writer:
            await writer.write(bytes(2 * CHUNK))
            report = await store.check()
            assert (report.objects, report.uploads, report.sound) == (4, 1, True)
        report = await store.check()
        assert (report.objects, report.uploads, report.sound) == (5, 0, True)


LARGE = "version = (SELECT version FROM objects WHERE key = 'large')"


@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM chunks WHERE {LARGE}",
        f"DELETE FROM chunks WHERE seq = 0 AND {LARGE}",
        f"DELETE FROM chunks WHERE seq = 3 AND {LARGE}",
        f"UPDATE chunks SET seq = -1 WHERE seq = 1 AND {LARGE}",
        f"UPDATE chunks SET seq = 7 WHERE seq = 3 AND {LARGE}",
        f"UPDATE chunks SET data = x'00' WHERE seq = 1 AND {LARGE}",
        f"INSERT INTO chunks SELECT version, 4, x'' FROM objects WHERE {LARGE}",
        f"INSERT INTO uploads SELECT version, 0 FROM objects WHERE {LARGE}",
        "UPDATE objects SET size = size + 1 WHERE key = 'large'",
    ],
)
def test_an_object_that_is_not_whole(filled: Path, statement: str) -> None:
    change(filled, statement)
    with SqliteStore(filled, busy_timeout=1) as store:
        report = store.check()
    assert report.incomplete == ("large",)
    assert (report.damage, report.orphans, report.sound) == ((), 0, False)


def test_two_objects_of_one_version(filled: Path) -> None:
    change(
        filled,
        "INSERT INTO objects SELECT 'twin', version, size, modified, NULL, NULL, NULL "
        "FROM objects WHERE key = 'small'",
    )
    assert checked(filled).incomplete == ("small", "twin")


def test_orphans(filled: Path) -> None:
    change(filled, "DELETE FROM objects WHERE key IN ('large', 'small')")
    report = checked(filled)
    assert (report.objects, report.incomplete, report.orphans) == (2, (), 2)
    assert not report.sound


def test_what_sqlite_complains_about(filled: Path) -> None:
    """It can read the file, and the objects are whole."""
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'data BLOB', 'data BLOB CHECK (seq < 3)') "
            "WHERE name = 'chunks'"
        )
        connection.commit()
    report = checked(filled)
    assert report.damage == ("CHECK constraint failed in chunks",)
    assert (report.objects, report.incomplete, report.sound) == (4, (), False)


@pytest.mark.parametrize("where", [1, 2, 3])
def test_pages_that_are_damaged(filled: Path, where: int) -> None:
    data = bytearray(filled.read_bytes())
    data[where * PAGE_BYTES : where * PAGE_BYTES + 64] = b"\xff" * 64
    filled.write_bytes(data)
    with suppress(CorruptStore):
        assert not checked(filled).sound


def test_no_database(path: Path) -> None:
    with SqliteStore(path) as store:
        for verb in (store.check, store.vacuum):
            with pytest.raises(StoreNotFound):
                verb()
        path.write_bytes(b"no database" * 1000)
        for verb in (store.check, store.vacuum):
            with pytest.raises(CorruptStore):
                verb()
    for verb in (store.check, store.vacuum, store.upgrade):
        with pytest.raises(StoreClosed):
            verb()


def test_a_file_of_amplify(path: Path) -> None:
    change(
        path,
        "CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)",
        "INSERT INTO objects VALUES ('a', x'0102'), ('b', 'text')",
    )
    with SqliteStore(path) as store:
        assert store.check() == CheckReport(2, 6, 0, (), (), 0)
        with pytest.raises(NotSupported, match="upgrade"):
            store.vacuum()
        change(path, "INSERT INTO objects VALUES ('c', 7), (x'00', x'')")
        assert store.check().incomplete == ("c", "X'00'")
        change(path, "DELETE FROM objects WHERE typeof(key) = 'blob' OR key = 'c'")
        with SqliteStore(path) as other:
            other.upgrade()
        assert store.check() == CheckReport(2, 6, 0, (), (), 0)
        assert store.vacuum() > 0  # the old table
        assert store.get("b") == b"text"


# -- vacuum ----------------------------------------------------------------------------------


def test_vacuum(filled: Path) -> None:
    with SqliteStore(filled, durable=False) as store:
        etag = store.head("exact").etag
        store.delete("large")
        before = os.path.getsize(filled)
        freed = store.vacuum()
        assert freed >= 3 * CHUNK
        assert before - os.path.getsize(filled) == freed
        assert store.vacuum() == 0
        assert store.get("exact", if_match=etag) == value(2 * CHUNK)
        store.put("new", b"x")
        assert store.check().sound
    assert os.listdir(filled.parent) == [filled.name]


async def test_all_else_goes_on_meanwhile(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A chore in the midst of its work keeps neither readers nor writers of the loop waiting."""
    begun, go_on = threading.Event(), threading.Event()

    def size(connection: sqlite3.Connection) -> int:
        begun.set()
        assert go_on.wait(10)
        return 0

    monkeypatch.setattr(upkeep, "_size", size)
    async with AsyncSqliteStore(filled) as store:
        vacuum = asyncio.create_task(store.vacuum())
        while not begun.is_set():
            await asyncio.sleep(0.001)
        assert await asyncio.wait_for(store.get("small"), 10) == b"small"
        await asyncio.wait_for(store.put("small", b"new"), 10)
        assert not vacuum.done()
        go_on.set()
        assert await vacuum == 0
        assert await store.get("small") == b"new"


def test_readers_of_an_old_state_do_not_hinder(filled: Path) -> None:
    with (
        SqliteStore(filled, busy_timeout=1) as store,
        closing(sqlite3.connect(filled, isolation_level=None)) as reader,
    ):
        reader.execute("BEGIN")
        before = reader.execute("SELECT count(*), sum(length(data)) FROM chunks").fetchall()
        store.delete("large")
        assert store.vacuum() >= 3 * CHUNK
        again = reader.execute("SELECT count(*), sum(length(data)) FROM chunks").fetchall()
        assert again == before
        reader.execute("ROLLBACK")
        assert store.check().sound


def test_a_locked_file(filled: Path) -> None:
    with SqliteStore(filled, busy_timeout=0.1) as store:
        with locked(filled):
            with pytest.raises(StoreTimeout):
                store.vacuum()
            assert store.check().sound
        assert store.vacuum() == 0


@pytest.mark.parametrize("how", ["cancelled", "closed"])
@pytest.mark.parametrize("verb", ["check", "vacuum"])
async def test_a_chore_that_nobody_waits_for_stops(
    filled: Path, monkeypatch: pytest.MonkeyPatch, verb: str, how: str
) -> None:
    """SQLite asks every so often whether anybody still waits."""
    asked, go_on = threading.Event(), threading.Event()
    unit = getattr(check if verb == "check" else upkeep, verb)
    ended: list[BaseException | None] = []

    def watched(connection: sqlite3.Connection, file: File, stopped: check.Stopped) -> object:
        assert stopped is not None

        def stop() -> bool:
            asked.set()
            return go_on.wait(10) and stopped()

        try:
            return unit(connection, file, stop)
        except BaseException as error:
            ended.append(error)
            raise

    monkeypatch.setattr(check if verb == "check" else upkeep, verb, watched)
    monkeypatch.setattr(check, "PACE", 10)
    async with AsyncSqliteStore(filled) as store:
        chore = asyncio.create_task(getattr(store, verb)())
        while not asked.is_set():
            await asyncio.sleep(0.001)
        closing = asyncio.create_task(store.aclose()) if how == "closed" else None
        if closing is None:
            chore.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(StoreClosed if closing else asyncio.CancelledError):
            await asyncio.wait_for(chore, 10)
        assert "interrupted" in str(ended[0])
        monkeypatch.undo()
        if closing is None:
            assert (await store.check()).sound
            assert await store.vacuum() == 0
        else:
            await closing
    assert query(filled, "PRAGMA integrity_check") == [("ok",)]
