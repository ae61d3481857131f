"""How often, and how soon, something is tried again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

COST = 5
"""Tokens that one more try takes."""


class Tokens:
    """What a store may spend on further tries, all its operations together; for any thread.

    Args:
        capacity: How many there are at first, and at most; None: no end of them.
    """

    def __init__(self, capacity: int | None) -> None:
        self._capacity = capacity
        self._left = capacity or 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Pay for one more try; False where that is no longer possible."""
        if self._capacity is None:
            return True
        with self._lock:
            if self._left < COST:
                return False
            self._left -= COST
            return True

    def give(self, count: int) -> None:
        """Fill up, after a success."""
        if self._capacity is not None and self._left < self._capacity:
            with self._lock:
                self._left = min(self._capacity, self._left + count)

    def __getstate__(self) -> dict[str, object]:
        return {"_capacity": self._capacity, "_left": self._left}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


@dataclass(frozen=True, slots=True)
class Patience:
    """The bounds of one operation's tries; the arguments are those of `AsyncRetryStore`."""

    attempts: int
    seconds: float | None
    base: float
    cap: float
    tokens: Tokens
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]] | None
    rng: Callable[[], float]


@dataclass(slots=True)
class Tries:
    """The tries of one operation."""

    patience: Patience
    begin: float = field(init=False)
    failures: int = 0
    first: Exception | None = None
    """What the first try has met; from then on it is not known what the store has done."""

    def __post_init__(self) -> None:
        self.begin = self.patience.clock()

    def went_on(self) -> None:
        """Something was done since: the time that is left begins anew."""
        self.begin = self.patience.clock()

    def won(self) -> None:
        """The last try did it: give back what it has cost."""
        self.patience.tokens.give(COST if self.failures else 1)

    async def after(self, error: Exception) -> None:
        """Wait until the next try may begin.

        Raises:
            Exception: ``error``, where there is no next one.
        """
        self.failures += 1
        self.first = self.first or error
        pause = self._pause(error)
        if pause is None:
            if self.failures > 1:
                error.add_note(f"tried {self.failures} times")
            raise error
        await (self.patience.sleep or asyncio.sleep)(pause)

    def _pause(self, error: Exception) -> float | None:
        """Seconds until the next try: any number up to a bound that doubles (full jitter)."""
        bounds = self.patience
        if self.failures >= bounds.attempts:
            return None
        pause = bounds.rng() * min(bounds.cap, bounds.base * 2 ** (self.failures - 1))
        pause = max(pause, getattr(error, "retry_after", None) or 0.0)
        if bounds.seconds is not None and bounds.clock() - self.begin + pause > bounds.seconds:
            return None
        return pause if bounds.tokens.take() else None
