"""The SQLite store: keys and listings."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage._async.backends.db import listing
from storage._async.hooks import AsyncStoreHooks
from storage.aiodb import AsyncSqliteStore
from storage.object import (
    InvalidKey,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[AsyncSqliteStore]:
    async with AsyncSqliteStore(path, durable=False) as store:
        await store.put("first", b"")
        yield store


async def test_listing_in_pages(store: AsyncSqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"k/{i:04}" for i in range(2 * listing.PAGE)} | {"first"}
    await store.put_many((name, b"x") for name in names)
    assert [key async for key in store.keys()] == sorted(names)
    assert [info.key async for info in store.list("k/")] == sorted(names - {"first"})
    after = [key async for key in store.keys(start_after="k/1499")]
    assert after == sorted(name for name in names if name > "k/1499")
    # What is deleted or put meanwhile neither ends a listing nor doubles anything.
    seen = []
    async for key in store.keys():
        seen.append(key)
        await store.delete(key)
    assert seen == sorted(names)


async def test_one_level_of_many_keys(store: AsyncSqliteStore) -> None:
    """What lies deep below is passed over, not read."""
    deep = [f"a/{i:05}" for i in range(3 * listing.PAGE)]
    keys = [
        *deep,
        "a!",
        "a0",
        "b",
        "b/",
        "b//",
        "b/c",
        "c/\U0010ffff",
        "c/\U0010ffff\U0010ffff/x",
        "é/",
    ]
    await store.put_many((key, b"") for key in keys)
    read: list[str] = []

    def watch(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(read.append)

    await store._database.read(watch)
    level = await store.list_with_delimiter()
    assert level.prefixes == ("a/", "b/", "c/", "é/")
    assert [info.key for info in level.objects] == ["a!", "a0", "b", "first"]
    assert len(read) == 2
    for prefix in ("", "a", "a/", "a/0", "b", "b/", "c/", "none"):
        for delimiter in ("/", "0", "00", "//", "\U0010ffff", "x"):
            level = await store.list_with_delimiter(prefix, delimiter)
            assert level == await AsyncStoreHooks._list_with_delimiter(store, prefix, delimiter)


KEYS = [
    "%", "%%", "%a", "_", "__", "_a", "A", "a", "a%", "a_", "a/", "a/b", "a//b", "ab", "\\", "'",
    '"', "é", "e\u0301", "../x", " ", "\n", "\x7f", "\u0080", "\ud7ff", "\ue000", "\uffff",
    "\U00010000", "\U0010ffff", "\U0010ffff\U0010ffff", "\U0010ffffa", "a\U0010ffff",
    "a\U0010ffffz", "b",
]  # fmt: skip


async def test_any_key_and_any_prefix(store: AsyncSqliteStore) -> None:
    await store.delete("first")
    for key in KEYS:
        await store.put(key, key.encode())
    order = sorted(KEYS, key=str.encode)
    assert [key async for key in store.keys()] == order
    for prefix in [*KEYS, "", "\ud800", "\udfff", "a\udfff", "\0", "zz"]:
        expected = [key for key in order if key.startswith(prefix)]
        assert [key async for key in store.keys(prefix)] == expected
        later = [key for key in order if key > prefix]
        assert [key async for key in store.keys(start_after=prefix)] == later
    for key in KEYS:
        assert await store.get(key) == key.encode()
    with pytest.raises(InvalidKey):
        await store.put("\ud800", b"")
