"""Iterators and context managers of inline stores, driven in the caller's own thread."""

from __future__ import annotations

import _thread
import asyncio
import atexit
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

from .calls import drive, driving

T = TypeVar("T")


GRACE = 5.0
"""Seconds that the interpreter's exit waits for what is still open."""

_open: dict[int, Callable[[], Coroutine[Any, Any, None]]] = {}
"""How to close what is open, by its identity. It is kept here because the collector must not come
to it before the object around it, and is closed by whoever takes it out."""


class DrivenIterator(Iterator[T]):
    """An async iterator that awaits nothing but the seam; collected unfinished, it is closed."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source: AsyncIterator[T] | None = source
        self._step: Any = source.__anext__
        self._home = _thread.get_ident()
        _open[id(source)] = partial(_end, source)

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
        if self._source is not None:
            drive(_end(self._source))
            self._source = None

    def __del__(self) -> None:
        if self._source is not None:
            _aside(_end(self._source), self._home)


class Driven(Generic[T]):
    """An async context manager that was entered in place; see `runner.Entered`."""

    run = staticmethod(drive)

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._manager = manager
        self._home = _thread.get_ident()
        self.value: T = drive(manager.__aenter__())
        _open[id(manager)] = partial(_cancel, manager)

    def exit(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool:
        """Leave it; returns whether it suppressed the error."""
        return drive(_leave(self._manager, kind, error, traceback))

    def abandon(self) -> None:
        """Leave it from a finalizer, as if it were cancelled."""
        _aside(_cancel(self._manager), self._home)


async def _end(source: AsyncIterator[Any]) -> None:
    if _open.pop(id(source), None) is not None:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


async def _leave(manager: AbstractAsyncContextManager[Any], *how: Any) -> bool:
    if _open.pop(id(manager), None) is None:
        return False
    return bool(await manager.__aexit__(*how))


async def _cancel(manager: AbstractAsyncContextManager[Any]) -> None:
    error = asyncio.CancelledError()
    with suppress(asyncio.CancelledError):
        await _leave(manager, type(error), error, None)


def _aside(closing: Coroutine[Any, Any, None], home: int) -> None:
    """Close something from a finalizer, in a thread of its own unless that is surely not needed.

    A finalizer may run in the midst of any code, also of a store that holds the very lock which
    the closing needs.
    """
    if _thread.get_ident() == home and not driving():
        drive(closing)
        return
    try:
        _thread.start_new_thread(drive, (closing,))
    except RuntimeError:  # the interpreter exits, and all goes with it
        closing.close()


def _close_all() -> None:
    for close in list(_open.values()):
        with suppress(Exception):
            drive(close())


def _at_exit() -> None:
    """Close what nobody closed while that still works, but wait for no lock for ever."""
    if _open:
        thread = threading.Thread(target=_close_all, daemon=True)
        try:
            thread.start()
        except RuntimeError:  # some Pythons 3.12 start no threads from here on
            _close_all()
        else:
            thread.join(GRACE)


atexit.register(_at_exit)
