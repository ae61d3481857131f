"""Downloads: of one version, whole or in pieces, going on where the connection broke."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace

from ...._core.errors import (
    IntegrityError,
    MalformedResponse,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from ...._core.info import ByteRange, ObjectInfo, ReadOptions
from ...pieces import Body
from .requests import Answer
from .service import Service

_PART = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_NONE = re.compile(r"bytes \*/(\d{1,18})")
ATTEMPTS = 10
"""How often it is begun anew where the object changes between two requests."""


class Download:
    """One download, of one version of an object.

    Args:
        service: Where the object is.
        name: Its name there.
        options: What is asked for.
        attributes: Whether they are asked for, which may cost a request more.
    """

    def __init__(
        self, service: Service, name: str, options: ReadOptions, *, attributes: bool
    ) -> None:
        self.info = ObjectInfo(name)
        self._service = service
        self._name = name
        self._options = options
        self._attributes = attributes and not service.attributes_told
        self._stack = AsyncExitStack()
        self._answer: Answer | None = None
        self._start = self._end = 0

    async def open(self) -> None:
        """Ask for the object, and find out which version it is."""
        for _ in range(ATTEMPTS):
            try:
                return await self._open()
            except _Changed:
                await self.close()
        raise StoreUnavailable("the object was replaced again and again while it was asked for")

    async def _open(self) -> None:
        part, options = self._options.byte_range, self._options
        if part is not None and self._ahead(part):
            await self._look()
            if self._start < self._end:
                await self._pinned((self._start, self._end))
            return
        asked = None if part is None else (part.start, part.end)
        await self._ask(asked, options.if_match, options.if_none_match)
        if self._attributes and self._answer is not None:
            told = self.info
            self.info = await self._service.head(self._name)
            if self.info.etag != told.etag:
                raise _Changed

    def _ahead(self, part: ByteRange) -> bool:
        """Whether a range has to be made one of bytes from the start, or is empty."""
        return (part.start < 0 and not self._service.suffixes) or part.start == part.end

    async def _look(self) -> None:
        """Find out what the object is before its bytes are asked for."""
        self.info = await self._service.head(self._name)
        self._options.check(self.info)
        part = self._options.byte_range or ByteRange()
        self._start, self._end = part.resolve(self.info.size or 0)

    async def _pinned(self, asked: tuple[int, int | None] | None) -> None:
        """Ask for bytes of the version that is known."""
        known = self.info
        try:
            await self._ask(asked, known.etag, None)
        except (PreconditionFailed, ObjectNotFound) as error:
            raise _Changed from error
        if self.info.etag != known.etag:
            raise _Changed
        self.info = known

    async def _ask(
        self, asked: tuple[int, int | None] | None, if_match: str | None, unless: str | None
    ) -> None:
        """Send the request; what comes is checked against what was asked for."""
        request = self._service.download(self._name, if_match, unless)
        if asked is not None:
            headers = {**request.headers, "Range": _range(*asked)}
            request = replace(request, headers=headers, also=frozenset({416}))
        answer = await self._stack.enter_async_context(self._service.opened(request))
        if answer.status == 416 or (asked and answer.headers.get("Content-Length") == "0"):
            await self._beyond()
            return
        self._start, self._end, size = _bounds(answer, asked)
        self.info = self._service.told(self._name, answer, size)
        ReadOptions(None, if_match, unless).check(self.info)
        self._answer = answer

    async def _beyond(self) -> None:
        """A range behind the object's end is empty."""
        await self.close()
        await self._look()
        if self._start < self._end:
            raise _Changed

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes as they come."""
        digest = hashlib.md5(usedforsecurity=False) if self._whole() else None
        tries = self._service.send.tries()
        while self._start < self._end:
            try:
                piece = await self._piece()
            except (StoreUnavailable, StoreTimeout) as error:
                await tries.after(error)
                await self._resume()
                continue
            self._start += len(piece)
            if digest is not None:
                digest.update(piece)
            yield piece
        if digest is not None and self.info.checksum != f"md5:{digest.hexdigest()}":
            raise IntegrityError("these are not the bytes that the service has a digest of")

    def _whole(self) -> bool:
        told = (self.info.checksum or "").startswith("md5:")
        return told and self._start == 0 and self._end == self.info.size

    async def _piece(self) -> bytes:
        assert self._answer is not None
        piece = await self._answer.read()
        if not piece:
            raise StoreUnavailable("the answer ended too early")
        if len(piece) > self._end - self._start:
            raise MalformedResponse("the answer is longer than it says")
        return piece

    async def _resume(self) -> None:
        """Ask for the rest of the same version."""
        rest = self._start, self._end
        await self.close()
        try:
            await self._pinned(rest)
        except _Changed as error:
            raise PreconditionFailed("the object was replaced while it was read") from error
        if (self._start, self._end) != rest:
            raise MalformedResponse("the answer is not the rest that was asked for")

    async def close(self) -> None:
        """Give the connection back, or close it."""
        self._answer = None
        await self._stack.aclose()


class _Changed(StoreError):
    """The object is not the version that was asked for."""


@asynccontextmanager
async def download(
    service: Service, name: str, options: ReadOptions, *, attributes: bool = True
) -> AsyncIterator[Body]:
    """An object, or the range asked for, in pieces; its info has the name for a key."""
    found = Download(service, name, options, attributes=attributes)
    try:
        await found.open()
        async with aclosing(found.chunks()) as chunks:
            yield Body(found.info, chunks)
    finally:
        await found.close()


def _range(start: int, end: int | None) -> str:
    if start < 0:
        return f"bytes={start}"
    return f"bytes={start}-" + ("" if end is None else str(end - 1))


def _bounds(answer: Answer, asked: tuple[int, int | None] | None) -> tuple[int, int, int]:
    """From where to where the bytes are that come, and how many the object has."""
    if answer.status != 206:
        length = answer.headers.get("Content-Length", "")
        if not length.isdecimal() or answer.status != 200:
            raise MalformedResponse("the server's answer lacks the object's length")
        if asked is not None and not _covers(asked, int(length)):
            raise MalformedResponse("the server sent all of an object, not the range asked for")
        return 0, int(length), int(length)
    told = _PART.fullmatch(answer.headers.get("Content-Range", ""))
    if told is None or asked is None:
        raise MalformedResponse("the server's answer does not say which range it is")
    start, end, size = int(told[1]), int(told[2]) + 1, int(told[3])
    if (start, end) != ByteRange(*asked).resolve(size):
        raise MalformedResponse("the server sent another range than the one asked for")
    return start, end, size


def _covers(asked: tuple[int, int | None], size: int) -> bool:
    return ByteRange(*asked).resolve(size) == (0, size)
