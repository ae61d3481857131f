# Generated from storage/_async/wrappers/singleflight.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that asks once where many ask the same at once."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.singleflight import AsyncSingleflightStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class SingleflightStore(IdentityStore):
    """Reads of the same that are under way at once share one call to the store.

    Whole objects, ranges, heads and existence are read so; streams and listings are handed on as
    they are. Who asks after a write through this store has begun, or has ended, shares no call
    that was begun before. A reader that is cancelled takes nothing from the others; when all are,
    the call is. The readers of one event loop share; all blocking ones have the same.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncSingleflightStore
    _async_type: ClassVar[type[AsyncSingleflightStore]] = AsyncSingleflightStore

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))
