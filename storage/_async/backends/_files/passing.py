"""The short ways from files to files, and of large objects into files and out of them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from ...._core import calls
from ...._core.errors import (
    NotSupported,
    ObjectNotFound,
    PreconditionFailed,
    SourceChanged,
)
from ...._core.info import ObjectInfo, ReadOptions, WriteOptions
from ...._core.window import surely
from ...._core.writing import reserve, write_at
from ...base import AsyncBaseStore
from ...lifetimes import AsyncLifetimeStore
from ...shortcuts import Content, Digest, Placing
from .kernel import copy_by_kernel
from .objects import Objects
from .opened import OpenFile
from .pending import Pending
from .waiting import patiently

AT_ONCE = 64 * 1024 * 1024
"""Bytes that are copied in one hop; so much is waited for when it is cancelled."""
PIECE = 1024 * 1024
SHORT = 256 * 1024
"""Bytes whose copying takes less time than a hop to a thread and back."""


class FilePassing(AsyncLifetimeStore):
    """See `StoreShortcuts`."""

    _keeps_modified = True
    _has_places = True
    _objects: Objects

    def _service(self) -> Hashable:
        return FilePassing

    async def _copy_from(
        self, source: AsyncBaseStore, listed: ObjectInfo, key: str, options: WriteOptions
    ) -> ObjectInfo:
        if not isinstance(source, FilePassing):
            raise NotSupported("only files are copied by the kernel")
        copy = _Copy(source._objects, self._objects, listed, key, options)
        size = listed.size
        begin = calls.brief if size is not None and size <= SHORT else calls.call
        try:
            info = await patiently(lambda: begin(copy.begin))
            while info is None:
                info = await patiently(lambda: calls.call(copy.go_on))
        except BaseException:
            await surely(copy.close)
            raise
        return info

    def _content(self, key: str, options: ReadOptions) -> AbstractAsyncContextManager[Content]:
        return self._readable(key, options)

    @asynccontextmanager
    async def _readable(self, key: str, options: ReadOptions) -> AsyncIterator[Content]:
        file = await patiently(lambda: calls.acquire(OpenFile.close, self._objects.open, key))
        try:
            content = _Content(file)
            options.check(content.info)
            yield content
        finally:
            file.close()

    def _placing(
        self, key: str, size: int, options: WriteOptions
    ) -> AbstractAsyncContextManager[Placing]:
        return self._placed(key, size, options)

    @asynccontextmanager
    async def _placed(self, key: str, size: int, options: WriteOptions) -> AsyncIterator[Placing]:
        begin = self._objects.begin
        pending = await patiently(
            lambda: calls.acquire(Pending.close, begin, key, options.if_absent)
        )
        try:
            place = _Place(pending)
            await patiently(lambda: calls.call(place.reserve, size))
            yield place
            place.info = await patiently(lambda: calls.call(pending.publish, options))
        finally:
            await surely(pending.close)


class _Copy:
    """One file copied by the kernel, some at a time, and published in the same hop as its end."""

    def __init__(
        self, here: Objects, there: Objects, listed: ObjectInfo, key: str, options: WriteOptions
    ) -> None:
        self._here, self._there = here, there
        self._listed = listed
        self._key = key
        self._options = options
        self._file: OpenFile | None = None
        self._pending: Pending | None = None
        self._done = 0

    def begin(self) -> ObjectInfo | None:
        """Open both ends, and copy what is done at once."""
        listed = self._listed
        if self._file is None:
            try:
                self._file = self._here.open(listed.key)
            except ObjectNotFound as error:
                raise self._changed() from error
        if listed.etag is not None and self._file.info.etag != listed.etag:
            raise self._changed()
        if self._pending is None:
            self._pending = self._there.begin(self._key, self._options.if_absent)
        return self.go_on()

    def go_on(self) -> ObjectInfo | None:
        """Copy some more; the new object where that was all."""
        file, pending = self._file, self._pending
        assert file is not None
        assert pending is not None
        size = file.found.st_size
        end = min(size, self._done + AT_ONCE)
        self._done = copy_by_kernel(file, pending, self._done, end)
        while self._done < end:
            data = file.read(self._done, min(end, self._done + PIECE))
            pending.write(data)
            self._done += len(data)
        if self._done < size:
            return None
        try:
            file.verify()
        except PreconditionFailed as error:
            raise self._changed() from error
        pending.dated = file.found.st_mtime_ns
        kept = file.attributes if self._there.tree.attributes else b""
        info = pending.publish(self._options, kept)
        self.close()
        return info

    def close(self) -> None:
        """Let go of both ends; what is not published is gone."""
        try:
            if self._pending is not None:
                self._pending.close()
        finally:
            if self._file is not None:
                self._file.close()

    def _changed(self) -> SourceChanged:
        return SourceChanged("the file is not what was listed any more", key=self._listed.key)


class _Content:
    """A file, read at any place."""

    def __init__(self, file: OpenFile) -> None:
        self.info = file.info
        self._file = file

    async def fill(self, view: memoryview, start: int) -> None:
        """See `Content`."""
        await patiently(lambda: calls.call(self._file.read_into, view, start))

    async def verify(self) -> None:
        """See `Content`."""
        self._file.verify()


class _Place:
    """A file in the making, written at any place."""

    def __init__(self, pending: Pending) -> None:
        self.info: ObjectInfo | None = None
        self.file: int | None = pending.file
        self._pending = pending

    def reserve(self, size: int) -> None:
        """Reserve room, so that a full disk is known before anything is fetched; may block."""
        reserve(self._pending.file, size)

    async def write(self, at: int, data: memoryview, digest: Digest | None) -> None:
        """See `Place`."""
        await calls.call(self._write, at, data, digest)

    def _write(self, at: int, data: memoryview, digest: Digest | None) -> None:
        if digest is not None:
            digest.update(data)
        write_at(self._pending.file, data, at)

    def blocks(self) -> Iterator[bytes]:
        """See `Place`."""
        file, at = os.open(f"/dev/fd/{self._pending.file}", os.O_RDONLY), 0
        try:
            while data := os.pread(file, PIECE, at):
                yield data
                at += len(data)
        finally:
            os.close(file)
