"""``PUT`` and ``DELETE`` of an object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from .._async.base import AsyncBaseStore
from .._core.closing import closing
from .._core.errors import (
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreNotFound,
)
from .._core.info import Capability, ObjectInfo, WriteOptions
from . import conditions, kinds
from .messages import Receive, Request
from .replies import ClientGone, Headers, Refusal, Reply

SMALL = 64 * 1024
"""Bytes that are stored at once, and not as a stream."""


class Upload:
    """The body of a request.

    Args:
        request: Its head.
        receive: The server's function.
        limit: Bytes that it may have; None: any number.
        patience: Seconds that the client may take for a piece; None: any time.

    Raises:
        Refusal: It says itself that it is too long, or makes no sense.
    """

    def __init__(
        self, request: Request, receive: Receive, limit: int | None, patience: float | None
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience
        self._length = _declared(request)
        self._count = 0
        self.read = False
        """Whether it was read to its end."""
        if self._length is not None:
            self._check(self._length)

    def _check(self, count: int) -> None:
        if self._limit is not None and count > self._limit:
            raise Refusal(413, f"at most {self._limit} bytes are taken")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes as they come; nothing more is asked for until they are stored."""
        while not self.read:
            try:
                async with asyncio.timeout(self._patience):
                    message = await self._receive()
            except TimeoutError:
                raise Refusal(408, "nothing came for too long") from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            data: bytes = message.get("body", b"")
            self._count += len(data)
            self._check(self._count)
            if not message.get("more_body", False):
                if self._length is not None and self._count != self._length:
                    raise Refusal(400, "the body has not the length that was told")
                self.read = True
            if data:
                yield data


def _declared(request: Request) -> int | None:
    text = request.header("content-length")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 30):
        raise Refusal(400, "the length is no number")
    return int(text)


async def put(store: AsyncBaseStore, key: str, request: Request, upload: Upload) -> Reply:
    """Store the body: all of it, or nothing."""
    if request.has("content-range"):
        raise Refusal(400, "a part of an object cannot be put")
    if (request.header("content-encoding") or "identity").lower() != "identity":
        raise Refusal(
            415, "the bytes are to be sent as they are", (("accept-encoding", "identity"),)
        )
    kind = request.header("content-type")
    if kind is not None and not kinds.is_kind(kind):
        raise Refusal(400, "the content type is none")
    if Capability.ATTRIBUTES not in store.capabilities:
        kind = None
    found = await _look(store, key, request)
    absent, match = _guards(request, found)
    options = WriteOptions(absent, match, kind)
    try:
        info = await _store(store, key, upload, options)
    except (ObjectExists, PreconditionFailed):
        if options.conditional:
            raise Refusal(412, "a condition does not hold") from None
        raise
    tag = conditions.tag_of(info.etag)
    told: Headers = () if tag is None else (("etag", tag),)
    return Reply(201 if found is None else 204, told)


async def delete(store: AsyncBaseStore, key: str, request: Request) -> Reply:
    """Remove the object."""
    match = None
    if request.has(*conditions.CONDITIONS):
        _, match = _guards(request, await store.head(key))
    try:
        await store.delete(key, if_match=match)
    except PreconditionFailed:
        if match is not None:
            raise Refusal(412, "a condition does not hold") from None
        raise
    return Reply(204)


async def _look(store: AsyncBaseStore, key: str, request: Request) -> ObjectInfo | None:
    """What is there before: whether something is has to be told, conditions or not."""
    try:
        if request.has(*conditions.CONDITIONS):
            return None if _only_new(request) else await store.head(key)
        return ObjectInfo(key) if await store.exists(key) else None
    except (ObjectNotFound, StoreNotFound):  # the first write makes the store, if it can be made
        return None


def _only_new(request: Request) -> bool:
    """Whether the store itself is to see that there is nothing yet."""
    return request.header("if-none-match") == "*" and not request.has("if-match")


def _guards(request: Request, found: ObjectInfo | None) -> tuple[bool, str | None]:
    """What the store has to hold the write to, if the conditions hold for what was found."""
    if not request.has("if-match", "if-none-match", "if-unmodified-since"):
        return False, None
    none = request.header("if-none-match")
    if none is not None and not conditions.is_list(none):
        raise Refusal(400, "If-None-Match is no list of tags")
    status = conditions.failing(request, found)
    if status is not None:
        raise Refusal(status, "a condition does not hold")
    if found is None:
        return request.has("if-none-match"), None
    if found.etag is None:
        raise NotSupported("this store has no etags")
    return False, found.etag


async def _store(
    store: AsyncBaseStore, key: str, upload: Upload, options: WriteOptions
) -> ObjectInfo:
    async with closing(upload.pieces()) as pieces:
        begin = await _beginning(pieces)
        if upload.read:
            return await store._write(key, begin, options)
        async with store._writer(key, options) as writer:
            await writer.write(begin)
            del begin
            async for piece in pieces:
                await writer.write(piece)
        return writer.info


async def _beginning(pieces: AsyncIterator[bytes]) -> bytes:
    """The first bytes: all of them, if they are few."""
    begin = bytearray()
    async for piece in pieces:
        begin += piece
        if len(begin) > SMALL:
            break
    return bytes(begin)
