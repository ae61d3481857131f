"""Objects as files: what a store opens for reading and for writing."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from .._core.errors import NotSupported, StoreError
from .._core.info import ByteRange, Capability, ObjectInfo, ReadOptions, WriteOptions
from .hooks import AsyncStoreHooks
from .pieces import Body, Sink

T = TypeVar("T")


class AsyncReader:
    """An object open for reading: an async context manager, an async iterable, a seekable file.

    All its bytes are of one version of the object: where the store knows etags, a seek that opens
    the object again asks for the same one (`PreconditionFailed` if it was replaced meanwhile).
    """

    def __init__(self, store: AsyncStoreHooks, key: str, options: ReadOptions) -> None:
        self._store = store
        self._key = key
        self._options = options
        self._opened: AbstractAsyncContextManager[Body] | None = None
        self._chunks: AsyncGenerator[Any, None] | None = None
        self._info: ObjectInfo | None = None
        self._rest: Any = memoryview(b"")
        self._position = 0

    @property
    def info(self) -> ObjectInfo:
        """What is known of the object; only while the reader is open."""
        if self._info is None:
            raise ValueError("the reader is not open: use it in 'async with'")
        return self._info

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of the object; may be called again."""
        await self._shut()
        self._info = None

    async def _open(self) -> None:
        opened = self._store._open(self._key, self._options)
        body = await self._store._run("get", self._key, _enter(opened))
        self._chunks = self._store._steps("get", body.chunks)
        self._opened, self._info = opened, body.info

    async def _reopen(self) -> None:
        """Open the same version of the object again, at the position."""
        pins = Capability.READ_CONDITIONS in self._store.capabilities
        pinned = self.info.etag if pins else None
        await self._shut()
        self._options = ReadOptions(ByteRange(self._position), pinned)
        await self._open()

    async def _shut(self) -> None:
        opened, self._opened = self._opened, None
        chunks, self._chunks = self._chunks, None
        self._rest = memoryview(b"")
        try:
            if chunks is not None:
                await chunks.aclose()
        finally:
            if opened is not None:
                await opened.__aexit__(None, None, None)

    async def _next(self) -> Any:
        """The bytes at the position that are there without more waiting; empty at the end."""
        if not self._rest:
            if self._chunks is None:
                await self._reopen()
            assert self._chunks is not None
            try:
                async for chunk in self._chunks:
                    if chunk:
                        # A store of text gives pieces of text, which are cut just alike.
                        self._rest = chunk if isinstance(chunk, str) else memoryview(chunk)
                        break
            except BaseException:
                # A stream that has failed looks ended from here on: the next read opens a new one.
                await self._shut()
                raise
        return self._rest

    def _take(self, size: int) -> Any:
        taken, self._rest = self._rest[:size], self._rest[size:]
        self._position += len(taken)
        return taken

    async def read(self, size: int = -1) -> bytes:
        """Exactly the next ``size`` bytes, fewer only at the end; all that are left by default."""
        self.info  # noqa: B018 - raises where the reader is not open
        parts: list[Any] = []
        while size and await self._next():
            part = self._take(len(self._rest) if size < 0 else size)
            parts.append(part)
            size -= len(part) if size > 0 else 0
        if isinstance(self._rest, str):
            return "".join(parts)  # type: ignore[return-value]
        return parts[0].tobytes() if len(parts) == 1 else b"".join(parts)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._next()
        if not chunk:
            raise StopAsyncIteration
        whole = self._take(len(chunk))
        if isinstance(whole, str):
            return whole  # type: ignore[return-value]
        source = whole.obj  # hand the backend's own bytes on where they are not cut
        return source if type(source) is bytes and len(source) == len(whole) else whole.tobytes()

    def tell(self) -> int:
        """The position, in bytes from the object's start."""
        return self._position

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position, as in a file; past the end there is just nothing to read.

        Raises:
            OSError: The position would be negative.
        """
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            size = self.info.size
            if size is None:
                raise NotSupported("the store does not know the object's size", key=self._key)
            offset += size
        if offset < 0:
            raise OSError(22, "a position is not negative")
        if 0 <= offset - self._position <= len(self._rest):
            self._take(offset - self._position)
        elif offset != self._position:
            info = self.info
            await self._shut()
            self._position, self._info = offset, info
        return offset


class AsyncWriter:
    """An object open for writing, published as a whole when its ``async with`` block ends well.

    When the block raises, or is cancelled, nothing is published and what was there stays. The same
    holds after a write that failed, also where the block went on: the object would have a hole.
    """

    def __init__(self, store: AsyncStoreHooks, key: str, options: WriteOptions) -> None:
        self._store = store
        self._key = key
        self._options = options
        self._created: AbstractAsyncContextManager[Sink] | None = None
        self._sink: Sink | None = None
        self._lost: BaseException | None = None
        self._size = 0

    @property
    def info(self) -> ObjectInfo:
        """What was stored; only after the object was published."""
        info = self._sink.info if self._sink is not None else None
        if info is None:
            raise ValueError("the object is not published yet")
        return info

    async def __aenter__(self) -> Self:
        created = self._store._create(self._key, self._options)
        self._sink = await self._store._run("put", self._key, _enter(created))
        self._created = created
        return self

    async def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append bytes; returns how many."""
        buffer = self._store._as_piece(data)
        if self._created is None or self._sink is None:
            raise ValueError("the writer is not open: use it in 'async with'")
        try:
            await self._store._run("put", self._key, _write(self._sink, buffer))
        except BaseException as error:
            self._lost = error
            raise
        self._size += len(buffer)
        return len(buffer)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    async def __aexit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        created, self._created = self._created, None
        if created is None:
            return
        lost, self._lost = self._lost, None
        if kind is None and lost is not None:
            await self._leave(created, type(lost), lost, lost.__traceback__)
            raise StoreError(
                "a write failed, so nothing was published", operation="put", key=self._key
            ) from lost
        await self._leave(created, kind, error, traceback)

    async def _leave(self, created: AbstractAsyncContextManager[Sink], *exception: Any) -> None:
        leave = created.__aexit__(*exception)
        await self._store._run("put", self._key, _awaited(leave))

    async def aclose(self) -> None:
        """Publish the object, as leaving the block does; may be called again."""
        await self.__aexit__()

    async def abort(self) -> None:
        """Publish nothing; may be called again, and after an end without effect."""
        error = WriteAborted("the write was aborted")
        with suppress(WriteAborted):
            await self.__aexit__(type(error), error, None)


class WriterSink:
    """A sink that hands everything to a writer: for the stores that are made of others."""

    def __init__(self, writer: AsyncWriter) -> None:
        self.info: ObjectInfo | None = None
        self._writer = writer

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        await self._writer.write(data)


class WriteAborted(StoreError):
    """Travels through a backend's write to undo it; never leaves the writer."""


async def _enter(manager: AbstractAsyncContextManager[T]) -> T:
    return await manager.__aenter__()


async def _write(sink: Sink, data: bytes | memoryview) -> None:
    await sink.write(data)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable
