"""Files on their way to an FTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ...._core.errors import NotSupported, StoreUnavailable
from .._remote.session import CHUNK, Facts
from .words import translated

if TYPE_CHECKING:
    from .session import FtpSession


class FtpUpload:
    """A new file that is being written.

    Args:
        session: What it is written by.
        writer: The data connection.
        path: Where it is.
    """

    def __init__(self, session: FtpSession, writer: asyncio.StreamWriter, path: str) -> None:
        self._session = session
        self._writer = writer
        self._path = path

    async def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        try:
            with translated():
                for start in range(0, len(data), CHUNK):
                    self._writer.write(bytes(data[start : start + CHUNK]))
                    await self._writer.drain()
        except StoreUnavailable:
            await self._session.end_transfer()  # the server may have said why
            raise

    def copy(self, source: str, size: int) -> AsyncIterator[int]:
        """Servers do not copy."""
        raise NotSupported("FTP servers copy no files")

    async def finish(self) -> Facts:
        """Hear that all has arrived, and look."""
        await self._session.end_transfer()
        facts = await self._session.look(self._path)
        if facts is None:
            raise StoreUnavailable("somebody has removed the file of this write")
        return facts

    async def abandon(self) -> None:
        """Stop."""
        await self._session.leave_transfer()
