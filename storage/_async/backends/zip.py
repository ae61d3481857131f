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
from ._zip.checking import Findings, ZipCheckReport, look_through
from ._zip.content import Content, StreamedContent, content_of
from ._zip.format import Limits, check_name
from ._zip.methods import packing_of
from ._zip.sink import ContentSink
from ._zip.view import Busy
from ._zip.volume import ZipVolume

T = TypeVar("T")
P = ParamSpec("P")

_OPTIONS: dict[str, Callable[[str], Any]] = {
    "compression": str,
    "level": int,
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

    A range of a compressed object is read by unpacking what comes before it: of a deflated one,
    since the nearest place that was come by lately. It is the one read that cannot be verified
    against the checksum.

    Args:
        path: The archive; the first write creates it, and the directory that it is in.
        compression: ``"deflate"`` or ``"zstd"``, for what they make smaller, or ``"store"``.
            Not every program reads Zstandard; it takes the extra ``zstd`` before Python 3.14, to
            read it, too.
        level: How well to compress: 0 to 9 for deflate, -131072 to 22 for Zstandard. None: 6 and 3.
        durable: Let every write survive a power cut, not only the death of the process. A
            checkpoint survives it in any case.
        timeout: Seconds that one operation may take, waiting for other writers included; of a
            stream, each piece of it. None: for ever.
        max_members: Members that an archive may have to be opened.
        max_object_size: Bytes that an object may have to be read. None: any number.
        max_total_size: Bytes that all members of an archive may have to be opened. None: any
            number.
        max_ratio: How many times its packed size an object may have to be read. None: what the
            method can reach, 1,032 for deflate and 32,768 for Zstandard, which only refuses
            forgeries; set less for archives from strangers.
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
        compression: Literal["deflate", "store", "zstd"] = "deflate",
        level: int | None = None,
        durable: bool = False,
        timeout: float | None = None,
        max_members: int = 1_000_000,
        max_object_size: int | None = None,
        max_total_size: int | None = None,
        max_ratio: int | None = None,
    ) -> None:
        super().__init__(timeout=timeout)
        self._path = _checked(path)
        self._packing = packing_of(compression, level)
        self._arguments: dict[str, Any] = {
            "compression": compression,
            "level": level,
            "durable": durable,
            "timeout": timeout,
            "max_members": max_members,
            "max_object_size": max_object_size,
            "max_total_size": max_total_size,
            "max_ratio": max_ratio,
        }
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
        if volume is not None and volume.changed and not self._closed:
            text = f"unclosed {self!r}: its last changes are in its journal, not in the archive"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    async def checkpoint(self) -> None:
        """Write the archive anew with all changes, so that other programs see them."""
        self._check_open("checkpoint")
        await self._run("checkpoint", None, self._change(self._volume.checkpoint))

    async def vacuum(self) -> int:
        """Write the archive anew without what no member needs, and with all changes.

        That is what other programs have left of members that they replaced or removed.

        Returns:
            How many bytes archive and journal are shorter.

        Raises:
            StoreNotFound: There is no archive.
        """
        self._check_open("vacuum")
        return await self._run("vacuum", None, self._change(self._volume.vacuum))

    async def check(self) -> ZipCheckReport:
        """Read every object, as they are now; all else goes on meanwhile.

        Raises:
            CorruptStore: The archive is so damaged that its members cannot be told.
            StoreNotFound: There is none.
        """
        self._check_open("check")
        return await self._place("check", None, self._look_through())

    async def _look_through(self) -> ZipCheckReport:
        found = Findings()
        entries = await self._call(self._volume.members)
        steps = look_through(entries, self._volume.limits, found)
        while await self._call(next, steps, None) is not None:
            self._check_open("check")
        return found.report()

    async def _make_whole(self) -> None:
        await self._change(self._volume.checkpoint)

    async def _teardown(self) -> None:
        try:
            if self._volume.changed:
                await self._place("close", None, self._retried(self._volume.checkpoint))
        finally:
            await surely(self._volume.close)

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
        try:
            return await self._retried(function, *args, **kwargs)
        finally:
            if self._closed:
                await self._teardown()

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

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        if if_match is not None or if_none_match is not None:
            return await super().get(key, if_match=if_match, if_none_match=if_none_match)
        self._check("get", key)  # nobody asks for the member's `ObjectInfo`, so none is made
        return await self._run("get", key, self._call(self._volume.data, key))

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
            content = content or content_of(data, self._packing)
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
        content = StreamedContent(self._packing, self._volume.spool)
        try:
            sink = ContentSink(self._call, content)
            yield sink
            await sink.flush()
            sink.info = await self._change(self._finish, key, content, options)
        finally:
            await surely(content.close)

    def _finish(self, key: str, content: StreamedContent, options: WriteOptions) -> ObjectInfo:
        content.finish()
        return self._volume.put(key, content, options)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        for key in await self._call(self._volume.keys, prefix, start_after):
            yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        batches = self._volume.infos(prefix, start_after)
        while (batch := await self._call(next, batches, None)) is not None:
            for info in batch:
                yield info


def _checked(path: Any) -> str:
    """The path of an archive, if it can be one."""
    text = os.fspath(path)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ConfigError(f"the path of an archive is a str, not {path!r}")
    return text
