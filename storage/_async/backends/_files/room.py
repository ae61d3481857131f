"""How many files streams may have open, so that the rest of the process has some left."""

from __future__ import annotations

import os
import resource
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic

from ...._core.errors import StoreUnavailable
from .waiting import rest

PATIENCE = 5.0
"""Seconds to wait while no other stream ends."""
PAUSE = 0.01
"""Seconds between two looks."""
LEAST = 4


class Room:
    """A number of places, given in the order of asking.

    Args:
        share: How many of the descriptors that the process may have mean one place.
    """

    def __init__(self, share: int) -> None:
        self._share = share
        self._taken = 0
        self._relock()

    def _relock(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[object] = deque()
        self._moved = monotonic()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for a block, as soon as there is one.

        Raises:
            StoreUnavailable: Nobody has left for some time.
        """
        ticket = object()
        try:
            while not self._enter(ticket):
                if monotonic() - self._moved > PATIENCE:
                    raise StoreUnavailable(
                        "as many streams are open as may be, and none of them has ended for "
                        f"{PATIENCE:g} s: close some, or raise the limit (`ulimit -n`)"
                    )
                await rest(PAUSE)
        finally:
            self._forget(ticket)
        try:
            yield
        finally:
            self._leave()

    def _enter(self, ticket: object) -> bool:
        with self._lock:
            free = self._limit() - self._taken
            if self._line or free <= 0:
                if ticket not in self._line:
                    if not self._line:
                        self._moved = monotonic()
                    self._line.append(ticket)
                if self._line.index(ticket) >= free:
                    return False
                self._line.remove(ticket)
                self._moved = monotonic()
            self._taken += 1
            return True

    def _limit(self) -> int:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return max(LEAST, most // self._share) if most > 0 else 1_000_000

    def _forget(self, ticket: object) -> None:
        if self._line:
            with self._lock, suppress(ValueError):
                self._line.remove(ticket)

    def _leave(self) -> None:
        with self._lock:
            self._taken -= 1
            self._moved = monotonic()


readers = Room(2)
"""Half of the descriptors."""
writers = Room(8)
"""A quarter of them, since each needs one for its directory, too. Not the same room, or those who
copy might all have come to read and wait for each other to write."""

if hasattr(os, "register_at_fork"):  # a lock may be held in the parent, and the line is its own
    os.register_at_fork(after_in_child=readers._relock)
    os.register_at_fork(after_in_child=writers._relock)
