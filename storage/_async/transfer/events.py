"""A sync whose outcomes are iterated over."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from ..._core.errors import ConfigError
from ..._core.protocol import AsyncObjectStore
from ..._core.window import cancel_all
from .options import SyncOptions
from .report import SyncEvent, SyncReport
from .running import Run

AHEAD = 16
"""Lists of events that the sync may be ahead of whoever iterates over them."""


class AsyncSyncRun:
    """A sync, and what becomes of each key, as it becomes known::

        async with AsyncSyncRun(source, target, SyncOptions(delete=True)) as run:
            async for event in run:
                print(event.action, event.key, run.report.bytes_copied)

    It goes on while it is iterated over, waits where nobody does so, and is cancelled where the
    block ends early. At its end the iteration raises what `async_sync_stores` would raise.

    Args:
        source: Where the objects are; it is never written.
        target: Where they go.
        options: How. None: as `async_sync_stores` does by itself.
    """

    def __init__(
        self,
        source: AsyncObjectStore,
        target: AsyncObjectStore,
        options: SyncOptions | None = None,
    ) -> None:
        self._run = Run(source, target, options or SyncOptions(), self._tell)
        self._held: deque[SyncEvent] = deque()
        self._task: asyncio.Task[None] | None = None
        self._queue: asyncio.Queue[list[SyncEvent] | None] | None = None

    @property
    def report(self) -> SyncReport:
        """The sums until now."""
        return self._run.report

    async def __aenter__(self) -> Self:
        if self._task is not None:
            raise ConfigError("this run was begun before")
        self._queue = asyncio.Queue(AHEAD)
        self._task = asyncio.create_task(self._work(self._queue))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        queue, self._queue = self._queue, None  # from now on nobody listens
        while queue is not None and not queue.empty():
            queue.get_nowait()
        if self._task is not None:
            await cancel_all([self._task])

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SyncEvent:
        """The next outcome. Raises `SyncError` after the last one if something failed."""
        while not self._held:
            events = None if self._queue is None else await self._queue.get()
            if events is None:
                await self._end()
                raise StopAsyncIteration
            self._held.extend(events)
        return self._held.popleft()

    async def _work(self, queue: asyncio.Queue[list[SyncEvent] | None]) -> None:
        try:
            await self._run.sync()
        finally:
            if self._queue is queue:
                await queue.put(None)

    async def _tell(self, events: list[SyncEvent]) -> None:
        if self._queue is not None:
            await self._queue.put(events)

    async def _end(self) -> None:
        """Raise what went wrong, once."""
        queue, self._queue = self._queue, None
        if queue is not None and self._task is not None:
            await self._task
            self.report.raise_failures()
