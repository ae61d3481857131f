"""Broken in the files that they take and give."""

from __future__ import annotations

import inspect
from typing import Any

from storage._async.streams import AsyncReader, AsyncWriter
from storage._core import calls
from storage._core.errors import StoreError
from storage._core.info import READ_ALL, ObjectInfo, WriteOptions

from .healthy import HealthyStore, WaitingSink, caught_by


@caught_by("test_open_file", "test_bytes_io", "test_async_file", "test_reader_of_another_store",
           "test_reader_of_itself")  # fmt: skip
class ReadsOnce(HealthyStore):
    """Takes what a file gives at first for all that it has."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        read = getattr(data, "read", None)
        if read is not None:
            waits = inspect.iscoroutinefunction(read)
            data = await (read(500) if waits else calls.call_user(read, 500))
        return await super().put(key, data, **options)


@caught_by("test_bytes_like")
class CountsItems(HealthyStore):
    """Takes the items of a buffer for bytes."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        if isinstance(data, memoryview):
            data = bytes(list(data))
        return await super().put(key, data, **options)


class _FewPieces(WaitingSink):
    _left = 25

    async def write(self, data: bytes | memoryview) -> None:
        self._left -= 1
        if self._left < 0:
            raise StoreError("a stream has at most 25 pieces")
        await super().write(data)


@caught_by("test_many_small_pieces", "test_writer_of_much")
class FewPieces(HealthyStore):
    """A stream has so many pieces and no more."""

    sink_class = _FewPieces


@caught_by("test_closed_reader")
class ReadsOn(HealthyStore):
    """A reader works on after it was closed, and before it was opened."""

    def open_reader(self, key: str, **_: Any) -> AsyncReader:
        return _OpenReader(self, key, READ_ALL)


class _OpenReader(AsyncReader):
    async def aclose(self) -> None:
        await self.seek(0)


@caught_by("test_abort_after_the_end", "test_abort")
class Unpublishes(HealthyStore):
    """An abort removes the object, whether or not it was published, or was another one."""

    def open_writer(self, key: str, **_: Any) -> AsyncWriter:
        return _Unpublishing(self, key, WriteOptions())


class _Unpublishing(AsyncWriter):
    async def abort(self) -> None:
        await super().abort()
        await self._store._delete(self._key, True, None)


@caught_by("test_move", "test_model", "test_cancelled_move")
class MovesAreCopies(HealthyStore):
    """A move leaves its source."""

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._copy(source, target, if_absent)
