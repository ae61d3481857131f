"""What a job on many objects may use at once: bytes of memory, and operations in flight."""

from __future__ import annotations

import asyncio
from collections import deque

from .errors import ConfigError, StoreTimeout, StoreUnavailable


class ByteBudget:
    """Bytes that many copies share, for one event loop; who waits gets them in turn.

    Whoever holds some may ask for more only by `take`, which never waits: so nobody who holds a
    part of the budget waits for another part of it.

    Args:
        limit: How many there are.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ConfigError(f"a budget has at least one byte, not {limit!r}")
        self.limit = limit
        self.used = 0
        """Bytes that are taken now."""
        self.peak = 0
        """The most that were ever taken at once."""
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take(self, size: int) -> bool:
        """Take so many bytes if they are there and nobody waits for any."""
        if self._waiting or self.used + size > self.limit:
            return False
        self._grant(size)
        return True

    async def acquire(self, size: int) -> int:
        """Take so many bytes, waiting for them; all there are where that is more.

        Returns:
            How many were taken, to be given back.
        """
        size = min(size, self.limit)
        if self.take(size):
            return size
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = size, future
        self._waiting.append(entry)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give(size)
            else:
                self._waiting.remove(entry)
                self._serve()
            raise
        return size

    def give(self, size: int) -> None:
        """Give bytes back."""
        self.used -= size
        if self._waiting:
            self._serve()

    def _grant(self, size: int) -> None:
        self.used += size
        self.peak = max(self.peak, self.used)

    def _serve(self) -> None:
        while self._waiting and self.used + self._waiting[0][0] <= self.limit:
            size, future = self._waiting.popleft()
            self._grant(size)
            future.set_result(None)


class Pace:
    """How many operations may be in flight: fewer where a server cannot keep up.

    A refusal for want of capacity halves their number; the refusals of those that were in flight
    at that time are the same one. As many successes as there may be in flight allow one more.

    Args:
        most: How many there may be at most, and are at first.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ConfigError(f"at least one operation is in flight, not {most!r}")
        self.limit = self.most = most
        self._successes = 0
        self._deaf = 0  # outcomes to come of what was in flight at the last refusal

    def succeeded(self) -> None:
        """An operation went well."""
        if self._deaf:
            self._deaf -= 1
        elif self.limit < self.most:
            self._successes += 1
            if self._successes >= self.limit:
                self.limit, self._successes = self.limit + 1, 0

    def failed(self, error: BaseException) -> None:
        """An operation failed; only what says that there is too much to do has an effect."""
        if self._deaf:
            self._deaf -= 1
        elif isinstance(error, StoreUnavailable | StoreTimeout):
            self._deaf, self._successes = self.limit - 1, 0
            self.limit = max(1, self.limit // 2)
