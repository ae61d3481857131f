"""The verbs on one object, and the listings: arguments are checked here, the hooks do the work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from .._core.closing import closing
from .._core.errors import ConfigError
from .._core.info import (
    READ_ALL,
    ByteRange,
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from .._core.values import STREAM, Data, chunks_of
from .checks import AsyncStoreChecks
from .streams import AsyncReader, AsyncWriter


class AsyncStoreVerbs(AsyncStoreChecks):
    """The verbs on one object, and the listings."""

    # -- reading ----------------------------------------------------------------------------

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes.

        Args:
            key: Its key.
            if_match: Only if the object still has this etag.
            if_none_match: Only if it no longer has this one.

        Raises:
            ObjectNotFound: There is no such object.
            PreconditionFailed: ``if_match`` does not hold.
            NotModified: ``if_none_match`` does not hold.
        """
        options = self._reading("get", key, None, if_match, if_none_match)
        return await self._run("get", key, self._get_data(key, options))

    async def get_with_info(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> tuple[bytes, ObjectInfo]:
        """The object's bytes, or a part of them, and what the whole object is, in one request.

        The etag is that of the very bytes returned, which is what a later ``put(if_match=)``
        needs. Arguments and errors are those of `get` and `get_range`.
        """
        part = None if start == 0 and end is None else ByteRange(start, end)
        options = self._reading("get", key, part, if_match, if_none_match)
        return await self._run("get", key, self._get(key, options))

    async def get_range(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> bytes:
        """A part of the object's bytes, with a slice's meaning: cut to the object, never an error.

        Args:
            key: The object's key.
            start: The first byte, from 0; negative: so many bytes from the end.
            end: The byte after the last; None for the object's end.
            if_match: Only if the object still has this etag.
        """
        options = self._reading("get_range", key, ByteRange(start, end), if_match, None)
        return await self._run("get_range", key, self._get_data(key, options))

    async def head(self, key: str) -> ObjectInfo:
        """What is known of the object. Raises `ObjectNotFound` where there is none."""
        self._check("head", key)
        return await self._run("head", key, self._head(key))

    async def exists(self, key: str) -> bool:
        """Whether there is an object under ``key``; a doubt is an error, never False."""
        self._check("exists", key)
        return await self._run("exists", key, self._exists(key))

    async def stream(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> AsyncIterator[bytes]:
        """The object's bytes in pieces, all of one version; arguments as for `get_range`."""
        part = None if start == 0 and end is None else ByteRange(start, end)
        options = self._reading("stream", key, part, if_match, if_none_match)
        async with AsyncReader(self, key, options) as reader:
            async for chunk in reader:
                yield chunk

    def open_reader(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> AsyncReader:
        """The object as a file to read, with its `ObjectInfo`; use it in ``async with``."""
        return AsyncReader(
            self, key, self._reading("open_reader", key, None, if_match, if_none_match)
        )

    # -- writing ----------------------------------------------------------------------------

    async def put(
        self,
        key: str,
        data: Data,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object, in place of what is there; readers see the old one or the new one.

        Args:
            key: Its key.
            data: Bytes-like, or a stream of it: an iterable, an async iterable or a file object,
                stored in bounded memory.
            if_absent: Only if there is no object; of many writers exactly one wins.
            if_match: Only if the object still has this etag.
            content_type: Its media type.
            metadata: Pairs of the user's own, kept beside it.

        Returns:
            What is known of the stored object.

        Raises:
            ObjectExists: ``if_absent`` does not hold.
            PreconditionFailed: ``if_match`` does not hold.
            NotSupported: The store cannot hold a condition atomically or keep the attributes.
        """
        options = self._writing("put", key, if_absent, if_match, content_type, metadata)
        value = self._as_value(data)
        if value is not STREAM:
            return await self._run("put", key, self._put(key, value, options))
        pieces = chunks_of(data, self._as_piece)
        async with AsyncWriter(self, key, options) as writer, closing(pieces) as chunks:
            async for chunk in chunks:
                await writer.write(chunk)
        return writer.info

    def open_writer(
        self,
        key: str,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> AsyncWriter:
        """An object as a file to write; published when its ``async with`` block ends well."""
        options = self._writing("open_writer", key, if_absent, if_match, content_type, metadata)
        return AsyncWriter(self, key, options)

    async def delete(
        self, key: str, *, missing_ok: bool = False, if_match: str | None = None
    ) -> None:
        """Remove the object.

        Args:
            key: Its key.
            missing_ok: No error where there is none.
            if_match: Only if the object still has this etag.

        Raises:
            ObjectNotFound: There is no such object.
            PreconditionFailed: ``if_match`` does not hold.
        """
        self._check("delete", key)
        if if_match is not None:
            self._require("delete", key, Capability.DELETE_IF_MATCH, "delete(if_match=)")
        await self._run("delete", key, self._delete(key, missing_ok, if_match))

    async def copy(self, source: str, target: str, *, if_absent: bool = False) -> ObjectInfo:
        """Copy an object within the store, its attributes too; returns what the copy is."""
        self._check("copy", source)
        self._check("copy", target)
        if if_absent:
            self._require("copy", target, Capability.COPY_IF_ABSENT, "copy(if_absent=True)")
        return await self._place("copy", source, self._copy(source, target, if_absent))

    async def move(self, source: str, target: str, *, if_absent: bool = False) -> ObjectInfo:
        """Give an object another key; returns what it is there. Raises as `copy` does."""
        self._check("move", source)
        self._check("move", target)
        if if_absent:
            self._require("move", target, Capability.COPY_IF_ABSENT, "move(if_absent=True)")
        return await self._place("move", source, self._move(source, target, if_absent))

    # -- listing ----------------------------------------------------------------------------

    async def keys(self, prefix: str = "", *, start_after: str = "") -> AsyncIterator[str]:
        """The keys that begin with ``prefix`` and come after ``start_after`` in byte order."""
        self._check_listing("keys", prefix, start_after)
        async with closing(self._steps("keys", self._keys(prefix, start_after))) as keys:
            async for key in keys:
                yield key

    async def list(self, prefix: str = "", *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        """Like `keys`, with what is known of each object."""
        self._check_listing("list", prefix, start_after)
        async with closing(self._steps("list", self._list(prefix, start_after))) as infos:
            async for info in infos:
                yield info

    async def list_with_delimiter(self, prefix: str = "", delimiter: str = "/") -> ListResult:
        """One level of the keys: objects, and prefixes up to the next ``delimiter``, sorted."""
        self._check_listing("list_with_delimiter", prefix, "")
        if not delimiter:
            raise ConfigError("a delimiter has at least one character")
        work = self._list_with_delimiter(prefix, delimiter)
        return await self._run("list_with_delimiter", None, work)

    # -- what is built on the verbs ----------------------------------------------------

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with AsyncReader(self, source, READ_ALL) as reader:
            info = reader.info
            if source == target and not if_absent:
                return info
            options = WriteOptions(if_absent)
            if Capability.ATTRIBUTES in self.capabilities:
                options = WriteOptions(if_absent, None, info.content_type, info.metadata)
            async with AsyncWriter(self, target, options) as writer:
                async for chunk in reader:
                    await writer.write(chunk)
        return writer.info

    # -- for the stores that are made of this one -------------------------------------------

    async def _read(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        """`_get`, checked and limited as a verb."""
        self._check_reading("get", key, options)
        return await self._run("get", key, self._get(key, options))

    def _reader(self, key: str, options: ReadOptions) -> AsyncReader:
        """`_open`, checked and limited as a verb."""
        self._check_reading("get", key, options)
        return AsyncReader(self, key, options)

    async def _write(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        """`_put`, checked and limited as a verb."""
        self._check_writing("put", key, options)
        return await self._run("put", key, self._put(key, data, options))

    def _writer(self, key: str, options: WriteOptions) -> AsyncWriter:
        """`_create`, checked and limited as a verb."""
        self._check_writing("put", key, options)
        return AsyncWriter(self, key, options)
