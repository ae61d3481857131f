"""Stores that count and trace, with OpenTelemetry and without."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from storage.aioutils import AsyncMetricsStore, AsyncTracingStore, VerbMetrics
from storage.object import AsyncDictStore, DictStore, ObjectNotFound, StoreUnavailable
from storage.utils import MetricsStore, TracingStore
from tests.stores import FlakyStore


async def _use(store: Any) -> None:
    await store.put("secret", b"0123456789")
    await store.put("b", iter([b"123", b"4567"]))
    await store.get("secret")
    await store.get_range("secret", 2, 4)
    assert b"".join([piece async for piece in store.stream("b")]) == b"1234567"
    assert [key async for key in store.keys()] == ["b", "secret"]
    with pytest.raises(ObjectNotFound):
        await store.get("nothing")
    await store.delete_many(["b"])


async def test_a_snapshot_needs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    store = AsyncMetricsStore(AsyncDictStore())
    await _use(store)
    found = store.snapshot()
    assert sorted(found) == ["delete_many", "get", "keys", "open_reader", "open_writer", "put"]
    get = found["get"]
    assert (get.operations, get.in_flight, get.bytes_in, get.bytes_out) == (3, 0, 12, 0)
    assert get.errors == {"ObjectNotFound": 1}
    assert sum(get.buckets) == 3
    assert get.seconds > 0
    assert (found["put"].bytes_out, found["open_writer"].bytes_out) == (10, 7)
    assert (found["open_reader"].bytes_in, found["open_reader"].operations) == (7, 1)
    assert found["keys"].errors == {}
    assert asdict(VerbMetrics())["errors"] == {}
    before = found["get"]
    await store.get("secret")
    assert before.operations == 3
    assert AsyncTracingStore(AsyncDictStore())._tracer is None
    await _use(AsyncTracingStore(AsyncDictStore()))


async def test_what_is_in_flight_and_what_fails() -> None:
    child = FlakyStore({"a": b"1"})
    store = AsyncMetricsStore(child)
    async with store.open_reader("a"):
        assert store.snapshot()["open_reader"].in_flight == 1
    async for _ in store.keys():
        assert store.snapshot()["keys"].in_flight == 1
        break
    child.failing = {"put"}
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.put("a", b"1")
    with pytest.raises(StoreUnavailable):
        await store.put("a", iter([b"1"]))
    child.delay = 30
    task = asyncio.create_task(store.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found = store.snapshot()
    assert found["put"].errors == {"StoreUnavailable": 2}
    assert found["open_writer"].errors == {"StoreUnavailable": 1}
    assert found["get"].errors == {"CancelledError": 1}
    assert {verb.in_flight for verb in found.values()} == {0}


async def test_a_stream_that_breaks_off_is_an_error() -> None:
    class Broken(AsyncDictStore):
        def _steps(self, operation: str, source: Any) -> Any:
            async def fail() -> Any:
                async for _ in source:
                    yield b""
                raise StoreUnavailable("gone")

            return fail()

    store = AsyncMetricsStore(Broken({"a": b"1"}))
    with pytest.raises(StoreUnavailable):
        [piece async for piece in store.stream("a")]
    assert store.snapshot()["open_reader"].errors == {"StoreUnavailable": 1}


def test_blocking() -> None:
    store = MetricsStore(DictStore({"a": b"1"}), "cellar")
    store.get("a")
    assert list(store.keys()) == ["a"]
    assert store.snapshot()["get"].bytes_in == 1
    assert store.name == "cellar"


def _points(reader: Any) -> dict[tuple[str, str, str], Any]:
    """The measurements, by instrument, operation and what else distinguishes them."""
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for metric in resource.scope_metrics[0].metrics:
            for point in metric.data.data_points:
                labels = dict(point.attributes)
                assert labels.pop("storage.name") == "store"
                verb = labels.pop("storage.operation")
                value = getattr(point, "value", None)
                value = point.count if value is None else value
                found[metric.name, verb, "".join(labels.values())] = value
    return found


async def test_the_instruments_of_opentelemetry() -> None:
    metrics = pytest.importorskip("opentelemetry.sdk.metrics")
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    provider = metrics.MeterProvider([reader])
    await _use(AsyncMetricsStore(AsyncDictStore(), meter=provider.get_meter("test")))
    found = _points(reader)
    provider.shutdown()
    assert found["storage.operation.duration", "get", ""] == 2
    assert found["storage.operation.duration", "get", "ObjectNotFound"] == 1
    assert found["storage.operation.errors", "get", "ObjectNotFound"] == 1
    assert found["storage.io", "get", "receive"] == 12
    assert found["storage.io", "open_writer", "transmit"] == 7
    assert found["storage.operation.active", "get", ""] == 0


@pytest.fixture
def spans() -> Iterator[Any]:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("test"), exporter.get_finished_spans
    provider.shutdown()


async def test_a_span_for_each_operation(spans: Any) -> None:
    tracer, finished = spans
    await _use(AsyncTracingStore(AsyncDictStore(), "cellar", tracer=tracer))
    names = [span.name.removesuffix(" cellar") for span in finished()]
    assert names == [
        *("put", "open_writer", "get", "get", "open_reader", "keys", "get", "delete_many"),
    ]
    put, writing, get, part, reading, _, missing, _ = finished()
    assert dict(put.attributes) == {
        "storage.operation": "put",
        "storage.name": "cellar",
        "storage.write.size": 10,
    }
    assert writing.attributes["storage.write.size"] == 7
    assert (get.attributes["storage.read.size"], part.attributes["storage.read.size"]) == (10, 2)
    assert reading.attributes["storage.read.size"] == 7
    assert missing.attributes["error.type"] == "ObjectNotFound"
    assert (missing.status.status_code.name, put.status.status_code.name) == ("ERROR", "UNSET")
    assert "secret" not in "".join(span.to_json() for span in finished())
    assert "nothing" not in missing.to_json()


async def test_keys_on_demand(spans: Any) -> None:
    tracer, finished = spans
    await _use(AsyncTracingStore(AsyncDictStore(), record_keys=True, tracer=tracer))
    assert finished()[0].attributes["storage.key"] == "secret"
    assert "nothing" in finished()[6].events[0].attributes["exception.message"]


async def test_spans_nest(spans: Any) -> None:
    tracer, finished = spans
    inner = AsyncTracingStore(AsyncDictStore({"a": b"1"}), "inner", tracer=tracer)
    outer = AsyncTracingStore(inner, "outer", tracer=tracer)
    with tracer.start_as_current_span("request"):
        await outer.get("a")
        async with outer.open_reader("a") as reader:
            await reader.read()
    of = {span.name: span for span in finished()}
    assert of["get inner"].parent.span_id == of["get outer"].context.span_id
    assert of["get outer"].parent.span_id == of["request"].context.span_id
    assert of["open_reader inner"].parent.span_id == of["request"].context.span_id


def test_spans_of_blocking_callers(spans: Any) -> None:
    tracer, finished = spans
    store = TracingStore(DictStore({"a": b"1"}), tracer=tracer)
    with tracer.start_as_current_span("request"):
        store.get("a")
    get, request = finished()
    assert get.parent.span_id == request.context.span_id
