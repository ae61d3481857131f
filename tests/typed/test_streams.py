# Handlers of users may say by properties what is an attribute here:
# pyright: reportIncompatibleVariableOverride=false
"""Values in pieces, large values, and files of handlers that need some."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import threading
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage._async.pieces import Body
from storage._async.typed import feeding, passing, windows
from storage._core.info import ReadOptions
from storage.object import NoSpace, NotSupported
from storage.typed import AsyncAutoStore, AutoStore, DataHandler, Format
from tests.typed.counting import CountingStore


@pytest.fixture
def store() -> AsyncAutoStore:
    return AsyncAutoStore(CountingStore())


async def numbers(count: int) -> AsyncIterator[Any]:
    for number in range(count):
        yield {"number": number}


async def test_pieces_of_either_kind_of_iterable(store: AsyncAutoStore) -> None:
    assert await store.write_pieces("a.jsonl", numbers(1000)) == "a.jsonl"
    assert await store.write_pieces("b", ({"number": n} for n in range(1000)), "jsonl") == "b.jsonl"
    assert await store.read("a") == await store.read("b")
    pieces = [piece["number"] async for piece in store.read_pieces("a")]
    assert pieces == list(range(1000))


async def test_what_has_no_pieces_comes_whole(store: AsyncAutoStore) -> None:
    await store.write("a.json", [1, 2])
    assert [piece async for piece in store.read_pieces("a")] == [[1, 2]]
    for key in ("b", "b.json"):
        with pytest.raises(NotSupported):
            await store.write_pieces(key, [1, 2])


async def test_a_source_that_fails_stores_nothing(store: AsyncAutoStore) -> None:
    async def failing() -> AsyncIterator[Any]:
        yield {}
        raise LookupError("the source")

    with pytest.raises(LookupError, match="the source"):
        await store.write_pieces("a.jsonl", failing())
    assert not await store.exists("a")


async def test_a_piece_that_fails_ends_the_source(store: AsyncAutoStore) -> None:
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[Any]:
        try:
            while True:
                yield object()
        finally:
            closed.set()

    with pytest.raises(TypeError):
        await store.write_pieces("a.jsonl", endless())
    assert closed.is_set()
    assert not await store.exists("a")


async def test_a_cancelled_write_ends_its_thread_and_its_source(store: AsyncAutoStore) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def stuck() -> AsyncIterator[Any]:
        try:
            yield {}
            begun.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    task = asyncio.create_task(store.write_pieces("a.jsonl", stuck()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()
    assert not await store.exists("a")
    await store.write("a", [1])  # the thread is free again


async def test_a_source_is_asked_only_for_what_is_wanted(
    store: AsyncAutoStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "BATCH", 10)
    ahead: list[int] = []

    class Slow(Format):
        extensions = (".slow",)

        def can_handle_data(self, data: Any) -> bool:
            return False

        def dump(self, value: Any, out: Any, extension: str) -> None:
            raise AssertionError

        def load(self, source: Any, extension: str, as_: Any = None) -> Any:
            return source.read()

        def dump_pieces(self, values: Any, out: Any, extension: str) -> None:
            for taken, value in enumerate(values):
                ahead.append(given[-1] - taken)
                out.write(b"%d," % value)

    given = [0]

    async def counted() -> AsyncIterator[int]:
        for number in range(100):
            given.append(number)
            yield number

    store.register_handler(Slow())
    await store.write_pieces("a.slow", counted())
    assert (await store.read("a")).count(b",") == 100
    assert max(ahead) <= 20


async def test_a_full_disk_is_an_error_of_its_own(
    store: AsyncAutoStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write("old.txt", "x" * 2000)
    monkeypatch.setattr(passing, "LIMIT", 1000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(NoSpace, match="temporary"):
        await store.write("new.txt", "x" * 2000)
    with pytest.raises(NoSpace, match="temporary"):
        await store.read("old.txt")
    assert [key async for key in store.keys()] == ["old.txt"]


@pytest.mark.parametrize("place", ["memory://", "directory", "sqlite"])
async def test_large_values_pass_through_a_file(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "LIMIT", 50_000)
    url = {"directory": str(tmp_path / "d"), "sqlite": f"sqlite://{tmp_path}/s.sqlite"}
    async with AsyncAutoStore(url.get(place, place)) as store:
        value = {"text": "x" * 200_000}
        await store.write("large", value)
        assert await store.read("large") == value
        await store.write_pieces("rows.jsonl", numbers(10_000))
        assert await store.get_size("rows") > 100_000
        assert sum([row["number"] async for row in store.read_pieces("rows")]) == 49_995_000


@pytest.mark.parametrize("place", ["memory://", "directory", "sqlite"])
def test_of_a_long_object_only_what_is_asked_for_is_read(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    monkeypatch.setattr(passing, "LIMIT", 50_000)
    url = {"directory": str(tmp_path / "d"), "sqlite": f"sqlite://{tmp_path}/s.sqlite"}
    with AutoStore(url.get(place, place)) as store:
        store.write_pieces("rows.jsonl", ({"row": number} for number in range(10_000)))
        pieces = store.read_pieces("rows")
        assert next(pieces) == {"row": 0}
        assert sum(piece["row"] for piece in pieces) == 49_995_000
        tables = (pyarrow.table({"a": list(range(n, n + 5000))}) for n in range(0, 40_000, 5000))
        store.write_pieces("table.parquet", tables)
        assert store.get_size("table") > 50_000
        found = [piece["a"].sum() for piece in store.read_pieces("table")]
        assert sum(found) == sum(range(40_000))


async def test_a_long_object_is_not_fetched_for_its_first_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passing, "LIMIT", 50_000)
    monkeypatch.setattr(windows, "BUFFER", 1000)
    read = 0

    class Watched(CountingStore):
        @asynccontextmanager
        async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
            async with super()._open(key, options) as body:
                yield Body(body.info, self._watched(body))

        async def _watched(self, body: Body) -> AsyncIterator[bytes]:
            nonlocal read
            async for chunk in body.chunks:
                for start in range(0, len(chunk), 1000):
                    read += 1
                    yield bytes(chunk[start : start + 1000])

    async with AsyncAutoStore(Watched()) as store:
        await store.write_pieces("rows.jsonl", numbers(20_000))
        pieces = store.read_pieces("rows")
        for number in range(10):
            assert await anext(pieces) == {"number": number}
        assert 0 < read < 50
        await pieces.aclose()  # type: ignore[attr-defined]
        waiting = asyncio.ensure_future(anext(store.read_pieces("rows")))
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await store.get_size("rows") > 50_000


def test_blocking_callers_have_pieces_too() -> None:
    with AutoStore("memory://") as store:
        store.write_pieces("a.jsonl", iter([{"a": 1}, {"a": 2}]))
        pieces = store.read_pieces("a")
        assert next(pieces) == {"a": 1}
        assert list(pieces) == [{"a": 2}]
        half = store.read_pieces("a")
        next(half)
        del half


def test_pieces_take_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passing, "LIMIT", 100_000)
    with AutoStore(tmp_path) as store:
        store.write_pieces("warm.jsonl", [{"text": "x" * 150_000}])
        tracemalloc.start()
        try:
            store.write_pieces("rows.jsonl", ({"text": "x" * 10_000} for _ in range(2_500)))
            assert sum(1 for _ in store.read_pieces("rows")) == 2_500
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert store.get_size("rows") > 25_000_000
    assert peak < 10_000_000


class LogHandler(DataHandler):
    """As users write one: with files, and properties."""

    threads: list[str]

    def __init__(self) -> None:
        self.threads = []

    def can_handle_extension(self, extension: str) -> bool:
        return extension.lower() == ".log"

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, list) and all(
            isinstance(item, dict) and "timestamp" in item for item in data
        )

    def read_from_file(self, file_path: Path, file_extension: str) -> Any:
        self.threads.append(threading.current_thread().name)
        assert file_path.suffix == file_extension == ".log"
        with open(file_path) as file:
            return [json.loads(line) for line in file if line.strip()]

    def write_to_file(self, data: Any, file_path: Path, file_extension: str) -> None:
        file_path.parent.mkdir(parents=True, exist_ok=True)
        with open(file_path, "w") as file:
            file.writelines(json.dumps(entry) + "\n" for entry in data)

    @property
    def extensions(self) -> Any:  # type: ignore[override]
        return [".log"]

    @property
    def priority(self) -> int:  # type: ignore[override]
        return 15


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of temporary files, in which nothing may stay."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(directory))
    yield directory
    assert list(directory.iterdir()) == []


@pytest.mark.usefixtures("scratch")
async def test_a_handler_of_the_users_own(store: AsyncAutoStore) -> None:
    handler = LogHandler()
    store.register_handler(handler)
    entries = [{"timestamp": 1, "event": "start"}]
    assert await store.write("app", entries) == "app.log"
    assert await store.read("app") == entries
    assert handler.threads != [threading.current_thread().name]
    assert await store.read("app", as_=list) == entries
    with pytest.raises(TypeError, match="dict"):
        await store.read("app", as_=dict)
    store.unregister_handler(LogHandler)
    assert await store.write("app", entries) == "app.json"
    assert not AsyncAutoStore("memory://")._handlers.extension_of("app.log")


@pytest.mark.usefixtures("scratch")
async def test_a_lazy_frame_needs_its_file_no_longer(store: AsyncAutoStore) -> None:
    polars = pytest.importorskip("polars")

    class Lazy(LogHandler):
        def can_handle_data(self, data: Any) -> bool:
            return isinstance(data, str)

        def read_from_file(self, file_path: Path, file_extension: str) -> Any:
            return polars.scan_csv(file_path)

        def write_to_file(self, data: Any, file_path: Path, file_extension: str) -> None:
            file_path.write_text(data)

    store.register_handler(Lazy())
    await store.write("rows", "a,b\n1,2\n3,4\n")
    frame = await store.read("rows")
    await store.aclose()
    assert frame.select(polars.col("a").sum()).collect().item() == 4
