"""Objects in a zip archive."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal, ParamSpec, Self, TypeVar

from ..._core import calls
from ..._core.errors import ConfigError, StoreError, from_oserror
from ..._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ..._core.urls import StoreURL
from ..._core.window import surely
from ..base import AsyncBaseStore
from ..pieces import Body, Sink
from ._zip.content import Content, StreamedContent, content_of
from ._zip.files import CHUNK
from ._zip.format import DEFLATED, STORED, Entry, Limits, check_name
from ._zip.view import Busy
from ._zip.volume import ZipVolume

T = TypeVar("T")
P = ParamSpec("P")

_BATCH = 512
"""Entries of a listing whose infos are made in one call."""
_METHODS = {"deflate": DEFLATED, "store": STORED}
_OPTIONS: dict[str, Callable[[str], Any]] = {
    "compression": str,
    "durable": bool,
    "timeout": float,
    "max_members": int,
    "max_object_size": int,
    "max_total_size": int,
    "max_ratio": int,
}


class AsyncZipStore(AsyncBaseStore):
    """Objects in a zip archive that every zip program can read; the keys are the members' names.

    The archive is never changed in place. A write goes to a journal beside it (``x.zip-journal``)
    and is safe from there on, whatever happens to the process; `checkpoint` and `aclose` write a
    new archive with all changes and put it in the old one's place, so that other programs see the
    old one, whole, until the new one is whole. An archive with a journal is opened as both.
    Threads and processes may write at the same time.

    Keys that a program which unpacks the archive would put outside of its directory (``../x``,
    ``/x``, ``C:x``) or take for a directory (``x/``) are refused. Only where an archive from
    elsewhere has such a member, it can be read, listed and removed as any other: nothing here
    unpacks by name. Members of size 0 whose names end in a slash are directories and no objects.
    Where a name stands twice, the last member counts, with a warning.

    A range of a compressed object is read by unpacking all that comes before it, and is the one
    read that cannot be verified against the checksum.

    Args:
        path: The archive; the first write creates it, and the directory that it is in.
        compression: ``"deflate"``, for what it makes smaller, or ``"store"``.
        durable: Let every write survive a power cut, not only the death of the process. A
            checkpoint survives it in any case.
        timeout: Seconds that one operation may take, waiting for other writers included; of a
            stream, each piece of it. None: for ever.
        max_members: Members that an archive may have to be opened.
        max_object_size: Bytes that an object may have to be read. None: any number.
        max_total_size: Bytes that all members of an archive may have to be opened. None: any
            number.
        max_ratio: How many times its packed size an object may have to be read. Deflate reaches
            1,032, so the default only refuses forgeries; set less for archives from strangers.
    """

    capabilities = (
        Capability.ORDERED
        | Capability.IF_ABSENT
        | Capability.IF_MATCH
        | Capability.DELETE_IF_MATCH
        | Capability.COPY_IF_ABSENT
        | Capability.READ_CONDITIONS
        | Capability.ATTRIBUTES
        | Capability.STREAMS
    )
    inline = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        compression: Literal["deflate", "store"] = "deflate",
        durable: bool = False,
        timeout: float | None = None,
        max_members: int = 1_000_000,
        max_object_size: int | None = None,
        max_total_size: int | None = None,
        max_ratio: int = 1032,
    ) -> None:
        super().__init__(timeout=timeout)
        self._path = _checked(path)
        if compression not in _METHODS:
            raise ConfigError(f"compression is 'deflate' or 'store', not {compression!r}")
        self._arguments: dict[str, Any] = {
            "compression": compression,
            "durable": durable,
            "timeout": timeout,
            "max_members": max_members,
            "max_object_size": max_object_size,
            "max_total_size": max_total_size,
            "max_ratio": max_ratio,
        }
        self._method = _METHODS[compression]
        limits = Limits(max_members, max_object_size, max_total_size, max_ratio)
        self._volume = ZipVolume(self._path, limits, durable)

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return (("file", os.path.join(os.path.realpath(self._path), "")),)

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``zip:///directory/x.zip`` or ``zip://relative/x.zip``."""
        if url.user is not None or url.password is not None:
            raise ConfigError("a zip URL has no user: write '@' in a path as %40")
        given = {name: url.option(name, kind) for name, kind in _OPTIONS.items()}
        options: Any = {name: value for name, value in given.items() if value is not None}
        return cls(url.host + url.path, **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), self._path, **self._arguments), ()

    def __del__(self) -> None:
        volume = getattr(self, "_volume", None)  # missing where the arguments were wrong
        if volume is not None and volume.changed:
            text = f"unclosed {self!r}: its last changes are in its journal, not in the archive"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    async def checkpoint(self) -> None:
        """Write the archive anew with all changes, so that other programs see them."""
        self._check_open("checkpoint")
        await self._run("checkpoint", None, self._change(self._volume.checkpoint))

    async def _teardown(self) -> None:
        try:
            if self._volume.changed:
                await self._place("close", None, self._retried(self._volume.checkpoint))
        finally:
            await calls.call(self._volume.close)

    # -- calls of blocking functions --------------------------------------------------------

    async def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await calls.call(function, *args, **kwargs)
        except StoreError:
            raise
        except OSError as error:
            raise from_oserror(error) from error

    async def _change(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change something; what ends after the store was closed is written into the archive."""
        result = await self._retried(function, *args, **kwargs)
        if self._closed:
            await self._teardown()
        return result

    async def _retried(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function again and again while others write; between the calls it can end."""
        end = None if self._timeout is None else time.monotonic() + self._timeout
        while True:
            try:
                return await self._call(function, *args, **kwargs)
            except Busy:
                if end is not None and time.monotonic() >= end:
                    raise

    # -- hooks ------------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await self._call(self._volume.get, key, options)

    async def _head(self, key: str) -> ObjectInfo:
        return await self._call(self._volume.head, key)

    async def _exists(self, key: str) -> bool:
        return await self._call(self._volume.exists, key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        check_name(key)
        content: Content | None = None

        def put() -> ObjectInfo:
            nonlocal content  # packed only once, however often the archive is busy
            content = content or content_of(data, self._method)
            return self._volume.put(key, content, options)

        return await self._change(put)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._change(self._volume.delete, key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        check_name(target)
        return await self._change(self._volume.copy, source, target, if_absent)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        info, pieces = await self._call(self._volume.open, key, options)
        yield Body(info, self._pieces(pieces))

    async def _pieces(self, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
        while (piece := await self._call(next, pieces, None)) is not None:
            yield piece

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        check_name(key)
        content = StreamedContent(self._method, self._volume.spool)
        try:
            sink = _ContentSink(self, content)
            yield sink
            await sink.flush()
            sink.info = await self._change(self._finish, key, content, options)
        finally:
            await surely(content.close)

    def _finish(self, key: str, content: StreamedContent, options: WriteOptions) -> ObjectInfo:
        content.finish()
        return self._volume.put(key, content, options)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        for entry in await self._call(self._volume.members, prefix, start_after):
            yield entry.key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        entries = await self._call(self._volume.members, prefix, start_after)
        for first in range(0, len(entries), _BATCH):
            for info in await self._call(_infos, entries[first : first + _BATCH]):
                yield info


class _ContentSink:
    """Collects small pieces, and packs them in a worker when there are enough."""

    def __init__(self, store: AsyncZipStore, content: StreamedContent) -> None:
        self.info: ObjectInfo | None = None
        self._store = store
        self._content = content
        self._buffer = bytearray()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        self._buffer += data
        if len(self._buffer) >= CHUNK:
            await self.flush()

    async def flush(self) -> None:
        """Pack what was collected."""
        buffer, self._buffer = self._buffer, bytearray()
        if buffer:
            await self._store._call(self._content.write, buffer)


def _infos(entries: list[Entry]) -> list[ObjectInfo]:
    return [entry.info() for entry in entries]


def _checked(path: Any) -> str:
    """The path of an archive, if it can be one."""
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError(f"the path of an archive is a str, not {path!r}")
    return text
