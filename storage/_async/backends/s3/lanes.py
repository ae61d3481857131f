"""Which way an operation takes: the fast lane, or the client."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from ...._core import calls
from ...._core.errors import ConfigError, MissingExtra
from ...._core.perloop import PerLoop
from .clients import Clients
from .lane.operations import compose
from .lane.parameters import Unknown
from .lane.retries import Budget
from .lane.sending import Elsewhere, Lane
from .lane.transport import Endpoint, Transport

LANES = ("auto", "fast", "aiohttp", "client")
CLIENT = "client"


class Lanes:
    """Sends the operations on one bucket, each over the lane that knows it best, and counts.

    Args:
        bucket: Its name.
        clients: Where the clients come from, which do what the fast lane does not know.
        lane: ``"fast"``, ``"aiohttp"`` or ``"client"``; ``"auto"`` is the first that is installed.

    Raises:
        ConfigError: There is no such lane.
        MissingExtra: What the lane needs is not installed.
    """

    def __init__(self, bucket: str, clients: Clients, lane: str = "auto") -> None:
        self._bucket = bucket
        self._clients = clients
        self._name = _chosen(lane)
        self._loops: PerLoop[_Opened] = PerLoop(self._open)
        self._budget = Budget()
        self._taught = False
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    async def open(self) -> None:
        """Have everything ready that requests on this loop will need."""
        if self._name == CLIENT or (await self._loops.get()).lane is None:
            await self._clients.get()

    async def send(self, operation: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send an operation; returns and raises what the client does, or its likeness.

        Args:
            operation: The name of the client's method.
            parameters: All but the bucket.
        """
        if self._name != CLIENT:
            opened = self._loops.peek() or await self._loops.get()
            lane = opened.lane
            if lane is not None and opened.is_current():
                try:
                    call = compose(operation, parameters)
                except Unknown:
                    pass
                else:
                    self._count(self._name, operation)
                    try:
                        return await lane.send(call)
                    except Elsewhere:  # the client follows, now and from now on
                        opened.lane = None
        return await self._through_client(operation, parameters)

    async def _through_client(
        self, operation: str, parameters: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        client = await self._clients.get()
        if not self._taught:
            await calls.call(_teach_aiohttp)
            self._taught = True
        self._count(CLIENT, operation)
        answer: Mapping[str, Any] = await getattr(client, operation)(
            Bucket=self._bucket, **parameters
        )
        return answer

    async def region(self) -> str | None:
        """That of the requests."""
        if self._name != CLIENT:
            lane = (await self._loops.get()).lane
            if lane is not None:
                return lane.region
        region: str | None = (await self._clients.get()).meta.region_name
        return region

    def counts(self) -> dict[str, dict[str, int]]:
        """How many operations of each kind each lane was given."""
        found: dict[str, dict[str, int]] = {}
        with self._lock:
            for (lane, operation), count in sorted(self._counts.items()):
                found.setdefault(lane, {})[operation] = count
        return found

    def _count(self, lane: str, operation: str) -> None:
        with self._lock:
            self._counts[lane, operation] += 1

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[_Opened]:
        identity, is_current = await self._clients.identity(self._bucket)
        if identity is None:
            yield _Opened(None, is_current)
            return
        endpoint = await calls.call(identity.endpoint)
        transport = await calls.call(_transport, self._name, endpoint)
        lane = Lane(identity, transport, self._budget)
        try:
            yield _Opened(lane, is_current)
        finally:
            await lane.aclose()

    async def aclose(self) -> None:
        """Close the connections of all lanes, and the clients that were made here."""
        self._clients.closed = True
        try:
            await self._loops.aclose()
        finally:
            await self._clients.aclose()

    @property
    def held(self) -> bool:
        """Whether there is something that nobody but the store can close."""
        return self._clients.held or (self._clients.own and self._loops.held)


class _Opened:
    """The lane of one loop.

    Args:
        lane: None where all is left to the client.
        is_current: Whether what the lane knows of the client still holds.
    """

    def __init__(self, lane: Lane | None, is_current: Callable[[], bool]) -> None:
        self.lane = lane
        self.is_current = is_current


def _chosen(lane: str) -> str:
    if lane not in LANES:
        raise ConfigError(f"lane is one of {', '.join(LANES)}, not {lane!r}")
    lean = _has_parser()
    if lane == "fast" and not lean:
        raise MissingExtra.named("httptools", "s3")
    if lane == "auto":
        return "fast" if lean else "aiohttp"
    return lane


@cache
def _has_parser() -> bool:
    return find_spec("httptools") is not None


def _teach_aiohttp() -> None:
    # In a worker thread, as it reads files. There are clients that send with something else.
    if "aiohttp" in sys.modules:
        from . import payloads  # noqa: F401


def _transport(name: str, endpoint: Endpoint) -> Transport:
    # In a worker thread: to load one reads files.
    if name == "fast":
        from .lane.lean import LeanTransport

        return LeanTransport(endpoint)
    from .lane.aiohttp_transport import AiohttpTransport

    return AiohttpTransport(endpoint)
