"""Writing through a cache.

An entry goes before the main store changes, and comes back after that: a process that is killed
in between leaves none.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

from ...._core.closing import closing
from ...._core.info import ObjectInfo, WriteOptions
from ...._core.window import each
from ...base import AsyncBaseStore, Keys, Outcome
from ...pieces import Sink
from ...streams import AsyncWriter
from .filling import Filling, writer_fills
from .policy import Policy
from .reads import Reads
from .shelf import Shelf, length
from .traffic import Change


class Writes:
    """What `AsyncCachingStore` does to write.

    Args:
        main: The main store.
        shelf: The entries.
        policy: What becomes of them.
        reads: Those who have to be told.
    """

    def __init__(self, main: AsyncBaseStore, shelf: Shelf, policy: Policy, reads: Reads) -> None:
        self._main = main
        self._shelf = shelf
        self._policy = policy
        self._reads = reads
        self._through = policy.write == "through"

    def _change(self, key: str) -> Change:
        return Change(self._reads.traffic, key)

    async def put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        """Store an object."""
        stored = time.time()
        with self._change(key) as change:
            await self._invalidate(key)
            info = await self._main._write(key, data, options)
            # And once more: another process may have cached the old object meanwhile.
            async with writer_fills(self._shelf, key, change) as may:
                if may and self._through and self._policy.takes(length(data)):
                    await self._shelf.put(key, data, info, stored)
                else:
                    await self._invalidate(key)
        return info

    @asynccontextmanager
    async def create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        """Take an object's pieces, for the entry too."""
        async with (
            Filling(self._shelf, key, self._policy.takes, time.time()) as filling,
            self._main._writer(key, options) as writer,
        ):
            sink = _Tee(writer, filling if self._through and self._shelf.streams(None) else None)
            yield sink
            # The source may have been slow: only the publishing keeps the readers away.
            with self._change(key) as change:
                filling.stored = time.time()
                await self._invalidate(key)
                await writer.aclose()
                async with writer_fills(self._shelf, key, change) as may:
                    if not (may and sink.copy and await filling.publish(writer.info)):
                        await self._invalidate(key)
            sink.info = writer.info

    async def delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        """Remove an object."""
        async with self._without(key):
            await self._main.delete(key, missing_ok=missing_ok, if_match=if_match)

    async def copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Copy an object in the main store."""
        async with self._without(target):
            return await self._main.copy(source, target, if_absent=if_absent)

    async def move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Move an object in the main store."""
        async with self._without(source), self._without(target):
            return await self._main.move(source, target, if_absent=if_absent)

    @asynccontextmanager
    async def _without(self, key: str) -> AsyncIterator[None]:
        """Change a key in a way that leaves no entry, whatever the policy."""
        with self._change(key):
            await self._drop(key)
            yield
            await self._drop(key)

    async def delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        """Remove objects as the main store does it best."""
        changing: dict[str, ExitStack] = {}

        async def noted() -> AsyncIterator[str]:
            async with closing(each(keys)) as source:
                async for key in source:
                    if key not in changing:
                        changing[key] = ExitStack()
                        changing[key].enter_context(self._change(key))
                    await self._drop(key)
                    yield key

        try:
            async with closing(self._main._delete_many(noted(), missing_ok)) as outcomes:
                async for key, error in outcomes:
                    await self._drop(key)
                    if key in changing:
                        changing.pop(key).close()
                    yield key, error
        finally:
            for change in changing.values():
                change.close()

    async def clear(self, key: str | None) -> int:
        """Remove the entry of one key, or all; returns how many there were."""
        if key is None:
            self._reads.traffic.count_all()
            self._reads.fresh.forget_all()
            count = await self._shelf.clear()
            self._reads.traffic.count_all()
            return count
        with self._change(key):
            self._reads.fresh.forget(key)
            return await self._shelf.remove(key)

    async def _invalidate(self, key: str) -> None:
        if self._policy.write == "around":
            self._reads.fresh.forget(key)
        else:
            await self._drop(key)

    async def _drop(self, key: str) -> None:
        self._reads.fresh.forget(key)
        await self._shelf.drop(key)


class _Tee:
    """Hands an object's pieces to its writer, and to its entry.

    Args:
        writer: Of the main store.
        copy: The entry in the making, if there is to be one.
    """

    def __init__(self, writer: AsyncWriter, copy: Filling | None) -> None:
        self.info: ObjectInfo | None = None
        self.copy = copy
        self._writer = writer

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        await self._writer.write(data)
        if self.copy is not None:
            await self.copy.write(data)
