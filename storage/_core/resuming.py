"""Coroutines that are begun here and awaited there."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

__all__ = ["resumed"]

T = TypeVar("T")


async def resumed(work: Coroutine[Any, Any, T], waiting: Any) -> T:
    """Go on with a coroutine that was begun already.

    Most steps of a listing have nothing to wait for. Whoever begins them by hand spares those the
    deadline, which would cost more than the step.

    Args:
        work: The coroutine.
        waiting: What it waits for: what its ``send(None)`` gave.
    """
    return await _Resumed(work, waiting)


class _Resumed(Generic[T]):
    def __init__(self, work: Coroutine[Any, Any, T], waiting: Any) -> None:
        self._work = work
        self._waiting = waiting

    def __await__(self) -> Generator[Any, Any, T]:
        work, waiting = self._work, self._waiting
        while True:
            try:
                sent = yield waiting
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:
                step = partial(work.throw, error)
            else:
                step = partial(work.send, sent)
            try:
                waiting = step()
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
