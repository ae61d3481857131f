"""Tasks that were given up: cancelled, and not waited for by whoever gave them up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from .looplocal import LoopLocal
from .window import finish_all

PATIENCE = 10.0
"""Seconds that closing waits for them, unless told otherwise."""


class Leftovers:
    """Keeps given-up tasks until they have ended; one set for each event loop."""

    def __init__(self) -> None:
        self._tasks: LoopLocal[set[asyncio.Task[Any]]] = LoopLocal(set)

    def __reduce__(self) -> tuple[type[Leftovers], tuple[()]]:
        return Leftovers, ()  # tasks stay where they are

    def drop(self, task: asyncio.Task[Any]) -> None:
        """Cancel a task and go on; its error, if any, is forgotten."""
        if not task.done():
            if not task.cancelling():  # a second time would interrupt its clean-up
                task.cancel()
            tasks = self._tasks.get()
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        task.add_done_callback(_forget)

    async def leave(self, tasks: Iterable[asyncio.Task[Any]], timeout: float | None = None) -> None:
        """Cancel tasks and wait for their ends, at most ``timeout`` seconds."""
        tasks = list(tasks)
        for task in tasks:
            self.drop(task)
        if tasks:
            await finish_all([asyncio.wait(tasks, timeout=timeout)])

    async def settled(self, timeout: float | None = None) -> None:
        """Wait until all that were given up on this loop have ended."""
        tasks = self._tasks.peek()
        if tasks:
            await asyncio.wait(list(tasks), timeout=timeout)

    async def aclose(self, timeout: float | None = None) -> None:
        """Wait for them, but not for ever."""
        await self.settled(PATIENCE if timeout is None else timeout)


def _forget(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
