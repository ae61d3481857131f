"""Bodies of uploads: large ones leave in pieces, and each carries its checksum."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from aiohttp import Payload, payload_type
from aiohttp.payload import Order

from ...._core import calls

PIECE = 256 * 1024
"""Bytes that are handed to the connection at once."""
LARGE = 1024 * 1024
"""Bytes from which a checksum is worth a thread, and a body pieces."""


class LargeBody(bytearray):
    """Bytes that leave in pieces.

    aiohttp warns of plain bytes of this size, as they would be handed over at once. A file object
    would not do: for one, botocore waits for a "100 Continue" that some servers never send.
    """

    __slots__ = ()


@payload_type(LargeBody, order=Order.try_first)
class _LargePayload(Payload):
    """How aiohttp writes a `LargeBody`."""

    _autoclose = True

    def __init__(self, value: LargeBody, *args: Any, **kwargs: Any) -> None:
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


def body_of(data: bytes | bytearray | memoryview) -> bytes | bytearray:
    """The data as what a client takes; copied unless it is small bytes or a `LargeBody`."""
    if isinstance(data, LargeBody):
        return data
    if len(data) >= LARGE:
        return LargeBody(data)
    return data if isinstance(data, bytes) else bytes(data)


async def crc32(data: bytes | bytearray) -> str:
    """The checksum as S3 writes it."""
    known = zlib.crc32(data) if len(data) < LARGE else await calls.call(zlib.crc32, data)
    return base64.b64encode(known.to_bytes(4, "big")).decode()
