"""A store that counts what is done with it."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

from ..._core.protocol import AsyncObjectStore
from .around import AsyncAroundStore, Passage

BOUNDS: Final = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 60.0)
"""Seconds up to which the buckets of the histograms reach; one more holds what took longer."""
_counting = threading.Lock()  # one for all, so that stores can be pickled


@dataclass
class VerbMetrics:
    """What was done by one verb since the store was made.

    Args:
        operations: How many have ended, well or not.
        in_flight: How many have begun and not ended.
        errors: How many failed, by the names of their errors' classes.
        bytes_in: Bytes that were read.
        bytes_out: Bytes that were written.
        seconds: How long they took together; a stream for as long as it was open.
        buckets: How many took at most 0.5, 1, 5, 10, 50, 100, 500 ms, 1, 5, 10, 60 s, or longer.
    """

    operations: int = 0
    in_flight: int = 0
    errors: Mapping[str, int] = field(default_factory=Counter)
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))


class AsyncMetricsStore(AsyncAroundStore):
    """Counts operations, errors, bytes and seconds, by verb.

    Verbs are named as in a logging store: ``get``, ``open_reader``, ``put``, ``open_writer``,
    ``delete_many``, ... Where OpenTelemetry's API is installed (the extra ``otel``), the same goes
    to its instruments: the histogram ``storage.operation.duration`` (s), the counters
    ``storage.operation.errors`` and ``storage.io`` (bytes), and ``storage.operation.active``;
    with the attributes ``storage.operation``, ``storage.name``, ``error.type`` and
    ``network.io.direction``. Keys are never told.

    Args:
        store: A store of ours, or any object with the five async verbs.
        name: What this store is called in the attributes.
        meter: Makes the instruments; by default the one that the API gives for ``storage``.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        name: str = "store",
        *,
        meter: Any = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self.name: str = name
        self._verbs: dict[str, VerbMetrics] = {}
        self._instruments = _instruments(meter)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_instruments": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._instruments = _instruments(None)

    def snapshot(self) -> dict[str, VerbMetrics]:
        """What was counted so far, by verb; a copy."""
        with _counting:
            return {
                verb: replace(found, errors=dict(found.errors), buckets=list(found.buckets))
                for verb, found in self._verbs.items()
            }

    def _during(self, verb: str, key: str | None) -> Passage:
        return _Measured(self, verb)


class _Measured(Passage):
    """Counts one operation."""

    def __init__(self, store: AsyncMetricsStore, verb: str) -> None:
        self._to = store._instruments
        self._labels = {"storage.operation": verb, "storage.name": store.name}
        with _counting:
            self._counts = store._verbs.setdefault(verb, VerbMetrics())
        self._error: str | None = None

    async def __aenter__(self) -> Self:
        with _counting:
            self._counts.in_flight += 1
        if self._to is not None:
            self._to.active.add(1, self._labels)
        self._begun = perf_counter()
        return self

    async def sent(self, size: int) -> None:
        with _counting:
            self._counts.bytes_out += size
        self._moved("transmit", size)

    async def received(self, size: int) -> None:
        with _counting:
            self._counts.bytes_in += size
        self._moved("receive", size)

    def _moved(self, direction: str, size: int) -> None:
        if self._to is not None and size:
            self._to.io.add(size, {**self._labels, "network.io.direction": direction})

    def failed(self, error: BaseException) -> None:
        self._error = type(error).__name__

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        seconds = perf_counter() - self._begun
        if error is not None and not isinstance(error, GeneratorExit):
            self.failed(error)
        with _counting:
            counts = self._counts
            counts.in_flight -= 1
            counts.operations += 1
            counts.seconds += seconds
            counts.buckets[bisect_left(BOUNDS, seconds)] += 1
            if self._error is not None:
                counts.errors = Counter(counts.errors) + Counter([self._error])
        if self._to is not None:
            self._to.active.add(-1, self._labels)
            self._to.ended(seconds, self._labels, self._error)


@dataclass(frozen=True)
class _Instruments:
    """OpenTelemetry's side."""

    duration: Any
    errors: Any
    io: Any
    active: Any

    def ended(self, seconds: float, labels: dict[str, str], error: str | None) -> None:
        """Tell of one operation."""
        if error is not None:
            labels = {**labels, "error.type": error}
            self.errors.add(1, labels)
        self.duration.record(seconds, labels)


def _instruments(meter: Any) -> _Instruments | None:
    """The instruments of a meter; None without OpenTelemetry."""
    if meter is None:
        try:
            from opentelemetry import metrics
        except ImportError:
            return None
        meter = metrics.get_meter("storage")
    return _Instruments(
        meter.create_histogram("storage.operation.duration", "s", "How long operations took."),
        meter.create_counter("storage.operation.errors", "{operation}", "Operations that failed."),
        meter.create_counter("storage.io", "By", "Bytes read and written."),
        meter.create_up_down_counter(
            "storage.operation.active", "{operation}", "Operations in flight."
        ),
    )
