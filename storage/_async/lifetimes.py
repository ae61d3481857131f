"""Stores whose objects go by themselves."""

from __future__ import annotations

from typing import Self

from .._core.lifetimes import check_ttl
from .base import AsyncBaseStore


class AsyncLifetimeStore(AsyncBaseStore):
    """A store that knows how long what is put lives, and gives out views that know otherwise."""

    _ttl: float | None = None
    _view = False
    """Whether it lives on what another one holds, so that closing it closes nothing."""

    def with_ttl(self, ttl: float | None) -> Self:
        """The same store, where what is put lives for another time.

        ``await store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        ttl = check_ttl(ttl)
        view = type(self).__new__(type(self))
        vars(view).update(vars(self))
        view._ttl, view._view = ttl, True
        view._lives()
        return view

    def _lives(self) -> None:
        """Called in a new view, to adapt what else depends on the lifetime."""
