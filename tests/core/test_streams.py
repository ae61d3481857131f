"""Readers and writers: what they do where something goes wrong on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._async.pieces import BufferSink, Sink
from storage._core.errors import StoreError, StoreUnavailable
from storage._core.info import WriteOptions


class DropsPieces(BufferSink):
    """Fails once, and takes all later pieces."""

    async def write(self, data: bytes | memoryview) -> None:
        if bytes(data) == b"lost":
            raise StoreUnavailable("the disk is away")
        await super().write(data)


class DroppingStore(AsyncDictStore):
    """Writes streams through a sink that loses a piece."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = DropsPieces()
        yield sink
        sink.info = await self._put(key, bytes(sink.buffer), options)


async def test_an_object_with_a_hole_is_never_published() -> None:
    store = DroppingStore({"key": b"old"})
    with pytest.raises(StoreError, match="nothing was published") as caught:
        async with store.open_writer("key") as writer:
            await writer.write(b"first")
            with pytest.raises(StoreUnavailable):
                await writer.write(b"lost")
            await writer.write(b"last")
    assert isinstance(caught.value.__cause__, StoreUnavailable)
    assert await store.get("key") == b"old"


async def test_what_was_never_a_piece_is_not_missed() -> None:
    store = AsyncDictStore()
    async with store.open_writer("key") as writer:
        with pytest.raises(TypeError):
            await writer.write("text")  # type: ignore[arg-type]
        await writer.write(b"bytes")
    assert await store.get("key") == b"bytes"


async def test_an_aborted_writer_publishes_nothing_after_a_loss_either() -> None:
    store = DroppingStore({"key": b"old"})
    writer = await store.open_writer("key").__aenter__()
    with pytest.raises(StoreUnavailable):
        await writer.write(b"lost")
    await writer.abort()
    await writer.aclose()
    assert await store.get("key") == b"old"
