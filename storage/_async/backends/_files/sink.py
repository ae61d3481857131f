"""What takes an object's pieces."""

from __future__ import annotations

from ...._core import calls
from ...._core.info import ObjectInfo, WriteOptions
from .pending import Pending
from .waiting import patiently

PIECE = 512 * 1024
"""Bytes that are written at a time."""


class FileSink:
    """Takes an object's pieces; small ones are collected, so that each hop writes much."""

    def __init__(self, pending: Pending) -> None:
        self.info: ObjectInfo | None = None
        self._pending = pending
        self._collected = bytearray()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        if self._collected or len(data) < PIECE:
            self._collected += data
            if len(self._collected) < PIECE:
                return
            data, self._collected = memoryview(self._collected), bytearray()
        await patiently(lambda: calls.call(self._pending.write, data))

    async def publish(self, options: WriteOptions) -> None:
        """Make the object of all pieces."""
        self.info = await patiently(lambda: calls.call(self._finish, options))

    def _finish(self, options: WriteOptions) -> ObjectInfo:
        self._pending.write(self._collected)
        self._collected = bytearray()
        info = self._pending.publish(options)
        self._pending.close()
        return info
