"""What a killed process and a power cut leave in the SQLite file.

A few rounds of each; STORAGE_CRASH_ROUNDS=200 makes so many
(with ``-o faulthandler_timeout=0``).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from storage._async.backends.db.objects import CHUNK
from storage.db import SqliteStore
from storage.object import StoreNotFound
from tests.backends.disks import LAZY, formatted, mounted, needs_disks, without_power
from tests.backends.sqlite import query, started

ROUNDS = int(os.environ.get("STORAGE_CRASH_ROUNDS", "4"))
pytestmark = pytest.mark.timeout(60 + 5 * ROUNDS)
KEYS = [f"key-{i}" for i in range(8)]

WRITER = """
    import asyncio, itertools, sys
    from storage.aiodb import AsyncSqliteStore

    first, size = int(sys.argv[2]), int(sys.argv[3])
    durable = sys.argv[4:] != ["relaxed"]

    def value(number):
        return b"%08d" % number * (size if number % 2 else 5)

    async def pieces(data):
        for start in range(0, len(data), 50_000):
            yield data[start : start + 50_000]

    async def main():
        async with AsyncSqliteStore(sys.argv[1], durable=durable) as store:
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


def check(path: Path, said: dict[str, int], *, lost: bool = False) -> int:
    """Every key is whole, and not older than what its writer was told; how many there are."""
    count = 0
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
        for key in () if lost else set(KEYS) - listed:
            # Only a deletion, acknowledged or not, explains this.
            number = said.get(key, 0)
            assert number <= 0 or number % 5 == 4
        assert store.check().sound
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


@needs_disks
@pytest.mark.parametrize("how", ["durable", "relaxed"])
def test_a_power_cut_at_any_time(tmp_path: Path, how: str) -> None:
    """What a durable store acknowledged is there; a relaxed one may lose it, but tears nothing."""
    generator = random.Random(6)
    image = formatted(tmp_path / "image")
    for number in range(1, ROUNDS // 2 + 1):
        with ExitStack() as stack:
            disk = mounted(stack, image, tmp_path / "disk", LAZY)
            file = disk / f"new-{number}" / "directory" / "x.sqlite"
            process = stack.enter_context(started(WRITER, file, 1000, CHUNK // 4, how))
            assert process.stdout is not None
            said = dict([_heard(process.stdout.readline())])
            time.sleep(generator.uniform(0, 0.3))
            process.send_signal(signal.SIGSTOP)
            cut = without_power(image, tmp_path / "cut")
            process.kill()
            said |= [_heard(line) for line in process.stdout if line.endswith("\n")]
            process.wait()
            shutil.rmtree(file.parents[1])
        with ExitStack() as stack:
            path = mounted(stack, cut, tmp_path / "after") / file.relative_to(disk)
            if how == "durable":
                check(path, said)
            else:
                with suppress(StoreNotFound):  # the first put may be lost, too
                    check(path, {}, lost=True)


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
