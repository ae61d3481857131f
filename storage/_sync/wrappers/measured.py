# Generated from storage/_async/wrappers/measured.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store that counts what is done with it."""

from __future__ import annotations

from typing import Any, ClassVar

from ..._async.wrappers.measured import AsyncMetricsStore, VerbMetrics
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .around import AroundStore


class MetricsStore(AroundStore):
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

    _async: AsyncMetricsStore
    _async_type: ClassVar[type[AsyncMetricsStore]] = AsyncMetricsStore

    def __init__(
        self,
        store: ObjectStore,
        name: str = "store",
        *,
        meter: Any = None,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), name, meter=meter, timeout=timeout))

    @property
    def name(self) -> str:
        return self._async.name

    def snapshot(self) -> dict[str, VerbMetrics]:
        """What was counted so far, by verb; a copy."""
        return self._async.snapshot()
