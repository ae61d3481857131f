"""What the tests of the SQLite store share: other processes, and looks into the file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    """For another interpreter that imports this clone."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def python(code: str, *arguments: object, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run code in another interpreter, warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(),
        check=False,
    )


@contextmanager
def started(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Another interpreter that runs code; killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


LOCK = """
    import sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    for statement in sys.argv[2:]:
        db.execute(statement)
    print("locked", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def locked(path: Path, *statements: str) -> Iterator[None]:
    """Somebody else's process holds a lock on the file."""
    with started(LOCK, path, *(statements or ("BEGIN IMMEDIATE",))) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield


def query(path: Path, statement: str) -> list[Any]:
    """What the file says to somebody else."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def change(path: Path, *statements: str) -> None:
    """Somebody else changes the file."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def leftovers(path: Path) -> int:
    """Chunks that belong to no object."""
    statement = "SELECT count(*) FROM chunks WHERE version NOT IN (SELECT version FROM objects)"
    count: int = query(path, statement)[0][0]
    return count


@contextmanager
def free_loop() -> Iterator[None]:
    """Raises where the running loop is held up again and again for more than 50 ms.

    Once or twice does not count: a busy machine does that to anybody.
    """
    gaps: list[float] = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - before - 0.005)

    task = asyncio.ensure_future(tick())
    try:
        yield
    finally:
        task.cancel()
    long = [gap for gap in gaps if gap > 0.05]
    assert len(gaps) > 10
    assert len(long) < 3, long
    assert sum(long) < 0.3, long


def value(size: int) -> bytes:
    """Bytes of which no two chunks are alike."""
    return b"".join(i.to_bytes(8) for i in range(size // 8 + 1))[:size]


async def pieces(data: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
