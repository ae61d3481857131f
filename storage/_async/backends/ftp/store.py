"""The store: how it is made and shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, Self

from ...._core.errors import ConfigError, InvalidKey, MissingExtra
from ...._core.info import Capability
from ...._core.text import Secret
from ...._core.urls import StoreURL
from .._remote.life import TIMEOUT
from .._remote.paths import host_and_port, root_in_url
from .._remote.session import Line
from .._remote.store import AsyncRemoteStore

PORTS = {"none": 21, "explicit": 21, "implicit": 990}
SESSIONS = 6


class AsyncFtpStore(AsyncRemoteStore):
    """Each object in a file on an FTP server, whose path under the root is its key.

    The connection is encrypted, and the server's certificate verified, unless told otherwise; so
    are the data connections, which go to the host that was dialed, whatever the server says. The
    server has to know ``MLST`` (RFC 3659), as all but very old ones and vsftpd do.

    What is written has another name (``.storage-tmp-...``, in the same directory) until it is
    whole, its length is compared, and then it is renamed over what is there. That is one step on
    servers that leave it to a Unix system; one that refuses to replace a file has the put fail
    and the old object stay. The protocol has no conditions, no etags and one answer for what is
    missing and what is denied: only where its text tells of permissions it is `AccessDenied`. It
    does not tell links from files either: whatever the server follows is followed.

    A stream that is opened just when its object is replaced fails with `PreconditionFailed`;
    whole reads begin again.

    Keys that no path is exactly are refused with `InvalidKey`: those with an empty part or a part
    ``.`` or ``..``, with a part of more than 255 bytes, with one that begins with
    ``.storage-tmp-``, or with a line break; and a key below another one (``a/b`` beside ``a``)
    while that one exists. The server's file system must tell names apart that differ in case or
    composition.

    Args:
        host: The server.
        root: The directory of the objects, absolute, or relative to where the server puts its
            users; the first put makes it.
        port: Its port. None: 21, or 990 where the encryption is implicit.
        username: Who logs in. None: anonymous.
        password: With what.
        tls: How the connection is encrypted: ``"explicit"``, asked for after the greeting;
            ``"implicit"``, from the first byte; ``"none"``.
        allow_plaintext: Whether a password, and the content, may travel for all to read: without
            it, ``tls="none"`` is for anonymous users.
        ca_file: A file of certificates to trust, in place of the system's.
        sessions: How many connections at once, from 3 on: a third of them each for open readers,
            for open writers, and for all else.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    capabilities = Capability.ORDERED | Capability.STREAMS | Capability.RANGES

    def __init__(
        self,
        host: str,
        root: str = "",
        *,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: Literal["explicit", "implicit", "none"] = "explicit",
        allow_plaintext: bool = False,
        ca_file: str | None = None,
        sessions: int = SESSIONS,
        timeout: float | None = TIMEOUT,
    ) -> None:
        _check(host, username, password, tls, allow_plaintext=allow_plaintext)
        if find_spec("aioftp") is None:
            raise MissingExtra.named("aioftp", "ftp")
        secret = None if password is None else Secret(password)
        self._host = host
        self._port = port or PORTS[tls]
        self._user = username
        self._line = partial(_line, host, self._port, username, secret, tls, ca_file)
        super().__init__(root, sessions, timeout)
        self._recipe = {
            "host": host,
            "root": root,
            "port": port,
            "username": username,
            "password": secret,
            "tls": tls,
            "allow_plaintext": allow_plaintext,
            "ca_file": ca_file,
            "sessions": sessions,
            "timeout": timeout,
        }

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``ftps://user:password@host:port/absolute/path``, or ``.../~/path``.

        ``ftps`` is explicit encryption, or implicit at port 990; ``ftp`` is none, and takes a
        password only with ``allow_plaintext=true``.

        Options: ``tls``, ``allow_plaintext``, ``ca_file``, ``sessions``, ``timeout``.
        """
        host, port = host_and_port(url.host)
        usual = "none" if url.scheme == "ftp" else "implicit" if port == 990 else "explicit"
        tls: Any = url.option("tls", str, usual)
        if url.scheme == "ftps" and tls == "none":
            raise ConfigError("an ftps URL is encrypted: write ftp")
        return cls(
            host,
            root_in_url(url.path),
            port=port,
            username=url.user,
            password=url.password,
            tls=tls,
            allow_plaintext=url.option("allow_plaintext", bool, False),
            ca_file=url.option("ca_file", str, None),
            sessions=url.option("sessions", int, SESSIONS),
            timeout=url.option("timeout", float, TIMEOUT),
        )

    def _line_maker(self) -> Callable[[], Line]:
        return self._line

    def _check_key(self, key: str) -> None:
        super()._check_key(key)
        if "\r" in key or "\n" in key:
            raise InvalidKey("a path in FTP has no line breaks")

    def _locations(self) -> tuple[tuple[str, str], ...]:
        # Below a user's own directory, two users do not share what looks the same.
        whose = "" if self._root.startswith("/") else f"{self._user}@"
        return ((f"file server {self._host}:{self._port}", f"{whose}{self._root}"),)

    def __repr__(self) -> str:
        user = f"{self._user}@" if self._user else ""
        place = f"{user}{self._host}:{self._port}"
        return f"{type(self).__name__}({place!r}, {self._root!r})"


def _check(
    host: str, username: str | None, password: str | None, tls: str, *, allow_plaintext: bool
) -> None:
    if not host:
        raise ConfigError("an FTP store has a host")
    if tls not in PORTS:
        raise ConfigError(f"tls is 'explicit', 'implicit' or 'none', not {tls!r}")
    if tls == "none" and password is not None and not allow_plaintext:
        raise ConfigError(
            "without TLS anybody on the way can read the password: use ftps, or say "
            "allow_plaintext=True"
        )
    if any(letter in text for text in (username, password) if text for letter in "\r\n\0"):
        raise ConfigError("a user or a password in FTP has no line breaks")


def _line(
    host: str,
    port: int,
    username: str | None,
    password: Secret | None,
    tls: str,
    ca_file: str | None,
) -> Line:
    try:
        from .line import FtpLine
    except ModuleNotFoundError as error:
        raise MissingExtra.named("aioftp", "ftp") from error
    return FtpLine(host, port, username, password, tls, ca_file)
