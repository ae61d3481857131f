"""Coroutines that are begun by hand and awaited afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from storage._core.resuming import resumed


def begun(work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
    """The rest of a coroutine that has something to wait for."""
    return resumed(work, work.send(None))


async def test_results_and_errors_come_through() -> None:
    async def work(fails: bool) -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        if fails:
            raise KeyError("on purpose")
        return "done"

    assert await begun(work(fails=False)) == "done"
    with pytest.raises(KeyError, match="on purpose"):
        await begun(work(fails=True))


async def test_a_cancellation_reaches_it_and_may_be_survived() -> None:
    heard = []

    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            await asyncio.sleep(0)
            return "late"
        return "never"

    task = asyncio.ensure_future(begun(work()))
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "late"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await begun(asyncio.sleep(60))
    assert heard == ["cancelled"]


async def test_what_is_given_up_is_closed() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    rest = begun(work())
    rest.send(None)
    rest.close()
    assert ended == [True]
