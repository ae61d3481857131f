"""One store made of several that hold the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import reduce
from operator import and_
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import FanoutError, ObjectNotFound
from ..._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..._core.window import cancel_all, finish_all
from ..base import AsyncBaseStore
from ..pieces import Body, Sink
from ..streams import AsyncWriter
from ..transfer.listing import in_key_order, merge
from .children import AsyncParentStore

T = TypeVar("T")

logger = logging.getLogger("storage.fanout")


class AsyncFanoutStore(AsyncParentStore):
    """Puts to all children at once, and gets from the first that has the object.

    A child that fails while another one answers does not fail a read; it is logged. A key counts
    as missing only if every child says so.

    Args:
        children: The stores, in the order in which they are read; at least one.
        timeout: Seconds that one operation may take.

    Raises:
        FanoutError: By a write, when some children failed; the others have done it.
    """

    def __init__(
        self, children: Sequence[AsyncObjectStore], *, timeout: float | None = None
    ) -> None:
        super().__init__(children, timeout=timeout)
        if not self._children:
            raise ValueError("a fan-out has at least one child")
        common = reduce(and_, (child.capabilities for child in self._children))
        self.capabilities = common & _SHARED

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._first(lambda child: child._read(key, options))

    async def _head(self, key: str) -> ObjectInfo:
        return await self._first(lambda child: child.head(key))

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with AsyncExitStack() as stack:
            reader = await self._first(
                lambda child: stack.enter_async_context(child._reader(key, options))
            )
            yield Body(reader.info, reader)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        puts = [child.put(key, data, **options.arguments()) for child in self._children]
        return (await self._all(puts))[0]

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        writers = [child.open_writer(key, **options.arguments()) for child in self._children]
        sink = _FanoutSink(self, writers)
        try:
            await self._all([writer.__aenter__() for writer in writers])
            yield sink
        except BaseException:
            await finish_all([writer.abort() for writer in writers])
            raise
        await self._all([writer.aclose() for writer in writers])
        sink.info = writers[0].info

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async def delete(child: AsyncBaseStore) -> bool:
            try:
                await child.delete(key)
            except ObjectNotFound:
                return False
            return True

        found = await self._all([delete(child) for child in self._children])
        if not any(found) and not missing_ok:
            raise ObjectNotFound("no child has an object under this key")

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        listings = [child.list(prefix, start_after=start_after) for child in self._children]
        if Capability.ORDERED in self.capabilities:
            names = map(repr, self._children)
            ordered = [in_key_order(*pair) for pair in zip(listings, names, strict=True)]
            async with closing(merge(ordered)) as rows:
                async for row in rows:
                    yield next(info for info in row if info is not None)
            return
        seen: set[str] = set()
        for listing in listings:
            async with closing(listing) as infos:
                async for info in infos:
                    if info.key not in seen:
                        seen.add(info.key)
                        yield info

    async def _first(self, read: Callable[[AsyncBaseStore], Coroutine[Any, Any, T]]) -> T:
        """What the first child gives that has it; missing only if all say so."""
        errors: dict[str, Exception] = {}
        for child in self._children:
            try:
                result = await read(child)
            except ObjectNotFound:
                continue
            except Exception as error:
                errors[repr(child)] = error
                continue
            for name, failure in errors.items():
                logger.warning("%s failed; read from %r instead: %s", name, child, failure)
            return result
        if errors:
            raise FanoutError("no child has the object, but not all could say so", errors)
        raise ObjectNotFound("no child has an object under this key")

    async def _all(self, work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """What all children give, done at once."""
        tasks = [asyncio.create_task(coro) for coro in work]
        try:
            await asyncio.wait(tasks)
        except BaseException:
            await cancel_all(tasks)
            raise
        errors: dict[str, Exception] = {}
        for index, task in enumerate(tasks):
            failure = task.exception()
            if isinstance(failure, Exception):
                errors[f"{index}: {self._children[index]!r}"] = failure
            elif failure is not None:
                raise failure
        if errors:
            count = f"{len(errors)} of {len(tasks)} children failed"
            raise FanoutError(count, errors)
        return [task.result() for task in tasks]


_SHARED = (
    Capability.ORDERED | Capability.ATTRIBUTES | Capability.STREAMS | Capability.RANGES
)  # conditions are no child's alone to decide


AsyncMirroringStore = AsyncFanoutStore


class _FanoutSink:
    """Hands each piece to all children."""

    def __init__(self, store: AsyncFanoutStore, writers: Sequence[AsyncWriter]) -> None:
        self.info: ObjectInfo | None = None
        self._store = store
        self._writers = writers

    async def write(self, data: bytes | memoryview) -> None:
        await self._store._all([writer.write(data) for writer in self._writers])
