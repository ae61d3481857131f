"""Conversations with SSH servers, by asyncssh."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncssh

from ...._core import calls
from ...._core.errors import (
    AccessDenied,
    ConfigError,
    NoSpace,
    NotSupported,
    StoreError,
    StoreUnavailable,
)
from ...._core.info import ByteRange
from .._remote.session import CHUNK, Facts, Kind, Reading, Refused, Session
from .._remote.tree import linked

T = TypeVar("T")

PIECE = 512 * 1024
"""Bytes that are sent at a time, in requests as large as the server takes them."""
COPY = 64 * 1024 * 1024
"""Bytes that the server is asked to copy at a time."""
FRESH = 15.0
"""Seconds after which a session that nobody used is asked whether it still works."""
FULL_PAUSE = 0.05
"""Seconds after which a server that has too many sessions is asked again."""

KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")

_KINDS = {stat.S_IFREG: Kind.FILE, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.LINK}
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_DENIED = (asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect, asyncssh.SFTPCannotDelete)
_FULL = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_GONE = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.Error, OSError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of asyncssh into ours."""
    try:
        yield
    except StoreError:  # many of which are OSError, too
        raise
    except _MISSING as error:
        raise FileNotFoundError(str(error)) from error
    except _DENIED as error:
        raise AccessDenied(f"the server denies it: {error}") from error
    except _FULL as error:
        raise NoSpace(f"the server has no space left: {error}") from error
    except asyncssh.SFTPOpUnsupported as error:
        raise NotSupported(f"the server cannot do it: {error}") from error
    except (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable) as error:
        raise AccessDenied(str(error)) from error
    except asyncssh.SFTPError as error:
        if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
            raise StoreUnavailable(f"the connection was lost: {error}") from error
        raise Refused(f"the server refused: {error}") from error
    except _GONE as error:
        raise StoreUnavailable(f"the server cannot be reached: {error}") from error


def facts_of(found: asyncssh.SFTPAttrs) -> Facts:
    """What attributes tell."""
    # A server that tells no permissions has nothing else than files to tell of.
    mode = stat.S_IFREG if found.permissions is None else stat.S_IFMT(found.permissions)
    kind = _KINDS.get(mode, Kind.OTHER)
    modified = None if found.mtime is None else datetime.fromtimestamp(found.mtime, UTC)
    return Facts(kind, found.size, modified)


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

    async def copy(self, source: str, size: int) -> None:
        """Let the server copy the bytes of a file."""
        session = self._session
        file = await session.ask(session.client.open(source.encode(), "rb"))
        try:
            for start in range(0, size, COPY):
                length = min(COPY, size - start)
                await session.ask(
                    session.client.remote_copy(file, self._file, start, length, start)
                )
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


class SftpLine:
    """One SSH connection, which is made when it is needed, and again when it was lost.

    Args:
        host: The server.
        options: For asyncssh.
    """

    def __init__(self, host: str, options: dict[str, Any]) -> None:
        self._host = host
        self._options = options
        self._lock = asyncio.Lock()
        self._connection: asyncssh.SSHClientConnection | None = None

    async def open(self) -> SftpSession:
        """A new channel."""
        while True:
            connection = await self._connected()
            opening = asyncio.ensure_future(connection.start_sftp_client())
            try:
                with translated():
                    return SftpSession(connection, await asyncio.shield(opening))
            except asyncio.CancelledError:
                opening.add_done_callback(_dispose)
                raise
            except StoreUnavailable as error:
                # Sessions that are just being closed still count.
                if not isinstance(error.__cause__, asyncssh.ChannelOpenError):
                    raise
                if connection.is_closed():
                    raise
            await asyncio.sleep(FULL_PAUSE)

    async def _connected(self) -> asyncssh.SSHClientConnection:
        async with self._lock:
            if self._connection is None or self._connection.is_closed():
                options = await calls.call(_ready, self._options)
                with translated():
                    self._connection = await asyncssh.connect(self._host, **options)
            return self._connection

    async def close(self) -> None:
        """Hang up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
            await connection.wait_closed()


def _ready(options: dict[str, Any]) -> dict[str, Any]:
    """The options as asyncssh takes them: files are read here, and not on the loop."""
    ready = dict(options)
    if "password" in ready:
        ready["password"] = ready["password"].reveal()
    if ready["known_hosts"] is not None:
        ready["known_hosts"] = asyncssh.import_known_hosts(_known_hosts(ready["known_hosts"]))
    return ready


def _known_hosts(path: str) -> str:
    places = [path] if path else [p for p in KNOWN_HOSTS if os.path.exists(os.path.expanduser(p))]
    texts = []
    for place in places:
        try:
            with open(os.path.expanduser(place), encoding="utf-8", errors="replace") as file:
                texts.append(file.read())
        except OSError as error:
            raise ConfigError(f"known_hosts cannot be read: {error}") from error
    return "\n".join(texts)


def _dispose(opening: asyncio.Future[asyncssh.SFTPClient]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().exit()


def _bytes(name: bytes | str) -> bytes:
    return name if isinstance(name, bytes) else name.encode()
