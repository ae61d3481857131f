"""Objects and ranges of them, in pieces or whole, and resumed where a connection breaks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from ...._core.errors import (
    AccessDenied,
    IntegrityError,
    MalformedResponse,
    NotSupported,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreTimeout,
    StoreUnavailable,
)
from ...._core.info import ByteRange, ObjectInfo, ReadOptions
from .._web.answers import Answer
from . import answers, digests
from .sending import Requests
from .targets import Target

NO_HEAD = frozenset({403, 405, 501})
"""What is said to HEAD where GET may work: a presigned URL, for one, is for one method only."""
PROGRESS = 1024 * 1024
"""Bytes after which earlier breaks are forgotten."""
_FIRST = {"Range": "bytes=0-0"}
_NO_RANGE = 416


class Replaced(PreconditionFailed):
    """The object became another one while it was read."""


class Broken(StoreUnavailable):
    """The body ended too early, and nothing says which version would go on."""


class Damaged(IntegrityError):
    """The object was changed on its way, or the server's digest is that of another one."""


async def head(send: Requests, target: Target, key: str) -> ObjectInfo:
    """What is known of an object, without reading it."""
    answer = await send("HEAD", target, {}, *NO_HEAD)
    answer.close()
    if answer.status not in NO_HEAD:
        return answers.info_of(key, answer.headers, answers.length_of(answer.headers))
    answer = await send("GET", target, _FIRST, _NO_RANGE)
    answer.close()
    if answer.status == _NO_RANGE:  # there is no first byte
        return answers.info_of(key, answer.headers, 0)
    size = answers.span_of(answer.status, answer.headers)[2]
    return answers.info_of(key, answer.headers, size, answer.status)


async def whole(
    send: Requests, target: Target, key: str, options: ReadOptions
) -> tuple[bytes, ObjectInfo]:
    """Read an object or a range; from its beginning again where it cannot be gone on with."""
    tries, again = send.tries(), False
    while True:
        download = Download(send, target, key, options)
        try:
            await download.open()
            return await download.content(), download.info
        except Broken as error:
            await tries.after(error)
        except Replaced as error:
            if options.if_match is not None:
                raise
            await tries.after(Broken(str(error)))
        except Damaged:
            if again:
                raise
            again = True


