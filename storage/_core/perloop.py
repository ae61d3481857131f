"""What lives on one event loop, for each loop that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import AsyncGeneratorType
from typing import Generic, TypeVar, cast

from .errors import StoreClosed
from .looplocal import LoopLocal

T = TypeVar("T")

GRACE = 5.0
"""Seconds that closing waits for what lives on other loops."""


class PerLoop(Generic[T]):
    """Opens one for each event loop, at its first use.

    Args:
        opener: Makes one, to be entered and left on its loop.
    """

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self.closed = False
        self._loops: LoopLocal[_Held[T]] = LoopLocal(partial(_Held, opener))

    def peek(self) -> T | None:
        """The running loop's, if it is open."""
        held = None if self.closed else self._loops.get()
        return None if held is None else held.value

    async def get(self) -> T:
        """The running loop's, which is opened where it was not.

        Raises:
            StoreClosed: All were closed.
        """
        if self.closed:
            raise StoreClosed("the store was closed")
        held = self._loops.get()
        return held.value if held.value is not None else await held.open()

    async def aclose(self) -> None:
        """Close that of this loop, and those of loops that run in other threads."""
        self.closed = True
        here, others = asyncio.get_running_loop(), []
        for loop, held in self._loops.all():
            if loop is here:
                await held.aclose()
            elif loop.is_running():
                others.append(asyncio.run_coroutine_threadsafe(held.aclose(), loop))
            else:
                held.forget()
        if others:
            await asyncio.wait([asyncio.wrap_future(each) for each in others], timeout=GRACE)

    @property
    def held(self) -> bool:
        """Whether there is one on a loop that is still open."""
        return any(held.is_open for loop, held in self._loops.all() if not loop.is_closed())


class _Held(Generic[T]):
    """That of one loop.

    A generator holds it open: a loop that ends closes its generators, and one that nobody refers
    to any more is closed on its own loop. So it always ends where it lived.
    """

    def __init__(self, opener: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self.value: T | None = None
        self._opener = opener
        self._lock = asyncio.Lock()
        self._keeper: AsyncGeneratorType[T, None] | None = None

    async def open(self) -> T:
        async with self._lock:
            if self.value is None:
                keeper = _keep(self._opener)
                self.value = await anext(keeper)
                self._keeper = cast("AsyncGeneratorType[T, None]", keeper)
            return self.value

    async def aclose(self) -> None:
        async with self._lock:
            keeper, self._keeper = self._keeper, None
            if keeper is not None:
                await keeper.aclose()

    def forget(self) -> None:
        self._keeper = None

    @property
    def is_open(self) -> bool:
        return self._keeper is not None and self._keeper.ag_frame is not None


async def _keep(opener: Callable[[], AbstractAsyncContextManager[T]]) -> AsyncGenerator[T, None]:
    async with opener() as value:
        yield value
