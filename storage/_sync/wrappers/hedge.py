# Generated from storage/_async/wrappers/hedge.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that asks a second time where an answer is long in coming."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from ..._async.wrappers.hedge import AsyncHedgeStore
from ..._core.adapt import to_async, to_async_function
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class HedgeStore(IdentityStore):
    """Sends a read a second time if the first takes long; the first good answer is taken.

    That cuts off the slowest reads of a store that is slow now and then. Whole objects, ranges,
    heads and existence are read so; streams, listings and writes are handed on as they are.

    Args:
        store: A store of ours, or any object with the five async verbs.
        delay: Seconds after which the second request is sent.
        percentile: Choose the delay anew all the time, so that this share of the latest reads was
            faster (0.95: all but every twentieth); ``delay`` holds until enough reads are known.
        cap: Second requests that a store is sent at most for each first one, in the long run: in
            an outage, when all are slow, more of them would make it worse.
        clock: Gives the time in seconds.
        sleep: Waits so many seconds; None: ``asyncio.sleep``.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncHedgeStore
    _async_type: ClassVar[type[AsyncHedgeStore]] = AsyncHedgeStore

    def __init__(
        self,
        store: ObjectStore,
        *,
        delay: float = 0.1,
        percentile: float | None = None,
        cap: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                delay=delay,
                percentile=percentile,
                cap=cap,
                clock=clock,
                sleep=None if sleep is None else to_async_function(sleep),
                timeout=timeout,
            )
        )
