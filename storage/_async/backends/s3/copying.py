"""Copies that the server makes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from ...._core.errors import (
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    SourceChanged,
)
from ...._core.info import ObjectInfo
from ...._core.window import in_order
from . import attributes, tagging
from .multipart import even_size, uploading
from .requests import TRIES, new_token, pause
from .settings import ObjectRequests

GIB = 1024**3
LIMIT = 5 * GIB
"""Bytes of the largest object that one request copies."""
PART_SIZE = GIB // 2
FLIGHTS = 8


class Copy:
    """One copy by the server.

    Args:
        send: Sends the requests.
        source: The key with the store's prefix.
        target: Likewise.
        if_absent: Only if there is no object under the target.
        if_match: Only if the target has this etag; holds only for what is copied in parts.
        origin: Sends the requests on the source's bucket, where that is another one.
    """

    def __init__(
        self,
        send: ObjectRequests,
        source: str,
        target: str,
        *,
        if_absent: bool,
        if_match: str | None = None,
        origin: ObjectRequests | None = None,
    ) -> None:
        self._send = send
        self._origin = send if origin is None else origin
        self._source = source
        self._target = target
        self._if_absent = if_absent
        self._if_match = if_match

    async def make(self, key: str) -> ObjectInfo:
        """Copy the object; what is copied is one version of it, the one that is told of.

        Args:
            key: The target as the user knows it.
        """
        for attempt in range(TRIES):
            head = await self._origin("head_object", Key=self._source)
            info = attributes.info_of(key, head)
            try:
                answer = await self._copied(head, info)
            except PreconditionFailed:
                if self._if_absent and await self._occupied():
                    raise ObjectExists("there is an object under this key", key=key) from None
                if attempt == TRIES - 1:
                    raise
                await pause(attempt)  # the source was replaced since it was looked at
            else:
                break
        return ObjectInfo(
            key,
            info.size,
            attributes.unquoted(answer.get("ETag")),
            attributes.utc(answer.get("LastModified")),
            info.content_type,
            info.metadata,
            attributes.checksum_of(answer),
        )

    async def of_version(self, listed: ObjectInfo, key: str) -> ObjectInfo:
        """Copy one version, of which all is known that one request needs.

        Args:
            listed: As it is known at the source.
            key: The target as the user knows it.

        Raises:
            SourceChanged: It is another version by now.
        """
        if (size := listed.size or 0) <= LIMIT and self._if_match is None:
            answer = await self._at_once(listed)
        else:
            head = await self._version(listed)
            answer = await self._in_parts(head, size)
        etag, modified = attributes.unquoted(answer.get("ETag")), answer.get("LastModified")
        return replace(
            listed,
            key=key,
            etag=etag,
            modified=attributes.utc(modified),
            checksum=attributes.checksum_of(answer),
        )

    async def _at_once(self, listed: ObjectInfo) -> Mapping[str, Any]:
        try:
            answer = await self._send.conditionally(
                "copy_object",
                self._target,
                if_absent=self._if_absent,
                if_match=None,
                token=None,  # it would have to be written with all that is known of the object
                CopySource=self._place,
                CopySourceIfMatch=attributes.quoted(listed.etag or ""),
                MetadataDirective="COPY",
            )
        except (ObjectExists, PreconditionFailed, ObjectNotFound):
            await self._version(listed)
            # The first answer may have been lost: then it is our own copy that stands there.
            found = await self._send("head_object", Key=self._target)
            if attributes.unquoted(found["ETag"]) != listed.etag:
                raise
            return found
        return answer.get("CopyObjectResult", answer)  # type: ignore[no-any-return]

    async def _version(self, listed: ObjectInfo) -> Mapping[str, Any]:
        """What is known of the source, if it is the version that was listed."""
        try:
            head = await self._origin("head_object", Key=self._source)
        except ObjectNotFound as error:
            raise SourceChanged("the object is gone", key=listed.key) from error
        if attributes.unquoted(head["ETag"]) != listed.etag:
            raise SourceChanged("the object is not what was listed", key=listed.key)
        return head

    async def _occupied(self) -> bool:
        try:
            await self._send("head_object", Key=self._target)
        except ObjectNotFound:
            return False
        return True

    async def _copied(self, head: Mapping[str, Any], info: ObjectInfo) -> Mapping[str, Any]:
        if (info.size or 0) > LIMIT:
            return await self._in_parts(head, info.size or 0)
        # Attributes are sent again only where they have to carry the mark of this write.
        token = new_token() if self._if_absent else None
        own = attributes.passed_on(head, token) if token else {}
        answer = await self._send.conditionally(
            "copy_object",
            self._target,
            if_absent=self._if_absent,
            if_match=None,
            token=token,
            **self._from(head),
            **own,
            MetadataDirective="REPLACE" if token else "COPY",
        )
        return answer.get("CopyObjectResult", answer)  # type: ignore[no-any-return]

    @property
    def _place(self) -> dict[str, str]:
        return {"Bucket": self._origin.bucket, "Key": self._source}

    def _from(self, head: Mapping[str, Any]) -> dict[str, Any]:
        return {"CopySource": self._place, "CopySourceIfMatch": head["ETag"]}

    async def _in_parts(self, head: Mapping[str, Any], size: int) -> Mapping[str, Any]:
        token = new_token()
        step = even_size(PART_SIZE, size)
        parts = [(start, min(start + step, size)) for start in range(0, size, step)]
        known = attributes.passed_on(head, token) | await self._tags(head)
        async with uploading(self._send, self._target, known, token) as upload:

            async def copy(part: tuple[int, tuple[int, int]]) -> None:
                number, (start, end) = part
                span = f"bytes={start}-{end - 1}"
                await upload.copy(number, end - start, CopySourceRange=span, **self._from(head))

            async with aclosing(in_order(copy, enumerate(parts, 1), FLIGHTS)) as results:
                async for _, error in results:
                    if error is not None:
                        raise error
            return await upload.complete(if_absent=self._if_absent, if_match=self._if_match)

    async def _tags(self, head: Mapping[str, Any]) -> dict[str, str]:
        """The source's tags, which a copy in parts does not take along by itself."""
        if not head.get("TagCount") or self._send.settings.tags is not None:
            return {}
        return {"Tagging": tagging.header(await tagging.read(self._origin, self._source))}
