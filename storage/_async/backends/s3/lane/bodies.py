"""Bodies of answers, with the methods of the client's."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from ....._core.errors import IntegrityError
from .transport import Response


class Body:
    """The bytes of an object, as they come.

    Args:
        response: What they come in.
    """

    __slots__ = ("_response",)

    def __init__(self, response: Response) -> None:
        self._response = response

    def read(self, size: int = -1) -> Awaitable[bytes]:
        """At most ``size`` bytes, as many as are there; all of them by default."""
        return self._response.read(size)

    def close(self) -> None:
        """Give the connection back if all was read, or else close it."""
        finish(self._response)


class CheckedBody(Body):
    """A whole object, compared with its digest when its end is read.

    Args:
        response: What it comes in.
        digest: What computes the digest.
        expected: The digest in base64.
    """

    __slots__ = ("_digest", "_expected")

    def __init__(self, response: Response, digest: Digest, expected: str) -> None:
        super().__init__(response)
        self._digest = digest
        self._expected = expected

    async def read(self, size: int = -1) -> bytes:
        """See `Body`.

        Raises:
            IntegrityError: The end was read, and the bytes are not the ones that were announced.
        """
        data = await self._response.read(size)
        self._digest.update(data)
        if size < 0 or (size and not data):
            if base64.b64encode(self._digest.digest()).decode() != self._expected:
                raise IntegrityError(
                    "the bytes that came do not have the checksum that was announced"
                )
        return data


class Digest(Protocol):
    """What is like an object of hashlib."""

    def update(self, data: bytes, /) -> object:
        """Take more bytes."""
        ...

    def digest(self) -> bytes:
        """The digest of what was taken."""
        ...


class _CRC32:
    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes) -> None:
        self._sum = zlib.crc32(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


_DIGESTS: Mapping[str, Any] = {
    "x-amz-checksum-crc32": _CRC32,
    "x-amz-checksum-sha256": hashlib.sha256,
    "x-amz-checksum-sha1": hashlib.sha1,
}


def body_of(response: Response) -> Body:
    """The body of an answer, which is checked if that can be."""
    if response.status == 200:
        for name, digest in _DIGESTS.items():
            expected = response.headers.get(name)
            if expected and "-" not in expected:  # else it is a digest of the parts' digests
                return CheckedBody(response, digest(), expected)
    return Body(response)


def finish(response: Response) -> None:
    """Close an answer at once: its closing waits for nothing."""
    closing = response.aclose()
    try:
        closing.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        return
    raise AssertionError("a transport waits where it must not")
