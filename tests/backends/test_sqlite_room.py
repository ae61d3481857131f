"""The SQLite store on a full disk, and without permissions."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.db import file as file_module
from storage._async.backends.db import room
from storage._async.backends.db.objects import CHUNK
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    AccessDenied,
    NoSpace,
)
from tests.backends.sqlite import leftovers, python


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def existing(path: Path) -> Path:
    with SqliteStore(path) as store:
        store.put("key", b"value")
    return path


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite takes the disk for full at 1 MB."""
    prepare = file_module._prepare

    def limited(connection: sqlite3.Connection, *arguments: Any) -> file_module.Setting:
        connection.execute("PRAGMA max_page_count = 125")
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


@pytest.mark.parametrize(("free", "looks"), [(room.PLENTY * 8, 1), (room.PLENTY * 2, 40)])
def test_small_objects_look_once_where_there_is_plenty(
    existing: Path, monkeypatch: pytest.MonkeyPatch, free: int, looks: int
) -> None:
    now, seen = 1_000.0, []

    def left(connection: sqlite3.Connection) -> int:
        seen.append(connection)
        return free

    monkeypatch.setattr(room, "monotonic", lambda: now)
    monkeypatch.setattr(room, "_left", left)
    with SqliteStore(existing) as store:
        for number in range(40):
            store.put(f"k{number}", b"small")
        assert len(seen) == looks
        store.put("large", bytes(room.SMALL + 1))
        assert len(seen) == looks + 1
        now += room.FRESH * 2
        store.put("k", b"small")
        assert len(seen) == looks + 2
