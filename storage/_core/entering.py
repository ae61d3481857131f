"""Async context managers for blocking callers: entered and left in one task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Generic, TypeVar

from .iterating import iterate

__all__ = ["Entered", "enter"]

T = TypeVar("T")

_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
_NOTHING: Final[_ExcInfo] = (None, None, None)


class _Verdict:
    """How the block ended, on its way in; whether that was suppressed, on its way out."""

    exc_info: _ExcInfo = _NOTHING
    suppressed: bool = False


def enter(manager: AbstractAsyncContextManager[T]) -> Entered[T]:
    """Enter the async context manager on the background loop, and return it with its value.

    Its `__aenter__` and `__aexit__` run in one task, as cancel scopes and timeouts demand.
    Raises what `__aenter__` raises, and what `run` raises.
    """
    return Entered(manager)


class Entered(Generic[T]):
    """An async context manager that is open. `exit` it; collected unexited, it is abandoned."""

    __slots__ = ("_life", "_verdict", "value")

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._verdict = _Verdict()
        self._life = iterate(_life(manager, self._verdict), max_batch=1)
        self.value: T = next(self._life)

    def exit(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
        /,
    ) -> bool:
        """Await `__aexit__` and return whether it suppressed the exception; again: False.

        Raises what `__aexit__` raises, and what `run` raises.
        """
        self._verdict.exc_info = (exc_type, exc, tb)
        self._verdict.suppressed = False
        try:
            next(self._life, None)
        finally:
            self._verdict.exc_info = _NOTHING  # kept, it would tie the caller into a cycle
        return self._verdict.suppressed

    def abandon(self) -> None:
        """Have `__aexit__` called with a cancellation, in the background, without waiting."""
        self._life.abandon()


async def _life(
    manager: AbstractAsyncContextManager[T], verdict: _Verdict
) -> AsyncGenerator[T, None]:
    value = await manager.__aenter__()
    try:
        yield value
    except BaseException as end:
        cancelled = asyncio.CancelledError() if isinstance(end, GeneratorExit) else end
        await manager.__aexit__(type(cancelled), cancelled, cancelled.__traceback__)
        raise
    verdict.suppressed = bool(await manager.__aexit__(*verdict.exc_info))
