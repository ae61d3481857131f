"""What a store is opened by: URLs, paths, stores, options, backends of the user's own."""

from __future__ import annotations

import asyncio
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import ConfigError, DictStore, StoreClosed, StoreNotFound
from storage.typed import (
    AsyncAutoStore,
    AutoStore,
    FileMetadata,
    FormatNotSupportedError,
    Options,
    S3Backend,
    S3Options,
    S3StorageConfig,
    StorageBackend,
    StorageConfig,
    StorageFileNotFoundError,
    TypedStore,
)


@pytest.mark.parametrize("place", ["d", "sqlite://{}/s.sqlite", "zip://{}/z.zip", "hashdir://{}/h"])
def test_any_url_is_a_store_of_values(place: str, tmp_path: Path) -> None:
    url = place.format(tmp_path) if "://" in place else str(tmp_path / place)
    for _ in range(2):
        with AutoStore(url) as store:
            store["a/b"] = {"a": 1}
            store["a/b"] = b"12"
            assert list(store) == ["a/b.bin"]
    with AutoStore(url) as store:
        assert store["a/b"] == b"12"


def test_a_directory_is_made(tmp_path: Path) -> None:
    store = AutoStore(tmp_path / "new" / "data")
    assert "config" not in store
    assert len(store) == 0
    with pytest.raises(StorageFileNotFoundError):
        store["config"]
    store["config"] = {}
    assert (tmp_path / "new" / "data" / "config.json").read_bytes() == b"{}"


def test_stores_travel_to_other_processes(tmp_path: Path) -> None:
    store = AutoStore(f"file://{tmp_path}/new")
    store["a"] = 1
    store[f"file://{tmp_path}/other/b.json"] = 2
    again = pickle.loads(pickle.dumps(store))
    assert again["a"] == 1
    assert again[f"file://{tmp_path}/other/b"] == 2
    with again:
        again["c"] = 3
    assert store["c"] == 3


async def test_an_async_store_makes_its_directory_when_it_is_entered(tmp_path: Path) -> None:
    alone = AsyncAutoStore(tmp_path / "one")
    with pytest.raises(StoreNotFound):
        await alone.exists("a")
    await alone.write("a", 1)
    async with AsyncAutoStore(tmp_path / "two") as store:
        assert not await store.exists("a")


def test_a_store_is_wrapped_and_closed(tmp_path: Path) -> None:
    given = SqliteStore(tmp_path / "s.sqlite")
    with AutoStore(given) as store:
        store["a"] = 1
        assert given.get("a.json") == b"1"
    with pytest.raises(StoreClosed):
        store["a"]
    with pytest.raises(StoreClosed):
        given.get("a.json")


async def test_an_async_store_is_wrapped(tmp_path: Path) -> None:
    async with AsyncAutoStore(AsyncSqliteStore(tmp_path / "s.sqlite")) as store:
        await store.write("a", 1)
        assert await store.read("a") == 1
    with pytest.raises(TypeError, match="blocking"):
        AsyncAutoStore(DictStore())  # type: ignore[arg-type]


def test_a_store_of_somebody_else() -> None:
    class Theirs(dict[str, bytes]):
        get = dict.__getitem__  # type: ignore[assignment]
        put = dict.__setitem__
        delete = dict.__delitem__
        exists = dict.__contains__

    theirs = Theirs()
    store = AutoStore(theirs)  # type: ignore[arg-type]
    store["a"] = {"a": 1}
    store["a"] = b"12"
    assert theirs == {"a.bin": b"12"}
    assert store["a"] == b"12"


def test_full_urls_are_keys(tmp_path: Path) -> None:
    with AutoStore("memory://") as store:
        url = f"file://{tmp_path}/deep/data.json"
        store[url] = {"a": 1}
        assert store[url] == store[f"file://{tmp_path}/deep/data"] == {"a": 1}
        assert url in store
        assert store.copy(url, "here") == "here.json"
        assert store.move("here", f"file://{tmp_path}/deep/moved") == "moved.json"
        assert list(store) == []
        store[f"file://{tmp_path}/deep/set/"] = [[1], [2]]
        assert store[f"file://{tmp_path}/deep/set/"] == [1, 2]
        store["http-is-no-scheme://x"] = 3
        assert list(store) == ["http-is-no-scheme://x.json"]
        assert store.list_active_backends() == [
            "memory://",
            f"file://{tmp_path}/deep",
        ]
        assert list(store.keys(f"file://{tmp_path}/deep/d")) == [url]
        store[f"file://{tmp_path}/deep/50%25 x"] = 4
        assert [store[key] for key in store.keys(f"file://{tmp_path}/deep/")][0] == 4  # noqa: RUF015
        assert list(store.list_files(f"file://{tmp_path}/deep/*a.json")) == [url]
        del store[url]
        assert url not in store
        store.invalidate_backend_cache("file")
        assert store.list_active_backends() == ["memory://"]
    with pytest.raises(StoreClosed):
        store[url]


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match="cache_everything"):
        AutoStore("memory://", cache_everything=True)
    with pytest.raises(ConfigError):
        AutoStore("memory://", StorageConfig(), options=Options())
    with pytest.raises(ConfigError):
        AutoStore("gopher://x")
    with pytest.raises(ConfigError, match="not dict"):
        AutoStore("memory://", options={"aws_secret_access_key": "x"})  # type: ignore[dict-item]
    store = AutoStore("memory://", options=[S3Options(region_name="x"), Options(timeout=7)])
    assert store._async._store._timeout == 7


