"""The reading half of the fan-out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from ...._core import calls
from ...._core.closing import closing
from ...._core.errors import FanoutError, IntegrityError, NotSupported, ObjectNotFound
from ...._core.info import ByteRange, Capability, ListResult, ObjectInfo, ReadOptions
from ...._core.protocol import SupportsPresign
from ...pieces import Body
from ...transfer.objects import WHOLE
from ..children import AsyncParentStore
from .agreeing import Agreeing
from .listing import Listing, Merged
from .policies import ReadPolicy, alike, told
from .pump import Pump, Streams
from .reading import Found, Reading
from .repair import Repairs, Watch
from .replicas import Call, Replicas

T = TypeVar("T")

logger = logging.getLogger("storage.fanout")


class FanoutReads(AsyncParentStore):
    """Every read is put to the children by the policy; see `AsyncFanoutStore`."""

    _policy: ReadPolicy
    _needed: int
    _on_failure: Callable[[FanoutError], None] | None
    _replicas: Replicas
    _inquiry: Reading
    _agreeing: Agreeing
    _repairs: Repairs

    # -- one object -------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        with self._repairs.watching(key) as watch:
            found = await self._inquiry.ask(
                lambda i: self._children[i]._read(key, options), lambda a, b: a[0] == b[0]
            )
            if options.byte_range is None:
                await self._mend(watch, key, found, found.value[0])
        await self._tell("get", key, found.errors)
        return found.value[0], self._told([answer.value[1] for answer in found.answers])

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await self._ask(
            "get_ranges", key, lambda i: self._children[i].get_ranges(key, parts)
        )

    async def _head(self, key: str) -> ObjectInfo:
        found = await self._heads(key)
        await self._tell("head", key, found.errors)
        return self._told([answer.value for answer in found.answers])

    async def _heads(self, key: str) -> Found[ObjectInfo]:
        return await self._inquiry.ask(lambda i: self._children[i].head(key), alike)

    async def _exists(self, key: str) -> bool:
        async def look(index: int) -> bool:
            if await self._children[index].exists(key):
                return True
            raise ObjectNotFound("there is no object under this key")

        try:
            return await self._ask("exists", key, look)
        except ObjectNotFound:
            return False

    async def _ask(self, operation: str, key: str, call: Call[T]) -> T:
        found = await self._inquiry.ask(call)
        await self._tell(operation, key, found.errors)
        return found.value

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        if self._policy == "quorum" and not await self._streams(key):
            async with super()._open(key, options) as body:
                yield body
            return
        async with Streams(self._replicas, key) as streams:
            pump, info, errors = await self._opened(streams, key, options)
            await self._tell("get", key, errors)
            yield Body(info, pump)

    async def _streams(self, key: str) -> bool:
        """Whether a quorum reads the object in pieces: what is small is read whole, and once."""
        if Capability.STREAMS not in self.capabilities:
            return False
        found = await self._heads(key)
        return found.value.size is None or found.value.size > WHOLE

    async def _opened(
        self, streams: Streams, key: str, options: ReadOptions
    ) -> tuple[Pump[Any], ObjectInfo, Mapping[int, Exception]]:
        if self._policy == "quorum":
            pump, agreed = await self._agreeing.open(streams, key, options)
            await anext(pump)
            infos = [answer.value for answer in agreed.answers]
            return pump, self._told(infos), agreed.errors
        with self._repairs.watching(key) as watch:
            found = await self._inquiry.ask(partial(streams.begin, options=options))
            await self._mend(watch, key, found)
        pump = streams.choose(found.value)
        return pump, self._told([await anext(pump)]), found.errors

    async def _mend(
        self, watch: Watch, key: str, found: Found[Any], data: bytes | None = None
    ) -> None:
        """Have those children repaired that are known, or may be found, to need it."""
        agreed = {answer.index for answer in found.answers}
        targets = found.missing
        replace = self._policy == "quorum"
        if replace:
            # Of those that failed only one that knows its object to be broken can be helped.
            failed = {i for i, e in found.errors.items() if not isinstance(e, IntegrityError)}
            targets = sorted(set(range(len(self._children))) - agreed - failed)
        await self._repairs.start(watch, key, min(agreed), targets, data=data, replace=replace)

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`; by the first child that gives out URLs.

        Raises:
            NotSupported: No child does.
        """
        self._check("presigned_get", key)
        for child in self._children:
            if isinstance(child, SupportsPresign):
                try:
                    return await child.presigned_get(key, expiry)
                except NotSupported:
                    continue  # a wrapper around one that does not
        raise NotSupported(
            "no child gives out URLs", operation="presigned_get", store=repr(self), key=key
        )

    # -- listings ---------------------------------------------------------------------------

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        listing = self._merged(lambda child: child.list(prefix, start_after=start_after))
        async with closing(listing) as infos:
            async for info in infos:
                yield info

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        listing = self._merged(lambda child: _bare(child.keys(prefix, start_after=start_after)))
        async with closing(listing) as infos:
            async for info in infos:
                yield info.key

    async def _merged(self, listing: Listing) -> AsyncIterator[ObjectInfo]:
        merged = Merged(self._replicas, self._policy)
        async with closing(merged.infos(listing)) as infos:
            async for info in infos:
                yield info
        await self._tell("list", None, merged.errors)

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        merged = Merged(self._replicas, self._policy)
        result = merged.level(
            await self._replicas.all(
                lambda i: self._children[i].list_with_delimiter(prefix, delimiter)
            )
        )
        await self._tell("list_with_delimiter", None, merged.errors)
        return result

    # -- what is said of it -----------------------------------------------------------------

    def _told(self, infos: Sequence[ObjectInfo]) -> ObjectInfo:
        return told(self._policy, infos)

    async def _tell(self, operation: str, key: str | None, errors: Mapping[int, Exception]) -> None:
        """Make known that some children failed where the others were enough."""
        if not errors:
            return
        count = f"{len(errors)} of {len(self._children)} children failed, the others were enough"
        failure = FanoutError(count, self._replicas.named(errors))
        failure.located(operation=operation, store=repr(self), key=key)
        logger.warning("%s", failure)
        if self._on_failure is not None:
            try:
                await calls.call_user(self._on_failure, failure)
            except Exception:
                logger.exception("on_failure has failed")


async def _bare(keys: AsyncIterator[str]) -> AsyncIterator[ObjectInfo]:
    """Keys as a listing."""
    async with closing(keys) as source:
        async for key in source:
            yield ObjectInfo(key)
