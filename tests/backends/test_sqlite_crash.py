"""What a killed process leaves in the SQLite file."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from storage._async.backends.db.objects import CHUNK
from storage.db import SqliteStore
from tests.backends.sqlite import query, started

ROUNDS = 15
KEYS = [f"key-{i}" for i in range(8)]

WRITER = """
    import asyncio, itertools, sys
    from storage.aiodb import AsyncSqliteStore

    first, size = int(sys.argv[2]), int(sys.argv[3])

    def value(number):
        return b"%08d" % number * (size if number % 2 else 5)

    async def pieces(data):
        for start in range(0, len(data), 50_000):
            yield data[start : start + 50_000]

    async def main():
        async with AsyncSqliteStore(sys.argv[1]) as store:
            async def write(key):
                for number in itertools.count(first):
                    data = value(number)
                    await store.put(key, pieces(data) if number % 3 else data)
                    print(key, number, flush=True)
                    if number % 5 == 4:
                        await store.delete(key)
                        print(key, -number, flush=True)
            await asyncio.gather(*(write(f"key-{i}") for i in range(8)))

    asyncio.run(main())
"""


def check(path: Path, said: dict[str, int]) -> int:
    """Every key is whole, and not older than what its writer was told; how many there are."""
    count = 0
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    with SqliteStore(path) as store:
        listed = set(store.keys())
        assert listed <= set(KEYS)
        for key in listed:
            count += 1
            data = store.get(key)
            number = int(data[:8])
            assert len(data) == 8 * (CHUNK // 4 if number % 2 else 5)
            assert data == data[:8] * (len(data) // 8)
            assert b"".join(store.stream(key)) == data
            assert store.head(key).size == len(data)
            assert number >= abs(said.get(key, 0))
        for key in set(KEYS) - listed:
            # Only a deletion, acknowledged or not, explains this.
            number = said.get(key, 0)
            assert number <= 0 or number % 5 == 4
    return count


def test_kill_at_any_time(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    generator = random.Random(5)
    said: dict[str, int] = {}
    seen = 0
    for number in range(ROUNDS):
        with started(WRITER, path, 1000 * (number + 1), CHUNK // 4) as process:
            assert process.stdout is not None
            said |= [_heard(process.stdout.readline())]
            time.sleep(generator.uniform(0, 0.15))
            process.kill()
            said |= [_heard(line) for line in process.stdout if line.endswith("\n")]
        seen += check(path, said)
    assert seen
    _sweep(path)


def _heard(line: str) -> tuple[str, int]:
    key, number = line.split()
    return key, int(number)


def _sweep(path: Path) -> None:
    """A day later, whoever writes first throws out what the dead have left."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE uploads SET touched = 0")
        connection.commit()
    with SqliteStore(path) as store:
        store.put("key-0", b"%08d" % 0 * 5)
        store.clear()
    assert query(path, "SELECT count(*) FROM chunks") == [(0,)]
    assert query(path, "SELECT count(*) FROM uploads") == [(0,)]
