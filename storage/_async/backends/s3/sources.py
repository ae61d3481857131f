"""What is uploaded: bytes in memory, or a file, read at any place by several at once."""

from __future__ import annotations

import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from ...._core import calls
from ...._core.errors import ConfigError, StoreError
from ...._core.values import as_buffer
from ...._core.window import surely
from ...shortcuts import Content
from . import bodies, checksums


class Source(Protocol):
    """A content of known length."""

    size: int
    checksum: str | None
    """What is known of it before, as ``"algorithm:hexadecimal"``."""

    async def part(
        self, start: int, end: int, checksum: str | None
    ) -> tuple[bodies.UploadBody, bytes | None]:
        """The bytes between two positions, and their digest."""
        ...

    def reuse(self, body: bodies.UploadBody) -> None:
        """Take back what `part` gave, and nobody refers to any more."""

    async def check(self) -> None:
        """Raise `StoreError` if it is no longer what it was."""


class _Spares(ABC):
    """Memory for parts, used again and again.

    The allocator would keep what one thread took and another gave back: three times the memory.
    """

    checksum: str | None = None

    def __init__(self) -> None:
        self._spares: list[bodies.UploadBody] = []

    async def part(
        self, start: int, end: int, checksum: str | None
    ) -> tuple[bodies.UploadBody, bytes | None]:
        """See `Source`; all of it off the loop, in one go."""

        def work() -> tuple[bodies.UploadBody, bytes | None]:
            body = self.read(start, end)
            return body, None if checksum is None else checksums.digest_of(checksum, body)

        return await calls.call(work)

    async def check(self) -> None:
        """See `Source`."""
        await calls.call(self.verify)

    @abstractmethod
    def read(self, start: int, end: int) -> bodies.UploadBody:
        """The bytes between two positions; may block."""

    @abstractmethod
    def verify(self) -> None:
        """Raise `StoreError` if it is no longer what it was; may block."""

    def body(self, size: int) -> bodies.UploadBody:
        """Memory of a length, with anything in it."""
        try:
            spare = self._spares.pop()
        except IndexError:
            return bodies.UploadBody(size)
        return spare if len(spare) == size else bodies.UploadBody(size)

    def reuse(self, body: bodies.UploadBody) -> None:
        """See `Source`."""
        self._spares.append(body)


class Buffer(_Spares):
    """Bytes in memory."""

    def __init__(self, data: bytes | memoryview) -> None:
        super().__init__()
        self.size = len(data)
        self._view = memoryview(data)

    def read(self, start: int, end: int) -> bodies.UploadBody:
        """See `Source`."""
        body = self.body(end - start)
        body[:] = self._view[start:end]
        return body

    def verify(self) -> None:
        """See `Source`."""


class OpenedFile(_Spares):
    """A regular file.

    Args:
        file: Its descriptor, which others may use at the same time.
        start: Where its content begins, in bytes.
    """

    def __init__(self, file: int, start: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._known = self._look()
        self.size = max(0, self._known[0] - start)

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self._file)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError("this is no regular file: open it, to upload what it gives")
        return found.st_size, found.st_mtime_ns

    def read(self, start: int, end: int) -> bodies.UploadBody:
        """See `Source`."""
        body = self.body(end - start)
        at = 0
        with memoryview(body) as view:
            while at < len(view):
                done = _fill(view[at:], self._file, self._start + start + at)
                if not done:
                    raise StoreError("the file became shorter while it was uploaded")
                at += done
        return body

    def verify(self) -> None:
        """See `Source`."""
        if self._look() != self._known:
            raise StoreError("the file was changed while it was uploaded")


def _fill(view: memoryview, file: int, at: int) -> int:
    """Read into memory as much as there is; returns how much."""
    if hasattr(os, "preadv"):  # without a copy
        return os.preadv(file, [view], at)
    data = os.pread(file, len(view), at)
    view[: len(data)] = data
    return len(data)


class Lent(_Spares):
    """A content of another store."""

    def __init__(self, content: Content) -> None:
        super().__init__()
        self.size = content.info.size or 0
        self.checksum = content.info.checksum
        self._content = content

    async def part(
        self, start: int, end: int, checksum: str | None
    ) -> tuple[bodies.UploadBody, bytes | None]:
        """See `Source`."""
        body = self.body(end - start)
        with memoryview(body) as view:
            await self._content.fill(view, start)
        return body, await checksums.digest_aside(checksum, body)

    async def check(self) -> None:
        """See `Source`."""
        await self._content.verify()

    def read(self, start: int, end: int) -> bodies.UploadBody:
        """It cannot be read without a loop."""
        raise NotImplementedError

    def verify(self) -> None:
        """Likewise."""
        raise NotImplementedError


@asynccontextmanager
async def opened(given: Any) -> AsyncIterator[Source | None]:
    """What was given to be uploaded, as a source; None for a stream, which only has an order.

    Args:
        given: A path, bytes-like, or a stream. Of a file that is open the bytes from its position
            on are meant; afterwards it stands at its end.
    """
    if isinstance(given, str | os.PathLike):
        file = await calls.acquire(os.close, os.open, given, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield await calls.call(OpenedFile, file, 0)
        finally:
            await surely(lambda: os.close(file))
    elif (data := as_buffer(given)) is not None:
        yield Buffer(data)
    elif await calls.call(is_plain_file, given):
        yield await calls.call(lambda: OpenedFile(given.fileno(), given.tell()))
        await calls.call(given.seek, 0, os.SEEK_END)
    else:
        yield None


def is_plain_file(given: Any) -> bool:
    """Whether a file object gives exactly the bytes that its descriptor has.

    One of gzip, for example, has a descriptor too, but of other bytes.
    """
    raw = given.raw if type(given) in (io.BufferedReader, io.BufferedRandom) else given
    if type(raw) is not io.FileIO or not raw.readable():
        return False
    if type(given) is io.BufferedRandom:
        given.flush()
    return stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
