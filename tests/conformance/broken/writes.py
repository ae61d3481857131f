"""Broken in how they write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from storage._async.pieces import BufferSink, Sink
from storage._core.errors import ObjectNotFound
from storage._core.info import WRITE_OVER, ObjectInfo, WriteOptions

from .healthy import HealthyStore, WaitingSink, caught_by


@caught_by(
    "test_readers_see_whole_objects",
    "test_readers_see_whole_copies",
    "test_listing_sees_whole_objects",
    "test_cancelled_put",
    "test_cancelled_copy",
)
class HalfPut(HealthyStore):
    """Writes in place: whoever looks meanwhile sees a half."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if len(data) > 1_000 and not options.conditional:
            await super()._put(key, data[: len(data) // 2], options)
            await asyncio.sleep(0)
        return await super()._put(key, data, options)


@caught_by(
    "test_readers_see_whole_streams",
    "test_publishes_at_its_end_only",
    "test_stream_that_fails",
    "test_writer_whose_block_raises",
    "test_abort",
    "test_two_writers",
    "test_cancelled_stream",
    "test_cancelled_writer",
    "test_not_bytes",
    "test_not_bytes_are_not_written",
    "test_put_many_with_bad_ones",
)
class VisibleUpload(HealthyStore):
    """A stream is the object from its first piece on."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = _Appending(self, key, options)
        await sink.write(b"")
        yield sink


class _Appending(BufferSink):
    info: ObjectInfo | None

    def __init__(self, store: HealthyStore, key: str, options: WriteOptions) -> None:
        super().__init__()
        self._place = store, key, options

    async def write(self, data: bytes | memoryview) -> None:
        store, key, options = self._place
        self.buffer += data
        self.info = await store._put(key, bytes(self.buffer), options)


@caught_by(
    "test_writer_whose_block_raises",
    "test_stream_that_fails",
    "test_abort",
    "test_not_bytes",
    "test_cancelled_writer",
)
class PublishesFailed(HealthyStore):
    """Publishes what a failed block has written so far."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = WaitingSink()
        try:
            yield sink
        finally:
            sink.info = await self._put(key, bytes(sink.buffer), options)


@caught_by("test_store_works_while_writing", "test_publishes_at_its_end_only")
class WriterHoldsLock(HealthyStore):
    """Nothing else works while a writer is open."""

    _busy = False

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with super()._create(key, options) as sink:
            self._busy = True
            try:
                yield sink
            finally:
                self._busy = False

    def _check_open(self, operation: str) -> None:
        if self._busy:
            raise TimeoutError("the database is locked")
        super()._check_open(operation)

    async def get(self, key: str, **options: Any) -> bytes:
        self._check_open("get")
        return await super().get(key, **options)


@caught_by("test_not_bytes", "test_put_many_with_bad_ones")
class AcceptsText(HealthyStore):
    """Takes a str for bytes."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        return await super().put(key, data.encode() if isinstance(data, str) else data, **options)


@caught_by("test_value_is_taken_at_once")
class KeepsTheBuffer(HealthyStore):
    """Keeps the caller's own buffer."""

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        info = await super()._put(key, data, options)
        self.objects[key] = data
        return info


@caught_by("test_piece_is_taken_at_once")
class KeepsThePieces(HealthyStore):
    """Gathers the pieces of a stream before it looks at them."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        if hasattr(data, "__aiter__"):
            data = iter([piece async for piece in data])
        return await super().put(key, data, **options)


@caught_by("test_stream_is_closed")
class LeavesSourcesOpen(HealthyStore):
    """Does not close the iterator that it reads."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        if hasattr(data, "__next__"):
            self.kept = data
            data = [piece for piece in data if piece]
        elif hasattr(data, "__anext__"):
            self.kept = data
            data = _Hidden(data)
        return await super().put(key, data, **options)


class _Hidden:
    def __init__(self, source: Any) -> None:
        self.__anext__ = source.__anext__
        self._source = source

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            try:
                yield await self._source.__anext__()
            except StopAsyncIteration:
                return


@caught_by("test_overwrite", "test_etag_follows_every_kind_of_write", "test_model")
class KeepsTheFirst(HealthyStore):
    """Does not overwrite."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if key in self.objects and not options.conditional:
            return self._shelf._known[key][1]
        return await super()._put(key, data, options)


@caught_by("test_overwrite", "test_readers_see_whole_objects", "test_model")
class KeepsTheTail(HealthyStore):
    """Overwrites in place, and does not cut the rest off."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        old = self.objects.get(key, b"")
        return await super()._put(key, bytes(data) + old[len(data) :], options)


@caught_by("test_writer_of_nothing", "test_stream", "test_round_trip", "test_overwrite")
class DropsEmpty(HealthyStore):
    """An empty object is none."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        info = await super()._put(key, data, options)
        if not data:
            del self.objects[key]
        return info


class _LosesMuch(WaitingSink):
    async def write(self, data: bytes | memoryview) -> None:
        if len(self.buffer) < 300_000 and len(data) != 2:
            await super().write(data)


@caught_by("test_pieces_of_all_sizes", "test_stream", "test_writer")
class LosesPieces(HealthyStore):
    """Loses pieces of two bytes, and what follows a large one."""

    sink_class = _LosesMuch


@caught_by("test_delete_twice", "test_missing_key", "test_errors_say_where", "test_model")
class SilentDelete(HealthyStore):
    """Deleting never raises."""

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await super()._delete(key, True, if_match)


@caught_by("test_delete", "test_clear", "test_model", "test_cancelled_delete")
class KeepsDeleted(HealthyStore):
    """Deletes nothing."""

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        if key not in self.objects and not missing_ok:
            raise ObjectNotFound("there is no object under this key")


@caught_by("test_move_onto_itself", "test_model")
class MovesOntoNothing(HealthyStore):
    """A move onto itself removes the object."""

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        info = await self._copy(source, target, if_absent)
        await self._delete(source, True, None)
        return info


@caught_by("test_copy_of_nothing", "test_copy_onto_itself", "test_cancelled_copy")
class CopyMakesRoomFirst(HealthyStore):
    """A copy removes its target before it knows that there is a source."""

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        if not if_absent:
            await self._delete(target, True, None)
            await asyncio.sleep(0)
        return await super()._copy(source, target, if_absent)


@caught_by("test_copy")
class CopiesByName(HealthyStore):
    """A copy is the very object: it changes with it."""

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        info = await super()._copy(source, target, if_absent)
        self._links = {**self._links, source: target}
        return info

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if key in self._links:
            await super()._put(self._links[key], data, WRITE_OVER)
        return await super()._put(key, data, options)

    _links: dict[str, str] = {}  # noqa: RUF012 - replaced, not changed
