"""Objects stored whole, or in parts of a bounded number and size as their pieces come."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Any, Self

from ...._core.info import ObjectInfo, WriteOptions
from . import attributes, bodies, checksums
from .endings import finish
from .flights import Flights, Room
from .multipart import Upload, part_size, uploading
from .requests import new_token
from .settings import ObjectRequests


async def put(
    send: ObjectRequests, full_key: str, key: str, data: Any, options: WriteOptions
) -> ObjectInfo:
    """Store an object with one request, if the conditions hold."""
    body = bodies.body_of(data)
    token = new_token() if options.conditional else None
    name = send.settings.checksum
    digest = await checksums.digest_aside(name, body)

    async def once() -> Mapping[str, Any]:
        answer = await send.conditionally(
            "put_object",
            full_key,
            if_absent=options.if_absent,
            if_match=options.if_match,
            token=token,
            Body=body,
            **checksums.encoded(name, digest),
            **attributes.to_request(options.content_type, options.metadata, token),
        )
        checksums.compare(answer, name, digest)
        return answer

    return stored(key, len(body), await checksums.twice(once), options)


def stored(key: str, size: int, answer: Any, options: WriteOptions) -> ObjectInfo:
    """What is known of an object that was just stored."""
    return ObjectInfo(
        key,
        size,
        attributes.unquoted(answer.get("ETag")),
        attributes.utc(answer.get("LastModified")),
        options.content_type,
        dict(options.metadata or {}),
        attributes.checksum_of(answer),
    )


class PartSink:
    """Takes an object's pieces and sends them on as parts, as few as possible.

    What fits in one part is one plain request at the end.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        key: As the user knows it.
        options: The conditions and the attributes.
        size: Bytes of the first parts.
        budget: Of the memory for parts.
    """

    def __init__(
        self,
        send: ObjectRequests,
        full_key: str,
        key: str,
        options: WriteOptions,
        size: int,
        budget: Room,
    ) -> None:
        self.info: ObjectInfo | None = None
        self._send = send
        self._full_key = full_key
        self._key = key
        self._options = options
        self._first_size = self._part_size = size
        self._part = bodies.UploadBody()
        self._number = self._size = 0
        self._flights = Flights(budget)
        self._upload: Upload | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self._publish()
        except BaseException as failed:
            error = failed
            raise
        finally:
            kind = None if error is None else type(error)
            try:
                await finish(self._flights.cancel())
            finally:
                await self._stack.__aexit__(kind, error, None)

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece; waits while enough parts are on their way."""
        view = memoryview(data)
        self._size += len(view)
        while view:
            # A full part waits for the byte after it: the last part is sent another way.
            if len(self._part) == self._part_size:
                await self._send_part()
            room = self._part_size - len(self._part)
            self._part += view[:room]
            view = view[room:]

    async def _send_part(self) -> None:
        if self._upload is None:
            self._upload = await self._stack.enter_async_context(
                begun(self._send, self._full_key, self._options)
            )
        body, self._part = self._part, bodies.UploadBody()
        self._number += 1
        self._part_size = part_size(self._first_size, self._number + 1)
        fly = partial(self._fly, self._upload, self._number, body)
        await self._flights.start(len(body), fly)

    async def _fly(self, upload: Upload, number: int, body: bodies.UploadBody) -> None:
        digest = await checksums.digest_aside(self._send.settings.checksum, body)
        await upload.send(number, body, digest)

    async def _publish(self) -> None:
        if self._upload is None:
            self.info = await put(self._send, self._full_key, self._key, self._part, self._options)
            return
        await self._send_part()
        await self._flights.landed()
        options = self._options
        answer = await self._upload.complete(if_absent=options.if_absent, if_match=options.if_match)
        self.info = stored(self._key, self._size, answer, options)


def begun(
    send: ObjectRequests, full_key: str, options: WriteOptions
) -> AbstractAsyncContextManager[Upload]:
    """A new multipart upload; taken back unless it was completed in the block."""
    token = new_token()
    known = attributes.to_request(options.content_type, options.metadata, token)
    return uploading(send, full_key, known, token, send.settings.checksum)
