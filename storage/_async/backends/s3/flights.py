"""Parts of large objects on their way: several at once, within one budget of memory."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from ...._core.window import cancel_all

T = TypeVar("T")
S = TypeVar("S")

MIB = 1024 * 1024
MOST = 8
"""Parts of one object that are on their way at once."""
BUDGET = 64 * MIB
"""Bytes that the parts of all large objects of a store hold at once, but for one part of each."""


class Room(Protocol):
    """Bytes of memory, of which one may take some if they are there, and gives them back."""

    def take(self, size: int, /) -> bool: ...

    def give(self, size: int, /) -> None: ...


class Budget:
    """Bytes of memory that many share, on any loop and thread.

    Nobody waits for it, so that nobody who holds a part of it can keep others from going on: who
    gets none does with one part at a time.
    """

    def __init__(self, size: int = BUDGET) -> None:
        self._free = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take so many bytes, if they are there."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        """Give them back."""
        with self._lock:
            self._free += size


class Crowd:
    """Connections that large objects are brought over, all together, on any loop and thread.

    Each object has one in any case. More of them are for those times when there are few objects.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count the connection that an object needs, while the block lasts."""
        with self._lock:
            self._count += 1
        try:
            yield
        finally:
            self.leave()

    def join(self) -> bool:
        """Count one more, if there is room for it."""
        with self._lock:
            if self._count >= self._most:
                return False
            self._count += 1
            return True

    def leave(self) -> None:
        """Count one less."""
        with self._lock:
            self._count -= 1


class Flights:
    """Parts of one object on their way, in any order: at least one, more as the budget allows."""

    def __init__(self, budget: Room, most: int = MOST) -> None:
        self._budget = budget
        self._most = most
        self._flying: set[asyncio.Task[None]] = set()

    async def start(self, size: int, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Send a part of so many bytes on its way, as soon as there is room for it.

        Raises:
            Exception: What an earlier one failed with.
        """
        taken = 0
        while self._flying:
            if len(self._flying) < self._most and self._budget.take(size):
                taken = size
                break
            await self._land()
        task = asyncio.create_task(work())
        task.add_done_callback(partial(_give, self._budget, taken))
        self._flying.add(task)

    async def landed(self) -> None:
        """Wait for all; raises what one of them failed with."""
        while self._flying:
            await self._land()

    async def _land(self) -> None:
        done, self._flying = await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
        errors = [error for task in done if (error := task.exception())]
        if errors:
            raise errors[0]

    async def cancel(self) -> None:
        """End all that fly, and wait for their ends."""
        await cancel_all(self._flying)


def _give(budget: Room, size: int, task: asyncio.Task[Any]) -> None:
    budget.give(size)


async def in_turn(
    function: Callable[[S], Coroutine[Any, Any, T]],
    items: Iterable[tuple[S, int]],
    budget: Room,
) -> AsyncGenerator[T, None]:
    """Call a function on many items ahead of their use, and give the results in order.

    Args:
        function: Called once with each item; what it raises ends the iteration.
        items: Each with the bytes that its result takes.
        budget: What the results take of it is given back when they were used.
    """
    waiting = deque(items)
    flying: deque[tuple[asyncio.Task[T], int]] = deque()
    try:
        while waiting or flying:
            while waiting and len(flying) < MOST:
                item, size = waiting[0]
                if flying and not budget.take(size):
                    break
                waiting.popleft()
                flying.append((asyncio.create_task(function(item)), size if flying else 0))
            yield await flying[0][0]
            budget.give(flying.popleft()[1])
    finally:
        for _, size in flying:
            budget.give(size)
        await cancel_all([task for task, _ in flying])


async def together(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all to their ends; the first error ends the others, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0]  # noqa: B904 - the error is the same; its cause stands
