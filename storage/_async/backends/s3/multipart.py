"""Uploads in parts: nothing is seen before the end, and nothing is left behind without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from ...._core.errors import StoreError
from ...._core.window import cancel_all
from .errors import failure
from .requests import Requests

T = TypeVar("T")

MIB = 1024 * 1024
PART_SIZE = 8 * MIB
"""Bytes of a part, unless told otherwise."""
MIN_PART_SIZE = 5 * MIB
"""S3 takes no smaller ones, but for the last."""
GROWTH = 1000
"""Parts after which parts are twice as large: 10,000 of 8 MiB and more hold more than 5 TiB."""
IN_FLIGHT = 64 * MIB
"""Bytes of one object's parts that are on their way at once; one part may be more."""
MAX_FLIGHTS = 8
LARGE_PUT = 64 * MIB
"""Bytes from which an object that is there as a whole is sent in parts, too."""
GRACE = 10.0
"""Seconds that an interrupted upload may take to be brought to an end or to be taken back."""


def part_size(first: int, number: int) -> int:
    """Bytes of a part of an upload whose length is not known before.

    Args:
        first: Bytes of the first part.
        number: From 1.
    """
    return first << ((number - 1) // GROWTH)


def flights(size: int) -> int:
    """How many parts of a size may be on their way at once."""
    return max(1, min(MAX_FLIGHTS, IN_FLIGHT // size))


class Upload:
    """A multipart upload that was begun.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        token: What marks the upload's object in its metadata.
    """

    def __init__(self, send: Requests, full_key: str, token: str) -> None:
        self._send = send
        self._full_key = full_key
        self._token = token
        self._id: str | None = None
        self._parts: dict[int, dict[str, Any]] = {}
        self._completed = False

    async def begin(self, attributes: Mapping[str, Any]) -> None:
        """Have the server begin it; its name is known even where this is cancelled."""
        await _to_the_end(
            self._send.write("create_multipart_upload", Key=self._full_key, **attributes),
            self._remember,
        )

    def _remember(self, answer: Mapping[str, Any]) -> None:
        self._id = answer["UploadId"]

    async def add(self, operation: str, number: int, **parameters: Any) -> None:
        """Send one part; parts may come in any order.

        Args:
            operation: ``upload_part`` or ``upload_part_copy``.
            number: From 1 to 10,000.
            parameters: What the operation needs beside.
        """
        answer = await self._send(
            operation, Key=self._full_key, UploadId=self._id, PartNumber=number, **parameters
        )
        told = answer.get("CopyPartResult", answer)
        known = {"PartNumber": number, "ETag": told["ETag"]}
        if told.get("ChecksumCRC32"):
            known["ChecksumCRC32"] = told["ChecksumCRC32"]
        self._parts[number] = known

    async def complete(
        self, *, if_absent: bool = False, if_match: str | None = None, **parameters: Any
    ) -> Mapping[str, Any]:
        """Make the parts the object, if the conditions hold.

        An interruption waits for the server's word, so that it is clear whether to take back.
        """
        parts = [self._parts[number] for number in sorted(self._parts)]
        return await _to_the_end(
            self._send.conditionally(
                "complete_multipart_upload",
                self._full_key,
                if_absent=if_absent,
                if_match=if_match,
                token=self._token,
                UploadId=self._id,
                MultipartUpload={"Parts": parts},
                **parameters,
            ),
            self._finished,
        )

    def _finished(self, answer: Mapping[str, Any]) -> None:
        self._completed = True

    async def abort(self) -> None:
        """Take back what was begun and not completed."""
        if self._id is None or self._completed:
            return
        # Twice, as a part that was still on its way may have come after the first.
        for _ in range(2):
            try:
                await self._send("abort_multipart_upload", Key=self._full_key, UploadId=self._id)
            except StoreError as error:
                if failure(error).code == "NoSuchUpload":
                    return
                raise


@asynccontextmanager
async def uploading(
    send: Requests, full_key: str, attributes: Mapping[str, Any], token: str
) -> AsyncIterator[Upload]:
    """A multipart upload; taken back unless it was completed in the block.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        attributes: The parameters that tell the object's attributes, the token among them.
        token: What marks the object.
    """
    upload = Upload(send, full_key, token)
    try:
        await upload.begin(attributes)
        yield upload
    except BaseException as error:
        try:
            await finish(upload.abort())
        except StoreError as left:
            error.add_note(f"the multipart upload of {full_key!r} could not be aborted: {left}")
        raise


async def finish(work: Coroutine[Any, Any, object]) -> None:
    """Do a clean-up to its end, at most `GRACE` seconds, however often this is cancelled.

    Raises:
        asyncio.CancelledError: It was cancelled meanwhile.
        StoreError: The clean-up failed.
    """
    task = asyncio.ensure_future(work)
    interrupted = await _settle(task)
    if interrupted:
        raise asyncio.CancelledError
    if not task.cancelled():
        task.result()


async def _to_the_end(work: Coroutine[Any, Any, T], heard: Callable[[T], None]) -> T:
    """Do a request whose outcome must be known: a cancellation is delivered when it is.

    Args:
        work: The request.
        heard: Called with the result, also where a cancellation takes its place.
    """
    task = asyncio.ensure_future(work)
    try:
        result = await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settle(task)
        if not task.cancelled() and task.exception() is None:
            heard(task.result())
        raise
    heard(result)
    return result


async def _settle(task: asyncio.Future[Any]) -> bool:
    """Wait for a task, at most `GRACE` seconds; tell whether the waiting was cancelled."""
    loop = asyncio.get_running_loop()
    end, interrupted = loop.time() + GRACE, False
    while not task.done() and loop.time() < end:
        try:
            await asyncio.wait([task], timeout=end - loop.time())
        except asyncio.CancelledError:
            interrupted = True
    if not task.done():
        await cancel_all([task])  # type: ignore[list-item]
    return interrupted
