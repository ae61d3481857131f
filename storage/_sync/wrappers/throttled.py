# Generated from storage/_async/wrappers/throttled.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that goes no faster than it is told to."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.throttled import AsyncThrottleStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .around import AroundStore


class ThrottleStore(AroundStore):
    """Spreads bytes and operations over time, for all tasks, threads and loops together.

    Both directions count, streams piece by piece. What is written waits before it is sent; what
    is read has been transferred when its length is known, so whoever reads waits then. A verb on
    many keys, and a listing, is one operation for each verb of the child that it becomes.

    Args:
        store: A store of ours, or any object with the five async verbs.
        bytes_per_second: How many, in the long run; None for no limit.
        operations_per_second: How many, in the long run; None for no limit.
        burst: Seconds' worth that may pass at once after a pause.
        timeout: Seconds that one operation may take, all its waiting included.
    """

    _async: AsyncThrottleStore
    _async_type: ClassVar[type[AsyncThrottleStore]] = AsyncThrottleStore

    def __init__(
        self,
        store: ObjectStore,
        bytes_per_second: float | None = None,
        operations_per_second: float | None = None,
        *,
        burst: float = 1.0,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                bytes_per_second,
                operations_per_second,
                burst=burst,
                timeout=timeout,
            )
        )
