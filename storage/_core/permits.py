"""A semaphore for several event loops and threads, first come first served."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from types import TracebackType
from typing import Self


class Caller:
    """A blocking caller, with the permits of the streams that it has open."""

    def __init__(self) -> None:
        self.open: list[Permit] = []


held: ContextVar[tuple[Permit, ...]] = ContextVar("held", default=())
"""The permits of the streams that are open around the code that runs."""
caller: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Who waits for the code that runs. Each call of a blocking caller runs in a task of its own, so
what one of them opens is known to the others by this."""


class _Thread(threading.local):
    """One blocking caller a thread."""

    def __init__(self) -> None:
        self.caller = Caller()


_thread = _Thread()


def as_caller(function: Callable[..., object], *args: object) -> None:
    """Call a function that takes the context over to where the caller's work is done.

    Only there is it known whose work it is: tasks that the calling thread starts for itself are
    independent of each other.
    """
    if caller.get() is not None:
        function(*args)
        return
    # In a context of its own: an interrupt could come between setting and resetting.
    copy_context().run(_call_as, _thread.caller, function, args)


def _call_as(who: Caller, function: Callable[..., object], args: tuple[object, ...]) -> None:
    caller.set(who)
    function(*args)


class Permits:
    """So many units, to be held by operations.

    Who waits for a permit while it holds one could wait for ever. So what is begun while a stream
    is open around it, in the same task, in one that was started there or by the same blocking
    caller, may ride on the permit of that stream: one operation at a time, which can be a stream
    again. What does not ride waits for its turn.

    Args:
        units: How many there are.
    """

    def __init__(self, units: int) -> None:
        self._units = self._free = units
        self._queue: dict[_Waiting, None] = {}  # in order, and quick to leave from the midst
        self._nested: dict[_Waiting, None] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Permits], tuple[int]]:
        return Permits, (self._units,)

    def permit(self, weight: int = 1, *, stream: bool = False) -> Permit:
        """What holds units for as long as its ``async with`` block lasts.

        Args:
            weight: How many; no more are taken than there are.
            stream: Whether operations within the block may ride on it.
        """
        return Permit(self, min(weight, self._units), stream)

    async def acquire(self, permit: Permit) -> None:
        """Wait for the permit's turn."""
        waiting = _Waiting(permit, self._around())
        with self._lock:
            self._queue[waiting] = None
            if waiting.around:
                self._nested[waiting] = None
            self._admit()
            if permit.is_admitted():
                return
            future = waiting.sleep()
        try:
            await future
        except BaseException:
            with self._lock:
                if permit.is_admitted():
                    self._give_back(permit)
                else:
                    self._leave(waiting)
                self._admit()
            raise

    def release(self, permit: Permit) -> None:
        """Let the next ones in."""
        with self._lock:
            self._give_back(permit)
            self._admit()

    def _around(self) -> list[Permit]:
        """The open streams that what begins now may ride on."""
        who = caller.get()
        found = held.get() if who is None else (*held.get(), *who.open)
        return [each for each in found if each.source is self and each.open]

    def _give_back(self, permit: Permit) -> None:
        rider, bearer = permit.rider, permit.bearer
        permit.admitted = permit.open = False
        permit.rider = permit.bearer = None
        if rider is not None:  # it takes this one's place
            rider.bearer, rider.weight = bearer, permit.weight
        if bearer is not None:
            bearer.rider = rider
        elif rider is None:
            self._free += permit.weight

    def _leave(self, waiting: _Waiting) -> None:
        del self._queue[waiting]
        self._nested.pop(waiting, None)

    def _admit(self) -> None:
        """Let in whose turn it is, and then who can ride."""
        while self._queue:
            waiting = next(iter(self._queue))
            if waiting.permit.weight > self._free:
                break
            self._free -= waiting.permit.weight
            self._wake(waiting)
        for waiting in list(self._nested):
            bearer = next((each for each in waiting.around if each.can_bear), None)
            if bearer is not None:
                bearer.rider, waiting.permit.bearer = waiting.permit, bearer
                self._wake(waiting)

    def _wake(self, waiting: _Waiting) -> None:
        self._leave(waiting)
        waiting.permit.admitted = True
        if not waiting.wake():
            self._give_back(waiting.permit)


class Permit:
    """Some units, held or waited for."""

    __slots__ = ("_stream", "admitted", "bearer", "open", "rider", "source", "weight")

    def __init__(self, source: Permits, weight: int, stream: bool) -> None:
        self._stream = stream
        self.source = source
        self.weight = weight
        self.admitted = False
        self.open = False
        self.rider: Permit | None = None
        self.bearer: Permit | None = None

    def is_admitted(self) -> bool:
        """Whether it is held."""
        return self.admitted

    @property
    def can_bear(self) -> bool:
        """Whether an operation may ride on it now."""
        return self.open and self.rider is None

    async def __aenter__(self) -> Self:
        await self.source.acquire(self)
        if self._stream:
            self.open = True
            held.set((*(each for each in held.get() if each.open), self))
            who = caller.get()
            if who is not None:
                who.open = [*(each for each in who.open if each.open), self]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.source.release(self)


class _Waiting:
    """An operation in the queue."""

    def __init__(self, permit: Permit, around: list[Permit]) -> None:
        self.permit = permit
        self.around = around
        self._future: asyncio.Future[None] | None = None

    def sleep(self) -> asyncio.Future[None]:
        """What is done when it is its turn."""
        self._future = asyncio.get_running_loop().create_future()
        return self._future

    def wake(self) -> bool:
        """End its sleep; returns whether there is still anybody."""
        if self._future is None:
            return True
        try:
            self._future.get_loop().call_soon_threadsafe(_end, self._future)
        except RuntimeError:  # its loop was closed
            return False
        return True


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
