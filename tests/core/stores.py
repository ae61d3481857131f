# pyright: reportIncompatibleVariableOverride=false
"""Stores for the tests of the blocking layer: a dict in pieces, inline and on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from storage._async.pieces import Body, BufferSink, Sink
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.object import AsyncDictStore, DictStore

PIECE = 4
"""Bytes in a piece."""


class AsyncPieces(AsyncDictStore):
    """Reads and writes in small pieces, and keeps count of what is open."""

    def __init__(self, *, timeout: float | None = None) -> None:
        super().__init__(timeout=timeout)
        self.events: list[str] = []
        self.fetched: list[bytes] = []
        self.written: list[bytes] = []
        self.tasks: set[Any] = set()

    async def _pause(self) -> None:
        """What every hook awaits."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        await self._pause()
        return await super()._get(key, options)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        data, info = await self._get(key, options)
        self.events.append("open")
        task = self._task()

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(data), PIECE):
                await self._pause()
                self.fetched.append(data[start : start + PIECE])
                yield self.fetched[-1]

        try:
            yield Body(info, pieces())
        finally:
            self.events.append("close")
            assert self._task() is task

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = _CountingSink(self)
        self.events.append("create")
        task = self._task()
        try:
            yield sink
            sink.info = await self._put(key, bytes(sink.buffer), options)
            self.events.append("publish")
        except BaseException as error:
            self.events.append(f"undo {type(error).__name__}")
            raise
        finally:
            await self._pause()
            assert self._task() is task

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        self.events.append("list")
        try:
            async for key in super()._keys(prefix, start_after):
                await self._pause()
                yield key
        finally:
            await self._pause()
            self.events.append("listed")

    def _task(self) -> Any:
        return None


class _CountingSink(BufferSink):
    """A buffer that remembers its pieces, as the very objects that came."""

    __slots__ = ("_store",)

    def __init__(self, store: AsyncPieces) -> None:
        super().__init__()
        self._store = store

    async def write(self, data: bytes | memoryview) -> None:
        if bytes(data) == b"fail":
            raise OSError(28, "no space")
        self._store.written.append(data)  # type: ignore[arg-type]
        await super().write(data)


class AsyncLoopPieces(AsyncPieces):
    """The same, but it needs a loop."""

    inline = False

    async def _pause(self) -> None:
        await asyncio.sleep(0)

    def _task(self) -> Any:
        return asyncio.current_task()


class Pieces(DictStore):
    """The blocking twin of `AsyncPieces`."""

    _async: AsyncPieces
    _async_type: ClassVar[Any] = AsyncPieces

    def __init__(self) -> None:
        self._hold(self._async_type())


class LoopPieces(Pieces):
    """The blocking twin of `AsyncLoopPieces`."""

    _async_type: ClassVar[Any] = AsyncLoopPieces


class LoopStore(DictStore):
    """A dict whose twin goes through the loop."""

    class _Async(AsyncDictStore):
        inline = False

    _async_type: ClassVar[Any] = _Async