def test_settings_of_one_scheme_leave_others_alone(tmp_path: Path) -> None:
    login: dict[str, Any] = {
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
        "region_name": "x",
    }
    with AutoStore("s3://bucket", endpoint_url="http://127.0.0.1:1", **login) as store:
        store[f"file://{tmp_path}/a.json"] = 1
        assert store[f"file://{tmp_path}/a"] == 1
        assert "127.0.0.1" in repr(store)


def test_what_the_options_of_buckets_mean() -> None:
    config = S3StorageConfig(
        aws_access_key_id="id",
        aws_secret_access_key="hidden",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:1",
        multipart_chunksize=1024,
        max_retries=1,
        max_concurrency=100,
        timeout=5,
        cache_enabled=False,
    )
    assert "hidden" not in repr(config)
    store = AutoStore("s3://bucket/data/?region=eu-north-1", config)
    bucket: Any = store._async._store
    told = bucket._recipe[2]
    assert bucket.bucket_name == "bucket"
    assert bucket._prefix == "data/"
    assert told["region_name"] == "eu-north-1"  # the URL is nearer
    assert told["endpoint_url"] == "http://127.0.0.1:1"
    assert told["part_size"] == 5 * 1024 * 1024
    assert told["timeout"] == 5
    assert told["config"].retries["total_max_attempts"] == 2
    assert told["config"].max_pool_connections == 100
    assert "hidden" not in repr(told)


def test_no_secret_is_shown() -> None:
    with AutoStore("s3://id:hidden@bucket/data") as store:
        with pytest.raises(ConfigError) as caught:
            store.exists("s3://id:hidden@bucket/")
        shown = [repr(store), str(caught.value), *store.list_active_backends()]
        shown.append((store / "a").as_uri())
        assert "hidden" not in " ".join(shown)
        assert shown[2:] == ["s3://bucket/data", "s3://bucket/data/a"]


def test_options_for_a_scheme_of_its_own() -> None:
    minio = S3Options(scheme="minio", endpoint_url="http://127.0.0.1:1")
    store = AutoStore("minio://bucket/data", options=[S3Options(region_name="x"), minio])
    assert "127.0.0.1" in repr(store)
    assert "bucket" in repr(store)


class FolderBackend(StorageBackend):
    """A backend as users write one: files that come and go."""

    closed = False

    def _path(self, path: str) -> Path:
        return Path(self.uri.removeprefix("folder://"), path)

    def exists(self, path: str) -> bool:
        return self._path(path).exists()

    def download(self, remote_path: str, local_path: Path) -> None:
        shutil.copyfile(self._path(remote_path), local_path)

    def upload(self, local_path: Path, remote_path: str) -> None:
        self._path(remote_path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(local_path, self._path(remote_path))

    def delete(self, path: str) -> None:
        self._path(path).unlink()

    def list_files(self, pattern: str = "*", recursive: bool = True) -> Iterator[str]:
        root = self._path("")
        for path in root.rglob(pattern):
            if path.is_file():
                yield path.relative_to(root).as_posix()

    def get_metadata(self, path: str) -> FileMetadata:
        raise AssertionError("it is not asked for")

    def cleanup(self) -> None:
        type(self).closed = True


@pytest.fixture
def registered() -> Iterator[None]:
    AutoStore.register_backend("folder", FolderBackend)
    yield
    AutoStore.unregister_backend("folder")
    assert "folder" not in AutoStore.get_supported_backends()


@pytest.mark.usefixtures("registered")
def test_a_backend_of_the_users_own(tmp_path: Path) -> None:
    assert {"folder", "s3", "file"} <= set(AutoStore.get_supported_backends())
    with AutoStore(f"folder://{tmp_path}") as store:
        store["a/b"] = {"a": 1}
        assert (tmp_path / "a" / "b.json").read_bytes() == b'{"a":1}'
        assert store["a/b"] == {"a": 1}
        assert list(store) == ["a/b.json"]
        store["a/b"] = b"12"
        assert list(store) == ["a/b.bin"]
        with pytest.raises(StorageFileNotFoundError):
            store["nothing.json"]
        del store["a/b"]
        assert not FolderBackend.closed
    assert FolderBackend.closed


@pytest.mark.usefixtures("registered")
async def test_the_same_for_asyncio(tmp_path: Path) -> None:
    async with AsyncAutoStore(f"folder://{tmp_path}") as store:
        await asyncio.gather(*(store.write(f"k{number}", number) for number in range(5)))
        assert await store.count() == 5


def test_a_scheme_by_its_module() -> None:
    AutoStore.register_scheme("mem", "storage.object.AsyncDictStore")
    AutoStore.register_backend("bucket", S3Backend)
    try:
        store = AutoStore("mem://")
        store["a"] = 1
        assert isinstance(store._async._store, AsyncDictStore)
        assert "b" in repr(AutoStore("bucket://b"))
    finally:
        AutoStore.unregister_backend("mem")
        AutoStore.unregister_backend("bucket")


def test_the_ground_is_public(tmp_path: Path) -> None:
    store = AutoStore(tmp_path)
    assert isinstance(store, TypedStore)
    assert str(tmp_path) in repr(store)
    assert repr(store).startswith("AutoStore(")


def test_pickles_need_a_word() -> None:
    with pytest.raises(FormatNotSupportedError, match="allow_pickle"):
        AutoStore("memory://")["a"] = object()
    with AutoStore("memory://", allow_pickle=True) as store:
        store["a"] = {1, 2}
        assert list(store) == ["a.pkl"]
        assert store["a"] == {1, 2}
        raw = store._async._store
        with pytest.raises(ConfigError, match="allow_pickle"):
            TypedStore.around(AsyncAutoStore(raw)).read("a")
