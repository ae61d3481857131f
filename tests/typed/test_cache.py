"""Over a real S3 server: what is sent, and what the cache on disk spares and never hides."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage._async.typed import passing
from storage.s3 import BucketStore
from storage.typed import AsyncAutoStore, AutoStore, S3Backend, S3Options, S3StorageConfig
from tests.services.process import S3Service

Make = Callable[..., AutoStore]


@pytest.fixture
def bucket(moto: S3Service, new_bucket: Callable[[S3Service], str]) -> str:
    return new_bucket(moto)


@pytest.fixture
def login(moto: S3Service) -> dict[str, Any]:
    return {
        "aws_access_key_id": moto.access_key,
        "aws_secret_access_key": moto.secret_key,
        "region_name": moto.region,
        "endpoint_url": moto.endpoint_url,
    }


@pytest.fixture
def make(login: dict[str, Any], bucket: str, tmp_path: Path) -> Iterator[Make]:
    made: list[AutoStore] = []

    def new(prefix: str = "data/", **options: Any) -> AutoStore:
        config = S3StorageConfig(**login, cache_dir=str(tmp_path / "cache"), **options)
        made.append(AutoStore(f"s3://{bucket}/{prefix}", config=config))
        return made[-1]

    yield new
    for store in made:
        store.close()


def sent(store: AutoStore) -> Counter[str]:
    """The requests so far, by their names."""
    found: Any = store._async._store
    lanes = getattr(found, "_child", found).lanes
    return sum((Counter(counts) for counts in lanes.values()), Counter())


def files(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_the_program_of_the_first_page(bucket: str, login: dict[str, Any], tmp_path: Path) -> None:
    AutoStore.register_backend("s3", S3Backend)
    try:
        config = S3StorageConfig(
            **login,
            cache_enabled=True,
            cache_expiry_hours=12,
            cache_dir=str(tmp_path),
            multipart_threshold=64 * 1024 * 1024,
            multipart_chunksize=16 * 1024 * 1024,
            max_concurrency=10,
        )
        store = AutoStore(f"s3://{bucket}/data/", config=config)
        store["experiment/results"] = {"accuracy": 0.95, "epochs": 100}
        assert store["experiment/results"] == {"accuracy": 0.95, "epochs": 100}
        assert store["experiment/results"]["epochs"] == 100
        store.cleanup_cache()
        metadata = store.get_metadata("experiment/results")
        assert metadata.size == 30
        assert metadata.etag
        assert metadata.content_type == "application/json"
        store.cleanup()
    finally:
        AutoStore.unregister_backend("s3")


def test_each_verb_takes_few_requests(make: Make) -> None:
    store = make(cache_enabled=False)
    store["config"] = {"a": 1}
    assert sent(store) == {"list_objects_v2": 1, "put_object": 1}
    assert store["config"] == {"a": 1}
    assert sent(store) == {"list_objects_v2": 2, "put_object": 1, "get_object": 1}
    assert "nothing" not in store
    assert store["config.json"] == {"a": 1}
    assert sent(store) == {"list_objects_v2": 3, "put_object": 1, "get_object": 2}


def test_prefixes_are_apart(make: Make) -> None:
    one, two = make("k/"), make("k2/")
    one["a"], two["a"] = 1, 2
    assert [one["a"], two["a"], one["a"]] == [1, 2, 1]
    assert list(one) == ["a.json"]


def test_what_is_cached_is_asked_for_and_not_fetched(make: Make, tmp_path: Path) -> None:
    store = make()
    store["a"] = {"text": "x" * 1000}
    for _ in range(3):
        assert store["a.json"] == {"text": "x" * 1000}
    assert store._async._store.stats.hits >= 2  # type: ignore[attr-defined]
    assert files(tmp_path)
    assert store.read("a", ignore_cache=True) == {"text": "x" * 1000}


def test_nothing_stale_is_served(make: Make) -> None:
    store, other = make(), make()
    keys = ("A", "a", "x-1", "x_1", "x 1", "n" * 60 + "1", "n" * 60 + "2")
    for version in range(3):
        writer = (store, other)[version % 2]
        for key in keys:
            writer[key] = [key, version]
        for key in keys:
            assert store[key] == other[key] == [key, version]
    del other["a"]
    assert "a" not in store
    with pytest.raises(KeyError):
        store["a.json"]


def test_processes_share_what_is_cached(
    make: Make, bucket: str, login: dict[str, Any], tmp_path: Path
) -> None:
    make()["a"] = list(range(1000))
    program = f"""
