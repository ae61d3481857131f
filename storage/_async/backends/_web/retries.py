"""When a request is sent again, and after which pause."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from time import monotonic

from ...._core.errors import StoreError, StoreTimeout, StoreUnavailable

FIRST_PAUSE = 0.1
"""Seconds of the longest pause before the second try; it doubles with each further one."""
LONGEST_PAUSE = 10.0
LONGEST = 120.0
"""Seconds after which nothing is tried again, whatever the count."""
LONGEST_ASKED = 60.0
"""Seconds that a server may ask to wait for; what asks for more has failed."""


class Final(StoreUnavailable):
    """The same request would fail again."""


class Budget:
    """What retries cost, and successes bring in: no storm on a server that is down.

    Shared by all that use a store; threads may lose a token to each other, which is no harm.
    """

    CAPACITY = 500.0
    COST = 5.0

    def __init__(self) -> None:
        self.left = self.CAPACITY

    def take(self) -> bool:
        """Pay for a retry, if there is enough."""
        if self.left < self.COST:
            return False
        self.left -= self.COST
        return True

    def give(self, amount: float) -> None:
        """Take something in."""
        self.left = min(self.CAPACITY, self.left + amount)


@dataclass(slots=True)
class Tries:
    """The tries of one piece of work.

    Args:
        budget: What retries cost.
        retries: How often it may be tried again.
    """

    budget: Budget
    retries: int
    _began: float = field(default_factory=monotonic)
    _done: int = 0

    async def after(self, error: StoreError) -> None:
        """Pause before the next try; raise the error where there is to be none."""
        if isinstance(error, Final) or not isinstance(error, StoreUnavailable | StoreTimeout):
            raise error
        asked = getattr(error, "retry_after", None) or 0.0
        longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._done)
        seconds = max(random.uniform(0, longest), asked)
        late = monotonic() + seconds - self._began > LONGEST
        if self._done >= self.retries or late or asked > LONGEST_ASKED or not self.budget.take():
            raise error
        self._done += 1
        await asyncio.sleep(seconds)

    def won(self) -> None:
        """Give back what the last try cost, or the little that a success brings in."""
        self.budget.give(Budget.COST if self._done else 1.0)
