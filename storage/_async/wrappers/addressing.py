"""Stores that find out for each key whose it is, and what it is called there."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core.closing import closing
from ..._core.errors import NotSupported, StoreError
from ..._core.info import ByteRange, ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import SupportsPresign
from ..._core.window import pages
from ..base import AsyncBaseStore, Keys, Outcome
from ..pieces import Body, Sink
from .children import AsyncParentStore
from .renaming import Outward, OutwardSink, pieces, renamed

BATCH = 4000
"""Keys that are sorted by their children at a time; S3 takes a quarter in one request."""


class AsyncAddressingStore(AsyncParentStore):
    """Hands each verb on one object to a child, natively, under the key that it has there."""

    @abstractmethod
    def _at(self, key: str) -> tuple[AsyncBaseStore, str, Outward]:
        """The child of a key, the key there, and what brings the child's errors out.

        Raises:
            InvalidKey: There is none.
        """

    def _behind(self, key: str) -> tuple[AsyncBaseStore, str]:
        child, inner, _ = self._at(key)
        return child._behind(inner)

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        child, inner, outward = self._at(key)
        with outward:
            data, info = await child._read(inner, options)
        return data, renamed(info, key)

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        child, inner, outward = self._at(key)
        with outward:
            return await child.get_ranges(inner, parts, if_match=if_match)

    async def _head(self, key: str) -> ObjectInfo:
        child, inner, outward = self._at(key)
        with outward:
            return renamed(await child.head(inner), key)

    async def _exists(self, key: str) -> bool:
        child, inner, outward = self._at(key)
        with outward:
            return await child.exists(inner)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        child, inner, outward = self._at(key)
        with outward:
            async with child._reader(inner, options) as reader:
                yield Body(renamed(reader.info, key), pieces(reader, outward))

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        child, inner, outward = self._at(key)
        with outward:
            return renamed(await child._write(inner, data, options), key)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        child, inner, outward = self._at(key)
        with outward:
            async with child._writer(inner, options) as writer:
                sink = OutwardSink(writer, outward)
                try:
                    yield sink
                except BaseException as error:
                    outward.passing = error
                    raise
            sink.info = renamed(writer.info, key)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        child, inner, outward = self._at(key)
        with outward:
            await child.delete(inner, missing_ok=missing_ok, if_match=if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        child, inner, outward = self._at(source)
        other, end, more = self._at(target)
        if child is not other:
            return await super()._copy(source, target, if_absent)
        with outward.also(more):
            return renamed(await child.copy(inner, end, if_absent=if_absent), target)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        child, inner, outward = self._at(source)
        other, end, more = self._at(target)
        if child is not other:
            return await super()._move(source, target, if_absent)
        with outward.also(more):
            return renamed(await child.move(inner, end, if_absent=if_absent), target)

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        child, inner, outward = self._presigning("presigned_get", key)
        with outward:
            url: str = await child.presigned_get(inner, expiry)
        return url

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        child, inner, outward = self._presigning("presigned_put", key)
        with outward:
            url: str = await child.presigned_put(inner, expiry)
        return url

    def _presigning(self, verb: str, key: str) -> Any:
        """What `_at` gives, if that child gives out URLs."""
        self._check(verb, key)
        place = self._at(key)
        if not isinstance(place[0], SupportsPresign):
            raise NotSupported(
                "this store gives out no URLs", operation=verb, store=repr(self), key=key
            )
        return place

    # -- many -------------------------------------------------------------------------------

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with closing(pages(keys, BATCH)) as batches:
            async for batch in batches:
                async with closing(self._delete_batch(batch, missing_ok)) as outcomes:
                    async for outcome in outcomes:
                        yield outcome

    async def _delete_batch(
        self, keys: Sequence[str], missing_ok: bool
    ) -> AsyncGenerator[Outcome, None]:
        """Remove objects, each child's by its own bulk verb."""
        ours: dict[AsyncBaseStore, defaultdict[str, deque[str]]] = {}
        for key in keys:
            try:
                self._check("delete", key)
                child, inner, _ = self._at(key)
            except StoreError as error:
                yield key, error
            else:
                ours.setdefault(child, defaultdict(deque))[inner].append(key)
        for child, names in ours.items():
            found = [inner for inner, outers in names.items() for _ in outers]
            async with closing(child._delete_many(found, missing_ok)) as outcomes:
                async for inner, failure in outcomes:
                    key = names[inner].popleft()
                    # An error without a key may be that of several.
                    if isinstance(failure, StoreError) and failure.key == inner:
                        Outward(self, inner, key).rename(failure)
                    yield key, failure
