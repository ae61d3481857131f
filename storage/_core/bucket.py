"""A token bucket for several event loops and threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


class Bucket:
    """Fills at a steady rate; who takes more than it holds waits until that has come in.

    Who takes from it is served in that order, since each one's wait begins where the one before
    it ends.

    Args:
        rate: Tokens that come in each second.
        burst: Seconds after which it is full; it is full at first.
        clock: Gives seconds.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._room = rate * burst
        self._clock = clock
        self._tokens = self._room
        self._filled = clock()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Bucket], tuple[float, float, Callable[[], float]]]:
        return Bucket, (self._rate, self._room / self._rate, self._clock)

    def take(self, tokens: float) -> float:
        """Take tokens; returns the seconds to wait until they are there."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._room, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            self._tokens -= tokens
            return max(0.0, -self._tokens / self._rate)

    def give_back(self, tokens: float) -> None:
        """Put back what was taken, because whoever waited for it has gone."""
        with self._lock:
            self._tokens += tokens
