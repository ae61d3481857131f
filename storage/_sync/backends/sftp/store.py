# Generated from storage/_async/backends/sftp/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from ...._async.backends._remote.life import TIMEOUT
from ...._async.backends.sftp.store import SESSIONS, AsyncSftpStore
from ...._core.urls import StoreURL
from .._remote.store import RemoteStore


class SftpStore(RemoteStore):
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

    _async: AsyncSftpStore
    _async_type: ClassVar[type[AsyncSftpStore]] = AsyncSftpStore

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
        self._hold(
            self._async_type(
                host,
                root,
                port=port,
                username=username,
                password=password,
                client_keys=client_keys,
                known_hosts=known_hosts,
                verify_host_key=verify_host_key,
                sessions=sessions,
                timeout=timeout,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``sftp://user@host:port/absolute/path``, or ``.../~/path`` below the user's.

        Options: ``client_key``, ``known_hosts``, ``verify_host_key``, ``sessions``, ``timeout``.
        """
        return cls.around(cls._async_type.from_url(url))
