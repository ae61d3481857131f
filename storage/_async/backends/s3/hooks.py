"""The hooks of the store, each of which hands over to its family's module."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from ...._core.info import Capability, ListResult, ObjectInfo, ReadOptions, WriteOptions
from ...._core.keys import check_key
from ...base import Keys, Outcome
from ...pieces import Body, Sink
from . import deleting, headers, keynames, parallel, reading, whole
from .listing import Listing
from .multipart import LARGE_PUT
from .passing import BucketPassing


class AsyncBucketHooks(BucketPassing):
    """What a bucket store does; `AsyncBucketStore` says how one is made."""

    _exact: bool
    """Whether the server keeps every key as it is."""

    _lists_spans = True

    async def _setup(self) -> None:
        await self._send.lanes.open()

    async def _teardown(self) -> None:
        await self._send.lanes.aclose()

    def _check_key(self, key: str) -> None:
        keynames.check(key, self._prefix, exact=self._exact)

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        data, source = await whole.read(self._send, self._prefix + key, key, options)
        return data, source.info

    async def _get_data(self, key: str, options: ReadOptions) -> bytes:
        return (await whole.read(self._send, self._prefix + key, key, options))[0]

    async def _head(self, key: str) -> ObjectInfo:
        return await headers.head(self._send, self._prefix + key, key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        download = reading.Download(self._send, self._prefix + key, key, options)
        try:
            await download.open()
            yield Body(download.info, parallel.chunks(download, self._room()))
        finally:
            download.close()

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        from .writing import put

        if len(data) <= LARGE_PUT:
            return await put(self._send, self._prefix + key, key, data, options)
        from .sources import Buffer
        from .uploads import in_parts

        source = Buffer(data)
        return await in_parts(
            self._send, self._prefix + key, key, source, options, self._part_size, self._room()
        )

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        from .writing import PartSink

        full_key = self._prefix + key
        sink = PartSink(self._send, full_key, key, options, self._part_size, self._room())
        async with sink:
            yield sink

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        from .copying import Copy

        if source == target and not if_absent:
            return await self._head(source)
        copy = Copy(self._send, self._prefix + source, self._prefix + target, if_absent=if_absent)
        return await copy.make(target)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await deleting.delete(
            self._send, self._prefix + key, missing_ok=missing_ok, if_match=if_match
        )

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async def remove(batch: Sequence[str]) -> list[Outcome]:
            work = deleting.remove_batch(self._send, batch, self._prefix, self._check_one)
            return await self._run("delete_many", None, work)

        # Only one by one does S3 tell which were missing.
        many = deleting.delete_many(keys, remove)
        source = many if missing_ok else super()._delete_many(keys, missing_ok)
        async with aclosing(source) as outcomes:
            async for outcome in outcomes:
                yield outcome

    def _check_one(self, key: str) -> None:
        check_key(key)
        self._check_key(key)

    def _listing(
        self, prefix: str, start_after: str = "", delimiter: str = "", until: str | None = None
    ) -> Listing:
        native = Capability.ORDERED in self.capabilities and keynames.exists(start_after)
        return Listing(
            self._send,
            self._prefix,
            prefix,
            asked=prefix if self._exact else keynames.plain_part(prefix),
            start_after=start_after if native else "",
            delimiter=delimiter,
            until=until,
        )

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with aclosing(self._listing(prefix, start_after).infos()) as pages:
            async for page in pages:
                for info in page:
                    if info.key > start_after:
                        yield info

    def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        return self._listing(prefix).infos()

    def _span_pages(
        self, prefix: str, after: str, until: str | None
    ) -> AsyncGenerator[list[ObjectInfo], None]:
        return self._listing(prefix, after, until=until).infos()

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with aclosing(self._listing(prefix, start_after).keys()) as pages:
            async for page in pages:
                for key in page:
                    if key > start_after:
                        yield key

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        listing = self._listing(prefix, delimiter=delimiter)
        if listing.whole and keynames.exists(delimiter):
            return await listing.level()
        return await super()._list_with_delimiter(prefix, delimiter)
