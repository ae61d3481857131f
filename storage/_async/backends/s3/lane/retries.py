"""When a request is sent again, after which pause, and how many are on their way at once."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from ....._core.errors import MalformedResponse
from .errors import Refused, TooLong, retry_after
from .transport import SilenceError, TransportError

FIRST_PAUSE = 0.1
"""Seconds of the longest pause before the second try; it doubles with each further one."""
LONGEST_PAUSE = 10.0
LONGEST = 120.0
"""Seconds after which a request is not sent again, whatever its count."""
LONGEST_ASKED = 60.0
"""Seconds of a server's own wish to which it is listened."""

_THROTTLED = frozenset({
    "BandwidthLimitExceeded",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
})  # fmt: skip
_PASSING = frozenset({"InternalError", "PriorRequestNotComplete", "RequestTimeout"})
_PASSING_STATUS = frozenset({500, 502, 503, 504})


def throttled(error: Exception) -> bool:
    """Whether the server asks for fewer requests."""
    return isinstance(error, Refused) and (error.code in _THROTTLED or error.status in (429, 503))


def passing(error: Exception, *, reading: bool = False) -> bool:
    """Whether the same request may well be answered in a moment.

    Args:
        error: What came of it.
        reading: Whether it changes nothing: then an answer that cannot be read is as good as none.
    """
    if isinstance(error, MalformedResponse):
        return reading and not isinstance(error, TooLong)
    if isinstance(error, TransportError):
        return True
    return isinstance(error, Refused) and (
        error.code in _PASSING or error.status in _PASSING_STATUS or throttled(error)
    )


class Budget:
    """What retries cost, and successes bring in: no storm on a server that is down.

    Shared by all that use a store; threads may lose a token to each other, which is no harm.
    """

    CAPACITY: ClassVar = 500.0
    COST: ClassVar = 5.0
    COST_OF_SILENCE: ClassVar = 10.0

    def __init__(self) -> None:
        self.left = self.CAPACITY

    def take(self, error: Exception) -> float | None:
        """The cost of a retry after this error, which is paid; None if there is too little."""
        cost = self.COST_OF_SILENCE if isinstance(error, SilenceError) else self.COST
        if cost > self.left:
            return None
        self.left -= cost
        return cost

    def give(self, amount: float) -> None:
        """Take something back in."""
        self.left = min(self.CAPACITY, self.left + amount)


def pause_before(retry: int, error: Exception) -> float:
    """Seconds to wait before a retry, the first being 1: random, at least what was asked for."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (retry - 1))
    from random import uniform  # few runs need it

    return max(uniform(0, longest), _asked(error))


def _asked(error: Exception) -> float:
    """Seconds that the server asks to wait for, but no more than anybody would."""
    seconds = retry_after(error.headers) if isinstance(error, Refused) else None
    return min(seconds or 0.0, LONGEST_ASKED)


@dataclass(slots=True, repr=False, eq=False)
class Attempts:
    """The tries of one request.

    Args:
        budget: What retries cost.
        most: How many tries there may be.
        began: When the first one began, by the monotonic clock.
        reading: Whether it changes nothing.
    """

    budget: Budget
    most: int
    began: float
    reading: bool = False
    retries: int = 0
    paid: float = 0.0

    async def again(self, error: Exception) -> bool:
        """Whether to try once more after an error; the pause is over then."""
        if not passing(error, reading=self.reading) or self.retries + 1 >= self.most:
            return False
        seconds = pause_before(self.retries + 1, error)
        if monotonic() + seconds - self.began > LONGEST:
            return False
        cost = self.budget.take(error)
        if cost is None:
            return False
        self.paid = cost
        self.retries += 1
        await asyncio.sleep(seconds)
        return True

    def succeeded(self) -> None:
        """Give back what the last retry cost, or the little that a success brings in."""
        self.budget.give(self.paid or 1.0)


class Gate:
    """Lets so many requests through at once as the server bears.

    Each success widens it a little, each "slow down" halves it (once for all requests that were
    on their way together).

    Args:
        widest: The limit at the beginning, and ever after.
    """

    def __init__(self, widest: int) -> None:
        self.limit = self._widest = float(widest)
        self.inside = 0
        self.epoch = 0
        """Of which time the requests are that enter now; a new one begins with each halving."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    def passes(self) -> bool:
        """Take a place if there is one; `leave` is to be told the `epoch`."""
        if self._waiting or self.inside >= self.limit:
            return False
        self.inside += 1
        return True

    async def enter(self) -> int:
        """Wait for a place; returns what `leave` is to be told."""
        if not self.passes():
            place = asyncio.get_running_loop().create_future()
            self._waiting.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.inside -= 1  # it had been given a place already
                self._admit()
                raise
        return self.epoch

    def leave(self, epoch: int, *, slower: bool | None) -> None:
        """Give the place back.

        Args:
            epoch: What `enter` returned.
            slower: Whether the server asked for fewer; None: it said nothing about that.
        """
        self.inside -= 1
        if slower is False and self.limit < self._widest:
            self.limit = min(self._widest, self.limit + 1 / self.limit)
        elif slower and epoch == self.epoch:
            self.epoch += 1
            self.limit = max(1.0, min(self.limit, self.inside + 1) / 2)
        if self._waiting:
            self._admit()

    def _admit(self) -> None:
        while self._waiting and self.inside < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self.inside += 1
                place.set_result(None)
