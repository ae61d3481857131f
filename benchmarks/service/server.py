"""The service in a process of its own: tells of itself when it is asked to, a line each.

Usage: python -m benchmarks.service.server ENDPOINT KEY BUCKET CONNECTIONS, with the secret in the
environment.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from benchmarks.processes import forget_peak, memory
from benchmarks.service.clients import WINDOW
from storage.asgi import StoreApp
from storage.s3 import AsyncBucketStore

BEAT = 0.005
PATIENCE = 5.0
"""Seconds within which every connection has to be free again."""


class Heart:
    """A task that wants to run every few milliseconds, and notes what has kept it from that."""

    late = 0.0
    """Seconds that it came too late, at most: on a busy machine others are a part of that."""
    busy = 0.0
    """Seconds that the loop's thread spent on the processor between two beats, at most."""

    async def beat(self) -> None:
        """Go on until cancelled."""
        wall, spent = time.perf_counter(), time.thread_time()
        while True:
            await asyncio.sleep(BEAT)
            now, used = time.perf_counter(), time.thread_time()
            self.late = max(self.late, now - wall - BEAT)
            self.busy = max(self.busy, used - spent)
            wall, spent = now, used


class Steps:
    """Notes how long the loop's longest step took: one callback, or a task until it waits."""

    longest = 0.0
    """Seconds of the thread on the processor."""

    def __init__(self) -> None:
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            begin = time.thread_time()
            run(handle)
            self.longest = max(self.longest, time.thread_time() - begin)

        asyncio.Handle._run = timed  # type: ignore[assignment, method-assign]


class Server(uvicorn.Server):
    """It ends with its standard input, and not by signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


async def _told(store: AsyncBucketStore, heart: Heart, steps: Steps) -> dict[str, float]:
    """What there is to tell, once all that was begun has ended."""
    deadline = time.monotonic() + PATIENCE
    while (taken := _connections(store)) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(BEAT)
    return {
        "peak": memory(),
        "late": heart.late,
        "busy": heart.busy,
        "step": steps.longest,
        "connections": taken,
    }


def _connections(store: Any) -> int:
    """How many connections to S3 are in use."""
    opened = store._send.lanes._loops.peek()
    return 0 if opened is None or opened.lane is None else opened.lane._transport._pool._taken


async def main(endpoint: str, key: str, bucket: str, connections: str) -> None:
    """Serve until the input ends."""
    from aiobotocore.config import AioConfig

    steps = Steps()
    async with AsyncBucketStore.connect(
        bucket, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key,
        aws_secret_access_key=os.environ["BENCHMARK_SECRET"],
        config=AioConfig(max_pool_connections=int(connections)),
    ) as store:  # fmt: skip
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
            # What waits for a slow client is then the service's to keep, and not the system's.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, WINDOW)
            config = uvicorn.Config(StoreApp(store), log_config=None, ws="none", lifespan="off")
            server, heart = Server(config), Heart()
            serving = asyncio.ensure_future(server.serve([listening]))
            beating = asyncio.ensure_future(heart.beat())
            print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                if line.strip() == "begin":
                    # What a collection takes is a matter of how much there is: so do services
                    # that care, once they have started.
                    gc.collect()
                    gc.freeze()
                    await asyncio.sleep(3 * BEAT)
                    forget_peak()
                    heart.late = heart.busy = steps.longest = 0.0
                    answer: dict[str, float] = {"memory": memory("VmRSS")}
                else:
                    answer = await _told(store, heart, steps)
                print(json.dumps(answer), flush=True)
            beating.cancel()
            server.should_exit = True
            await serving


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
