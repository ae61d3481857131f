# Generated from storage/_async/lifetimes.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores whose objects go by themselves."""

from __future__ import annotations

from typing import ClassVar, Self

from .._async.lifetimes import AsyncLifetimeStore
from .base import BaseStore


class LifetimeStore(BaseStore):
    """A store that knows how long what is put lives, and gives out views that know otherwise."""

    _async: AsyncLifetimeStore
    _async_type: ClassVar[type[AsyncLifetimeStore]] = AsyncLifetimeStore  # type: ignore[type-abstract]

    def with_ttl(self, ttl: float | None) -> Self:
        """The same store, where what is put lives for another time.

        ``store.with_ttl(60).put(key, data)``, for example. It needs not be closed. What is
        copied or moved goes when its source would.

        Args:
            ttl: Seconds after the put; 0: at once; None: for ever.
        """
        return type(self).around(self._async.with_ttl(ttl))
