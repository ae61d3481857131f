"""Bodies of uploads: they leave in pieces, at once, and carry their checksum."""

from __future__ import annotations

from typing import Any

from aiohttp import Payload, payload_type
from aiohttp.payload import Order

PIECE = 256 * 1024
"""Bytes that are handed to the connection at once."""


class UploadBody(bytearray):
    """Bytes that leave in pieces.

    Of plain bytes botocore makes a file, for which it waits for a "100 Continue" that some servers
    never send, and which aiohttp reads in threads; of a plain bytearray over 1 MiB aiohttp warns,
    as it would hand it over at once.
    """

    __slots__ = ()


@payload_type(UploadBody, order=Order.try_first)
class _UploadPayload(Payload):
    """How aiohttp writes a `UploadBody`."""

    _autoclose = True

    def __init__(self, value: UploadBody, *args: Any, **kwargs: Any) -> None:
        super().__init__(value, *args, **kwargs)
        self._size = len(value)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._value.decode(encoding, errors)  # type: ignore[no-any-return]

    async def write(self, writer: Any) -> None:
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Any, content_length: int | None) -> None:
        view = memoryview(self._value)
        for start in range(0, len(view) if content_length is None else content_length, PIECE):
            await writer.write(view[start : start + PIECE])


def body_of(data: bytes | bytearray | memoryview) -> UploadBody:
    """The data as what a client is given; copied unless it is that already."""
    return data if isinstance(data, UploadBody) else UploadBody(data)
