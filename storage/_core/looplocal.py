"""State that belongs to one event loop: sessions, locks, semaphores, queues."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from typing import Final, Generic, TypeVar

__all__ = ["LoopLocal"]

T = TypeVar("T")
_Values = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, T]

#: What a forked child inherited and must neither use, close nor collect. The thread of the
#: background loop holds this list too: its frame outlives the interpreter's own clean-up.
inherited: Final[list[object]] = []
_locals: Final[weakref.WeakSet[LoopLocal[object]]] = weakref.WeakSet()


class LoopLocal(Generic[T]):
    """One value per running event loop, made at first use.

    A session or a contended lock that is used from two loops fails, or loses wake-ups in
    silence; so whatever is bound to a loop lives in one of these. May be used from any number
    of threads. A value goes with its loop; after a fork the child starts without values, and
    the parent's are kept alive and untouched (closing one would end the parent's connections).
    """

    __slots__ = ("__weakref__", "_factory", "_lock", "_values")

    def __init__(self, factory: Callable[[], T]) -> None:
        """Take the function that makes a value; it is called with the loop running."""
        self._factory = factory
        self._reset()
        _locals.add(self)  # type: ignore[arg-type]  # any T is fine there

    def get(self) -> T:
        """Return the running loop's value, made now if there is none.

        Raises RuntimeError where no loop runs, and whatever the factory raises.
        """
        loop = asyncio.get_running_loop()
        try:
            return self._values[loop]
        except KeyError:
            return self._make(loop)

    def peek(self) -> T | None:
        """Return the running loop's value, or None. Raises RuntimeError where no loop runs."""
        return self._values.get(asyncio.get_running_loop())

    def pop(self) -> T | None:
        """Take the running loop's value out and return it, or None; the next get makes a new one.

        Raises RuntimeError where no loop runs.
        """
        with self._lock:
            return self._values.pop(asyncio.get_running_loop(), None)

    def all(self) -> list[tuple[asyncio.AbstractEventLoop, T]]:
        """Return each loop that is alive, be it closed, with its value."""
        with self._lock:
            return list(self._values.items())

    def _make(self, loop: asyncio.AbstractEventLoop) -> T:
        value = self._factory()
        with self._lock:
            # A session refers to its loop, so a weak key alone never lets go of it.
            for closed in [other for other in self._values if other.is_closed()]:
                del self._values[closed]
            self._values[loop] = value
        return value

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._values: _Values[T] = weakref.WeakKeyDictionary()

    def _after_fork(self) -> None:
        inherited.append(self._values)
        self._reset()


def _after_fork_in_child() -> None:
    for local in list(_locals):
        local._after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
