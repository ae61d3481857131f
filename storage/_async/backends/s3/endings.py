"""Requests that are brought to their ends, though whoever waits for them is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ...._core.window import cancel_all

T = TypeVar("T")

GRACE = 10.0
"""Seconds that an interrupted upload may take to be brought to an end or to be taken back."""


async def finish(work: Coroutine[Any, Any, object]) -> None:
    """Do a clean-up to its end, at most `GRACE` seconds, however often this is cancelled.

    Raises:
        asyncio.CancelledError: It was cancelled meanwhile.
        StoreError: The clean-up failed.
    """
    task = asyncio.ensure_future(work)
    interrupted = await _settle(task)
    if interrupted:
        raise asyncio.CancelledError
    if not task.cancelled():
        task.result()


async def to_the_end(work: Coroutine[Any, Any, T], heard: Callable[[T], None]) -> T:
    """Do a request whose outcome must be known: a cancellation is delivered when it is.

    Args:
        work: The request.
        heard: Called with the result, also where a cancellation takes its place.
    """
    task = asyncio.ensure_future(work)
    try:
        result = await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settle(task)
        if not task.cancelled() and task.exception() is None:
            heard(task.result())
        raise
    heard(result)
    return result


async def _settle(task: asyncio.Future[Any]) -> bool:
    """Wait for a task, at most `GRACE` seconds; tell whether the waiting was cancelled."""
    loop = asyncio.get_running_loop()
    end, interrupted = loop.time() + GRACE, False
    while not task.done() and loop.time() < end:
        try:
            await asyncio.wait([task], timeout=end - loop.time())
        except asyncio.CancelledError:
            interrupted = True
    if not task.done():
        await cancel_all([task])  # type: ignore[list-item]
    return interrupted
