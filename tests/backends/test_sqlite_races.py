"""The SQLite store: of many writers one wins."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from storage._async.backends.db import objects
from storage._async.backends.db.objects import CHUNK
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    ObjectExists,
    PreconditionFailed,
)
from tests.backends.sqlite import leftovers, pieces, started


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[AsyncSqliteStore]:
    async with AsyncSqliteStore(path, durable=False) as store:
        await store.put("first", b"")
        yield store


async def contend(store: AsyncSqliteStore, etag: str | None) -> list[type[BaseException] | None]:
    async def write(i: int) -> type[BaseException] | None:
        data = bytes([i]) * (2 * CHUNK if i % 2 else 10)
        try:
            await store.put(
                "key", pieces(data, CHUNK) if i % 2 else data, if_absent=not etag, if_match=etag
            )
        except (ObjectExists, PreconditionFailed) as error:
            return type(error)
        return None

    return await asyncio.gather(*(write(i) for i in range(24)))


async def test_one_of_many_tasks_wins(store: AsyncSqliteStore, path: Path) -> None:
    outcomes = await contend(store, None)
    assert (outcomes.count(None), outcomes.count(ObjectExists)) == (1, 23)
    outcomes = await contend(store, (await store.head("key")).etag)
    assert (outcomes.count(None), outcomes.count(PreconditionFailed)) == (1, 23)
    assert leftovers(path) == 0


def test_one_of_many_threads_wins(path: Path) -> None:
    barrier = threading.Barrier(24)
    with SqliteStore(path) as store, ThreadPoolExecutor(24) as threads:

        def write(i: int) -> bool:
            barrier.wait()
            try:
                store.put("key", b"%d" % i, if_absent=True)
            except ObjectExists:
                return False
            return True

        winners = [i for i, won in enumerate(threads.map(write, range(24))) if won]
        assert len(winners) == 1
        assert store.get("key") == b"%d" % winners[0]


def test_one_of_many_processes_wins(path: Path) -> None:
    code = """
        import sys
        from storage.db import SqliteStore
        from storage.object import ObjectExists
        store = SqliteStore(sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        for i in range(20):
            try:
                store.put(f"key-{i}", sys.argv[2].encode(), if_absent=True)
                print(i, flush=True)
            except ObjectExists:
                pass
        store.close()
        print("end", flush=True)
    """

    def lines(process: subprocess.Popen[str]) -> Iterator[str]:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "end\n":
                return
            yield line
        raise AssertionError("it ended before its time")

    with ExitStack() as stack:
        processes = [stack.enter_context(started(code, path, i)) for i in range(8)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        wins = [line for process in processes for line in lines(process)]
    assert sorted(map(int, wins)) == list(range(20))


def test_a_version_is_never_used_twice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still, and yet the reader of a deleted version never gets another's."""
    monkeypatch.setattr(objects, "time_ns", lambda: 1_000)
    with SqliteStore(path) as store:
        etags = [store.put("key", b"x").etag for _ in range(5)]
        assert len(set(etags)) == 5


def test_versions_grow_within_a_commit_and_over_those_of_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock stands still; two stores take turns, and each commit is of many objects."""
    monkeypatch.setattr(objects, "time_ns", lambda: 1_000)
    etags: list[int] = []
    with SqliteStore(path) as one, SqliteStore(path) as other:
        for turn in range(3):
            for store in (one, other):
                store.put_many((f"{turn}/{number}", b"x") for number in range(5))
                etags.append(max(int(info.etag or "", 16) for info in store.list()))
                etags.append(int(store.put(f"{turn}/new", b"x").etag or "", 16))
                etags.append(int(store.put(f"{turn}/new", b"y").etag or "", 16))
        assert etags == sorted(set(etags))
        assert one.check().sound
