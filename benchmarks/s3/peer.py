"""What a client looks like to the benchmarks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

MIB = 1024 * 1024
PART = 8 * MIB
PARTS = 8
"""Parts of a large object that are on their way at once."""


class Peer:
    """A client in use; `enter` connects it.

    Args:
        endpoint: The server's URL.
        key: The access key.
        secret: Its secret.
        bucket: The bucket.
    """

    def __init__(self, endpoint: str, key: str, secret: str, bucket: str) -> None:
        self.endpoint, self.key, self.secret, self.bucket = endpoint, key, secret, bucket
        self.stack = AsyncExitStack()

    async def enter(self) -> None:
        """Connect."""

    async def aclose(self) -> None:
        """Disconnect."""
        await self.stack.aclose()


async def bounded(call: Callable[[Any], Awaitable[Any]], items: Any, in_flight: int) -> None:
    """Do something to all items, so many at once."""
    source = iter(items)

    async def work() -> None:
        for item in source:
            await call(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(work())
