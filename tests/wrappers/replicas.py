"""Children of a fan-out that can be taken down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from storage._core.info import ListResult, ObjectInfo, ReadOptions, WriteOptions
from storage.object import AsyncDictStore, Body, IntegrityError, Sink, StoreUnavailable

State = Literal["up", "down", "slow", "corrupt"]


class Replica(AsyncDictStore):
    """A store in memory that is up, down, never answers, or finds what it holds corrupt.

    Args:
        objects: What it holds.
    """

    def __init__(self, **objects: bytes) -> None:
        super().__init__(objects)
        self.state: State = "up"
        self.calls: list[str] = []
        self.running = 0
        self.cancelled = 0

    async def _may(self, call: str) -> None:
        self.calls.append(call)
        self.running += 1
        try:
            await asyncio.sleep(0)
            if self.state == "down":
                raise StoreUnavailable("the replica is down")
            if self.state == "corrupt" and call == "get":
                raise IntegrityError("the checksum does not match")
            if self.state == "slow":
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        await self._may("get")
        return await super()._get(key, options)

    async def _head(self, key: str) -> ObjectInfo:
        await self._may("head")
        return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        await self._may("exists")
        return await super()._exists(key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        await self._may("put")
        return await super()._put(key, data, options)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        data, info = await self._get(key, options)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 4):
                yield data[start : start + 4]
                await self._may("piece")

        yield Body(info, pieces())

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        await self._may("create")
        sink = _Sink(self)
        yield sink
        sink.info = await self._put(key, bytes(sink.buffer), options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._may("delete")
        await super()._delete(key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        await self._may("copy")
        return await super()._copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        await self._may("move")
        return await super()._move(source, target, if_absent)

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        await self._may("list")
        async for info in super()._list(prefix, start_after):
            yield info

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        await self._may("keys")
        async for key in super()._keys(prefix, start_after):
            yield key

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        await self._may("list_with_delimiter")
        return await super()._list_with_delimiter(prefix, delimiter)


class _Sink:
    def __init__(self, replica: Replica) -> None:
        self.info: ObjectInfo | None = None
        self.buffer = bytearray()
        self._replica = replica

    async def write(self, data: Any, /) -> None:
        await self._replica._may("write")
        self.buffer += data


def three(**objects: bytes) -> list[Replica]:
    """Three that hold the same."""
    return [Replica(**objects) for _ in range(3)]
