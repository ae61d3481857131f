"""The way to an SSH server: one connection, which many sessions share."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import asyncssh

from ...._core import calls
from ...._core.errors import ConfigError, StoreUnavailable
from .session import SftpSession
from .words import translated

FULL_PAUSE = 0.05
"""Seconds after which a server that has too many sessions is asked again."""
KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


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
