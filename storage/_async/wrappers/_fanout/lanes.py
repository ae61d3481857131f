"""A streamed write: each child takes the pieces in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

from ...._core.info import ObjectInfo, WriteOptions
from ...base import AsyncBaseStore
from .replicas import Answer, Replicas

Piece: TypeAlias = bytes | memoryview


class Lane:
    """One child's share of the write; its writer lives and ends in one task."""

    def __init__(self, replicas: Replicas, index: int, key: str, options: WriteOptions) -> None:
        self._replicas = replicas
        self._index = index
        self._pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._ready = asyncio.Event()
        child = replicas.children[index]
        self.task = asyncio.create_task(self._run(child, key, options))

    async def _run(self, child: AsyncBaseStore, key: str, options: WriteOptions) -> ObjectInfo:
        await self._replicas.settled(self._index)
        async with child._writer(key, options) as writer:
            self._ready.set()
            while (piece := await self._pieces.get()) is not None:
                await writer.write(piece)
                self._ready.set()
        return writer.info

    async def ready(self) -> None:
        """Wait until the child is open, or has taken the last piece; raises what it raised."""
        ready = asyncio.ensure_future(self._ready.wait())
        try:
            await asyncio.wait({self.task, ready}, return_when="FIRST_COMPLETED")
        finally:
            ready.cancel()
        if self.task.done():
            self.task.result()

    async def take(self, piece: Piece) -> None:
        """Write the next piece."""
        self._ready.clear()
        self._pieces.put_nowait(piece)
        await self.ready()

    async def publish(self) -> ObjectInfo:
        """End the object well."""
        self._pieces.put_nowait(None)
        await asyncio.wait({self.task})
        return self.task.result()

    def drop(self) -> None:
        """Publish nothing, and do not wait for that."""
        self._replicas.drop(self.task, self._index)


class StreamedWrite:
    """One object, written to all children in step.

    Args:
        replicas: The children.
        needed: How many of them must not fail.
        key: The object's key.
        options: Of the write.
    """

    def __init__(self, replicas: Replicas, needed: int, key: str, options: WriteOptions) -> None:
        self.info: ObjectInfo | None = None
        self.errors: dict[int, Exception] = {}
        self._replicas = replicas
        self._needed = needed
        self._lanes = {
            index: Lane(replicas, index, key, options) for index in range(len(replicas.children))
        }

    async def open(self) -> None:
        """Open the object at all children."""
        self._judge(await self._replicas.all(lambda i: self._lanes[i].ready(), self._lanes))

    async def write(self, data: Piece, /) -> None:
        """Take the next piece."""
        self._judge(await self._replicas.all(lambda i: self._lanes[i].take(data), self._lanes))

    async def publish(self) -> list[ObjectInfo]:
        """End the object well, at all children that have come so far; what these tell of it."""
        answers = await self._replicas.all(lambda i: self._lanes[i].publish(), self._lanes)
        self._judge(answers)
        return [answer.value for answer in answers if answer.error is None]

    async def abort(self) -> None:
        """Publish nothing where it is not published yet."""
        for lane in self._lanes.values():
            lane.drop()
        await self._replicas.leave(lane.task for lane in self._lanes.values())

    def _judge(self, answers: Sequence[Answer[Any]]) -> None:
        """Go on without those that failed; raise where too few are left."""
        for answer in answers:
            if answer.error is not None:
                self.errors[answer.index] = answer.error
                self._lanes.pop(answer.index).drop()
        if len(self._lanes) < self._needed:
            count = f"{len(self.errors)} of {len(self._replicas.children)} children failed"
            raise self._replicas.failure(count, self.errors)
