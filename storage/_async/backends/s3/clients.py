"""Where the clients come from: a user's own, or ours, one for each event loop."""

from __future__ import annotations

import asyncio
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeAlias

from ...._core import calls
from ...._core.errors import MissingExtra
from ...._core.perloop import PerLoop
from . import endpoints
from .lane.borrowed import of_client, watched
from .lane.identity import Identity
from .lane.plain import of_options

OpenClient: TypeAlias = Callable[[], AbstractAsyncContextManager[Any]]
Plain: TypeAlias = Callable[[str], Identity | None]
Known: TypeAlias = tuple[Identity | None, Callable[[], bool]]


class Clients(ABC):
    """Gives the client for the loop at hand."""

    endpoint: str | None = None
    """The URL of the server; None: Amazon's own, as far as is known yet."""
    closed = False
    own = False
    """Whether the clients are made here."""
    service: Hashable | None = None
    """Equal for those who talk to the same server with the same credentials."""
    on_endpoint: weakref.WeakMethod[Callable[[], None]] | None = None
    """Called when a profile turns out to name another server."""

    @abstractmethod
    async def get(self) -> Any:
        """The client for the running loop; it is ready for use and stays this object's."""

    @abstractmethod
    async def identity(self, bucket: str) -> Known:
        """Who sends requests on a bucket from the running loop.

        Returns:
            It, or None where only the client itself knows; and what tells whether that still holds.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close the clients that were made here."""

    @property
    def held(self) -> bool:
        """Whether there are clients to be closed."""
        return False


class OwnClients(Clients):
    """Clients made here: one for each loop, at first use.

    Args:
        open_client: Makes a client, to be entered and left on its loop.
        endpoint: The URL of the server, if it is known before.
        plain: What tells who sends requests on a bucket, if that is known without a client.
        service: See `Clients`.
    """

    own = True

    def __init__(
        self,
        open_client: OpenClient,
        endpoint: str | None,
        plain: Plain | None = None,
        service: Hashable | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._plain = plain
        self.service = service
        self._loops: PerLoop[Any] = PerLoop(open_client)

    async def get(self) -> Any:
        """See `Clients`."""
        client = self._loops.peek()
        if client is None:
            client = await self._loops.get()
            self._learn(endpoints.custom(client))
        return client

    async def identity(self, bucket: str) -> Known:
        """See `Clients`."""
        plain = self._plain
        found = await calls.call(plain, bucket) if plain is not None else None
        if found is None:
            found = of_client(await self.get(), bucket)
        return found, _always

    def _learn(self, endpoint: str | None) -> None:
        known, self.endpoint = self.endpoint, endpoint
        tell = self.on_endpoint() if self.on_endpoint is not None else None
        if endpoint != known and tell is not None:
            tell()

    async def aclose(self) -> None:
        """Close the client of this loop, and those of loops that run in other threads."""
        self.closed = True
        await self._loops.aclose()

    @property
    def held(self) -> bool:
        """Whether a loop that is still open has a client."""
        return self._loops.held


class InjectedClients(Clients):
    """A user's client. It is never closed here.

    An asyncio one is used as it is on the loop where it is first used, which is the user's. On
    other loops (above all on the background loop of the blocking classes), after a fork, and where
    it is a blocking one, clients are made that talk to the same server with the same credentials.

    Args:
        client: An S3 client of aiobotocore, boto3 or botocore, or an object with the same methods.
    """

    def __init__(self, client: Any) -> None:
        modules = {kind.__module__.partition(".")[0] for kind in type(client).__mro__}
        self._client = client
        self.service = "client", id(client)  # which lives as long as this
        self._derivable = "botocore" in modules
        self._blocking = self._derivable and "aiobotocore" not in modules
        self._home: weakref.ref[asyncio.AbstractEventLoop] | None = None
        self._pid = os.getpid()
        self.endpoint = endpoints.custom(client)
        self._derived = OwnClients(self._derive, self.endpoint)

    @asynccontextmanager
    async def _derive(self) -> AsyncIterator[Any]:
        making = await calls.call(_making)
        async with making.derived(self._client) as client:
            yield client

    async def get(self) -> Any:
        """See `Clients`."""
        if not self._derivable or self._at_home():
            return self._client
        return await self._derived.get()

    async def identity(self, bucket: str) -> Known:
        """See `Clients`."""
        client = await self.get()
        found = of_client(client, bucket)
        return found, _always if found is None else watched(client)

    def _at_home(self) -> bool:
        from ...._core.runner import on_runner_loop

        if self._blocking or on_runner_loop() or os.getpid() != self._pid:
            return False
        loop = asyncio.get_running_loop()
        if self._home is None:
            self._home = weakref.ref(loop)
        return self._home() is loop

    async def aclose(self) -> None:
        """Close the clients that were derived from the user's."""
        self.closed = True
        await self._derived.aclose()

    @property
    def held(self) -> bool:
        """Whether there are derived clients to be closed."""
        return self._derived.held


def connecting(options: dict[str, Any], profile: str | None) -> OwnClients:
    """Clients made from the arguments of aiobotocore's ``create_client``.

    Raises:
        MissingExtra: aiobotocore is not installed.
        ConfigError: The endpoint is no URL, or holds a password.
    """
    if not _installed():
        raise MissingExtra.named("aiobotocore", "s3")
    endpoint = options.get("endpoint_url") or endpoints.of_environment()
    if endpoint is not None:
        endpoints.check(endpoint)

    @asynccontextmanager
    async def open_client() -> AsyncIterator[Any]:
        making = await calls.call(_making)
        async with making.connected(options, profile) as client:
            yield client

    told = sorted((name, _hashable(value)) for name, value in options.items())
    service = endpoint, profile, tuple(told)
    return OwnClients(open_client, endpoint, partial(of_options, options, profile), service)


def _hashable(value: Any) -> Hashable:
    """A value that is compared as itself where it can be, and else by its identity."""
    return value if isinstance(value, str | int | None) else ("object", id(value))


def _always() -> bool:
    return True


def _installed() -> bool:
    try:
        return find_spec("aiobotocore") is not None
    except (ImportError, ValueError):
        return False


def _making() -> Any:
    # In a worker thread: to load aiobotocore takes half a second.
    from . import making

    return making
