"""Conversations with SSH servers, by asyncssh."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncssh

from ...._core.errors import StoreError, StoreUnavailable
from ...._core.info import ByteRange
from .._remote.session import CHUNK, Facts, Kind, Reading, Session
from .._remote.tree import linked
from .upload import SftpUpload
from .words import facts_of, translated

T = TypeVar("T")

FRESH = 15.0
"""Seconds after which a session that nobody used is asked whether it still works."""


class SftpSession(Session):
    """One SFTP channel of a connection.

    Args:
        connection: The connection.
        client: The channel.
    """

    def __init__(
        self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient
    ) -> None:
        self.copies = client.supports_remote_copy
        self.client = client
        self._connection = connection
        self._waiting = 0
        self._roots: dict[str, str] = {}

    @property
    def quiet(self) -> bool:
        """Whether it is open and waits for no answer."""
        return not self._waiting and not self._connection.is_closed()

    async def is_alive(self, idle: float) -> bool:
        """Whether the server still listens."""
        if idle < FRESH:
            return True
        try:
            await self.ask(self.client.realpath(b"."))
        except (StoreError, OSError):
            return False
        return True

    def drop(self) -> None:
        """End the channel; the connection stays for the others."""
        self._waiting += 1
        try:
            self.client.exit()
        except (asyncssh.Error, OSError):
            pass

    async def ask(self, request: Awaitable[T]) -> T:
        """Do a request; where it is cancelled, the session stays busy for good."""
        self._waiting += 1
        with translated():
            try:
                answer = await request
            except Exception:
                self._waiting -= 1
                raise
        self._waiting -= 1
        return answer

    # -- what stands where ------------------------------------------------------------------

    async def look(self, path: str) -> Facts | None:
        """What stands under a path."""
        try:
            return facts_of(await self.ask(self.client.lstat(path.encode())))
        except FileNotFoundError:
            return None

    async def refuse_links(self, root: str, path: str) -> None:
        """Compare the path with what the server makes of it; if it differs, look for a link."""
        below = path[len(root) :].rstrip("/")
        if not below:
            return
        if root not in self._roots:
            self._roots[root] = await self._real(root or ".")
        real = await self._real(path.rstrip("/"))
        if real == f"{self._roots[root].rstrip('/')}/{below}":
            return
        names = below.split("/")
        for end in range(1, len(names) + 1):
            step = root + "/".join(names[:end])
            facts = await self.look(step)
            if facts is not None and facts.kind is Kind.LINK:
                raise linked(step)
        self._roots.pop(root)  # perhaps it was the root that is another one by now

    async def _real(self, path: str) -> str:
        found = await self.ask(self.client.realpath(path.encode()))
        return found.decode(errors="surrogateescape")

    async def scan(self, path: str) -> list[tuple[bytes, Facts]]:
        """What a directory holds."""

        async def names() -> list[tuple[bytes, Facts]]:
            found = self.client.scandir(path.encode())
            return [(_bytes(each.filename), facts_of(each.attrs)) async for each in found]

        return await self.ask(names())

    # -- changes ----------------------------------------------------------------------------

    async def make_directory(self, path: str) -> None:
        """Make a directory."""
        await self.ask(self.client.mkdir(path.encode()))

    async def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        await self.ask(self.client.rmdir(path.encode()))

    async def remove(self, path: str) -> None:
        """Remove a file."""
        await self.ask(self.client.remove(path.encode()))

    async def replace(self, source: str, target: str) -> None:
        """Rename a file, over what is there."""
        await self.ask(self.client.posix_rename(source.encode(), target.encode()))

    async def link(self, source: str, target: str) -> None:
        """Give a file a second name."""
        await self.ask(self.client.link(source.encode(), target.encode()))

    # -- content ----------------------------------------------------------------------------

    @asynccontextmanager
    async def read(self, root: str, path: str, part: ByteRange | None) -> AsyncIterator[Reading]:
        """Open a file; its handle goes on reading the version that was opened."""
        await self.refuse_links(root, path)
        file = await self.ask(self.client.open(path.encode(), "rb"))
        try:
            facts = facts_of(await self.ask(file.stat()))
            start, end = 0, facts.size or 0
            if part is not None:
                start, end = part.resolve(end)
            yield Reading(facts, self._chunks(file, start, end))
        finally:
            if self.quiet:
                await self.ask(file.close())

    async def _chunks(self, file: Any, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            size = min(CHUNK, end - start)
            data: bytes = await self.ask(file.read(size, start))
            if len(data) != size:
                raise StoreUnavailable("the file was cut while it was read")
            start += size
            yield data

    async def create(self, path: str) -> SftpUpload:
        """Make a new file."""
        file = await self.ask(self.client.open(path.encode(), "xb"))
        return SftpUpload(self, file, path)


def _bytes(name: bytes | str) -> bytes:
    return name if isinstance(name, bytes) else name.encode()
