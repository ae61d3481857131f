"""Where the clients come from: a user's own, or ours, one for each event loop."""

from __future__ import annotations

import asyncio
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from types import AsyncGeneratorType
from typing import Any, TypeAlias, cast

from ...._core import calls
from ...._core.errors import MissingExtra, StoreClosed
from ...._core.looplocal import LoopLocal
from ...._core.runner import on_runner_loop
from . import endpoints

OpenClient: TypeAlias = Callable[[], AbstractAsyncContextManager[Any]]

GRACE = 5.0
"""Seconds that closing waits for the clients of other loops."""


class Clients(ABC):
    """Gives the client for the loop at hand."""

    endpoint: str | None = None
    """The URL of the server; None: Amazon's own, as far as is known yet."""
    closed = False
    on_endpoint: weakref.WeakMethod[Callable[[], None]] | None = None
    """Called when a profile turns out to name another server."""

    @abstractmethod
    async def get(self) -> Any:
        """The client for the running loop; it is ready for use and stays this object's."""

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
    """

    def __init__(self, open_client: OpenClient, endpoint: str | None) -> None:
        self._open = open_client
        self.endpoint = endpoint
        self._loops: LoopLocal[_Held] = LoopLocal(partial(_Held, open_client))

    async def get(self) -> Any:
        """See `Clients`."""
        if self.closed:
            raise StoreClosed("the store was closed")
        held = self._loops.get()
        if held.client is None:
            await held.open()
            self._learn(endpoints.custom(held.client))
        return held.client

    def _learn(self, endpoint: str | None) -> None:
        known, self.endpoint = self.endpoint, endpoint
        tell = self.on_endpoint() if self.on_endpoint is not None else None
        if endpoint != known and tell is not None:
            tell()

    async def aclose(self) -> None:
        """Close the client of this loop, and those of loops that run in other threads."""
        self.closed = True
        here, others = asyncio.get_running_loop(), []
        for loop, held in self._loops.all():
            if loop is here:
                await held.aclose()
            elif loop.is_running():
                others.append(asyncio.run_coroutine_threadsafe(held.aclose(), loop))
            else:
                held.forget()
        if others:
            await asyncio.wait([asyncio.wrap_future(each) for each in others], timeout=GRACE)

    @property
    def held(self) -> bool:
        """Whether a loop that is still open has a client."""
        return any(held.is_open for loop, held in self._loops.all() if not loop.is_closed())


class _Held:
    """The client of one loop.

    A generator holds it open: a loop that ends closes its generators, and one that nobody refers
    to any more is closed on its own loop. So the client always ends where it lived.
    """

    def __init__(self, open_client: OpenClient) -> None:
        self.client: Any = None
        self._open = open_client
        self._lock = asyncio.Lock()
        self._keeper: AsyncGeneratorType[Any, None] | None = None

    async def open(self) -> None:
        async with self._lock:
            if self.client is None:
                keeper = _keep(self._open)
                self.client = await anext(keeper)
                self._keeper = cast("AsyncGeneratorType[Any, None]", keeper)

    async def aclose(self) -> None:
        async with self._lock:
            keeper, self._keeper = self._keeper, None
            if keeper is not None:
                await keeper.aclose()

    def forget(self) -> None:
        self._keeper = None

    @property
    def is_open(self) -> bool:
        return self._keeper is not None and self._keeper.ag_frame is not None


async def _keep(open_client: OpenClient) -> AsyncGenerator[Any, None]:
    async with open_client() as client:
        yield client


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

    def _at_home(self) -> bool:
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

    return OwnClients(open_client, endpoint)


def _installed() -> bool:
    try:
        return find_spec("aiobotocore") is not None
    except (ImportError, ValueError):
        return False


def _making() -> Any:
    # In a worker thread: to load aiobotocore takes half a second.
    from . import making

    return making
