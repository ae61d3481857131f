"""Bytes are shared fairly, and operations come slower where a server cannot keep up."""

from __future__ import annotations

import asyncio

import pytest

from storage._core.budget import ByteBudget, Pace
from storage._core.errors import ConfigError, ObjectNotFound, StoreTimeout, StoreUnavailable


async def started(*works: asyncio.Future[int]) -> None:
    """Let all tasks come to where they wait."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_who_comes_first_is_served_first() -> None:
    budget = ByteBudget(10)
    assert await budget.acquire(6) == 6
    large = asyncio.ensure_future(budget.acquire(8))
    small = asyncio.ensure_future(budget.acquire(1))
    await started()
    assert not large.done()
    assert not small.done()  # though there is room for it
    assert not budget.take(1)
    budget.give(6)
    assert (await large, await small) == (8, 1)
    assert (budget.used, budget.peak) == (9, 9)
    assert budget.take(1)
    assert not budget.take(1)


async def test_more_than_there_is_means_all_of_it() -> None:
    budget = ByteBudget(10)
    assert await budget.acquire(99) == 10
    budget.give(10)
    assert await budget.acquire(0) == 0
    assert budget.used == 0


async def test_who_gives_up_gives_way() -> None:
    budget = ByteBudget(10)
    await budget.acquire(6)
    large = asyncio.ensure_future(budget.acquire(8))
    small = asyncio.ensure_future(budget.acquire(3))
    await started()
    large.cancel()
    assert await small == 3
    late = asyncio.ensure_future(budget.acquire(5))
    await started()
    budget.give(9)  # it is granted, and cancelled before it hears of that
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    assert budget.used == 0


def test_refusals_halve_the_pace_once_and_successes_bring_it_back() -> None:
    pace = Pace(16)
    for _ in range(16):  # all that were in flight
        pace.failed(StoreUnavailable("slow down"))
    assert pace.limit == 8
    pace.failed(StoreTimeout("later"))
    assert pace.limit == 4
    pace.failed(ObjectNotFound("has nothing to do with it"))
    for _ in range(6):
        pace.succeeded()
    assert pace.limit == 4  # those were in flight before
    for _ in range(4):
        pace.succeeded()
    assert pace.limit == 5
    for _ in range(1000):
        pace.succeeded()
    assert pace.limit == 16


def test_one_is_always_in_flight() -> None:
    pace = Pace(2)
    for _ in range(20):
        pace.failed(StoreUnavailable("slow down"))
    assert pace.limit == 1
    for _ in range(2):
        pace.succeeded()
    assert pace.limit == 2


@pytest.mark.parametrize("kind", [ByteBudget, Pace])
def test_nothing_is_no_limit(kind: type[ByteBudget | Pace]) -> None:
    with pytest.raises(ConfigError):
        kind(0)
