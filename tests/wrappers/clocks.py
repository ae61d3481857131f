"""Time that passes only when somebody waits for it."""

from __future__ import annotations

import asyncio


class FakeClock:
    """A clock that `sleep` puts forward.

    Attributes:
        now: Its time in seconds.
        slept: How long each sleep took.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let that time pass at once."""
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)
