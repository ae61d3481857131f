"""Uploads in parts: nothing is seen before the end, and nothing is left behind without one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from ...._core.errors import IntegrityError, StoreError
from . import checksums
from .endings import finish, to_the_end
from .errors import failure
from .requests import Requests

MIB = 1024 * 1024
PART_SIZE = 8 * MIB
"""Bytes of a part, unless told otherwise."""
MIN_PART_SIZE = 5 * MIB
"""S3 takes no smaller ones, but for the last."""
PARTS = 10_000
"""S3 takes no more of them."""
GROWTH = 1000
"""Parts after which parts are twice as large: 10,000 of 8 MiB and more hold more than 5 TiB."""
LARGE_PUT = 32 * MIB
"""Bytes from which an object that is there as a whole is sent in parts, too."""


def part_size(first: int, number: int) -> int:
    """Bytes of a part of an upload whose length is not known before.

    Args:
        first: Bytes of the first part.
        number: From 1.
    """
    return first << ((number - 1) // GROWTH)


def even_size(least: int, size: int) -> int:
    """Bytes of each part of an upload of ``size`` bytes: whole MiB if more than ``least``."""
    return max(least, -(-size // PARTS // MIB) * MIB if size > least * PARTS else 0)


class Part(NamedTuple):
    """A part that the server has."""

    etag: str
    size: int
    digest: bytes | None


class Upload:
    """A multipart upload.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        token: What marks the upload's object in its metadata; None: it is not known.
        checksum: Which one its parts carry.
        upload_id: What the server calls it, if it was begun before.
    """

    def __init__(
        self,
        send: Requests,
        full_key: str,
        token: str | None,
        checksum: str | None = None,
        upload_id: str | None = None,
    ) -> None:
        self.id = upload_id
        self._send = send
        self._full_key = full_key
        self._token = token
        self._checksum = checksum
        self._parts: dict[int, Part] = {}
        self._completed = False

    async def begin(self, attributes: Mapping[str, Any]) -> None:
        """Have the server begin it; its name is known even where this is cancelled."""
        if self._checksum is not None:
            kind = checksums.kind(self._checksum)
            names = {"ChecksumAlgorithm": self._checksum.upper(), "ChecksumType": kind}
            attributes = {**attributes, **names}
        await to_the_end(
            self._send.write("create_multipart_upload", Key=self._full_key, **attributes),
            self._remember,
        )

    def _remember(self, answer: Mapping[str, Any]) -> None:
        self.id = answer["UploadId"]

    async def send(self, number: int, body: bytearray, digest: bytes | None) -> bool:
        """Send one part; parts may come in any order.

        Args:
            number: From 1 to 10,000.
            body: Its bytes.
            digest: Their checksum, of the upload's kind.

        Returns:
            Whether nobody holds the bytes any more: one try was enough. What became of a try that
            was given up is not known; there are transports that go on sending what they have.
        """
        told = checksums.encoded(self._checksum, digest)

        async def once() -> Mapping[str, Any]:
            answer = await self._ask("upload_part", number, Body=body, **told)
            checksums.compare(answer, self._checksum, digest)
            return answer

        answer = await checksums.twice(once)
        self.keep(number, Part(answer["ETag"], len(body), digest))
        return not answer["ResponseMetadata"].get("RetryAttempts")

    async def copy(self, number: int, size: int, **source: Any) -> None:
        """Have the server make a part of another object's bytes."""
        answer = await self._ask("upload_part_copy", number, **source)
        self.keep(number, Part(answer["CopyPartResult"]["ETag"], size, None))

    async def _ask(self, operation: str, number: int, **parameters: Any) -> Mapping[str, Any]:
        return await self._send(
            operation, Key=self._full_key, UploadId=self.id, PartNumber=number, **parameters
        )

    def keep(self, number: int, part: Part) -> None:
        """Know of a part that the server has."""
        self._parts[number] = part

    async def complete(
        self, *, if_absent: bool = False, if_match: str | None = None
    ) -> Mapping[str, Any]:
        """Make the parts the object, if the conditions hold.

        An interruption waits for the server's word, so that it is clear whether to take back.
        """
        parts = [self._parts[number] for number in sorted(self._parts)]
        listed = [
            {"PartNumber": number, "ETag": part.etag}
            | checksums.encoded(self._checksum, part.digest)
            for number, part in sorted(self._parts.items())
        ]
        return await to_the_end(
            self._send.conditionally(
                "complete_multipart_upload",
                self._full_key,
                if_absent=if_absent,
                if_match=if_match,
                token=self._token,
                UploadId=self.id,
                MultipartUpload={"Parts": listed},
                MpuObjectSize=sum(part.size for part in parts),
                **self._whole(parts),
            ),
            self._finished,
        )

    def _whole(self, parts: Sequence[Part]) -> dict[str, str]:
        """The checksum of the whole, for the server to compare."""
        if self._checksum is None:
            return {}
        whole = _digest(self._checksum, parts)
        kind = checksums.kind(self._checksum)
        return {"ChecksumType": kind, **checksums.encoded(self._checksum, whole)}

    def compare(self, told: str | None) -> None:
        """Refuse parts that are not the content of which a checksum was told, where it is known.

        Args:
            told: As ``"algorithm:hexadecimal"``.
        """
        name, _, wanted = (told or "").partition(":")
        if not name or name != self._checksum:
            return
        found = _digest(name, [self._parts[number] for number in sorted(self._parts)])
        if found is not None and found.hex() != wanted:
            raise IntegrityError(f"the bytes that came do not have the {name} that was told")

    def _finished(self, answer: Mapping[str, Any]) -> None:
        self._completed = True

    async def abort(self) -> None:
        """Take back what was begun and not completed."""
        if self.id is None or self._completed:
            return
        # Twice, as a part that was still on its way may have come after the first.
        for _ in range(2):
            try:
                await self._send("abort_multipart_upload", Key=self._full_key, UploadId=self.id)
            except StoreError as error:
                if failure(error).code == "NoSuchUpload":
                    return
                raise


def _digest(name: str, parts: Sequence[Part]) -> bytes | None:
    """That of the whole, where those of its parts tell it."""
    known = [(part.digest, part.size) for part in parts if part.digest is not None]
    return checksums.joined(name, known) if len(known) == len(parts) else None


@asynccontextmanager
async def uploading(
    send: Requests,
    full_key: str,
    attributes: Mapping[str, Any],
    token: str,
    checksum: str | None = None,
) -> AsyncIterator[Upload]:
    """A multipart upload; taken back unless it was completed in the block.

    Args:
        send: Sends the requests.
        full_key: The key with the store's prefix.
        attributes: The parameters that tell the object's attributes, the token among them.
        token: What marks the object.
        checksum: Which one the parts carry.
    """
    upload = Upload(send, full_key, token, checksum)
    try:
        await upload.begin(attributes)
        yield upload
    except BaseException as error:
        try:
            await finish(upload.abort())
        except StoreError as left:
            error.add_note(f"the multipart upload of {full_key!r} could not be aborted: {left}")
        raise
