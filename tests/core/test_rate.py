"""Bytes pass at the rate that was told, in turns, and nobody spins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from storage._core import rate
from storage._core.bucket import Bucket
from storage._core.errors import ConfigError
from storage._core.rate import RateLimit


class Clock:
    """Seconds that pass when somebody sleeps, and no sooner."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleeps = 0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        woken = asyncio.Event()
        self._sleepers.append((self.now + seconds, self.sleeps, woken))
        await woken.wait()

    async def run(self) -> None:
        """Wake the sleepers, the earliest first, until cancelled."""
        while True:
            for _ in range(3):  # all that can go on without time goes on
                await asyncio.sleep(0)
            if self._sleepers:
                self._sleepers.sort()
                self.now, _, woken = self._sleepers.pop(0)
                woken.set()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Clock]:
    clock = Clock()

    class Asyncio:
        sleep = clock.sleep

    monkeypatch.setattr(rate, "asyncio", Asyncio)
    monkeypatch.setattr(rate, "Bucket", lambda rate, burst: Bucket(rate, burst, clock))
    running = asyncio.create_task(clock.run())
    yield clock
    running.cancel()


async def test_bytes_pass_at_the_rate(clock: Clock) -> None:
    limit = RateLimit(1000)
    await limit.take(100)  # at once, after a pause
    assert (clock.now, clock.sleeps) == (0, 0)
    await limit.take(1000)
    assert clock.now == pytest.approx(1)
    assert clock.sleeps == 10
    await limit.take(0)
    await asyncio.gather(*(limit.take(10) for _ in range(100)))
    assert clock.now == pytest.approx(2)
    assert clock.sleeps <= 110, "each waits once"


async def test_small_ones_pass_between_the_slices_of_large_ones(clock: Clock) -> None:
    limit = RateLimit(1000)
    await limit.take(100)
    large = [asyncio.create_task(limit.take(5000)) for _ in range(2)]
    await asyncio.sleep(0)
    await limit.take(10)
    assert clock.now == pytest.approx(0.21), "behind one slice of each"
    await asyncio.gather(*large)
    assert clock.now == pytest.approx(10.01)


async def test_a_cancelled_wait_is_given_back(clock: Clock) -> None:
    limit = RateLimit(1000)
    await limit.take(100)
    waiting = asyncio.create_task(limit.take(100))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    begun = clock.now
    await limit.take(50)
    assert clock.now - begun <= 0.15


async def test_against_the_real_clock() -> None:
    limit = RateLimit(1_000_000)
    begun = monotonic()
    await asyncio.gather(*(limit.take(10_000) for _ in range(20)))
    assert monotonic() - begun > 0.09  # 200 kB, less the 100 kB that pass at once


@pytest.mark.parametrize("bytes_per_second", [0, -1, float("nan")])
def test_a_rate_is_above_0(bytes_per_second: float) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        RateLimit(bytes_per_second)
