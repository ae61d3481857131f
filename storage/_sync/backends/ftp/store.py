# Generated from storage/_async/backends/ftp/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made and shown."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from ...._async.backends._remote.life import TIMEOUT
from ...._async.backends.ftp.store import SESSIONS, AsyncFtpStore
from ...._core.urls import StoreURL
from .._remote.store import RemoteStore


class FtpStore(RemoteStore):
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

    _async: AsyncFtpStore
    _async_type: ClassVar[type[AsyncFtpStore]] = AsyncFtpStore

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
        self._hold(
            self._async_type(
                host,
                root,
                port=port,
                username=username,
                password=password,
                tls=tls,
                allow_plaintext=allow_plaintext,
                ca_file=ca_file,
                sessions=sessions,
                timeout=timeout,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``ftps://user:password@host:port/absolute/path``, or ``.../~/path``.

        ``ftps`` is explicit encryption, or implicit at port 990; ``ftp`` is none, and takes a
        password only with ``allow_plaintext=true``.

        Options: ``tls``, ``allow_plaintext``, ``ca_file``, ``sessions``, ``timeout``.
        """
        return cls.around(cls._async_type.from_url(url))
