# Generated from storage/_async/wrappers/breaker.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that leaves another alone for a while after it has failed too often."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from ..._async.wrappers.breaker import AsyncCircuitBreakerStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .identity import IdentityStore


class CircuitBreakerStore(IdentityStore):
    """Stops asking a store that is down, so that callers learn it at once and it can recover.

    Closed, it counts the calls that end in `StoreUnavailable` or `StoreTimeout`. After too many it
    opens: all calls fail at once, with a `StoreUnavailable` that says when it will try again. Then
    one call is let through: if that is answered, it closes, else it opens for as long again. All
    loops and threads share one state. Streams that are open already go on.

    A deadline counts if it is the child's own; to this store's one, a call just ends.

    Args:
        store: A store of ours, or any object with the five async verbs.
        failures: How many failures open it.
        window: Seconds within which they have to fall.
        reset: Seconds after which it tries again.
        clock: Gives the time in seconds.
        timeout: Seconds that one operation may take.

    Raises:
        StoreUnavailable: It is open; ``retry_after`` says for how many seconds more.
    """

    _async: AsyncCircuitBreakerStore
    _async_type: ClassVar[type[AsyncCircuitBreakerStore]] = AsyncCircuitBreakerStore

    def __init__(
        self,
        store: ObjectStore,
        *,
        failures: int = 5,
        window: float = 60.0,
        reset: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                failures=failures,
                window=window,
                reset=reset,
                clock=clock,
                timeout=timeout,
            )
        )

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        return self._async.state
