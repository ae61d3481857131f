"""Objects stored whole, or in parts of a bounded number and size as their pieces come."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from ...._core.info import ObjectInfo, WriteOptions
from ...._core.window import cancel_all
from . import attributes, bodies
from .multipart import Upload, flights, part_size, uploading
from .requests import Requests, new_token


async def put(
    send: Requests, full_key: str, key: str, data: Any, options: WriteOptions
) -> ObjectInfo:
    """Store an object with one request, if the conditions hold."""
    body = bodies.body_of(data)
    token = new_token() if options.conditional else None
    answer = await send.conditionally(
        "put_object",
        full_key,
        if_absent=options.if_absent,
        if_match=options.if_match,
        token=token,
        Body=body,
        ChecksumCRC32=await bodies.crc32(body),
        **attributes.to_request(options.content_type, options.metadata, token),
    )
    return stored(key, len(body), answer, options)


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
    """

    def __init__(
        self, send: Requests, full_key: str, key: str, options: WriteOptions, size: int
    ) -> None:
        self.info: ObjectInfo | None = None
        self._send = send
        self._full_key = full_key
        self._key = key
        self._options = options
        self._first_size = self._part_size = size
        self._part = bodies.UploadBody()
        self._number = self._size = 0
        self._flying: set[asyncio.Task[None]] = set()
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
            await cancel_all(self._flying)
            kind = None if error is None else type(error)
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
            token = new_token()
            options = self._options
            known = attributes.to_request(options.content_type, options.metadata, token)
            known["ChecksumAlgorithm"] = "CRC32"
            self._upload = await self._stack.enter_async_context(
                uploading(self._send, self._full_key, known, token)
            )
        await self._room(flights(self._part_size) - 1)
        body, self._part = self._part, bodies.UploadBody()
        self._number += 1
        self._part_size = part_size(self._first_size, self._number + 1)
        self._flying.add(asyncio.create_task(self._fly(self._upload, self._number, body)))

    async def _fly(self, upload: Upload, number: int, body: bodies.UploadBody) -> None:
        checksum = await bodies.crc32(body)
        await upload.add("upload_part", number, Body=body, ChecksumCRC32=checksum)

    async def _room(self, most: int) -> None:
        """Wait until at most so many parts are on their way; raise where one failed."""
        while len(self._flying) > most:
            done, self._flying = await asyncio.wait(
                self._flying, return_when=asyncio.FIRST_COMPLETED
            )
            errors = [error for task in done if (error := task.exception())]
            if errors:
                raise errors[0]

    async def _publish(self) -> None:
        if self._upload is None:
            self.info = await put(self._send, self._full_key, self._key, self._part, self._options)
            return
        await self._send_part()
        await self._room(0)
        answer = await self._upload.complete(
            if_absent=self._options.if_absent, if_match=self._options.if_match
        )
        self.info = stored(self._key, self._size, answer, self._options)
