"""The way to an FTP server: dialing, encryption, logging in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any

import aioftp

from ...._core import calls
from ...._core.errors import AccessDenied, ConfigError, NotSupported, StoreUnavailable
from ...._core.text import Secret
from .session import FtpSession
from .words import translated

ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class FtpLine:
    """Opens control connections.

    Args:
        host: The server.
        port: Its port.
        user: Who logs in.
        password: With what.
        tls: ``"none"``, ``"explicit"`` or ``"implicit"``.
        ca_file: Whom to trust, in place of the system's authorities.
    """

    host: str
    port: int
    user: str | None
    password: Secret | None
    tls: str
    ca_file: str | None

    async def open(self) -> FtpSession:
        """A new connection; dialed again if the server hangs up before anybody is logged in."""
        context = None if self.tls == "none" else await calls.call(_context, self.ca_file)
        try:
            return await self._dial(context)
        except StoreUnavailable as error:
            if not isinstance(error.__cause__, ConnectionResetError):
                raise
        return await self._dial(context)

    async def _dial(self, context: ssl.SSLContext | None) -> FtpSession:
        implicit = context if self.tls == "implicit" else None
        client = aioftp.Client(ssl=implicit, trust_server_pasv_ipv4_address=False)
        try:
            with translated():
                await self._log_in(client, context)
        except BaseException:
            if client._stream is not None:
                client._stream.writer.transport.abort()
            raise
        return FtpSession(client)

    async def _log_in(self, client: aioftp.Client, context: ssl.SSLContext | None) -> None:
        try:
            await client.connect(self.host, self.port)
            if self.tls == "explicit":
                await client.upgrade_to_tls(context)
            elif self.tls == "implicit":
                await client.command("PBSZ 0", "200")
                await client.command("PROT P", "200")
        except ssl.SSLError as error:
            raise AccessDenied(f"no trusted encryption with the server: {error}") from error
        _refuse_early(client)
        password = self.password.reveal() if self.password is not None else f"{ANONYMOUS}@"
        await client.login(self.user or ANONYMOUS, password)
        _, features = await client.command("FEAT", ("2xx", "5xx"))
        if not any(line.strip().upper().startswith("MLST") for line in features):
            raise NotSupported(
                "the server lists its files for human readers only: it has no MLSD (RFC 3659)"
            )
        await client.command("OPTS UTF8 ON", ("2xx", "5xx"))

    async def close(self) -> None:
        """Nothing is held here."""


def _refuse_early(client: aioftp.Client) -> None:
    """Refuse answers that came before the encryption: anybody can have sent them."""
    buffer: Any = getattr(client.stream.reader, "_buffer", b"")
    if buffer:
        raise AccessDenied("there were answers before they were asked for")


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(f"ca_file cannot be read: {error}") from error
