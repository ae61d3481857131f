"""Lifetimes for stores that know none."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import (
    ConfigError,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
)
from ..._core.info import (
    ByteRange,
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from ..._core.lifetimes import check_ttl
from ..._core.protocol import AsyncObjectStore
from ..._core.window import in_order
from ..base import BULK, AsyncBaseStore, Keys, Outcome
from ..lifetimes import AsyncLifetimeStore
from ..pieces import Body, Sink
from .identity import AsyncIdentityStore

T = TypeVar("T")

ENTRY = "storage-expires"
"""The metadata entry with the end of an object's life, in milliseconds since 1970."""


class AsyncTTLStore(AsyncIdentityStore, AsyncLifetimeStore):
    """Objects of its child go by themselves some time after they were put.

    The end of an object's life is a metadata entry of it, written with it, so the child has to
    keep attributes. From then on the object is neither read nor listed; it is removed when
    something else is to be created under its key, and by `sweep`. Objects without that entry live
    for ever. Where the child's listings leave metadata out (files, S3), each object that is listed
    is looked at.

    This is how buckets and archives get lifetimes; files have their own. S3's lifecycle rules
    count days, from the day of the put, for all objects under a prefix or a tag: such a rule may
    do the sweeping, where nothing under it is to live longer, but it cannot say when an object
    ends to be read.

    A presigned URL of the child works beyond an object's life. Clocks of several machines have to
    agree as well as lifetimes are to be kept.

    Args:
        store: A store of ours that keeps attributes.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever.
        clock: Tells the time for that, in seconds since 1970.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        ttl: float | None = None,
        *,
        clock: Callable[[], float] = time.time,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._ttl = check_ttl(ttl)
        self._clock = clock

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """The child's; who is to create only must be able to remove what is over, and only that."""
        found = self._child.capabilities
        if Capability.DELETE_IF_MATCH in found:
            return found
        return found & ~(Capability.IF_ABSENT | Capability.COPY_IF_ABSENT)

    async def sweep(self) -> int:
        """Remove the objects whose time is over; returns how many.

        Raises:
            NotSupported: The child cannot remove an object only if it is still the same.
        """
        self._check_open("sweep")
        self._require("sweep", "", Capability.DELETE_IF_MATCH, "sweep()")
        count = 0
        async with closing(self._looked_at("", "")) as infos:
            async for info in infos:
                if self._over(info):
                    count += await self._evict(info)
        return count

    async def _teardown(self) -> None:
        if not self._view:
            await super()._teardown()

    # -- the ends of lives ------------------------------------------------------------------

    def _over(self, info: ObjectInfo) -> bool:
        """Whether an object's time is over."""
        end = (info.metadata or {}).get(ENTRY, "")
        return end.isdecimal() and int(end) <= self._clock() * 1000

    def _living(self, info: ObjectInfo) -> ObjectInfo:
        """What is told of an object, if it is still there."""
        if self._over(info):
            raise ObjectNotFound("there is no object under this key by now", key=info.key)
        if info.metadata and ENTRY in info.metadata:
            rest = {name: value for name, value in info.metadata.items() if name != ENTRY}
            return replace(info, metadata=rest)
        return info

    def _dated(self, key: str, options: WriteOptions) -> WriteOptions:
        """How an object is written that lives as long as this store says."""
        if options.metadata and ENTRY in options.metadata:
            raise ConfigError(f"the metadata entry {ENTRY!r} is this store's own")
        if self._ttl is None:
            return options
        if Capability.ATTRIBUTES not in self._child.capabilities:
            raise NotSupported("lifetimes need a store that keeps metadata", key=key)
        end = str(int((self._clock() + self._ttl) * 1000))
        return replace(options, metadata={**(options.metadata or {}), ENTRY: end})

    async def _evict(self, info: ObjectInfo) -> bool:
        """Remove an object whose time is over, if it is still that one."""
        try:
            await self._child.delete(info.key, if_match=info.etag)
        except (ObjectNotFound, PreconditionFailed):
            return False
        return True

    async def _check_match(self, key: str, if_match: str | None) -> None:
        """Raise where the object that a condition is about is no more."""
        if if_match is None:
            return
        try:
            self._living(await self._child.head(key))
        except ObjectNotFound as error:
            raise PreconditionFailed(f"there is no object, not etag {if_match!r}") from error

    async def _creating(
        self, key: str, if_absent: bool, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        """Create an object, in place of one whose time is over, too."""
        try:
            return await work()
        except ObjectExists:
            if not if_absent or not await self._evicted(key):
                raise
        return await work()

    async def _evicted(self, key: str) -> bool:
        """Whether there is no object any more, since its time is over."""
        try:
            info = await self._child.head(key)
        except ObjectNotFound:
            return True
        return self._over(info) and await self._evict(info)

    # -- hooks ------------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        data, info = await self._child._read(key, options)
        return data, self._living(info)

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await AsyncBaseStore._get_ranges(self, key, parts, if_match)

    async def _head(self, key: str) -> ObjectInfo:
        return self._living(await self._child.head(key))

    async def _exists(self, key: str) -> bool:
        return await AsyncBaseStore._exists(self, key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with self._child._reader(key, options) as reader:
            yield Body(self._living(reader.info), reader)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        await self._check_match(key, options.if_match)
        dated = self._dated(key, options)
        info = await self._creating(
            key, options.if_absent, lambda: self._child._write(key, data, dated)
        )
        return replace(info, metadata=options.metadata)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        await self._check_match(key, options.if_match)
        if options.if_absent:
            await self._evicted(key)
        async with super()._create(key, self._dated(key, options)) as sink:
            yield sink
        assert sink.info is not None
        sink.info = replace(sink.info, metadata=options.metadata)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        if missing_ok and if_match is None:
            await self._child.delete(key, missing_ok=True)
            return
        info = await self._child.head(key)
        if self._over(info):
            raise ObjectNotFound("there is no object under this key by now", key=key)
        await self._child.delete(key, if_match=if_match)

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        kind: Any = AsyncIdentityStore if missing_ok else AsyncBaseStore
        async with closing(kind._delete_many(self, keys, missing_ok)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._copied(source, target, if_absent, self._child.copy)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._copied(source, target, if_absent, self._child.move)

    async def _copied(self, source: str, target: str, if_absent: bool, verb: Any) -> ObjectInfo:
        await self._head(source)
        info = await self._creating(
            target, if_absent, lambda: verb(source, target, if_absent=if_absent)
        )
        return self._living(info)

    # -- listing ----------------------------------------------------------------------------

    async def _looked_at(self, prefix: str, start_after: str) -> AsyncGenerator[ObjectInfo, None]:
        """What is listed, with its metadata."""

        async def look(info: ObjectInfo) -> ObjectInfo:
            return info if info.metadata is not None else await self._child.head(info.key)

        listed = self._child.list(prefix, start_after=start_after)
        async with closing(listed) as infos, closing(in_order(look, infos, BULK)) as found:
            async for _, info in found:
                if isinstance(info, ObjectInfo):
                    yield info
                elif not isinstance(info, ObjectNotFound):
                    raise info

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._looked_at(prefix, start_after)) as infos:
            async for info in infos:
                if not self._over(info):
                    yield self._living(info)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with closing(self._list(prefix, start_after)) as infos:
            async for info in infos:
                yield info.key

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        return await AsyncBaseStore._list_with_delimiter(self, prefix, delimiter)
