"""Single flight: whoever wants the same at the same time shares one call."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine, Hashable
from time import monotonic
from typing import Any, Generic, TypeVar

from ...._core.errors import StoreError
from ...._core.looplocal import LoopLocal
from ...._core.window import cancel_all

T = TypeVar("T")


class _Flight(Generic[T]):
    """One call, in a task of its own: no caller that leaves takes it down for the others."""

    __slots__ = ("departed", "raised", "task", "version", "waiting")

    def __init__(self, version: int, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.version = version
        self.departed: float | None = None
        self.waiting = 0
        self.raised = False
        self.task = asyncio.create_task(self._fly(work))

    async def _fly(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        self.departed = monotonic()
        return await work()

    def takes(self, version: int, age: float) -> bool:
        """Whether one may still get on; see `Flights.join`."""
        if self.version != version or self.task.done():
            return False
        return self.departed is None or monotonic() - self.departed < age


class Flights(Generic[T]):
    """The calls in the air, by key; those of one event loop each.

    Args:
        age: Seconds that what a call finds may be older than the wish for it. With 0, one gets on
            before it departs (that is: in the same turn of the loop) or not at all.
    """

    def __init__(self, age: float) -> None:
        self._age = age
        self._flying: LoopLocal[dict[Hashable, _Flight[T]]] = LoopLocal(dict)

    async def join(
        self, key: Hashable, version: int, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        """What the call gives that is in the air; if there is none, one departs.

        Args:
            key: What is wanted.
            version: A call of another version is none.
            work: Makes the coroutine. It is cancelled when all who wait for it have gone.
        """
        flying = self._flying.get()
        flight = flying.get(key)
        if flight is None or not flight.takes(version, self._age):
            flight = flying[key] = _Flight(version, work)
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except StoreError as error:
            if not flight.raised:
                flight.raised = True
                raise
            # Each has an error of its own: tracebacks would pile up on a shared one.
            raise copy.copy(error) from error.__cause__
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                if flying.get(key) is flight:
                    del flying[key]
                await cancel_all([] if flight.task.done() else [flight.task])
