"""The store: how it is made and shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any, Self

from ...._core.errors import ConfigError, MissingExtra
from ...._core.info import Capability
from ...._core.text import Secret
from ...._core.urls import StoreURL
from .._remote.life import TIMEOUT
from .._remote.paths import host_and_port, root_in_url
from .._remote.session import Line
from .._remote.store import AsyncRemoteStore

PORT = 22
SESSIONS = 6
"""OpenSSH gives a connection ten, unless told otherwise."""
KEEPALIVE = 10.0
"""Seconds of silence after which a server is asked whether it is there; twice in vain is enough."""


class AsyncSftpStore(AsyncRemoteStore):
    """Each object in a file on an SSH server, whose path under the root is its key.

    One connection carries several SFTP sessions. What is written has another name
    (``.storage-tmp-...``, in the same directory) until it is whole, and is then renamed over what
    is there, in one step: the server has to know ``posix-rename@openssh.com``, as OpenSSH does.
    ``if_absent=True`` needs ``hardlink@openssh.com``; a server without one of them gets a
    `NotSupported`. Servers that know ``copy-data`` (OpenSSH 9.0) copy by themselves. There are no
    etags, since the protocol tells times in whole seconds, and so no ``if_match``.

    Keys that no path is exactly are refused with `InvalidKey`: those with an empty part or a part
    ``.`` or ``..``, with a part of more than 255 bytes, or with one that begins with
    ``.storage-tmp-``; and a key below another one (``a/b`` beside ``a``) while that one exists.
    The server's file system must tell names apart that differ in case or composition. Symbolic
    links below the root are refused with `AccessDenied` and left out of listings; somebody who
    may write there can still put one in place in the moment after the look.

    Keys and agents are found as OpenSSH finds them (``~/.ssh``, ``SSH_AUTH_SOCK``), unless
    ``client_keys`` or ``password`` is given; so are settings of hosts in ``~/.ssh/config``.

    Args:
        host: The server.
        root: The directory of the objects, absolute, or relative to the user's own; the first put
            makes it. It may be a symbolic link itself.
        port: Its port. None: 22, or what the configuration says.
        username: Who logs in. None: the local user's name, or what the configuration says.
        password: A password, if that is how it is done.
        client_keys: Files of private keys, in place of all others.
        known_hosts: A file of the servers' public keys, in place of ``~/.ssh/known_hosts`` and
            ``/etc/ssh/ssh_known_hosts``. A server that is not listed is refused with
            `AccessDenied`.
        verify_host_key: False trusts any server that answers, and whoever sits in between.
        sessions: How many SFTP sessions at once, from 3 on: a third of them each for open readers,
            for open writers, and for all else. OpenSSH allows ten a connection.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    capabilities = (
        Capability.ORDERED
        | Capability.IF_ABSENT
        | Capability.COPY_IF_ABSENT
        | Capability.STREAMS
        | Capability.RANGES
    )

    def __init__(
        self,
        host: str,
        root: str = "",
        *,
        port: int | None = None,
        username: str | None = None,
        password: str | None = None,
        client_keys: Sequence[str] | None = None,
        known_hosts: str | None = None,
        verify_host_key: bool = True,
        sessions: int = SESSIONS,
        timeout: float | None = TIMEOUT,
    ) -> None:
        if not host:
            raise ConfigError("an SFTP store has a host")
        if known_hosts is not None and not verify_host_key:
            raise ConfigError("known_hosts is of no use without verify_host_key")
        if find_spec("asyncssh") is None:
            raise MissingExtra.named("asyncssh", "sftp")
        self._host = host
        self._port = port
        self._options: dict[str, Any] = _ssh_options(
            port, username, password, client_keys, known_hosts, verify=verify_host_key
        )
        self._user = username
        super().__init__(root, sessions, timeout)
        self._recipe = {
            "host": host,
            "root": root,
            "port": port,
            "username": username,
            "password": None if password is None else Secret(password),
            "client_keys": client_keys,
            "known_hosts": known_hosts,
            "verify_host_key": verify_host_key,
            "sessions": sessions,
            "timeout": timeout,
        }

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``sftp://user@host:port/absolute/path``, or ``.../~/path`` below the user's.

        Options: ``client_key``, ``known_hosts``, ``verify_host_key``, ``sessions``, ``timeout``.
        """
        host, port = host_and_port(url.host)
        key = url.option("client_key", str, None)
        return cls(
            host,
            root_in_url(url.path),
            port=port,
            username=url.user,
            password=url.password,
            client_keys=None if key is None else [key],
            known_hosts=url.option("known_hosts", str, None),
            verify_host_key=url.option("verify_host_key", bool, True),
            sessions=url.option("sessions", int, SESSIONS),
            timeout=url.option("timeout", float, TIMEOUT),
        )

    def _line_maker(self) -> Callable[[], Line]:
        return partial(_line, self._host, self._options)

    def _locations(self) -> tuple[tuple[str, str], ...]:
        # Below a user's own directory, two users do not share what looks the same.
        whose = "" if self._root.startswith("/") else f"{self._user}@"
        return ((f"file server {self._host}:{self._port or PORT}", f"{whose}{self._root}"),)

    def __repr__(self) -> str:
        user = f"{self._user}@" if self._user else ""
        port = f":{self._port}" if self._port else ""
        return f"{type(self).__name__}({f'{user}{self._host}{port}'!r}, {self._root!r})"


def _ssh_options(
    port: int | None,
    username: str | None,
    password: str | None,
    client_keys: Sequence[str] | None,
    known_hosts: str | None,
    *,
    verify: bool,
) -> dict[str, Any]:
    """What asyncssh is told; of what it is not told it has defaults of its own."""
    options: dict[str, Any] = {"keepalive_interval": KEEPALIVE, "keepalive_count_max": 2}
    if port is not None:
        options["port"] = port
    if username is not None:
        options["username"] = username
    if password is not None:
        options["password"] = Secret(password)
        options["client_keys"] = None
    if client_keys is not None:
        options["client_keys"] = list(client_keys)
    options["known_hosts"] = (known_hosts or "") if verify else None
    return options


def _line(host: str, options: dict[str, Any]) -> Line:
    try:
        from .line import SftpLine
    except ModuleNotFoundError as error:
        raise MissingExtra.named("asyncssh", "sftp") from error
    return SftpLine(host, options)