class Download:
    """One reading of an object, or of a range of it.

    Args:
        send: Sends the requests.
        target: Where it is.
        key: As the user knows it.
        options: The range and the conditions.
    """

    def __init__(self, send: Requests, target: Target, key: str, options: ReadOptions) -> None:
        self._send = send
        self._target = target
        self._key = key
        self._options = answers.unquoted(options)
        self._tries = send.tries()
        self._broken_at = 0
        self._digest: digests.Running | None = None
        self._answer: Answer | None = None
        self._at = self._came = 0  # from the object's start: the next byte, and where the body is
        self._end: int | None = 0  # past the last byte; None: where the body ends
        self.info = ObjectInfo(key)

    async def open(self) -> None:
        """Ask for the object."""
        part = self._options.byte_range
        if part is not None and part.start == part.end:
            await self._nothing()
            return
        headers = answers.conditions(self._options)
        if part is not None:
            headers["Range"] = answers.range_header(part)
        answer = await self._send("GET", self._target, headers, _NO_RANGE)
        if answer.status == _NO_RANGE:
            answer.close()
            await self._nothing()
            return
        with _closing_on_error(answer):
            size = self._take(answer, part)
            self.info = answers.info_of(self._key, answer.headers, size, answer.status)
            self._options.check(self.info)  # there are servers that do not look
            if self.info.checksum is not None and self._at == 0 and self._end == size:
                self._digest = digests.Running(self.info.checksum)

    async def _nothing(self) -> None:
        """A range with no bytes in it cannot be asked for, or was refused."""
        self.info = info = await head(self._send, self._target, self._key)
        self._options.check(info)
        part = self._options.byte_range
        start, end = part.resolve(info.size or 0) if part is not None else (0, 0)
        if start < end:
            raise MalformedResponse("the server refused a range that the object has")

    def _take(self, answer: Answer, part: ByteRange | None) -> int | None:
        """Find what was asked for in the answer; returns the object's size."""
        if answer.status == 206 and part is None:
            raise MalformedResponse("the server gave a range that nobody asked for")
        start, end, size = answers.span_of(answer.status, answer.headers)
        at, to = _bounds(part or ByteRange(), size, end if answer.status == 206 else None)
        if at < start or (end is not None and not at <= (end if to is None else to) <= end):
            raise MalformedResponse(f"the server gave the bytes from {start} instead of {at}")
        self._answer, self._came, self._at, self._end = answer, start, at, to
        return size

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes asked for, in pieces as they come."""
        try:
            while self._end is None or self._at < self._end:
                chunk = await self._step()
                if chunk is None:
                    break
                if self._digest is not None:
                    self._digest.update(chunk)
                if chunk:
                    yield chunk
            if self._digest is not None and not self._digest.holds():
                raise Damaged("the bytes do not have the digest that the server tells of them")
        finally:
            self.close()

    async def content(self) -> bytes:
        """The same as a whole."""
        parts = [chunk async for chunk in self.chunks()]
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        if self.info.size is None and self._options.byte_range is None:
            self.info = replace(self.info, size=len(data))
        return data

    async def _step(self) -> bytes | None:
        """The next piece that belongs to what was asked for, maybe empty; None at its end."""
        start = self._came
        try:
            chunk = await self._pull()
        except (StoreUnavailable, StoreTimeout) as error:
            await self._resume(error)
            return b""
        if chunk is None:
            return None
        self._came += len(chunk)
        if start < self._at or (self._end is not None and self._came > self._end):
            stop = len(chunk) if self._end is None else max(0, self._end - start)
            chunk = chunk[max(0, self._at - start) : stop]
        self._at += len(chunk)
        return chunk

    async def _pull(self) -> bytes | None:
        assert self._answer is not None
        chunk = await self._answer.read()
        if chunk:
            return chunk
        if self._end is not None and self.info.size is not None:
            raise StoreUnavailable(f"the body ended {self._end - self._at} bytes too early")
        return None

    async def _resume(self, error: StoreError) -> None:
        """Ask for the rest of the same version."""
        self.close()
        etag = self.info.etag
        version = None if etag is None else answers.same_version(etag)
        if version is None or self.info.size is None:
            raise Broken("the connection broke, and nothing tells which version it was") from error
        if self._at - self._broken_at >= PROGRESS:
            self._tries = self._send.tries()
        self._broken_at = self._at
        await self._tries.after(error)
        rest = ByteRange(self._at, self._end)
        headers = {"Range": answers.range_header(rest), "If-Range": version}
        try:
            answer = await self._send("GET", self._target, headers)
        except (ObjectNotFound, AccessDenied) as gone:
            raise Replaced("the object went while it was read") from gone
        with _closing_on_error(answer):
            if answers.etag_of(answer.headers) != etag:
                raise Replaced("the object was replaced while it was read")
            if answers.span_of(answer.status, answer.headers)[2] != self.info.size:
                raise Replaced("the object has another length than when it was opened")
            self._take(answer, rest)

    def close(self) -> None:
        """Let go of the body; may be called again."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()


class _closing_on_error:  # noqa: N801 - reads as contextlib's
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is not None:
            self._answer.close()


def _bounds(part: ByteRange, size: int | None, given: int | None) -> tuple[int, int | None]:
    """Where what was asked for begins and ends in the object.

    Args:
        part: What was asked for.
        size: Of the object, if it is known.
        given: Where a range ends that the server gave.
    """
    if size is not None:
        return part.resolve(size)
    if part.start < 0:
        raise NotSupported("the server does not tell the length, from whose end it is counted")
    if given is not None and given != part.end:
        raise MalformedResponse("the server gave another range than was asked for, and no length")
    return part.start, part.end
