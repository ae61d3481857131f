"""Waiting: for a moment, and for one's turn."""

from __future__ import annotations

import asyncio
import random
import threading
import time

from ..._core import calls

LONGEST = 0.05
"""Seconds between two looks at a lock, at most."""


class Turn:
    """One at a time, among tasks, loops and threads; what it guards is rare and may be long."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    async def __aenter__(self) -> None:
        pauses = Pauses()
        while not self._lock.acquire(blocking=False):
            await pauses.rest()

    async def __aexit__(self, *how: object) -> None:
        self._lock.release()


class Pauses:
    """Pauses that get longer; of random length, or two who got into step would stay so."""

    def __init__(self) -> None:
        self._next = 0.001

    async def rest(self) -> None:
        """Wait; not in a worker, since those who hold what is waited for may need one."""
        pause = self._next * random.uniform(0.5, 1.5)
        if calls.direct():
            time.sleep(pause)  # noqa: ASYNC251 - there is no loop
        else:
            await asyncio.sleep(pause)
        self._next = min(self._next * 2, LONGEST)
