"""Many calls at once, a bounded number in flight."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from . import calls
from .closing import closing
from .values import batches

T = TypeVar("T")
R = TypeVar("R")


async def each(items: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T, None]:
    """The items of an iterable of either kind; a blocking one is pulled in worker threads."""
    if isinstance(items, AsyncIterable):
        async with closing(aiter(items)) as iterator:
            async for item in iterator:
                yield item
    elif isinstance(items, list | tuple | set | frozenset | dict):
        for item in items:
            yield item
    else:
        async with closing(batches(iter(items), lambda _: 1, 256)) as source:
            async for batch in source:
                for item in batch:
                    yield item


async def pages(items: Iterable[T] | AsyncIterable[T], size: int) -> AsyncGenerator[list[T], None]:
    """The items of an iterable of either kind in lists of ``size``; the last one may be shorter."""
    page: list[T] = []
    try:
        async with closing(each(items)) as source:
            async for item in source:
                page.append(item)
                if len(page) == size:
                    yield page
                    page = []
    except Exception:
        if page:  # what came before it failed
            yield page
        raise
    if page:
        yield page


async def in_order(
    function: Callable[[T], Coroutine[Any, Any, R]],
    items: Iterable[T] | AsyncIterable[T],
    limit: int,
) -> AsyncGenerator[tuple[T, R | Exception], None]:
    """Call ``function`` on each item, at most ``limit`` at once; outcomes in the items' order.

    Args:
        function: Called once with each item; what it raises is its outcome.
        items: Pulled only as fast as there is room.
        limit: Calls in flight, and outcomes that wait for their turn, together.

    Yields:
        Each item with its result or its error; an error of ``items`` comes after all outcomes.
        Whatever is in flight when the iteration ends is cancelled and waited for.
    """
    if calls.direct():
        async for item in each(items):
            yield item, await _outcome(function, item)
        return
    flying: deque[tuple[T, asyncio.Task[R | Exception]]] = deque()
    try:
        async with closing(each(items)) as source:
            async for item in source:
                flying.append((item, asyncio.create_task(_outcome(function, item))))
                while len(flying) >= limit or (flying and flying[0][1].done()):
                    yield await _first(flying)
    except Exception:  # of the items: what came before is done all the same
        while flying:
            yield await _first(flying)
        raise
    else:
        while flying:
            yield await _first(flying)
    finally:
        await cancel_all([task for _, task in flying])


async def _outcome(function: Callable[[T], Coroutine[Any, Any, R]], item: T) -> R | Exception:
    try:
        return await function(item)
    except Exception as error:
        return error


async def _first(flying: deque[tuple[T, asyncio.Task[R]]]) -> tuple[T, R]:
    result = await flying[0][1]
    return flying.popleft()[0], result


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and wait for the end of each."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.gather(*tasks, return_exceptions=True)


async def finish_all(work: Iterable[Coroutine[Any, Any, Any]]) -> None:
    """Run clean-ups to their ends at once, however often the waiting for them is cancelled."""
    done = asyncio.gather(*work, return_exceptions=True)
    cancelled = False
    while not done.done():
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


async def surely(function: Callable[[], object]) -> None:
    """Call a function that cleans up, through the seam, however often the call is cancelled."""
    if calls.direct():
        function()
    else:
        await finish_all([calls.call(function)])
