"""The store: how it is made, shown, pickled and given up, and what it asks for."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, NoReturn, Self, TypeVar
from urllib.parse import quote

from ...._core.errors import ConfigError, InvalidKey, NotSupported
from ...._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ...._core.text import Secret
from ...._core.urls import StoreURL
from ...base import AsyncBaseStore
from ...pieces import Body
from .._web.sessions import Wire, options_of
from .credentials import headers_of
from .reading import Download, head, whole
from .sending import Manners, Requests
from .targets import BadURL, Target

T = TypeVar("T")

TIMEOUT = 60.0
_REFUSED = frozenset(
    {"put", "open_writer", "put_many", "delete", "delete_many", "clear", "copy", "move"}
    | {"keys", "list", "list_with_delimiter"}
)


class AsyncHttpStore(AsyncBaseStore):
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

    _refused = _REFUSED
    capabilities = Capability.READ_CONDITIONS | Capability.STREAMS | Capability.RANGES

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
        super().__init__(timeout=timeout)
        self._base = None if base_url is None else _base(base_url)
        credentials = headers_of(headers, auth)
        if credentials and self._base is None:
            raise ConfigError("headers and auth need a base_url, or any key could send them away")
        if connections < 1 or retries < 0 or max_redirects < 1:
            raise ConfigError("connections and max_redirects are at least 1, retries at least 0")
        if not (connect_timeout > 0 and read_timeout > 0):
            raise ConfigError("connect_timeout and read_timeout are seconds above 0")
        redirects = max_redirects if follow_redirects else 0
        wire = Wire(connections, connect_timeout, read_timeout, allow_private, tls)
        manners = Manners(credentials, redirects, retries, keep_encoded)
        self._send = Requests(wire, manners)
        self._secret = bool(credentials) or tls is not None
        self._recipe: dict[str, Any] = {
            "follow_redirects": follow_redirects, "allow_private": allow_private,
            "max_redirects": max_redirects, "keep_encoded": keep_encoded, "retries": retries,
            "connections": connections, "connect_timeout": connect_timeout,
            "read_timeout": read_timeout, "timeout": timeout,
        }  # fmt: skip

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``https://example.org/path``, which is its ``base_url``.

        User and password, where the URL has them, are ``auth``. Options: ``token``,
        ``follow_redirects``, ``allow_private``, ``max_redirects``, ``keep_encoded``, ``retries``,
        ``connections``, ``connect_timeout``, ``read_timeout``, ``timeout``.
        """
        auth: Any = url.option("token", Secret, None)
        if url.user is not None or url.password is not None:
            if auth is not None:
                raise ConfigError("a token and a user exclude each other")
            auth = url.user or "", url.password or ""
        return cls(
            f"{url.scheme}://{url.host}{quote(url.path)}",
            auth=auth,
            follow_redirects=url.option("follow_redirects", bool, True),
            allow_private=url.option("allow_private", bool, True),
            max_redirects=url.option("max_redirects", int, 10),
            keep_encoded=url.option("keep_encoded", bool, False),
            **options_of(url, TIMEOUT),
        )

    def _locations(self) -> tuple[tuple[str, str], ...]:
        if self._base is None:
            return (("http", ""),)
        return ((f"http {self._base.origin}", self._base.path),)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({repr(self._base.url) if self._base else ''})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._secret:
            raise TypeError("a store with secrets or a TLS context of yours is not picklable")
        base = None if self._base is None else self._base.url
        return _again, (type(self), base, self._recipe)

    async def _teardown(self) -> None:
        await self._send.sessions.aclose()

    def __del__(self) -> None:
        # An error in the constructor leaves none.
        send: Requests | None = self.__dict__.get("_send")
        if send is not None and send.sessions.held and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    # -- checks -----------------------------------------------------------------------------

    def _check_open(self, operation: str) -> None:
        super()._check_open(operation)
        if operation in self._refused:
            self._refuse(operation)

    def _check(self, operation: str, key: str) -> None:
        if operation in self._refused:
            self._check_open(operation)
        super()._check(operation, key)

    def _check_key(self, key: str) -> None:
        self._target(key)

    def _target(self, key: str) -> Target:
        if self._base is not None:
            return self._base.below(key)
        try:
            return Target.parse(key)
        except BadURL as error:
            raise InvalidKey(f"the keys of this store are URLs: {error}") from None

    def _refuse(self, operation: str) -> NoReturn:
        raise NotSupported(
            "HTTP servers are read only, and list nothing", operation=operation, store=repr(self)
        )

    # -- messages ---------------------------------------------------------------------------

    def _shown(self, key: str) -> str:
        """A key for messages: what a URL asks for may be what a presigned one is made of."""
        if self._base is not None or "?" not in key:
            return key
        return key.partition("?")[0] + "?***"

    def _require(self, operation: str, key: str, needed: Capability, what: str) -> None:
        super()._require(operation, self._shown(key), needed, what)

    async def _place(self, operation: str, key: str | None, work: Coroutine[Any, Any, T]) -> T:
        shown = None if key is None else self._shown(key)
        return await super()._place(operation, shown, work)

    # -- hooks ------------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await whole(self._send, self._target(key), key, options)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        download = Download(self._send, self._target(key), key, options)
        try:
            await download.open()
            yield Body(download.info, download.chunks())
        finally:
            download.close()

    async def _head(self, key: str) -> ObjectInfo:
        return await head(self._send, self._target(key), key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self._refuse("put")

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        self._refuse("delete")

    def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        self._refuse("list")


def _base(url: str) -> Target:
    try:
        target = Target.parse(url.replace(" ", "%20"))
    except BadURL as error:
        raise ConfigError(f"base_url: {error}") from None
    if "?" in target.path:
        raise ConfigError("base_url: it has a query, which no key can stand behind")
    return target if target.path.endswith("/") else Target(target.origin, f"{target.path}/")


def _again(
    kind: type[AsyncHttpStore], base_url: str | None, options: dict[str, Any]
) -> AsyncHttpStore:
    return kind(base_url, **options)
