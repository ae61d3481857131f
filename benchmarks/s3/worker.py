"""One client in a process of its own: takes tasks by name, a line each, and tells what they took.

Usage: python -m benchmarks.s3.worker PEER ENDPOINT KEY BUCKET FILE, with the secret in the
environment. FILE is a large file to upload; what is downloaded goes beside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.processes import commands_peak, memory, processor
from benchmarks.s3.peer import Peer, bounded
from benchmarks.s3.peers import PEERS
from benchmarks.s3.tasks import SMALL, TASKS, Task, read_key

DATA = os.urandom(SMALL)


class Worker:
    """Does tasks with one client."""

    def __init__(self, name: str, peer: Peer, file: Path) -> None:
        self.name = name.replace(" ", "-").replace(",", "")
        self.peer: Any = peer
        self.file = file
        self.turn = 0

    def own_key(self, number: int) -> str:
        """A key that only this client writes, and only in this turn."""
        return f"written/{self.name}/{self.turn}/{number:05}"

    async def do(self, task: Task) -> dict[str, float]:
        """One turn; tells seconds of wall time and on the processor, and the peak of memory."""
        self.turn += 1
        if task.verb == "delete":
            await bounded(lambda n: self.peer.put(self.own_key(n), DATA), range(task.count), 32)
        call = getattr(self, f"_{task.verb}", self._many)
        spent, begin = processor(), perf_counter()
        await call(task)
        seconds = perf_counter() - begin
        return {
            "seconds": seconds,
            "cpu": processor() - spent,
            "peak": max(memory(), commands_peak()),
        }

    async def _many(self, task: Task) -> None:
        calls: dict[str, Callable[[int], Awaitable[Any]]] = {
            "get": lambda n: self.peer.get(read_key(n)),
            "head": lambda n: self.peer.head(read_key(n)),
            "put": lambda n: self.peer.put(self.own_key(n), DATA),
            "delete": lambda n: self.peer.delete(self.own_key(n)),
        }
        await bounded(calls[task.verb], range(task.count), task.in_flight)

    async def _list(self, task: Task) -> None:
        found = await self.peer.list("listed/")
        assert found == task.count, (self.name, found)

    async def _download(self, task: Task) -> None:
        target = self.file.with_name(f"down-{self.name}")
        await self.peer.download("large", str(target))
        assert target.stat().st_size == task.count
        target.unlink()

    async def _upload(self, task: Task) -> None:
        await self.peer.upload(f"written/{self.name}/large", str(self.file))

    async def _get_many(self, task: Task) -> None:
        # A blocking client may not be called from a loop's own thread.
        found = await asyncio.to_thread(self.peer.get_many)
        assert found == task.count, (self.name, found)


async def main(name: str, endpoint: str, key: str, bucket: str, file: str) -> None:
    """Take tasks until the input ends."""
    peer = PEERS[name][0](endpoint, key, os.environ["BENCHMARK_SECRET"], bucket)
    await peer.enter()
    worker = Worker(name, peer, Path(file))
    able = [task.name for task in TASKS.values() if hasattr(peer, task.verb)]
    print(json.dumps(able), flush=True)
    # A thread reads the tasks, so that a client's own loop runs on between them.
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await worker.do(TASKS[line.rstrip("\n")])), flush=True)
    await peer.aclose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
