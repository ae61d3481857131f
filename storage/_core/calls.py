"""The one seam between async code and blocking functions.

``await call(fn, ...)`` runs ``fn`` in a worker thread for an async caller, and directly for a
blocking one: `drive` marks the thread while it runs a coroutine to its end in place. A store whose
operations await nothing but this seam therefore needs no event loop for its blocking twin.

The hop between loop and thread costs more than most calls, so concurrent callers share it: few
workers drain the calls that wait, and the loop is woken once for all the results that are there
by then.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio.events import _get_running_loop
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Literal, ParamSpec, TypeVar

from . import athome, workers
from .devoted import devoted

T = TypeVar("T")
P = ParamSpec("P")


class _Driving(threading.local):
    """What this thread drives coroutines in place under: a loop, or none; False: it drives none."""

    # One value and not two: each look at what belongs to a thread is dear.
    under: asyncio.AbstractEventLoop | Literal[False] | None = False


_driving = _Driving()


def direct() -> bool:
    """Whether the calling coroutine is driven by a blocking caller, with no loop to wait on."""
    # The loop is compared because a driven call may run user code that starts a loop of its own.
    return _driving.under is _get_running_loop()


def driving() -> bool:
    """Whether this thread is in the midst of a driven call, whatever code runs just now."""
    return _driving.under is not False


def drive(coro: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that awaits nothing but this seam to its end, in the caller's own thread.

    Raises:
        RuntimeError: The coroutine suspended; the store must not be declared inline.
    """
    outer = _driving.under
    _driving.under = _get_running_loop()
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]
    finally:
        _driving.under = outer
    coro.close()
    raise RuntimeError("a store that is driven in place suspended: it must not be inline")


def drive_iterator(source: AsyncIterator[T]) -> Iterator[T]:
    """Iterate in place over an async iterator that awaits nothing but this seam."""
    step = source.__anext__
    try:
        while True:
            try:
                item = drive(_awaited(step))
            except StopAsyncIteration:
                return
            yield item
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            drive(_awaited(close))


async def _awaited(function: Callable[[], Any]) -> Any:
    try:
        return await function()
    except StopIteration as error:  # would end the coroutine instead of leaving it
        raise RuntimeError("a coroutine raised StopIteration") from error


def call(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
    """Run a blocking function of this package off the loop, or in place for a blocking caller.

    A cancelled call waits until the function has ended, so that nothing happens after the
    cancellation was delivered; a function that has not begun never begins.

    Returns:
        What the function returns; its errors pass through.
    """
    # No coroutine of its own around the one that does it: that is what a call is made of.
    if direct():
        return _here(function, args, kwargs)
    return workers.ours.submit(function, args, kwargs)


async def _here(function: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return function(*args, **kwargs)


async def brief(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `call`, for a function that takes less time than the hop, unless its medium is slow.

    On a loop that is devoted to one job it runs in place, as long as that goes quickly.
    """
    if direct():
        return function(*args, **kwargs)
    if devoted.runs_here():
        return devoted.run(function, *args, **kwargs)
    return await workers.ours.submit(function, args, kwargs)  # type: ignore[no-any-return]


async def acquire(
    dispose: Callable[[T], object], function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Like `call`, for a function that opens something.

    Args:
        dispose: Called with the result when the call was cancelled meanwhile, so that nothing
            stays open.
        function: The function that opens; its arguments follow.
    """
    if direct():
        return function(*args, **kwargs)
    return await workers.ours.submit(function, args, kwargs, dispose)  # type: ignore[no-any-return]


async def call_user(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `call`, for a user's function, which may call blocking stores itself."""
    if direct():
        return function(*args, **kwargs)
    return await workers.theirs.submit(function, args, kwargs)  # type: ignore[no-any-return]


async def call_at_home(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `call_user`, in the very thread of the blocking caller, if one waits for this."""
    if direct():
        return function(*args, **kwargs)
    desk = athome.waiting_one()
    if desk is None:
        return await call_user(function, *args, **kwargs)
    return await desk.call(function, args, kwargs)  # type: ignore[no-any-return]
