"""The state of a circuit breaker, for all loops and threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..._core.errors import StoreTimeout, StoreUnavailable

COUNTED = (StoreUnavailable, StoreTimeout)


class Circuit:
    """Counts failures, and says whether a call may be made.

    Args:
        failures: How many open it.
        window: Seconds within which they have to fall.
        reset: Seconds for which it stays open.
        clock: Gives the time in seconds.
    """

    def __init__(
        self, failures: int, window: float, reset: float, clock: Callable[[], float]
    ) -> None:
        self._failures = failures
        self._window = window
        self._reset = reset
        self._clock = clock
        self._lock = threading.Lock()
        self._times: deque[float] = deque(maxlen=failures)
        self._opened: float | None = None
        self._probe: object | None = None
        self._probed = 0.0

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_lock"]
        return state | {"_times": deque(maxlen=self._failures), "_opened": None, "_probe": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        with self._lock:
            if self._opened is None:
                return "closed"
            return "open" if self._left() > 0 else "half-open"

    def _left(self) -> float:
        """Seconds until a call is let through again."""
        assert self._opened is not None
        return self._opened + self._reset - self._clock()

    # -- calls ------------------------------------------------------------------------------

    @contextmanager
    def call(self) -> Iterator[None]:
        """A call: refused while the circuit is open, else counted by how it ends."""
        permit = self._enter()
        try:
            yield
        except COUNTED:
            self._failed(permit)
            raise
        except Exception:
            self._answered(permit)
            raise
        except BaseException:
            self._gave_up(permit)
            raise
        self._answered(permit)

    @contextmanager
    def step(self) -> Iterator[None]:
        """A step of what was let through before: never refused, counted if it fails."""
        try:
            yield
        except COUNTED as error:
            self.note(error)
            raise

    def note(self, error: Exception) -> None:
        """Count an error, if it is of those that count."""
        if isinstance(error, COUNTED):
            self._failed(None)

    # -- states -----------------------------------------------------------------------------

    def _enter(self) -> object | None:
        """Let a call through; gives what marks the one that tries whether the store is back."""
        with self._lock:
            if self._opened is None:
                return None
            left, now = self._left(), self._clock()
            # A probe that never ends does not keep it open for ever.
            if left <= 0 and (self._probe is None or now - self._probed > self._reset):
                self._probe, self._probed = object(), now
                return self._probe
        raise self._refusal(left)

    def _refusal(self, left: float) -> StoreUnavailable:
        if left > 0:
            text = f"it has failed too often and is left alone; tried again in {left:.3g} s"
        else:
            text = "it has failed too often and is being tried again just now"
        error = StoreUnavailable(text)
        error.retry_after = max(left, 0.0)
        return error

    def _failed(self, permit: object | None) -> None:
        with self._lock:
            now = self._clock()
            if permit is not None and permit is self._probe:
                self._opened, self._probe = now, None
            elif self._opened is None:
                self._times.append(now)
                if len(self._times) == self._failures and now - self._times[0] <= self._window:
                    self._opened = now
                    self._times.clear()

    def _answered(self, permit: object | None) -> None:
        with self._lock:
            if permit is not None and permit is self._probe:
                self._opened = self._probe = None
                self._times.clear()

    def _gave_up(self, permit: object | None) -> None:
        """The call was cancelled: nothing is known, the next one may try."""
        with self._lock:
            if permit is self._probe:
                self._probe = None
