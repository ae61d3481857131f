"""Tasks at work, as many at once as a pace allows, in whatever order they end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from ..._core.window import cancel_all

TRANSFERS = 128
"""Objects in flight, unless somebody says otherwise: twice as many as there are connections to a
bucket, so that these have something to bring while what they brought is written."""


class Limiting(Protocol):
    """What says how many."""

    limit: int
    """Tasks that may be at work now; at least 1."""


class Window:
    """Starts tasks.

    Args:
        pace: Says how many may be at work; asked before each start.
    """

    def __init__(self, pace: Limiting) -> None:
        self.lost = 0
        """Tasks that ended without telling anybody how."""
        self._pace = pace
        self._running: set[asyncio.Task[None]] = set()
        self._change = asyncio.Event()

    def __len__(self) -> int:
        return len(self._running)

    async def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin a piece of work as soon as there is room for it."""
        try:
            await self._until(self._pace.limit - 1)
        except BaseException:
            work.close()
            raise
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def drain(self) -> None:
        """Wait until nothing is at work."""
        await self._until(0)

    async def cancel(self) -> None:
        """End whatever is at work."""
        await cancel_all(self._running)

    async def _until(self, count: int) -> None:
        while len(self._running) > max(count, 0):
            self._change.clear()
            await self._change.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._change.set()
        if task.cancelled() or task.exception() is not None:
            self.lost += 1
