"""What the layers above a file cost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from storage import open_store
from storage.aiofs import AsyncFilesystemStore

DATA = bytes(range(256)) * 16
KEY = "folder/key"
IN_FLIGHT = 32

STORES = {
    "files": "file://{folder}/store",
    "safe": "safe://{folder}/store",
    "hashed": "hashdir://{folder}/store",
    "sqlite": "sqlite://{folder}/store.sqlite",
    "zip": "zip://{folder}/store.zip",
}

each_store = pytest.mark.parametrize("url", STORES.values(), ids=STORES)
reads = pytest.mark.benchmark(group="get 4 KiB")
writes = pytest.mark.benchmark(group="put 4 KiB")
async_reads = pytest.mark.benchmark(group=f"{IN_FLIGHT} async gets of 4 KiB")


@reads
def test_read_the_file(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(DATA)
    assert benchmark(path.read_bytes) == DATA


@reads
@each_store
def test_get(benchmark: BenchmarkFixture, tmp_path: Path, url: str) -> None:
    with open_store(url.format(folder=tmp_path)) as store:
        store.put(KEY, DATA)
        assert benchmark(store.get, KEY) == DATA


@writes
def test_write_the_file(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    path = tmp_path / "file"
    benchmark(path.write_bytes, DATA)
    assert path.read_bytes() == DATA


@writes
@each_store
def test_put(benchmark: BenchmarkFixture, tmp_path: Path, url: str) -> None:
    with open_store(url.format(folder=tmp_path) + "?durable=no") as store:
        assert benchmark(store.put, KEY, DATA).size == len(DATA)
        assert store.get(KEY) == DATA


@async_reads
def test_async_gets(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    async def get_all(store: AsyncFilesystemStore) -> list[bytes]:
        return await asyncio.gather(*(store.get(KEY) for _ in range(IN_FLIGHT)))

    with asyncio.Runner() as runner:
        store = AsyncFilesystemStore(tmp_path)
        runner.run(store.put(KEY, DATA))
        assert benchmark(lambda: runner.run(get_all(store))) == [DATA] * IN_FLIGHT
