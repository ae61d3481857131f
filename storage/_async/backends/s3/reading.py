"""Objects and ranges of them, read whole or in pieces, and resumed where a connection breaks."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from ...._core.draining import Drain
from ...._core.errors import (
    MalformedResponse,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from ...._core.info import READ_ALL, ByteRange, ObjectInfo, ReadOptions
from . import attributes, checksums, headers
from .checksums import Check
from .errors import failure
from .pulling import lend, pull, pull_into
from .requests import Requests, pause
from .spans import header_of, span_of, within

CHUNK = 256 * 1024
"""Bytes that a body is asked for at once; it gives what is there."""
BREAKS = 5
"""How often in a row a body may break with less than `PROGRESS` in between."""
PROGRESS = 1024 * 1024

_WHOLE = ByteRange()

Piece = TypeVar("Piece", bytes, memoryview)


class Replaced(PreconditionFailed):
    """The object became another one while it was read."""


class Download:
    """One reading of an object, or of a range of it.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        key: As the user knows it.
        options: The range and the conditions.
    """

    def __init__(self, send: Requests, full_key: str, key: str, options: ReadOptions) -> None:
        self._send = send
        self._full_key = full_key
        self._key = key
        self._options = options
        self._conditions = READ_ALL
        if options.conditional:
            self._conditions = ReadOptions(
                None,
                attributes.unquoted(options.if_match),
                attributes.unquoted(options.if_none_match),
            )
        self.crowd = send.crowd
        self._body: Any = None
        self._at = self._end = 0  # from the object's start: the next byte, and past the last one
        self._came = 0  # where the body stands; behind `_at` where a server gives more than asked
        self._ends = 0  # where the body ends
        self._limit = sys.maxsize  # where to stop, whatever was asked for
        self._broken, self._broken_at = 0, 0
        self._check: Check | None = None
        self._etag, self._size = "", 0  # of the whole object
        self._info: ObjectInfo | None = None
        self._answer: Mapping[str, Any] = {}
        self.told: Mapping[str, Any] = {}
        """The answer, if it is that of the whole object."""
        self.summed = False
        """Whether it tells a checksum."""

    @property
    def info(self) -> ObjectInfo:
        """What the object is as a whole; known when it is opened, and read when it is asked for."""
        if self._info is None:
            self._info = attributes.info_of(self._key, self._answer, self._size)
        return self._info

    @property
    def pinned(self) -> bool:
        """Whether the user asked for one version only."""
        return self._options.if_match is not None

    @property
    def span(self) -> tuple[int, int]:
        """The bytes that are still to come: the first, and the one after the last."""
        return self._at, self._end

    def stop_at(self, position: int) -> None:
        """Read no further than that, though more was asked for."""
        self._limit = min(self._limit, position)
        self._end = min(self._end, position)

    def take_check(self) -> Check | None:
        """What compares the bytes with the checksum that was told of them, if it was.

        From now on it is the caller's to feed it with all of them; before, `chunks` does.
        """
        check, self._check = self._check, None
        return check

    def sibling(self, start: int, end: int) -> Download:
        """The reading of another part of the very same version."""
        part = ReadOptions(ByteRange(start, end), self._etag)
        return _Pinned(self._send, self._full_key, self._key, part)

    async def open(self) -> None:
        """Ask for the object."""
        part, options = self._options.byte_range, self._options
        if part is not None and part.start == part.end:
            self._info = await self._nothing()
            return
        conditions = {}
        if options.if_match is not None:
            conditions["IfMatch"] = attributes.quoted(options.if_match)
        if options.if_none_match is not None:
            conditions["IfNoneMatch"] = attributes.quoted(options.if_none_match)
        try:
            answer = await self._ask(part, conditions)
        except StoreError as error:
            if failure(error).status == 416:
                self._info = await self._nothing()
                return
            raise
        self._take(answer, part or _WHOLE)
        if self._at == 0 and self._end == self._size:
            self.told, wanted = answer, checksums.told(answer)
            self.summed, self._check = wanted is not None, checksums.check_of(wanted)

    def _nothing(self) -> Awaitable[ObjectInfo]:
        """A range with no bytes in it cannot be asked for, or was refused."""
        asked, part = (self._send, self._full_key, self._key), self._options.byte_range
        return headers.without_bytes(*asked, part, self._conditions)

    def _ask(
        self, part: ByteRange | None, conditions: dict[str, str]
    ) -> Awaitable[Mapping[str, Any]]:
        if part is not None:
            conditions["Range"] = header_of(part)
        return self._send("get_object", Key=self._full_key, **conditions)

    def _take(self, answer: Mapping[str, Any], part: ByteRange) -> None:
        """Check that the answer has the bytes that were asked for, and what is to be read of it."""
        self._body = answer["Body"]
        try:
            start, end, size = span_of(answer)
            etag = attributes.unquoted(answer.get("ETag"))
            if etag is None:
                raise MalformedResponse("the server's answer lacks the object's etag")
            if self._conditions is not READ_ALL:  # there are servers that do not look
                self._conditions.check(attributes.info_of(self._key, answer, size))
            at, to = within(part, start, end, size)
        except BaseException:
            self.close()
            raise
        self._at, self._end = at, min(to, self._limit)
        self._came, self._ends = start, end
        self._answer, self._etag, self._size, self._info = answer, etag, size, None

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The bytes asked for, in pieces as they come; closes the body at its end."""
        return self._pieces(self._pull, sys.maxsize)

    def fill(
        self, offer: Callable[[], memoryview], most: int = sys.maxsize
    ) -> AsyncGenerator[memoryview, None]:
        """The same in memory of the caller's.

        Args:
            offer: Asked for the next piece; gives memory for it, which is not empty.
            most: Pause after about so many bytes; then it may be called again.
        """
        return self._pieces(partial(self._pull_into, offer), most)

    async def _pieces(
        self, pull: Callable[[int], Awaitable[Piece]], most: int
    ) -> AsyncGenerator[Piece, None]:
        done = False
        pause = self._at + most
        try:
            while self._at < min(self._end, pause):
                if chunk := await self._step(pull):
                    yield chunk
            done = self._at < self._end
            if not done:
                await self._finish()
        finally:
            if not done:
                self.close()

    async def lend(self, drain: Drain, most: int) -> int:
        """Let a worker thread move the next bytes to their place in a file.

        Returns:
            How many it moved; 0 where none were there, or where this cannot be done.
        """
        if self._came != self._at:
            return 0
        drain.at = self._at
        try:
            size = await lend(self._body, drain, min(most, self._end - self._at))
        except BaseException:
            self.close()
            raise
        self._came += size
        self._at += size
        return size

    async def content(self) -> bytes:
        """The same as a whole, for what is small."""
        parts = []
        try:
            while self._at < self._end:
                if chunk := await self._step(self._pull):
                    parts.append(chunk)
            await self._finish()
        finally:
            self.close()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _step(self, pull: Callable[[int], Awaitable[Piece]]) -> Piece | None:
        """The next piece that belongs to what was asked for; None if there was none in it."""
        start = self._came
        try:
            chunk = await pull(self._ends - start)
            if not chunk:
                raise StoreUnavailable(f"the body ended {self._ends - start} bytes too early")
        except (StoreUnavailable, StoreTimeout) as error:
            await self._resume(error)
            return None
        self._came += len(chunk)
        if start != self._at or self._came > self._end:
            chunk = chunk[max(0, self._at - start) : max(0, self._end - start)]
        self._at += len(chunk)
        if self._check is not None:
            self._check.update(chunk)
        return chunk

    async def _finish(self) -> None:
        if self._body is not None and self._came == self._ends:
            await self._pull(1)  # lets the client compare the checksum
        if self._check is not None:
            self._check.finish()

    def _pull(self, size: int) -> Awaitable[bytes]:
        return pull(self._body, min(CHUNK, size))

    def _pull_into(self, offer: Callable[[], memoryview], size: int) -> Awaitable[memoryview]:
        # What comes before the bytes that are asked for is read by itself, to be left out.
        return pull_into(self._body, offer()[: min(size, self._at - self._came or size)])

    async def _resume(self, error: StoreError) -> None:
        """Ask for the rest of the same version."""
        self.close()
        if self._at - self._broken_at >= PROGRESS:
            self._broken = 0
        self._broken, self._broken_at = self._broken + 1, self._at
        if self._broken > BREAKS:
            raise error
        await pause(self._broken - 1)
        rest = ByteRange(*self.span)
        etag, size, answer = self._etag, self._size, self._answer
        try:
            self._take(await self._ask(rest, {"IfMatch": attributes.quoted(etag)}), rest)
        except (PreconditionFailed, ObjectNotFound) as changed:
            raise Replaced("the object was replaced while it was read") from changed
        if (self._etag, self._size) != (etag, size):
            raise Replaced("the object was replaced while it was read")
        self._answer = answer  # that of the beginning tells more

    def close(self) -> None:
        """Close the body: its connection is pooled if all was read, and closed otherwise."""
        body, self._body = self._body, None
        if body is None:
            return
        closing = body.close()
        if closing is not None and inspect.isawaitable(closing):  # over httpx there is no other way
            asyncio.ensure_future(closing)  # noqa: RUF006 - ends by itself


class _Pinned(Download):
    """A reading of a part of one version, which another reading found."""

    async def open(self) -> None:
        """See `Download`."""
        try:
            await super().open()
        except (PreconditionFailed, ObjectNotFound) as changed:
            raise Replaced("the object was replaced while it was read") from changed
