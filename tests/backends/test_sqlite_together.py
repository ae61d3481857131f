"""The SQLite store: puts of one commit that share their statements."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.db import file as file_module
from storage._async.backends.db import objects, room, together
from storage._async.backends.db.database import CREATE
from storage._async.backends.db.objects import CHUNK
from storage._core.info import WRITE_OVER
from storage.aiodb import AsyncSqliteStore
from storage.object import NoSpace, ObjectExists, ObjectInfo, ObjectNotFound
from tests.backends.sqlite import leftovers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is called for with `execute` and `executemany`, from here on."""
    seen: list[str] = []

    class Connection(room.Connection):
        def execute(self, text: str, *rest: Any) -> sqlite3.Cursor:
            seen.append(text)
            return super().execute(text, *rest)

        def executemany(self, text: str, *rest: Any) -> sqlite3.Cursor:
            seen.append(text)
            return super().executemany(text, *rest)

    monkeypatch.setattr(file_module, "Connection", Connection)
    return seen


async def all_of(*calls: Any) -> list[Any]:
    """Do all at the same time; their outcomes."""
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_new_objects_share_their_statements(path: Path, statements: list[str]) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("first", b"")
        statements.clear()
        infos = await asyncio.gather(
            *(store.put(f"k{number}", bytes([number])) for number in range(30)),
            store.put("typed", b"x", content_type="text/plain", metadata={"a": "b"}),
            store.with_ttl(60).put("mortal", b"x"),
        )
        assert statements.count("COMMIT") == 1
        assert len(statements) < 10
        assert len({info.etag for info in infos}) == 32
        assert infos == [await store.head(info.key) for info in infos]
        for number in range(30):
            assert await store.get(f"k{number}") == bytes([number])
        lives = (await store._database.read(objects.find, key) for key in ("mortal", "typed"))
        assert [row is not None and row.expires is not None async for row in lives] == [True, False]
        assert (await store.check()).sound


async def test_whatever_comes_together_happens_in_its_order(path: Path) -> None:
    """Many calls for few keys: the outcomes, and what is left, are those of one after the other."""
    chance = random.Random(7)
    model: dict[str, bytes] = {}
    async with AsyncSqliteStore(path) as store:
        for turn in range(12):
            calls: list[Any] = []
            wanted: list[type] = []
            for number in range(40):
                key, data = f"k{chance.randrange(12 + turn)}", f"{turn}/{number}".encode()
                kind = chance.choice(("put",) * 8 + ("delete", "absent", "large"))
                if kind == "delete":
                    calls.append(store.delete(key))
                    there = model.pop(key, None) is not None
                    wanted.append(type(None) if there else ObjectNotFound)
                elif kind == "absent" and key in model:
                    calls.append(store.put(key, data, if_absent=True))
                    wanted.append(ObjectExists)
                else:
                    model[key] = data * (CHUNK if kind == "large" else 1)
                    calls.append(store.put(key, model[key], if_absent=kind == "absent"))
                    wanted.append(ObjectInfo)
            assert [type(outcome) for outcome in await all_of(*calls)] == wanted
            assert {key: await store.get(key) async for key in store.keys()} == model
        assert (await store.check()).sound
    assert leftovers(path) == 0


async def test_versions_grow_over_those_of_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still; two stores take turns."""
    for module in objects, together:
        monkeypatch.setattr(module, "time_ns", lambda: 1_000)
    etags: list[int] = []
    async with AsyncSqliteStore(path) as one, AsyncSqliteStore(path) as other:
        for turn in range(3):
            for store in (one, other):
                puts = [store.put(f"{turn}/{number}", b"x") for number in range(8)]
                done: list[Any] = await asyncio.gather(
                    *puts[:4], store.delete("none", missing_ok=True), *puts[4:]
                )
                infos = [info for info in done if info is not None]
                infos.append(await store.put(f"{turn}/0", b"y"))
                etags += [int(info.etag or "", 16) for info in infos]
        assert etags == sorted(set(etags))
        assert (await one.check()).sound


async def test_each_finds_out_alone_whether_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for each that is small, but not for all that wait."""
    async with AsyncSqliteStore(path) as store:
        await store.put("first", b"")
        monkeypatch.setattr(room, "_left", lambda *_: 200_000)
        small = [store.put(f"k{number}", bytes(4096)) for number in range(20)]
        outcomes = await all_of(*small, store.put("large", bytes(150_000)))
        assert [type(each) for each in outcomes] == [ObjectInfo] * 20 + [NoSpace]
        assert len([key async for key in store.keys("k")]) == 20


async def test_a_disk_that_is_full_in_the_midst(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = file_module._prepare

    def limited(connection: sqlite3.Connection, *rest: Any) -> file_module.Setting:
        connection.execute("PRAGMA max_page_count = 20")
        return prepare(connection, *rest)

    monkeypatch.setattr(file_module, "_prepare", limited)
    async with AsyncSqliteStore(path) as store:
        outcomes = await all_of(*(store.put(f"k{number}", bytes(4096)) for number in range(60)))
        kinds = [type(outcome) for outcome in outcomes]
        count = kinds.count(ObjectInfo)
        assert 0 < count < 60
        assert kinds == [ObjectInfo] * count + [NoSpace] * (60 - count)
        assert len([key async for key in store.keys()]) == count
    assert leftovers(path) == 0


async def test_an_error_stays_with_its_put(path: Path) -> None:
    """Of several that go together, one that SQLite refuses."""
    async with AsyncSqliteStore(path) as store:
        await store.put("first", b"")
        options, broken = WRITE_OVER, "\ud800"
        outcomes = await all_of(
            store.put("a", b"a"),
            store._database.write(CREATE, objects.put, broken, b"x", options, None),
            store.put("first", b"b"),
        )
        assert [type(each) for each in outcomes] == [ObjectInfo, UnicodeEncodeError, ObjectInfo]
        assert [await store.get(key) for key in ("a", "first")] == [b"a", b"b"]
    assert leftovers(path) == 0
