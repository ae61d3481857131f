"""Async context managers for blocking callers: entered, used and left in one task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

from .handover import without_frame
from .iterating import iterate

__all__ = ["Entered", "enter"]

T = TypeVar("T")
R = TypeVar("R")

_ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]
_NOTHING: Final[_ExcInfo] = (None, None, None)


class _Mail:
    """What passes between the caller and the task."""

    coro: Coroutine[Any, Any, Any] | None = None
    """The next thing to do; None: leave."""
    result: Any = None
    error: BaseException | None = None
    exc_info: _ExcInfo = _NOTHING
    """How the block ended."""
    suppressed: bool = False
    """Whether that was suppressed."""


def enter(manager: AbstractAsyncContextManager[T]) -> Entered[T]:
    """Enter the async context manager on the background loop, and return it with its value.

    Its `__aenter__` and `__aexit__` run in one task, as cancel scopes and timeouts demand.
    Raises what `__aenter__` raises, and what `run` raises.
    """
    return Entered(manager)


class Entered(Generic[T]):
    """An async context manager that is open. `exit` it; collected unexited, it is abandoned."""

    __slots__ = ("_life", "_mail", "value")

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._mail = _Mail()
        self._life = iterate(_life(manager, self._mail), max_batch=1)
        self.value: T = next(self._life)

    def run(self, coro: Coroutine[Any, Any, R]) -> R:
        """Run the coroutine in the task that entered, and return what it returns.

        An interrupt ends the task, which leaves the context with a cancellation.

        Raises what the coroutine raises, what `run` raises, and ValueError if the context was
        left before.
        """
        mail = self._mail
        mail.coro = coro
        try:
            next(self._life)
        except StopIteration:
            raise ValueError("it was left already, or a call was interrupted") from None
        finally:
            coro.close()  # where it never began
            mail.coro = None
            error, mail.error = mail.error, None
            result, mail.result = mail.result, None
        if error is None:
            return result  # type: ignore[no-any-return]
        try:
            raise error
        finally:
            del error  # kept, it would tie this frame into a cycle

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
        self._mail.exc_info = (exc_type, exc, tb)
        self._mail.suppressed = False
        try:
            next(self._life, None)
        finally:
            self._mail.exc_info = _NOTHING  # kept, it would tie the caller into a cycle
        return self._mail.suppressed

    def abandon(self) -> None:
        """Have `__aexit__` called with a cancellation, in the background, without waiting."""
        self._life.abandon()


async def _life(manager: AbstractAsyncContextManager[T], mail: _Mail) -> AsyncGenerator[T, None]:
    value = await manager.__aenter__()
    try:
        yield value
        while mail.coro is not None:
            await _work(mail)
            yield value
    except BaseException as end:
        cancelled = asyncio.CancelledError() if isinstance(end, GeneratorExit) else end
        await manager.__aexit__(type(cancelled), cancelled, cancelled.__traceback__)
        raise
    mail.suppressed = bool(await manager.__aexit__(*mail.exc_info))


async def _work(mail: _Mail) -> None:
    assert mail.coro is not None
    try:
        mail.result = await mail.coro
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # the context stays open, as it does in a block that catches
        mail.error = without_frame(error)
