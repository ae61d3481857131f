"""Objects in a dict."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Self, TypeVar

from ..._core import calls, runner
from ..._core.errors import ConfigError, NoSpace, ObjectNotFound
from ..._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions, check_delete
from ..._core.lifetimes import check_ttl
from ..._core.protocol import AsyncObjectStore
from ..._core.urls import StoreURL
from ..base import AsyncBaseStore
from ..foreign import lift
from ..lifetimes import AsyncLifetimeStore
from ..pieces import BufferSink, Sink
from ._memory.room import Room
from ._memory.shelf import Shelf
from ._memory.snapshots import read_items, write_items

T = TypeVar("T")


class AsyncDictStore(AsyncLifetimeStore):
    """Objects in memory; safe to use from many threads.

    An object whose time is over is neither read nor listed from that moment on. Its memory is
    free again when somebody asks for it, by and by with each put, or after `sweep`.

    Args:
        objects: The dict that holds them, key to bytes; it is used as it is, not copied, and you
            may change it yourself. What you put there lives for ever, and counts for ``max_size``
            from the next put on. None: a new one.
        max_size: Bytes that all objects may have together, keys and all else not counted. None:
            any number.
        when_full: ``"refuse"`` what exceeds that, with `NoSpace`; or ``"evict"`` the objects that
            were not read or written for longest.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever.
        clock: Tells the time for that, in seconds.
        timeout: As for every store; nothing here ever waits.
    """

    capabilities = ~Capability.NONE
    inline = True

    def __init__(
        self,
        objects: MutableMapping[str, bytes] | None = None,
        *,
        max_size: int | None = None,
        when_full: Literal["refuse", "evict"] = "refuse",
        ttl: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        timeout: float | None = None,
    ) -> None:
        super().__init__(timeout=timeout)
        if when_full not in ("refuse", "evict"):
            raise ConfigError(f"when_full is 'refuse' or 'evict', not {when_full!r}")
        self.objects: MutableMapping[str, bytes] = {} if objects is None else objects
        room = None if max_size is None else Room(self.objects, max_size, when_full == "evict")
        self._shelf = Shelf(self.objects, room, clock)
        self._ttl = check_ttl(ttl)

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``memory://``; each call makes a new one.

        Options: ``max_size``, ``when_full``, ``ttl``, ``timeout``.
        """
        when_full: Any = url.option("when_full", str, "refuse")
        return cls(
            max_size=url.option("max_size", int, None),
            when_full=when_full,
            ttl=url.option("ttl", float, None),
            timeout=url.option("timeout", float, None),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.objects)} objects)"

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return (("object", f"{id(self.objects):x}/"),)

    # -- lifetimes, snapshots ---------------------------------------------------------------

    async def sweep(self) -> int:
        """Remove the objects whose time is over; returns how many."""
        self._check_open("sweep")
        with self._shelf.lock:
            return self._shelf.sweep()

    async def save(self, target: AsyncObjectStore, *, delete: bool = False) -> int:
        """Put all objects of this moment into another store, attributes where it keeps them.

        What happens here meanwhile is not in the snapshot. The target is atomic for each object.

        Args:
            target: The store; times to live go along where it has a ``with_ttl``.
            delete: Remove what else it has, at the end, if all was put.

        Returns:
            How many objects there were.

        Raises:
            BulkError: Some could not be put; all others are there, and nothing was removed.
        """
        self._check_open("save")
        with self._shelf.lock:
            items = self._shelf.snapshot()
        other = lift(target)
        await self._run("save", None, _there(other, write_items(items, other, delete)))
        return len(items)

    async def load(self, source: AsyncObjectStore, *, delete: bool = False) -> int:
        """Take over all objects of another store, in one step: no task sees a part of it.

        Args:
            source: The store; all of it is read before anything changes here.
            delete: Remove what else is here, in the same step.

        Returns:
            How many objects there were.

        Raises:
            NoSpace: They exceed ``max_size``; nothing has changed.
            BulkError: Some could not be read; nothing has changed.
            StoreError: The listing failed; nothing has changed.
        """
        self._check_open("load")
        other = lift(source)
        items = await self._run("load", None, _there(other, read_items(other)))
        with self._shelf.lock:
            self._shelf.take_over(items, delete, self._deadline())
        return len(items)

    def _deadline(self) -> float | None:
        return None if self._ttl is None else self._shelf.deadlines.after(self._ttl)

    # -- hooks ------------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        data, info, _ = self._shelf.find(key)
        if options.conditional:
            options.check(info)
        if self._shelf.room is not None:
            self._shelf.room.touch(key)
        return options.cut(data), info

    async def _head(self, key: str) -> ObjectInfo:
        return self._shelf.find(key)[1]

    async def _exists(self, key: str) -> bool:
        return self._shelf.holds(key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        data = bytes(data)
        shelf = self._shelf
        deadline = None if self._ttl is None else self._deadline()
        with shelf.lock:
            if options.conditional:
                options.check(key, shelf.peek(key))
            return shelf.store(key, data, options, deadline)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        room = self._shelf.room
        sink = BufferSink() if room is None else _LimitedSink(room.limit)
        yield sink
        sink.info = await self._put(key, bytes(sink.buffer), options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        with self._shelf.lock:
            found = self._shelf.peek(key)
            if found is None and missing_ok and if_match is None:
                return
            check_delete(key, found, if_match)
            self._shelf.drop(key)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        with self._shelf.lock:
            return self._shelf.copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        with self._shelf.lock:
            return self._shelf.copy(source, target, if_absent, move=True)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        for key in self._shelf.keys(prefix, start_after):
            yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for key in self._keys(prefix, start_after):
            try:
                info = self._shelf.find(key)[1]
            except ObjectNotFound:
                continue  # it went between two steps
            yield info


class _LimitedSink(BufferSink):
    """Takes no more than can ever be stored."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    async def write(self, data: bytes | memoryview) -> None:
        if len(self.buffer) + len(data) > self._limit:
            raise NoSpace(f"a stream of more than max_size={self._limit} bytes")
        self.buffer += data


async def _there(other: AsyncBaseStore, work: Coroutine[Any, Any, T]) -> T:
    """Do something with another store, which may need a loop where this one needs none."""
    if calls.direct() and not other.inline:
        return runner.run(work)
    return await work
