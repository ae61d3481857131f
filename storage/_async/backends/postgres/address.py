"""Where a database is, and how one is let in."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from typing import Any

from ...._core.errors import ConfigError
from ...._core.text import Secret
from ...._core.urls import StoreURL

SCHEMES = ("postgres", "postgresql")
MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True)
class Address:
    """A database; hashable, and never shows its password.

    What is None comes from ``PGHOST`` and its like, as with PostgreSQL's own programs.

    Args:
        host: The server's name or number, or the directory of its Unix socket.
        port: Its port.
        user: Who one is there.
        password: It is never shown.
        database: The database's name.
        sslmode: How TLS is used, by the words of PostgreSQL: ``disable``; ``prefer``, where the
            server has it; ``require``, without a look at its certificate; ``verify-ca`` and
            ``verify-full``, which checks the server's name, too.
        sslrootcert: The file of the certificates that are trusted. None: those of the system.
    """

    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: Secret | None = None
    database: str | None = None
    sslmode: str = "prefer"
    sslrootcert: str | None = None

    def __post_init__(self) -> None:
        if self.port is not None and not 0 < self.port < 65536:
            raise ConfigError(f"a port is a number from 1 to 65535, not {self.port!r}")
        if self.sslmode not in MODES:
            raise ConfigError(f"sslmode is one of {', '.join(MODES)}, not {self.sslmode!r}")

    @classmethod
    def of_url(cls, url: StoreURL) -> Address:
        """What ``postgresql://[user[:password]@][host[:port]]/database`` says.

        Its options ``host`` (the directory of a Unix socket), ``sslmode`` and ``sslrootcert`` are
        taken.
        """
        if url.scheme not in SCHEMES:
            raise ConfigError(f"the URL of a PostgreSQL database begins with {SCHEMES[1]}://")
        if "," in url.host:
            raise ConfigError("a URL names one server: pass a pool for several")
        host, port = _place(url.host)
        return cls(
            url.option("host", str) or host or None,
            port,
            url.user,
            url.password,
            url.path.strip("/") or None,
            url.option("sslmode", str, "prefer"),
            url.option("sslrootcert", str),
        )

    def __str__(self) -> str:
        place = self.host or "localhost"
        port = "" if self.port is None else f":{self.port}"
        return f"{place}{port}/{self.database or self.user or ''}"

    def arguments(self) -> dict[str, Any]:
        """The same as asyncpg takes it, but for TLS."""
        # Without any password it would look for one in a file, and block the loop.
        password = os.environ.get("PGPASSWORD", "") if self.password is None else self.password
        found: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": password.reveal() if isinstance(password, Secret) else password,
            "database": self.database,
        }
        return {name: value for name, value in found.items() if value is not None}

    def context(self) -> ssl.SSLContext | None:
        """What TLS is spoken with; blocking, since it reads certificates."""
        if self.sslmode == "disable" or (self.host or "").startswith("/"):
            return None
        if not self.sslmode.startswith("verify"):
            found = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            found.check_hostname = False
            found.verify_mode = ssl.CERT_NONE
            return found
        try:
            found = ssl.create_default_context(cafile=self.sslrootcert)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"the certificates cannot be read: {error}") from error
        found.check_hostname = self.sslmode == "verify-full"
        return found


def _place(host: str) -> tuple[str, int | None]:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.strip("[]"), None
    if not port.isdecimal():
        raise ConfigError(f"the port in {host!r} is no number")
    return name.strip("[]"), int(port)
