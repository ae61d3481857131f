"""Where a stream's pieces go on their way into an archive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ...._core.info import ObjectInfo
from .content import StreamedContent
from .files import CHUNK


class ContentSink:
    """Collects small pieces, and packs them in a worker when there are enough.

    Args:
        call: Calls a blocking function.
        content: What packs them.
    """

    def __init__(self, call: Callable[..., Awaitable[Any]], content: StreamedContent) -> None:
        self.info: ObjectInfo | None = None
        self._call = call
        self._content = content
        self._buffer = bytearray()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        if not self._buffer and len(data) >= CHUNK:
            await self._call(self._content.write, data)
            return
        self._buffer += data
        if len(self._buffer) >= CHUNK:
            await self.flush()

    async def flush(self) -> None:
        """Pack what was collected."""
        buffer, self._buffer = self._buffer, bytearray()
        if buffer:
            await self._call(self._content.write, buffer)
