# Generated from storage/_async/foreign.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Any object with the five verbs, made into a store with all of them."""

from __future__ import annotations

from typing import ClassVar

from .._async.foreign import AsyncForeignStore
from .._core.adapt import to_async
from .._core.protocol import ObjectStore
from .base import BaseStore


class ForeignStore(BaseStore):
    """Every verb, built on the five of somebody else's store.

    Whole objects travel through memory, since its verbs know nothing else.

    Args:
        store: Any object with the five verbs; its context is entered and left with ours. Where
            entering it gives another store, that one is used from then on.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncForeignStore
    _async_type: ClassVar[type[AsyncForeignStore]] = AsyncForeignStore

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))

    @property
    def store(self) -> ObjectStore:
        """The store that is used now."""
        return self._blocking(self._async.store)
