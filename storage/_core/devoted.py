"""A loop that has nothing to do but one job, such as a command's: short calls may hold it up."""

from __future__ import annotations

import asyncio
from asyncio.events import _get_running_loop
from collections.abc import Callable
from time import perf_counter
from typing import ParamSpec, TypeVar

from .workers import ours

T = TypeVar("T")
P = ParamSpec("P")

SHORT = 0.0005
"""Seconds that are lost in a thread's stead without regret: some hops take as long."""
ENOUGH = 8
"""Calls in a row that are not short, before that is laid to the medium: some have to wait for a
processor, or for a thread that has the interpreter's lock."""
REST = 10
"""For how many times as long as these calls took the others go to threads.

So at most a tenth of the time is lost to a slow medium, whose calls ought to wait side by side.
"""


class _Devoted:
    """Which loop it is, and whether its last calls were short."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._slow, self._lost = 0, 0.0  # how many calls in a row, and their seconds
        self._again = 0.0

    def runs_here(self) -> bool:
        """Whether a short call may run in place."""
        loop = self.loop
        return loop is not None and loop is _get_running_loop() and perf_counter() >= self._again

    def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a call in place, with an eye on the clock."""
        began = perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            ended = perf_counter()
            if ended - began > SHORT:
                self._note_slow(ended - began, ended)
            elif self._slow:
                self._slow, self._lost = 0, 0.0

    def _note_slow(self, seconds: float, now: float) -> None:
        if ours.is_busy:  # threads at work make all else slow, and with it each other
            return
        self._slow, self._lost = self._slow + 1, self._lost + seconds
        if self._slow >= ENOUGH:
            self._again = now + REST * self._lost
            self._slow, self._lost = 0, 0.0


devoted = _Devoted()
"""The one of this process, if it has one."""