from storage.typed import AutoStore, S3Options
options = S3Options(**{login!r}, cache_enabled=True, cache_dir={str(tmp_path / "cache")!r})
with AutoStore("s3://{bucket}/data/", options=options) as store:
    assert store["a.json"] == list(range(1000))
    assert store._async._store.stats.hits == 1, store._async._store.stats
"""
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, env=env)


def test_old_entries_are_removed(make: Make, tmp_path: Path) -> None:
    store = make()
    store["a"], store["b"] = 1, 2
    before = len(files(tmp_path))
    store.cleanup_cache()
    assert len(files(tmp_path)) == before > 0
    long_ago = time.time() - 25 * 3600
    for path in files(tmp_path):
        os.utime(path, (long_ago, long_ago))
    store.cleanup_expired_cache()
    assert len(files(tmp_path)) == 0
    assert store["a"] == 1
    store.invalidate_cache("a")
    assert store["a"] == 1


def test_a_local_store_is_not_cached(tmp_path: Path) -> None:
    store = AutoStore(tmp_path / "data", cache_enabled=True, cache_dir=str(tmp_path / "cache"))
    store["a"] = 1
    assert store["a"] == 1
    store.cleanup_cache()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("cache_enabled", [True, False])
def test_pieces_of_long_objects(
    make: Make, monkeypatch: pytest.MonkeyPatch, cache_enabled: bool
) -> None:
    monkeypatch.setattr(passing, "LIMIT", 50_000)
    store = make(cache_enabled=cache_enabled)
    store.write_pieces("rows.jsonl", ({"row": number} for number in range(20_000)))
    for _ in range(2):
        assert sum(row["row"] for row in store.read_pieces("rows")) == 199_990_000
    few = store.read_pieces("rows")
    assert next(few) == {"row": 0}
    few.close()  # type: ignore[attr-defined]
    assert len(store["rows"]) == 20_000


def test_full_urls_from_a_store_that_needs_no_loop(
    bucket: str, login: dict[str, Any], tmp_path: Path
) -> None:
    with AutoStore(tmp_path, options=S3Options(**login)) as store:
        url = f"s3://{bucket}/deep/data#1.json"
        store[url] = {"a": 1}
        assert store[url] == {"a": 1}
        assert store[f"s3://{bucket}/deep/data#1"] == {"a": 1}
        assert store.copy(url, "here") == "here.json"
        assert store.move("here", f"s3://{bucket}/deep/there") == "deep/there.json"
        assert store.write_pieces(f"s3://{bucket}/rows.jsonl", [{"a": 1}, {"a": 2}])
        assert list(store.read_pieces(f"s3://{bucket}/rows.jsonl")) == [{"a": 1}, {"a": 2}]
        path = store / f"s3://{bucket}/deep"
        assert sorted(path.list_files()) == ["data#1.json", "there.json"]
        assert (path / "there").load() == {"a": 1}
        (path / "there.json").unlink()
        assert not (path / "there").exists()


async def test_the_same_for_asyncio(bucket: str, login: dict[str, Any], tmp_path: Path) -> None:
    options = S3Options(**login, cache_enabled=True, cache_dir=str(tmp_path / "cache"))
    async with AsyncAutoStore(f"s3://{bucket}", options=options) as store:
        await store.write("a", {"a": 1})
        assert [await store.read("a") for _ in range(2)] == [{"a": 1}] * 2
        await store.cleanup_cache()
        await store.invalidate_cache("a")
        assert await store.read("a?ignore_cache") == {"a": 1}


def test_a_store_of_buckets_is_taken_as_it_is(bucket: str, login: dict[str, Any]) -> None:
    with AutoStore(BucketStore.connect(bucket, **login)) as store:
        store["a"] = 1
        assert store["a"] == 1
