"""Hashed directories: amplify's places, and the key beside each object whatever happens."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage._core import calls
from storage._core.urls import StoreURL
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore, AsyncSafeFilesystemStore
from storage.object import Capability, ConfigError, ObjectNotFound
from tests.backends.files import KINDS, FileStore, each_kind, listed, tree


def place_of(root: Path, key: str, width: int = 2, depth: int = 3) -> Path:
    """Where amplify-storage-utils has the object of a key."""
    digest = sha256(key.encode()).hexdigest()
    cuts = [digest[n * width : (n + 1) * width] for n in range(depth)]
    return root.joinpath(*cuts, digest[depth * width :])


def key_file(path: Path) -> Path:
    return path.with_name(path.name + ".key")


@pytest.mark.parametrize(("width", "depth"), [(2, 3), (1, 1), (64, 0), (9, 7), (3, 21)])
async def test_objects_lie_where_amplify_has_them(tmp_path: Path, width: int, depth: int) -> None:
    store = AsyncHashdirStore(tmp_path, width, depth)
    await store.put("../é", b"v")
    path = place_of(tmp_path, "../é", width, depth)
    assert path.read_bytes() == b"v"
    assert key_file(path).read_bytes() == "../é".encode()
    assert await listed(store) == ["../é"]
    await store.delete("../é")
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(("width", "depth"), [(0, 3), (2, -1), (2, 32), (64, 1), (8, 8)])
def test_a_hash_cannot_be_cut_at_will(width: int, depth: int) -> None:
    with pytest.raises(ConfigError, match="64 characters"):
        AsyncHashdirStore("x", width, depth)


async def test_what_amplify_wrote_is_read_but_not_listed_until_it_is_put_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = place_of(tmp_path, "theirs")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"v")
    store = AsyncHashdirStore(tmp_path)
    assert await store.get("theirs") == b"v"
    assert await store.exists("theirs")
    assert await listed(store) == []
    assert "1 files without their keys" in caplog.text
    await store.put("theirs", b"w")
    assert await listed(store) == ["theirs"]


async def test_a_key_without_its_object_is_not_listed(tmp_path: Path) -> None:
    store = AsyncHashdirStore(tmp_path)
    await store.put("k", b"v")
    place_of(tmp_path, "k").unlink()
    assert await listed(store) == []
    assert not await store.exists("k")
    with pytest.raises(ObjectNotFound):
        await store.get("k")
    await store.delete("k", missing_ok=True)
    await store.put("k", b"w")
    assert await listed(store) == ["k"]


@pytest.mark.parametrize("wrong", [b"", b"other", b"\xff", b"k" * 5000])
async def test_a_wrong_key_beside_an_object_is_not_believed(tmp_path: Path, wrong: bytes) -> None:
    store = AsyncHashdirStore(tmp_path)
    await store.put("k", b"v")
    kept = key_file(place_of(tmp_path, "k"))
    kept.write_bytes(wrong)
    assert await listed(store) == []
    assert await store.get("k") == b"v"
    await store.put("k", b"w")
    assert kept.read_bytes() == b"k"
    assert [info.key async for info in store.list()] == ["k"]


async def test_a_link_in_place_of_a_key_is_replaced_and_not_followed(tmp_path: Path) -> None:
    store = AsyncHashdirStore(tmp_path / "root")
    await store.put("k", b"v")
    kept = key_file(place_of(tmp_path / "root", "k"))
    kept.unlink()
    (tmp_path / "precious").write_bytes(b"k")
    kept.symlink_to(tmp_path / "precious")
    assert await listed(store) == []
    await store.put("k", b"w")
    assert not kept.is_symlink()
    assert await listed(store) == ["k"]


async def test_foreign_files_are_no_objects(tmp_path: Path) -> None:
    store = AsyncHashdirStore(tmp_path)
    await store.put("k", b"v")
    (tmp_path / "readme").touch()
    (tmp_path / "2c" / "f2").mkdir(parents=True, exist_ok=True)
    (tmp_path / "2c" / "f2" / ("a" * 60)).touch()
    (tmp_path / ("a" * 64)).touch()
    os.mkfifo(tmp_path / "2c" / "pipe.key")
    assert await listed(store) == ["k"]


def test_the_order_is_not_declared() -> None:
    assert Capability.ORDERED not in AsyncHashdirStore.capabilities
    assert Capability.ORDERED in AsyncSafeFilesystemStore.capabilities
    assert Capability.ATTRIBUTES in AsyncFilesystemStore.capabilities


@given(st.lists(st.text(min_size=1, max_size=60), unique=True, max_size=8))
def test_any_keys_come_back(tmp_path_factory: pytest.TempPathFactory, keys: list[str]) -> None:
    keys = [key for key in keys if "\0" not in key]
    for kind in KINDS[1:]:
        store = kind(tmp_path_factory.mktemp("root"), durable=False)
        for number, key in enumerate(keys):
            calls.drive(store.put(key, b"%d" % number))
        assert set(calls.drive_iterator(store.keys())) == set(keys)
        for number, key in enumerate(keys):
            assert calls.drive(store.get(key)) == b"%d" % number


URLS = [
    ("file:///srv/data", "/srv/data"),
    ("file://localhost/srv/data", "/srv/data"),
    ("file://data/below", "data/below"),
    ("file://./data", "./data"),
    ("file:///a%20b/%23c%40", "/a b/#c@"),
    ("file:///", "/"),
]


@each_kind
@pytest.mark.parametrize(("url", "path"), URLS)
def test_urls_mean_paths(kind: type[FileStore], url: str, path: str) -> None:
    parsed = StoreURL.parse(url)
    assert kind.from_url(parsed).root_path == path
    parsed.finish()


@each_kind
@pytest.mark.parametrize("url", ["file://", "file://user@host/path", "file://a:b@/c"])
def test_urls_without_a_path_are_refused(kind: type[FileStore], url: str) -> None:
    with pytest.raises(ConfigError):
        kind.from_url(StoreURL.parse(url))


def test_urls_have_typed_options() -> None:
    url = "hashdir:///x?width=1&depth=5&durable=no&follow_symlinks=1&timeout=2.5"
    parsed = StoreURL.parse(url)
    store = AsyncHashdirStore.from_url(parsed)
    parsed.finish()
    assert (store._layout.width, store._layout.depth, store._timeout) == (1, 5, 2.5)
    assert (store._objects.tree.durable, store._objects.tree.follow) == (False, True)
    for wrong in ("file:///x?width=1", "hashdir:///x?width=a", "safe:///x?durable=perhaps"):
        with pytest.raises(ConfigError):
            parsed = StoreURL.parse(wrong)
            kind = AsyncHashdirStore if wrong[0] == "h" else AsyncFilesystemStore
            kind.from_url(parsed)
            parsed.finish()


@each_kind
@pytest.mark.parametrize("root", ["", "a\0b"])
def test_a_root_is_a_path(kind: type[FileStore], root: str) -> None:
    with pytest.raises(ConfigError):
        kind(root)
