"""A child's stream, run in a task of its own."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Generic, Self, TypeVar

from ...._core import calls
from ...._core.closing import closing
from ...._core.errors import StoreUnavailable
from ...._core.info import READ_ALL, ObjectInfo, ReadOptions
from ...base import AsyncBaseStore
from ...transfer.objects import PIECE
from .replicas import Replicas

T = TypeVar("T")


class Pump(Generic[T]):
    """Reads an async iterator ahead, opens and closes it in one task, and is never held up by it.

    Args:
        replicas: Whose deadline holds for each item.
        source: The iterator.
        ahead: How many items are read before they are asked for.
    """

    def __init__(self, replicas: Replicas, source: AsyncIterator[T], ahead: int) -> None:
        self._replicas = replicas
        self._items: deque[T] = deque()
        self._ahead = ahead
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run(source))
        self._task.add_done_callback(lambda _: self._news.set())

    async def _run(self, source: AsyncIterator[T]) -> None:
        async with closing(source) as items:
            async for item in items:
                self._items.append(item)
                self._news.set()
                while len(self._items) >= self._ahead:
                    self._room.clear()
                    await self._room.wait()

    async def fill(self) -> None:
        """Wait for the first items; raises what the source raised before they were there."""
        while len(self._items) < self._ahead and not self._task.done():
            self._news.clear()
            await self._news.wait()
        if self._task.done():
            self._check_end()

    def _check_end(self) -> None:
        """Raise what has ended the source, if it was no good end."""
        if self._task.cancelled():
            raise StoreUnavailable("the stream was given up")
        self._task.result()

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._task.done():
                self._check_end()
                raise StopAsyncIteration
            self._news.clear()
            await self._wait()
        self._room.set()
        return self._items.popleft()

    async def _wait(self) -> None:
        scope = asyncio.timeout(self._replicas.timeout)
        try:
            async with scope:
                await self._news.wait()
        except TimeoutError as error:
            self.drop()
            raise self._replicas.too_late() from error

    def drop(self) -> None:
        """End the stream without waiting for its end."""
        self._replicas.drop(self._task)

    async def aclose(self) -> None:
        """End the stream; may be called again."""
        if not self._task.done():
            await self._replicas.leave([self._task])
        else:
            self.drop()


async def pieces(
    child: AsyncBaseStore, key: str, options: ReadOptions
) -> AsyncGenerator[ObjectInfo | bytes, None]:
    """What is known of a child's object, then its bytes."""
    async with child._reader(key, options) as reader:
        yield reader.info
        async for chunk in reader:
            yield chunk


def opened(replicas: Replicas, index: int, key: str, options: ReadOptions) -> Pump[Any]:
    """A child's object as a running stream: what is known of it, then its bytes."""
    return Pump(replicas, pieces(replicas.children[index], key, options), ahead=2)


async def content(replicas: Replicas, index: int, key: str) -> tuple[str, ObjectInfo]:
    """The SHA-256 of what a child holds, and what it tells of it."""
    async with closing(opened(replicas, index, key, READ_ALL)) as source:
        info = await anext(source)
        digest = hashlib.sha256()
        async for chunk in source:
            await add(digest, chunk)
    return digest.hexdigest(), info


async def add(digest: Any, chunk: bytes) -> None:
    """Take the next piece into a digest; a large one off the loop."""
    if len(chunk) > PIECE:
        await calls.call(digest.update, chunk)
    else:
        digest.update(chunk)


class Streams:
    """The streams that one read has begun; ``async with`` ends them all.

    Args:
        replicas: The children.
        key: The object's key.
    """

    def __init__(self, replicas: Replicas, key: str) -> None:
        self._replicas = replicas
        self._key = key
        self._begun: list[Pump[Any]] = []
        self._chosen: Pump[Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def begin(self, index: int, options: ReadOptions) -> Pump[Any]:
        """Open a child's object; gives the stream when its first bytes are there."""
        pump = opened(self._replicas, index, self._key, options)
        self._begun.append(pump)
        await pump.fill()
        return pump

    def choose(self, pump: Pump[Any]) -> Pump[Any]:
        """Go on with this one."""
        self._chosen = pump
        for other in self._begun:
            if other is not pump:
                other.drop()
        return pump

    async def __aexit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        for pump in self._begun:
            pump.drop()
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            for pump in self._begun:
                await pump.aclose()
        elif self._chosen is not None:
            await self._chosen.aclose()
