"""Where a server is, and how one is let in."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from urllib.parse import unquote

from ...._core.errors import ConfigError
from ...._core.text import Secret
from ...._core.urls import BOOLEANS, StoreURL

PORT = 6379


@dataclass(frozen=True)
class Address:
    """A server's place, and a database on it; hashable, and never shows its password.

    Args:
        host: Its name or number.
        port: Its TCP port.
        db: The database's number.
        username: For the access lists of Redis 6; None for the default user.
        password: It is never shown.
        path: A Unix socket, in place of host and port.
        tls: Whether it is reached by TLS.
        verify: Whether its certificate is checked, or the path of those that are trusted.
    """

    host: str = "localhost"
    port: int = PORT
    db: int = 0
    username: str | None = None
    password: Secret | None = None
    path: str | None = None
    tls: bool = False
    verify: bool | str = True

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ConfigError(f"a port is a number from 1 to 65535, not {self.port!r}")
        if self.db < 0:
            raise ConfigError(f"the number of a database is not negative, as {self.db!r} is")
        if self.username is not None and self.password is None:
            raise ConfigError("a username needs a password")
        if self.path is not None and self.tls:
            raise ConfigError("a Unix socket is not reached by TLS")

    @classmethod
    def of_url(cls, url: StoreURL) -> Address:
        """What ``redis://[[user:]password@]host[:port][/db]`` says, ``rediss`` by TLS."""
        host, port = _place(url.host)
        user, password = url.user, url.password
        if user is not None and password is None:  # redis://password@host
            password, user = Secret(user), None
        database = url.path.strip("/")
        if database and not database.isdecimal():
            raise ConfigError(f"a {url.scheme} URL ends with a database's number: {database!r}")
        return cls(
            unquote(host) or "localhost",
            port,
            int(database or 0),
            user,
            password,
            url.option("path", str),
            url.scheme == "rediss",
            url.option("verify", lambda text: BOOLEANS.get(text.lower(), text), True),
        )

    def __str__(self) -> str:
        place = self.path or f"{self.host}:{self.port}"
        return f"{place}/{self.db}"

    def context(self) -> ssl.SSLContext:
        """What TLS is spoken with; blocking, since it reads certificates.

        Raises:
            ConfigError: They cannot be read.
        """
        try:
            found = ssl.create_default_context(
                cafile=self.verify if isinstance(self.verify, str) else None
            )
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the certificates cannot be read: {error}") from error
        if self.verify is False:
            found.check_hostname = False
            found.verify_mode = ssl.CERT_NONE
        return found


def _place(host: str) -> tuple[str, int]:
    name, bracket, rest = host.rpartition("]")
    _, colon, port = rest.rpartition(":")
    if not colon:
        return host.strip("[]"), PORT
    if not port.isdecimal():
        raise ConfigError(f"the port in {host!r} is no number")
    return (name.lstrip("[") if bracket else rest.rpartition(":")[0]), int(port)
