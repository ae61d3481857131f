"""Iterators and context managers of inline stores, driven in the caller's own thread."""

from __future__ import annotations

import _thread
import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from .calls import drive, driving

T = TypeVar("T")


class DrivenIterator(Iterator[T]):
    """An async iterator that awaits nothing but the seam; collected unfinished, it is closed."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source: AsyncIterator[T] | None = source
        self._step: Any = source.__anext__
        self._home = _thread.get_ident()

    def __next__(self) -> T:
        if self._source is None:
            raise StopIteration
        try:
            return drive(self._step())  # type: ignore[no-any-return]
        except StopAsyncIteration:
            self.close()
            raise StopIteration from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the source; may be called again."""
        closing = self._closing()
        if closing is not None:
            drive(closing)

    def _closing(self) -> Coroutine[Any, Any, None] | None:
        source, self._source = self._source, None
        close = getattr(source, "aclose", None)
        return None if close is None else close()

    def __del__(self) -> None:
        closing = self._closing()
        if closing is not None:
            _aside(closing, self._home)


class Driven(Generic[T]):
    """An async context manager that was entered in place; see `runner.Entered`."""

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._manager = manager
        self._home = _thread.get_ident()
        self.value: T = drive(manager.__aenter__())

    def exit(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool:
        """Leave it; returns whether it suppressed the error."""
        return bool(drive(self._manager.__aexit__(kind, error, traceback)))

    def abandon(self) -> None:
        """Leave it from a finalizer, as if it were cancelled."""
        _aside(_cancel(self._manager), self._home)


async def _cancel(manager: AbstractAsyncContextManager[Any]) -> None:
    error = asyncio.CancelledError()
    with suppress(asyncio.CancelledError):
        await manager.__aexit__(type(error), error, None)


def _aside(cleaning: Coroutine[Any, Any, None], home: int) -> None:
    """Run a finalizer's clean-up, in a thread of its own unless it is surely safe to do at once.

    A finalizer may run in the midst of any code, also of a store that holds the very lock which
    the clean-up needs.
    """
    if _thread.get_ident() == home and not driving():
        drive(cleaning)
        return
    try:
        _thread.start_new_thread(drive, (cleaning,))
    except RuntimeError:  # the interpreter exits, and all goes with it
        cleaning.close()
