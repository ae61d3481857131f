"""What stores heed while they work for a job on many objects.

It travels in a context variable: so it reaches the stores behind any wrapper, also in the worker
threads, and nothing that does not care has to hand it on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from typing import Protocol

from .budget import ByteBudget


class Pledge(Protocol):
    """Makes durable, later and at once, what was written meanwhile; its methods may block."""

    def redeem(self) -> None:
        """Make all durable that has been written; raise where that is in doubt."""

    def release(self) -> None:
        """Let go of what it holds."""


class BulkJob:
    """A job on many objects, whose writes need be durable only when it settles.

    Args:
        budget: Of the memory for what is on its way.
        at_once: Whether each write is made durable by itself after all.
    """

    def __init__(self, budget: ByteBudget, *, at_once: bool = False) -> None:
        self.budget = budget
        self._pledges: dict[Hashable, Pledge | None] = {}
        self._lock = threading.Lock()
        self._over = at_once

    def defers(self, place: Hashable, pledge: Callable[[], Pledge | None]) -> bool:
        """Whether what is just being written at a place may be made durable later.

        Args:
            place: Where; any name of it.
            pledge: Called the first time, where the answer is no: only errors that happen after
                it was made are certain to be noticed by it. None: nothing can be deferred here.
        """
        found = self._pledges.get(place)
        if found is not None or place in self._pledges:
            return found is not None
        with self._lock:
            if place not in self._pledges and not self._over:
                self._pledges[place] = pledge()
        return False

    def settle(self) -> None:
        """Make durable what was written until now; may block."""
        for pledge in list(self._pledges.values()):
            if pledge is not None:
                pledge.redeem()

    def release(self) -> None:
        """Let go of everything; nothing more is deferred to it."""
        with self._lock:
            pledges, self._pledges, self._over = self._pledges, {}, True
        for pledge in pledges.values():
            if pledge is not None:
                pledge.release()


current: ContextVar[BulkJob | None] = ContextVar("current", default=None)
"""The job that is worked for, if any."""
