# Generated from storage/_async/wrappers/limited.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that does only so much at once."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.limited import AsyncLimitStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .around import AroundStore


class LimitStore(AroundStore):
    """Bounds what is asked of its child at once; what is too much waits, first come first served.

    A stream or a listing counts as one operation for as long as it is open. What is begun while
    one is open around it (a put that reads from it, a delete of what was listed) may use its
    place, one operation at a time, so that nobody waits for what waits for him; then there can be
    one more operation for each open stream. A stream that was opened in a task of its own, as a
    fan-out above this store does, is not known to be around: give a timeout there.

    Bytes count while the child reads or writes them; a read whose length nobody knows beforehand
    counts by its object's, which is asked for first.

    Args:
        store: A store of ours, or any object with the five async verbs.
        operations: How many at once; None for any number.
        bytes: How many at once, of which a larger object or piece takes all; None for any number.
        timeout: Seconds that one operation may take, all its waiting included.
    """

    _async: AsyncLimitStore
    _async_type: ClassVar[type[AsyncLimitStore]] = AsyncLimitStore

    def __init__(
        self,
        store: ObjectStore,
        operations: int | None = None,
        bytes: int | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), operations, bytes, timeout=timeout))
