# Generated from storage/_async/wrappers/traced.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store whose operations are spans."""

from __future__ import annotations

from typing import Any, ClassVar

from ..._async.wrappers.traced import AsyncTracingStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .around import AroundStore


class TracingStore(AroundStore):
    """Makes a client span of OpenTelemetry of each operation; nothing where that is not installed.

    A span is named after verb and store, and has the attributes ``storage.operation``,
    ``storage.name``, ``storage.read.size``, ``storage.write.size`` (bytes) and, after an error,
    ``error.type``. Keys, which may say more than a trace should, and messages of errors, which
    hold keys, are recorded only on demand. While an operation runs, its span is the current one;
    that of a stream or a listing is not, since others' code runs while it is open.

    Args:
        store: A store of ours, or any object with the five async verbs.
        name: What this store is called in the spans.
        record_keys: Whether spans tell keys and errors' messages.
        tracer: Makes the spans; by default the one that the API gives for ``storage``.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncTracingStore
    _async_type: ClassVar[type[AsyncTracingStore]] = AsyncTracingStore

    def __init__(
        self,
        store: ObjectStore,
        name: str = "store",
        *,
        record_keys: bool = False,
        tracer: Any = None,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store), name, record_keys=record_keys, tracer=tracer, timeout=timeout
            )
        )

    @property
    def name(self) -> str:
        return self._async.name
