"""How aiohttp, which the clients send with, writes an `UploadBody`.

To load it takes longer than a hundred requests do: only who sends through a client does.
"""

from __future__ import annotations

from typing import Any

from aiohttp import Payload, payload_type
from aiohttp.payload import Order

from .bodies import UploadBody

PIECE = 256 * 1024
"""Bytes that are handed to the connection at once."""


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
