# Generated from storage/_async/wrappers/retry.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that tries again what failed for a moment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import ClassVar

from ..._async.wrappers.retry import AsyncRetryStore
from ..._core.adapt import to_async, to_async_function
from ..._core.errors import StoreTimeout, StoreUnavailable
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class RetryStore(IdentityStore):
    """Tries again what a store could not do for a moment, where to do it twice does no harm.

    Reads, listings, writes of whole objects, copies and deletes are tried again; moves are not,
    since a second one could move something else. A broken download goes on where it broke off, if
    the store can hold the version fast; a listing does, if it is ordered. A stream that is written
    is tried again only before its first piece was taken, for it cannot be read twice.

    A delete whose answer was lost has succeeded if nothing is there any more. A conditional write
    that is refused after such a loss raises the error of the loss: whether the object that is
    there is this write's own is not known.

    Args:
        store: A store of ours, or any object with the five async verbs.
        attempts: How often one operation is tried in all.
        budget: Tokens for further tries, shared by all operations: each takes 5, a success gives
            back 1, or the 5 that it took. An outage so makes no storm. None: no such limit.
        base: Seconds that the first pause takes at most; each further one, twice as many. How many
            it takes is a matter of chance, unless the error says when to come back.
        cap: Seconds that any pause takes at most, unless the error says more.
        seconds: No try begins so long after the first one. None: no such limit.
        retry_on: The errors that pass.
        same_is_own: Take an object for a conditional write's own if it has the same bytes. Only
            right where no two writers ever write the same.
        clock: Gives the time in seconds.
        sleep: Waits so many seconds; None: ``asyncio.sleep``.
        rng: Gives a number from 0 to 1 by chance.
        timeout: Seconds that one operation may take, all its tries included.
    """

    _async: AsyncRetryStore
    _async_type: ClassVar[type[AsyncRetryStore]] = AsyncRetryStore

    def __init__(
        self,
        store: ObjectStore,
        *,
        attempts: int = 4,
        budget: int | None = 500,
        base: float = 0.1,
        cap: float = 20.0,
        seconds: float | None = 60.0,
        retry_on: tuple[type[Exception], ...] = (StoreUnavailable, StoreTimeout),
        same_is_own: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
        rng: Callable[[], float] = random.random,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                attempts=attempts,
                budget=budget,
                base=base,
                cap=cap,
                seconds=seconds,
                retry_on=retry_on,
                same_is_own=same_is_own,
                clock=clock,
                sleep=None if sleep is None else to_async_function(sleep),
                rng=rng,
                timeout=timeout,
            )
        )
