"""What all stores that are made of other stores share: their children's life."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack

from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from ..foreign import AsyncForeignStore, lift


class AsyncParentStore(AsyncBaseStore):
    """A store made of others; entering it enters them, and leaving it leaves them.

    Where one cannot be entered, those that were entered before are left again. Leaving tells them
    how the block ended. A parent that was never entered leaves its children alone.

    Args:
        children: Stores of ours, or any objects with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self, children: Iterable[AsyncObjectStore], *, timeout: float | None = None
    ) -> None:
        super().__init__(timeout=timeout)
        self._given = tuple(children)
        self._children = tuple(lift(child) for child in self._given)
        self._entered = AsyncExitStack()

    @property
    def children(self) -> tuple[AsyncObjectStore, ...]:
        """The stores that it is made of: the very objects that were passed, or, where entering one
        of them gave another store, that one.
        """
        return tuple(map(_shown, self._given, self._children))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._children))})"

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return tuple(place for child in self._children for place in child._locations())

    async def _make_whole(self) -> None:
        for child in self._children:
            await child._make_whole()

    async def _setup(self) -> None:
        async with AsyncExitStack() as stack:
            for child in self._children:
                await stack.enter_async_context(child)
            self._entered = stack.pop_all()

    async def _teardown(self) -> None:
        await self._entered.__aexit__(*self._ending)


def _shown(given: AsyncObjectStore, child: AsyncBaseStore) -> AsyncObjectStore:
    """What users know a child by."""
    if isinstance(child, AsyncForeignStore) and child is not given:
        return child.store
    return given
