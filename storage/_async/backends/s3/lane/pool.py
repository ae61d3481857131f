"""The connections of the lean transport: who gets which, and how many there may be."""

from __future__ import annotations

import asyncio
import math
import os
from collections import OrderedDict

from ....._core.looplocal import inherited
from .connection import Connection
from .dialing import Dialer
from .transport import IDLE, ConnectError, ConnectionLost, Endpoint

TICKS = 8
"""In the shortest of the times that are watched; all are kept with this precision."""
LEAST_TICK = 0.005
LENT = 4
"""Sockets that worker threads read from at once: more than a machine has free processors gain
nothing, and hold up each other at the interpreter's lock."""
INBOX = 128 * 1024
"""Bytes that are taken from a socket at once. asyncio's own way takes new memory for each reading,
so much that to get and to return it costs more than all else."""


class Pool:
    """Connections to one server, on one event loop.

    A slot stands for a connection that is busy or being made, or for the right to make one.
    Slots are handed over, not freed and fought for: those who wait get them in their order.
    The latest connection is used first, so that those too many can grow old.
    """

    def __init__(self, endpoint: Endpoint, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.pid = os.getpid()
        self.inbox = memoryview(bytearray(INBOX))
        self.lending = asyncio.Semaphore(LENT)
        self._limit = endpoint.limit
        self._dialer = Dialer(endpoint)
        self._taken = 0
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._waiters: OrderedDict[asyncio.Future[Connection | None], None] = OrderedDict()
        self._closed = False
        self._interval = max(min(endpoint.read_timeout, IDLE) / TICKS, LEAST_TICK)
        self._silence = self._ticks(endpoint.read_timeout)
        self._idling = self._ticks(IDLE)
        self._timer: asyncio.TimerHandle | None = None

    def take(self) -> Connection | None:
        """A connection that is there, or None."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                self._taken += 1
                return connection
        return None

    async def acquire(self, *, fresh: bool = False) -> Connection:
        """A connection, as soon as there may be one.

        Args:
            fresh: A new one, not one that is kept.

        Raises:
            ConnectError: It could not be made, or the pool is closed.
        """
        connection = self.take() or await self._slot()
        if connection is not None and not connection.closed:
            if not fresh:
                return connection
            connection.abort()
        try:
            return await self._dial()
        except BaseException:
            self._hand_over(None)
            raise

    async def _slot(self) -> Connection | None:
        self._check_open()
        if self._taken < self._limit:
            self._taken += 1
            return None
        waiter: asyncio.Future[Connection | None] = self.loop.create_future()
        self._waiters[waiter] = None
        try:
            return await waiter
        except BaseException:
            self._waiters.pop(waiter, None)
            if waiter.done() and not waiter.cancelled():  # given and cancelled at once
                self._hand_over(waiter.result())
            raise

    async def _dial(self) -> Connection:
        self._check_open()
        connection = await self._dialer.dial(lambda: Connection(self.loop, self))
        try:
            self._check_open()
        except ConnectError:
            connection.abort()
            raise
        if not connection.closed:
            self._all.add(connection)
            if self._timer is None:
                self._timer = self.loop.call_later(self._interval, self._tick)
        return connection

    def release(self, connection: Connection) -> None:
        """See `Keeper`."""
        self._hand_over(None if connection.closed else connection)

    def forget(self, connection: Connection) -> None:
        """See `Keeper`."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def _hand_over(self, connection: Connection | None) -> None:
        while self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._taken -= 1
        if connection is not None:
            self._idle.append(connection)

    def _ticks(self, seconds: float) -> int:
        return math.ceil(min(seconds / self._interval, 1e9))  # it may be infinite

    def _tick(self) -> None:
        for connection in list(self._all):
            connection.tick(self._silence, self._idling)
        self._timer = self.loop.call_later(self._interval, self._tick) if self._all else None

    async def aclose(self) -> None:
        """Close all connections; whoever waits for one or for an answer gets an error."""
        self._closed = True
        for connection in list(self._all):
            connection.abort(ConnectionLost("the transport was closed", sent=True))
        while self._waiters:
            self._taken += 1
            self._hand_over(None)
        # Sockets are closed in a later turn of the loop, which may have none after this.
        for _ in range(100):
            if not self._all:
                break
            await asyncio.sleep(0)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def abandon(self) -> None:
        """Leave everything to the process that this one was forked from."""
        # To close or collect a connection here would stop the parent's loop from watching it.
        inherited.append(self)

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectError("the transport is closed", sent=False)
