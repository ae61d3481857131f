"""Uploads of contents that can be read at any place: in parallel parts, and resumed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any

from ...._core.errors import ConfigError, MalformedResponse, ObjectNotFound, StoreError
from ...._core.info import ObjectInfo, WriteOptions
from . import attributes, bodies, checksums
from .endings import finish
from .errors import failure
from .flights import Flights, Room
from .multipart import LARGE_PUT, PARTS, Part, Upload, even_size
from .requests import Requests, new_token
from .settings import ObjectRequests
from .sources import Source
from .states import UploadState
from .writing import begun, put, stored


class Sending:
    """The parts of a source on their way to an upload.

    Args:
        upload: Begun.
        source: What is sent.
        size: Bytes of each part but the last.
        checksum: Which one the parts carry.
        known: The parts that the server had before, by number.
    """

    def __init__(
        self,
        upload: Upload,
        source: Source,
        size: int,
        checksum: str | None,
        known: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        self._upload = upload
        self._source = source
        self._size = size
        self._checksum = checksum
        self._known = known or {}

    async def run(self, budget: Room) -> None:
        """Send all parts that the server does not have."""
        flights = Flights(budget)
        try:
            for number, start in enumerate(range(0, max(1, self._source.size), self._size), 1):
                end = min(start + self._size, self._source.size)
                await flights.start(end - start, partial(self._bring, number, start, end))
            await flights.landed()
        finally:
            await finish(flights.cancel())

    async def _bring(self, number: int, start: int, end: int) -> None:
        body, digest = await self._source.part(start, end, self._checksum)
        told = self._known.get(number)
        if told is not None and _is_part(told, body, self._checksum, digest):
            self._upload.keep(number, Part(told["ETag"], len(body), digest))
        elif not await self._upload.send(number, body, digest):
            return
        self._source.reuse(body)


def _is_part(
    told: Mapping[str, Any], body: bodies.UploadBody, name: str | None, digest: bytes | None
) -> bool:
    """Whether the server has a part, as it tells of it; a doubt is none."""
    if told.get("Size") != len(body):
        return False
    found = checksums.told(told)
    if found is not None and found.name == name:
        return found.digest == digest
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return attributes.unquoted(told.get("ETag")) == md5


# -- whole uploads ----------------------------------------------------------------------------


async def upload(
    send: ObjectRequests,
    full_key: str,
    key: str,
    source: Source,
    options: WriteOptions,
    size: int,
    budget: Room,
) -> ObjectInfo:
    """Store a content, in parallel parts if it is large.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        key: As the user knows it.
        source: The content.
        options: The conditions and the attributes.
        size: Bytes of a part.
        budget: Of the memory for parts.
    """
    if source.size > LARGE_PUT:
        return await in_parts(send, full_key, key, source, options, size, budget)
    body, _ = await source.part(0, source.size, None)
    await source.check()
    return await put(send, full_key, key, body, options)


async def in_parts(
    send: ObjectRequests,
    full_key: str,
    key: str,
    source: Source,
    options: WriteOptions,
    size: int,
    budget: Room,
) -> ObjectInfo:
    """The same in parallel parts, however small it is."""
    size = even_size(size, source.size)
    async with begun(send, full_key, options) as upload:
        await Sending(upload, source, size, send.settings.checksum).run(budget)
        await source.check()
        upload.compare(source.checksum)
        answer = await upload.complete(if_absent=options.if_absent, if_match=options.if_match)
    return stored(key, source.size, answer, options)


async def begin(
    send: ObjectRequests, full_key: str, key: str, options: WriteOptions, size: int
) -> UploadState:
    """Begin an upload that stays until it is completed or aborted."""
    token, checksum = new_token(), send.settings.checksum
    known = attributes.to_request(options.content_type, options.metadata, token)
    upload = Upload(send, full_key, token, checksum)
    try:
        await upload.begin(known)
    except BaseException:
        await finish(upload.abort())  # nobody would know of it
        raise
    assert upload.id is not None
    return UploadState(key, upload.id, size, token, checksum)


async def resume(
    send: ObjectRequests,
    full_key: str,
    state: UploadState,
    source: Source,
    options: WriteOptions,
    size: int,
    budget: Room,
    *,
    fresh: bool = False,
) -> ObjectInfo:
    """Send what an upload lacks, and complete it; whatever fails leaves it as it is.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        state: The upload.
        source: The content.
        options: As for the upload's beginning.
        size: Bytes of a part, where the state does not tell.
        budget: Of the memory for parts.
        fresh: Whether nothing of it was sent yet, so that the server need not be asked.

    Raises:
        ObjectNotFound: There is no such upload, nor the object that it was to become.
    """
    parts: Mapping[int, Mapping[str, Any]] = {}
    checksum = state.checksum
    try:
        if not fresh:
            parts, checksum = await _parts(send, full_key, state)
    except StoreError as error:
        if failure(error).code != "NoSuchUpload":
            raise
        return await _completed(send, full_key, state, error)
    if state.part_size is None and parts:
        size = max(part["Size"] for part in parts.values())
    size = state.part_size or size
    if source.size > size * PARTS:
        raise ConfigError(f"more than {PARTS} parts of {size} bytes: begin with a larger part_size")
    upload = Upload(send, full_key, state.token, checksum, state.upload_id)
    await Sending(upload, source, size, checksum, parts).run(budget)
    await source.check()
    upload.compare(source.checksum)
    answer = await upload.complete(if_absent=options.if_absent, if_match=options.if_match)
    return stored(state.key, source.size, answer, options)


async def _completed(
    send: ObjectRequests, full_key: str, state: UploadState, error: StoreError
) -> ObjectInfo:
    """The object of an upload that is gone because it was completed."""
    if state.token is not None:
        head = await send.find(full_key, state.token)
        if head is not None:
            return attributes.info_of(state.key, head)
    raise ObjectNotFound("there is no such upload; begin another one") from error


async def _parts(
    send: Requests, full_key: str, state: UploadState
) -> tuple[dict[int, Mapping[str, Any]], str | None]:
    """The parts that the server has, by their numbers, and the checksum that they carry."""
    parts: dict[int, Mapping[str, Any]] = {}
    marker, checksum = 0, state.checksum
    while True:
        answer = await send(
            "list_parts", Key=full_key, UploadId=state.upload_id, PartNumberMarker=marker
        )
        for part in answer.get("Parts", ()):
            if not isinstance(part.get("Size"), int) or not part.get("ETag"):
                raise MalformedResponse("a listing of parts with one that has no size or no etag")
            parts[part["PartNumber"]] = part
        told = str(answer.get("ChecksumAlgorithm") or "").lower()
        checksum = checksum or (told if told in checksums.SENT else None)
        if not answer.get("IsTruncated"):
            return parts, checksum
        before, marker = marker, answer.get("NextPartNumberMarker", 0)
        if marker <= before:
            raise MalformedResponse("a listing of parts that does not say where it goes on")
