"""The store of a backend: its user's, or one that is made, entered and left with it."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from .copies import either


class Home:
    """A store that somebody lends.

    Args:
        store: The store; the lender closes it.
    """

    def __init__(self, store: AsyncObjectStore) -> None:
        self.store: AsyncBaseStore = either(store)
        self.remake: Callable[[], AsyncBaseStore] | None = None
        """Makes another one; then it is ours, and we close it."""

    async def enter(self) -> None:
        """Open what is ours, anew if it was closed."""
        if self.remake is not None:
            if self.store._closed:
                self.store = self.remake()
            await self.store.__aenter__()

    async def leave(self) -> None:
        """Close what is ours."""
        if self.remake is not None:
            await self.store.__aexit__(None, None, None)
