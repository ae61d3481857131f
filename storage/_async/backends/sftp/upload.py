"""Files on their way to an SSH server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ...._core.errors import NoSpace, StoreError
from .._remote.session import CHUNK, Facts, Refused
from .words import facts_of

if TYPE_CHECKING:
    from .session import SftpSession

PIECE = 512 * 1024
"""Bytes that are sent at a time, in requests as large as the server takes them."""
COPY = 64 * 1024 * 1024
"""Bytes that the server is asked to copy at a time."""


class SftpUpload:
    """A new file that is being written.

    Args:
        session: What it is written by.
        file: The open file.
        path: Where it is.
    """

    def __init__(self, session: SftpSession, file: Any, path: str) -> None:
        self._session = session
        self._file = file
        self._path = path
        self._collected = bytearray()
        self._offset = 0
        self._open = True

    async def write(self, data: bytes | memoryview) -> None:
        """Append bytes; small pieces are collected."""
        if self._collected or len(data) < PIECE:
            self._collected += data
            if len(self._collected) < PIECE:
                return
            data, self._collected = bytes(self._collected), bytearray()
        for start in range(0, len(data), CHUNK):
            await self._send(bytes(data[start : start + CHUNK]))

    async def _send(self, data: bytes) -> None:
        try:
            await self._session.ask(self._file.write(data, self._offset))
        except Refused as error:
            if await self._is_full():
                raise NoSpace("the server has no space left") from error
            raise
        self._offset += len(data)

    async def _is_full(self) -> bool:
        """Ask, since the protocol has no word for it."""
        try:
            found = await self._session.ask(self._session.client.statvfs(self._path.encode()))
        except (StoreError, OSError):
            return False
        return not found.bavail

    async def copy(self, source: str, size: int) -> AsyncIterator[int]:
        """Let the server copy the bytes of a file."""
        session = self._session
        file = await session.ask(session.client.open(source.encode(), "rb"))
        try:
            for start in range(0, size, COPY):
                length = min(COPY, size - start)
                await session.ask(
                    session.client.remote_copy(file, self._file, start, length, start)
                )
                yield length
        finally:
            if session.quiet:
                await session.ask(file.close())

    async def finish(self) -> Facts:
        """Write what is left and close the file."""
        if self._collected:
            await self._send(bytes(self._collected))
            self._collected.clear()
        facts = facts_of(await self._session.ask(self._file.stat()))
        await self._session.ask(self._file.close())
        self._open = False
        return facts

    async def abandon(self) -> None:
        """Close the file."""
        self._collected.clear()
        if self._open:
            self._open = False
            await self._session.ask(self._file.close())
