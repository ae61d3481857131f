"""Broken when they are cancelled, closed, or used from several places."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from storage._async.base import AsyncBaseStore
from storage._async.pieces import Sink
from storage._core.errors import StoreClosed, StoreError, StoreTimeout
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions

from .healthy import HealthyStore, WaitingSink, caught_by

CANCELLED_WRITES = ("test_cancelled_put", "test_cancelled_first_put")


@caught_by(*CANCELLED_WRITES)
class PublishesLate(HealthyStore):
    """A cancelled put goes on, and publishes when nobody expects it."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        return await asyncio.shield(self._later(key, data, options))

    async def _later(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        for _ in range(3):
            await asyncio.sleep(0)
        return await super()._put(key, data, options)


@caught_by(*CANCELLED_WRITES)
class SwallowsCancelling(HealthyStore):
    """Goes on as if nothing had been said."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            pass
        return await super()._put(key, data, options)


@caught_by("test_cancelled_stream", "test_cancelled_writer")
class LeavesUploads(HealthyStore):
    """Cleans up after errors, but not after a cancellation."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = WaitingSink()
        self.medium.litter.append(key)
        try:
            yield sink
        except Exception:
            self.medium.litter.remove(key)
            raise
        sink.info = await self._put(key, bytes(sink.buffer), options)
        self.medium.litter.remove(key)


@caught_by("test_cancelled_writer", "test_cancelled_stream")
class CleansUpOnce(HealthyStore):
    """A second cancellation interrupts the clean-up after the first."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = WaitingSink()
        self.medium.litter.append(key)
        try:
            yield sink
            sink.info = await self._put(key, bytes(sink.buffer), options)
        finally:
            await asyncio.sleep(0)
            self.medium.litter.remove(key)


@caught_by("test_writer_is_not_open", "test_abort", "test_stream_that_fails", "test_one_creator",
           "test_not_bytes", "test_two_writers", "test_writers_of_one_key")  # fmt: skip
class LeavesTemporaries(HealthyStore):
    """Something lies about after every write."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self.medium.litter.append(f".{key}.tmp")
        return await super()._put(key, data, options)

    def open_writer(self, key: str, **options: Any) -> Any:
        self.medium.litter.append(f".{key}.tmp")
        return super().open_writer(key, **options)


@caught_by("test_cancelled_put", "test_closing_lets_go", "test_cancelled_bulk")
class LeaksTasks(HealthyStore):
    """Starts a task for each put that never ends."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        task = asyncio.create_task(asyncio.sleep(3600))
        TASKS.append(task)
        return await super()._put(key, data, options)


TASKS: list[asyncio.Task[None]] = []
"""Tasks that broken stores have left running."""


@caught_by("test_cancelled_read", "test_cancelled_put",
           "test_cancelled_move", "test_cancelled_condition", "test_cancelled_bulk")  # fmt: skip
class WedgedPool(HealthyStore):
    """A call that is cancelled keeps its place in the pool."""

    _free = 6

    @asynccontextmanager
    async def _place_in_pool(self) -> AsyncIterator[None]:
        patience = 200
        while not self._free:
            patience -= 1
            if not patience:
                raise StoreTimeout("all connections are in use")
            await asyncio.sleep(0)
        self._free -= 1
        await asyncio.sleep(0)
        yield
        self._free += 1

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        async with self._place_in_pool():
            return await super()._get(key, options)

    async def _head(self, key: str) -> ObjectInfo:
        async with self._place_in_pool():
            return await super()._head(key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        async with self._place_in_pool():
            return await super()._put(key, data, options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async with self._place_in_pool():
            await super()._delete(key, missing_ok, if_match)


@caught_by("test_closed_store", "test_errors_of_a_closed_store", "test_block_that_raises")
class NeverClosed(HealthyStore):
    """Works on after it was closed."""

    async def aclose(self) -> None:
        await self._teardown()


@caught_by("test_close_keeps_objects")
class ClosesTheMedium(HealthyStore):
    """Takes all with it when it closes."""

    async def _teardown(self) -> None:
        self.objects.clear()


@caught_by("test_without_entering")
class MustBeEntered(HealthyStore):
    """Works in ``async with`` only."""

    _entered = False

    async def _setup(self) -> None:
        self._entered = True

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        if not self._entered:
            raise RuntimeError("use it in 'async with'")
        return await super().put(key, data, **options)


@caught_by("test_closing_amid_writes")
class ClosesUnderWriters(HealthyStore):
    """What is in flight when it closes is stored as far as it came."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = WaitingSink()
        yield sink
        if self._closed:
            self.objects[key] = bytes(sink.buffer[:1_000])
            raise StoreClosed("the store was closed")
        sink.info = await self._put(key, bytes(sink.buffer), options)


@caught_by("test_several_loops")
class OneLoop(HealthyStore):
    """Belongs to the loop that used it first."""

    _loop: asyncio.AbstractEventLoop | None = None

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self._loop = self._loop or asyncio.get_running_loop()
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("attached to a different loop")
        return await super()._put(key, data, options)


@caught_by("test_pickled_store")
class PicklesNothing(HealthyStore):
    """A pickled store is an empty one."""

    def __reduce__(self) -> Any:
        return type(self), ()


@caught_by("test_deadline")
class EndsUntidily(HealthyStore):
    """A put that runs out of time leaves half of it."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if self._timeout is not None:
            self.objects[key] = bytes(data[:10])
            await asyncio.sleep(1)
        return await super()._put(key, data, options)


@caught_by("test_survives_reopening", "test_pickled_store", "test_close_keeps_objects")
class KeepsInMemory(HealthyStore):
    """Nothing survives the store."""

    def __init__(self, *_: Any, timeout: float | None = None) -> None:
        super().__init__(timeout=timeout)


@caught_by("test_secrets_stay_secret")
class TellsSecrets(HealthyStore):
    """Shows its password."""

    def __repr__(self) -> str:
        return "TellsSecrets('redis://me:hunter2@host')"


@caught_by("test_large_streams", in_memory=False)
class TakesAllMemory(HealthyStore):
    """Gathers a stream before it stores it, though it declares STREAMS."""


@caught_by("test_puts_against_deletes", "test_many_at_once", "test_closing_lets_go",
           "test_writers_let_go")  # fmt: skip
class RemovesDirectories(HealthyStore):
    """Fails when somebody else is in the same directory; opens it each time, and forgets it."""

    _busy: set[str] = set()  # noqa: RUF012 - replaced, not changed

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        directory = key.split("/", maxsplit=1)[0]
        if directory in self._busy:
            raise StoreError("the directory vanished")
        self._busy = self._busy | {directory}
        descriptor = os.dup(0)
        LEFT_OPEN.append(descriptor)
        try:
            await asyncio.sleep(0)
            return await super()._put(key, data, options)
        finally:
            self._busy = self._busy - {directory}


LEFT_OPEN: list[int] = []
"""Descriptors that broken stores have left open, for the tests to close."""


@caught_by("test_lifetime_goes_along")
class LosesLifetimes(HealthyStore):
    """What is copied lives as long as what is put."""

    _copy = AsyncBaseStore._copy


@caught_by("test_lifetime", "test_lifetime_of_each_put")
class LivesForEver(HealthyStore):
    """Takes a lifetime, and does not keep to it."""

    def with_ttl(self, ttl: float | None) -> Self:
        return super().with_ttl(None if ttl is None else ttl + 60)
