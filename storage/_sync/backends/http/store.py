# Generated from storage/_async/backends/http/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made, shown, pickled and given up, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from ssl import SSLContext
from typing import ClassVar, Self

from ...._async.backends.http.store import TIMEOUT, AsyncHttpStore
from ...._core.urls import StoreURL
from ...base import BaseStore


class HttpStore(BaseStore):
    """Objects behind HTTP servers: read, and neither listed nor changed.

    Without a ``base_url`` keys are URLs, as ``https://example.org/a.txt``. With one they are paths
    under it, encoded as they need to be: whatever a key holds, it is that server and what is below
    that path that is asked. Whether it takes two keys for one is the server's affair.

    An etag is the server's, without its quotes; where there is none, it stands for the time of the
    last change. A download that breaks goes on where it broke if a strong etag or such a time tells
    the version; else `get` begins anew, and a stream fails. Only a server that tells neither
    lengths nor uses chunks can end an object too early without being found out.

    Neither proxies nor credentials are taken from the environment.

    Args:
        base_url: What all keys are under; a ``/`` is added to its end if there is none. None: keys
            are URLs.
        follow_redirects: Whether to go where a server points to; never from https to http.
        headers: Sent with every request, but not to other servers to which a redirect leads. They
            are taken for secrets. Only with a ``base_url``.
        auth: User and password (Basic), or a token (Bearer); the same holds for it.
        allow_private: Whether servers may have addresses of this machine or network. What counts
            is the address that is connected to, and for each redirect anew. Switch it off where
            strangers choose keys.
        max_redirects: How many may follow each other.
        keep_encoded: Whether content that a server sends as ``gzip``, say, though it was asked for
            none of these, is given like that; else it is refused.
        retries: How often a request is sent again that a server could not answer.
        connections: How many there may be at once on each event loop.
        connect_timeout: Seconds that a connection may take to be made.
        read_timeout: Seconds that a server may be silent.
        tls: What certificates are believed; None: those that this machine believes.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.

    Raises:
        ConfigError: Some of these make no sense.
    """

    _async: AsyncHttpStore
    _async_type: ClassVar[type[AsyncHttpStore]] = AsyncHttpStore

    def __init__(
        self,
        base_url: str | None = None,
        *,
        follow_redirects: bool = True,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | str | None = None,
        allow_private: bool = True,
        max_redirects: int = 10,
        keep_encoded: bool = False,
        retries: int = 4,
        connections: int = 64,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        tls: SSLContext | None = None,
        timeout: float | None = TIMEOUT,
    ) -> None:
        self._hold(
            self._async_type(
                base_url,
                follow_redirects=follow_redirects,
                headers=headers,
                auth=auth,
                allow_private=allow_private,
                max_redirects=max_redirects,
                keep_encoded=keep_encoded,
                retries=retries,
                connections=connections,
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                tls=tls,
                timeout=timeout,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``https://example.org/path``, which is its ``base_url``.

        User and password, where the URL has them, are ``auth``. Options: ``token``,
        ``follow_redirects``, ``allow_private``, ``max_redirects``, ``keep_encoded``, ``retries``,
        ``connections``, ``connect_timeout``, ``read_timeout``, ``timeout``.
        """
        return cls.around(cls._async_type.from_url(url))
