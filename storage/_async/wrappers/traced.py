"""A store whose operations are spans."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from ..._core.protocol import AsyncObjectStore
from .around import QUIET, AsyncAroundStore, Passage

_STREAMS = frozenset({"open_reader", "open_writer", "keys", "list", "delete_many"})


class AsyncTracingStore(AsyncAroundStore):
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

    def __init__(
        self,
        store: AsyncObjectStore,
        name: str = "store",
        *,
        record_keys: bool = False,
        tracer: Any = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self.name: str = name
        self._record_keys = record_keys
        self._tracer = tracer or _default_tracer()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tracer": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._tracer = _default_tracer()

    def _during(self, verb: str, key: str | None) -> Passage:
        if self._tracer is None:
            return QUIET
        attributes = {"storage.operation": verb, "storage.name": self.name}
        if self._record_keys and key is not None:
            attributes["storage.key"] = key
        return _Traced(self._tracer, verb, attributes, self._record_keys)


class _Traced(Passage):
    """One span."""

    def __init__(self, tracer: Any, verb: str, attributes: dict[str, str], messages: bool) -> None:
        from opentelemetry import trace

        self._trace = trace
        self._tracer = tracer
        self._verb = verb
        self._attributes = attributes
        self._messages = messages
        self._read = self._written = 0
        self._current: Any = None

    async def __aenter__(self) -> Self:
        self._span = self._tracer.start_span(
            f"{self._verb} {self._attributes['storage.name']}",
            kind=self._trace.SpanKind.CLIENT,
            attributes=self._attributes,
        )
        if self._verb not in _STREAMS:
            self._current = self._trace.use_span(
                self._span, record_exception=False, set_status_on_exception=False
            )
            self._current.__enter__()
        return self

    async def sent(self, size: int) -> None:
        self._written += size

    async def received(self, size: int) -> None:
        self._read += size

    def failed(self, error: BaseException) -> None:
        self._span.set_attribute("error.type", type(error).__name__)
        self._span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))
        if self._messages:
            self._span.record_exception(error)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._current is not None:
            self._current.__exit__(None, None, None)
        if error is not None and not isinstance(error, GeneratorExit):
            self.failed(error)
        for name, size in (("read", self._read), ("write", self._written)):
            if size:
                self._span.set_attribute(f"storage.{name}.size", size)
        self._span.end()


def _default_tracer() -> Any:
    """OpenTelemetry's, None where it is not installed."""
    try:
        from opentelemetry import trace
    except ImportError:
        return None
    return trace.get_tracer("storage")
