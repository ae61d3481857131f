"""When objects go by themselves."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator


class Deadlines:
    """The moments at which objects go, in order.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.now = clock
        self.heap: list[tuple[float, str]] = []
        """Each with its key; the next one first. It stays the same list."""
        self._most = 64

    def after(self, ttl: float | None) -> float | None:
        """The moment in so many seconds; None: never."""
        return None if ttl is None else self.now() + ttl

    def add(
        self, deadline: float, key: str, living: Callable[[], Iterator[tuple[float, str]]]
    ) -> None:
        """Note a moment; ``living`` tells those that still count, once there are many others."""
        heapq.heappush(self.heap, (deadline, key))
        if len(self.heap) > self._most:
            self.heap[:] = living()
            heapq.heapify(self.heap)
            self._most = 2 * len(self.heap) + 64

    def due(self, limit: float = math.inf) -> Iterator[str]:
        """The keys whose moment has come, each taken out; no more than ``limit``."""
        now = self.now()
        while self.heap and self.heap[0][0] <= now and limit > 0:
            limit -= 1
            yield heapq.heappop(self.heap)[1]
