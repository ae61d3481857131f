"""A store that does only so much at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from ..._core.closing import closing
from ..._core.errors import ConfigError
from ..._core.info import ObjectInfo, ReadOptions, WriteOptions
from ..._core.permits import Permits
from ..._core.protocol import AsyncObjectStore
from ..._core.values import CHUNK_SIZE
from ..pieces import Body, Sink
from .around import AsyncAroundStore, Passage, weigh

_STREAMS = frozenset({"open_reader", "open_writer", "keys", "list", "delete_many"})


class AsyncLimitStore(AsyncAroundStore):
    """Bounds what is asked of its child at once; what is too much waits, first come first served.

    A stream or a listing counts as one operation for as long as it is open. What is begun while
    one is open around it (a put that reads from it, a delete of what was listed) may use its
    place, one operation at a time, so that nobody waits for what waits for him; then there can be
    one more operation for each open stream. A stream that was opened in a task of its own, as a
    fan-out above this store does, is not known to be around: give a timeout there.

    Bytes count while the child reads or writes them; a read whose length nobody knows beforehand
    counts by its object's, which is asked for first.

    Args:
        store: A store of ours, or any object with the five async verbs.
        operations: How many at once; None for any number.
        bytes: How many at once, of which a larger object or piece takes all; None for any number.
        timeout: Seconds that one operation may take, all its waiting included.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        operations: int | None = None,
        bytes: int | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        for name, limit in (("operations", operations), ("bytes", bytes)):
            if limit is not None and limit < 1:
                raise ConfigError(f"{name} is a number above 0 or None, not {limit!r}")
        self.inline = False
        self._operations = None if operations is None else Permits(operations)
        self._bytes = None if bytes is None else Permits(bytes)

    def _during(self, verb: str, key: str | None) -> Passage:
        if self._operations is None:
            return Passage()
        return _Admission(self._operations, verb in _STREAMS)

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        if self._bytes is None:
            return await super()._get(key, options)
        async with self._during("get", key):
            size = _length(options)
            if size is None:
                size = (await self._child.head(key)).size
            async with self._bytes.permit(CHUNK_SIZE if size is None else size):
                return await self._child._read(key, options)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        if self._bytes is None:
            return await super()._put(key, data, options)
        async with self._during("put", key), self._bytes.permit(weigh(data)):
            return await self._child._write(key, data, options)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with super()._open(key, options) as body:
            if self._bytes is not None:
                body.chunks = _admitted(self._bytes, body.chunks)
            yield body

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with super()._create(key, options) as inner:
            sink = inner if self._bytes is None else _AdmittedSink(self._bytes, inner)
            yield sink
        sink.info = inner.info


class _Admission(Passage):
    """The permit of one operation."""

    def __init__(self, permits: Permits, stream: bool) -> None:
        self._permit = permits.permit(stream=stream)

    async def __aenter__(self) -> Self:
        await self._permit.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._permit.__aexit__(kind, error, traceback)


class _AdmittedSink:
    """A sink that waits until each piece may be written."""

    def __init__(self, permits: Permits, sink: Sink) -> None:
        self.info: ObjectInfo | None = None
        self._permits = permits
        self._sink = sink

    async def write(self, data: bytes | memoryview) -> None:
        async with self._permits.permit(len(data)):
            await self._sink.write(data)


async def _admitted(permits: Permits, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces of a stream; each is taken to be as long as the one before it."""
    size = CHUNK_SIZE
    async with closing(chunks):
        while True:
            async with permits.permit(size):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            size = len(chunk)
            yield chunk


def _length(options: ReadOptions) -> int | None:
    """How many bytes a read gives at most; None where that depends on the object."""
    part = options.byte_range
    if part is None or (part.end is None and part.start >= 0):
        return None
    return -part.start if part.end is None else part.end - part.start
