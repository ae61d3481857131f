"""The SQLite store when it is closed, or is not."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage._async.backends.db.objects import CHUNK
from storage._core import calls
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    ObjectInfo,
    StoreClosed,
)
from tests.backends.sqlite import python, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


async def pieces() -> AsyncIterator[bytes]:
    for i in range(6):
        yield bytes([i]) * CHUNK


async def test_closing(path: Path) -> None:
    store = AsyncSqliteStore(path)
    await store.put("key", b"x")
    stream = store.stream("key")
    puts = [asyncio.create_task(store.put(f"k{i}", b"x")) for i in range(10)]
    await asyncio.sleep(0)
    await store.aclose()
    await store.aclose()
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {ObjectInfo, StoreClosed}
    with pytest.raises(StoreClosed):
        await store.get("key")
    with pytest.raises(StoreClosed):
        await anext(stream)
    assert os.listdir(path.parent) == [path.name]


async def test_closing_in_the_midst_of_a_stream(path: Path) -> None:
    store = AsyncSqliteStore(path)
    await store.put("key", bytes(4 * CHUNK))
    stream = store.stream("key")
    await anext(stream)
    await store.aclose()
    with pytest.raises(StoreClosed):
        await anext(stream)
    with pytest.raises(StoreClosed):
        await store.put("key", pieces())


@pytest.mark.parametrize("how", ["async", "blocking", "loop"])
def test_a_store_that_is_not_closed_warns_and_leaves_nothing(path: Path, how: str) -> None:
    store = AsyncSqliteStore(path)
    loop = asyncio.new_event_loop()
    if how == "async":
        asyncio.run(store.put("key", b"x"))
    elif how == "blocking":
        calls.drive(store.put("key", b"x"))
    else:
        loop.run_until_complete(store.put("key", b"x"))
    last = [store]
    del store
    with pytest.warns(ResourceWarning, match=r"x\.sqlite.*not closed"):
        last.clear()
    for _ in range(100):
        if os.listdir(path.parent) == [path.name]:
            break
        threading.Event().wait(0.02)
    assert os.listdir(path.parent) == [path.name]
    loop.close()


def test_a_store_that_was_never_used_says_nothing(path: Path) -> None:
    store = AsyncSqliteStore(path)
    del store
    gc.collect()
    with SqliteStore(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize(
    "use",
    [
        "asyncio.run(store.put('key', b'x'))",
        "loop = asyncio.new_event_loop(); loop.run_until_complete(store.put('key', b'x'))",
        "SqliteStore.around(store).put('key', b'x')",
        "asyncio.run(late())",
        "threading.Thread(target=asyncio.run, args=[late()], daemon=True).start(); time.sleep(0.5)",
    ],
)
def test_the_interpreter_ends_without_a_close(path: Path, use: str) -> None:
    code = f"""
        import asyncio, sys, threading, time
        from storage.aiodb import AsyncSqliteStore
        from storage.db import SqliteStore

        store = AsyncSqliteStore(sys.argv[1])

        async def late():
            await store.put("key", b"x")
            for i in range(100):
                asyncio.ensure_future(store.put(f"k{{i}}", b"x"))

        {use}
        print("end")
    """
    try:
        result = python(code, path, timeout=15)
    except subprocess.TimeoutExpired:
        pytest.fail("the interpreter hangs")
    assert (result.returncode, result.stdout) == (0, "end\n"), result.stderr
    assert query(path, "SELECT count(*) FROM objects WHERE key = 'key'") == [(1,)]
