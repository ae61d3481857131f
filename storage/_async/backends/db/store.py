"""Objects in a SQLite file."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from time import time
from typing import Self

from ...._core import calls
from ...._core.errors import ConfigError, StoreError, StoreNotFound
from ...._core.info import Capability, ListResult, ObjectInfo, ReadOptions, WriteOptions
from ...._core.lifetimes import check_ttl
from ...._core.urls import StoreURL
from ...base import Items, Keys, Outcome
from ...pieces import Body, Sink
from . import listing, objects, reading
from .bulk import Bulk
from .database import CREATE, PLAIN, Database
from .format import File
from .objects import CHUNK
from .sink import Upload
from .whole import AsyncSqliteFile


class AsyncSqliteStore(AsyncSqliteFile):
    """Objects in a SQLite file; several processes may use it at the same time.

    The first put makes the file, and the directories above it. It is in WAL mode: readers and the
    one writer do not wait for each other. Puts that wait at the same time share one commit. A
    stream is stored piece by piece, invisible until it is whole; what a killed process leaves of
    one is removed when the file is opened a day later. An object that is replaced or deleted
    while somebody streams it ends that stream with `PreconditionFailed`. If somebody removes or
    replaces the whole file, writers notice it at once, and readers within a millisecond.

    Args:
        db_path: The file.
        durable: Whether what was put survives a power cut (``synchronous=FULL``). If not, the last
            puts before it may be lost (``synchronous=NORMAL``), but nothing is ever torn, and a
            killed process loses nothing.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
        busy_timeout: Seconds to wait while another process has locked the file; then
            `StoreTimeout`.
        upgrade: Make a file of amplify-storage-utils one of ours when it is opened; see `upgrade`.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever. Then it
            is neither read nor listed; its room is free when something else is put under its key,
            or after `sweep`.
    """

    capabilities = ~Capability.NONE
    inline = True

    def __init__(
        self,
        db_path: str | os.PathLike[str],
        *,
        durable: bool = True,
        timeout: float | None = None,
        busy_timeout: float = 30.0,
        upgrade: bool = False,
        ttl: float | None = None,
    ) -> None:
        super().__init__(timeout=timeout)
        self._path = os.fspath(db_path)
        if not self._path or self._path.startswith(":memory:"):
            raise ConfigError("a SQLite store is a file; for objects in memory use AsyncDictStore")
        if not busy_timeout >= 0:
            raise ConfigError(f"busy_timeout is a number of seconds, not {busy_timeout!r}")
        self._ttl = check_ttl(ttl)
        self._view = False
        patience = busy_timeout if timeout is None else min(timeout, busy_timeout)
        self._database = Database(File(self._path, durable, upgrade), patience)

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return (("file", os.path.join(os.path.realpath(self._path), "")),)

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``sqlite:///absolute/path`` or ``sqlite:relative/path``.

        Options: ``durable``, ``timeout``, ``busy_timeout``, ``upgrade``, ``ttl``.
        """
        if url.user is not None:
            raise ConfigError("a SQLite file has no user: write '@' as %40")
        return cls(
            url.host + url.path,
            durable=url.option("durable", bool, True),
            timeout=url.option("timeout", float, None),
            busy_timeout=url.option("busy_timeout", float, 30.0),
            upgrade=url.option("upgrade", bool, False),
            ttl=url.option("ttl", float, None),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"

    async def _teardown(self) -> None:
        if not self._view:
            await self._database.aclose()

    # -- lifetimes --------------------------------------------------------------------------

    def with_ttl(self, ttl: float | None) -> AsyncSqliteStore:
        """The same store, where what is put lives for another time.

        ``await store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        ttl = check_ttl(ttl)
        view = type(self).__new__(type(self))
        vars(view).update(vars(self))
        view._ttl, view._view = ttl, True
        return view

    def _expires(self) -> int | None:
        """When the time of what is put now is over, in milliseconds since 1970."""
        return None if self._ttl is None else int((time() + self._ttl) * 1000)

    # -- reading ----------------------------------------------------------------------------

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        conditional = if_match is not None or if_none_match is not None
        direct = calls.direct()
        if conditional or not (direct or self._timeout is None):
            return await super().get(key, if_match=if_match, if_none_match=if_none_match)
        # A short way: our layers would take longer than SQLite does.
        self._check("get", key)
        try:
            if direct:
                return self._database.read_now(reading.get_data, key)
            return await self._database.read(reading.get_data, key)
        except StoreError as error:
            error.located(operation="get", store=repr(self), key=key)
            raise

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._database.read(reading.get, key, options)

    async def _head(self, key: str) -> ObjectInfo:
        return await self._database.read(reading.head, key)

    async def _exists(self, key: str) -> bool:
        return await self._database.read(reading.exists, key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        opened = await self._database.read(reading.open_object, key, options)
        yield Body(opened.info, self._chunks(opened))

    async def _chunks(self, opened: reading.Opened) -> AsyncIterator[bytes]:
        position = opened.start
        if opened.held is not None:
            for start in range(0, len(opened.held), CHUNK):
                yield opened.held[start : start + CHUNK]
            return
        while position < opened.end:
            data = await self._database.read(reading.chunk, opened, position)
            position += len(data)
            yield data

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        expires = self._expires()
        if options.if_match is None:
            return await self._database.write(CREATE, objects.put, key, data, options, expires)
        try:
            return await self._database.write(PLAIN, objects.put, key, data, options, expires)
        except StoreNotFound:
            options.check(key, None)
            raise

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = Upload(self._database)
        try:
            yield sink
            if sink.begun:
                sink.info = await sink.publish(key, options, self._expires())
            else:
                sink.info = await self._put(key, bytes(sink.buffer), options)
        except BaseException:
            await sink.drop()
            raise

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._database.write(PLAIN, objects.delete, key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        info = await self._database.write(PLAIN, objects.copy, source, target, if_absent)
        if info is not None:
            return info
        end = await self._database.read(reading.end_of_life, source)
        return await self._until(end)._streamed_copy(source, target, if_absent)

    def _until(self, end: int | None) -> AsyncSqliteStore:
        return self.with_ttl(None if end is None else max(0.0, end / 1000 - time()))

    async def _streamed_copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await super()._copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._database.write(PLAIN, objects.move, source, target, if_absent)

    def _put_many(self, items: Items) -> AsyncGenerator[Outcome, None]:
        return Bulk(self, self._database).put(items)

    def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        return Bulk(self, self._database).delete(keys, missing_ok)

    # -- listing ----------------------------------------------------------------------------

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        span: listing.Span | None = listing.Span.of(prefix, start_after)
        while span is not None:
            keys, span = await self._database.read(listing.key_page, span)
            for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        span: listing.Span | None = listing.Span.of(prefix, start_after)
        while span is not None:
            infos, span = await self._database.read(listing.info_page, span)
            for info in infos:
                yield info

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        prefixes: dict[str, None] = {}
        infos: list[ObjectInfo] = []
        span: listing.Span | None = listing.Span.of(prefix, "")
        while span is not None:
            page, span = await self._database.read(listing.info_page, span)
            below = ""
            for info in page:
                cut = info.key.find(delimiter, len(prefix))
                below = info.key[: cut + len(delimiter)] if cut >= 0 else ""
                if below:
                    prefixes[below] = None
                else:
                    infos.append(info)
            if below and span is not None:
                span = span.past(below)  # not through all that is under it
        return ListResult(tuple(prefixes), tuple(infos))
