"""Values in the file systems of fsspec, beside minimalkv's own store of that name."""

from __future__ import annotations

import io
import pickle
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.kv import ExtendedKeyspaceMixin, FSSpecStore
from storage.object import InvalidKey

fsspec = pytest.importorskip("fsspec")


class HFSSpecStore(ExtendedKeyspaceMixin, FSSpecStore):
    """One whose keys may have slashes."""


@pytest.fixture(params=["memory", "file"])
def system(request: pytest.FixtureRequest) -> Any:
    return fsspec.filesystem(request.param)


@pytest.fixture
def root(system: Any, tmp_path: Path) -> Iterator[str]:
    """A directory of the file system that is not there yet."""
    if system.protocol == "memory":
        name = f"/{secrets.token_hex(6)}"
        yield name
        if system.exists(name):
            system.rm(name, recursive=True)
    else:
        yield (tmp_path / "new").as_posix()


@pytest.mark.parametrize("start", ["/", "/kv/", "/kv-"])
def test_the_verbs(system: Any, root: str, start: str) -> None:
    with HFSSpecStore(root + start, custom_fs=system) as store:
        assert store.keys() == []
        assert "a" not in store
        store.delete("a")
        for ask in (store.get, store.open, lambda key: store.get_file(key, io.BytesIO())):
            with pytest.raises(KeyError):
                ask("a")
        assert store.put("a/kv/b", b"1") == "a/kv/b"
        store.put_file("zz", io.BytesIO(b"22"))
        assert sorted(store.keys()) == ["a/kv/b", "zz"]
        assert store.keys("z") == ["zz"]
        assert sorted(store.iter_prefixes("/")) == ["a/", "zz"]
        assert system.cat_file(f"{root}{start}zz") == b"22"
        assert ("zz" in store, "a" in store, "a/kv" in store) == (True, False, False)
        with store.open("zz") as file:
            assert file.seek(1) == 1
            assert file.read() == b"2"
        with pytest.raises(KeyError):
            store.get("a")  # a directory
        with pytest.raises(OSError, match="bytes"):
            store.put("a", "text")  # type: ignore[arg-type]
        store.delete("zz")
        assert store.keys() == ["a/kv/b"]


@pytest.mark.parametrize("key", ["../outside", "..", "a/../../outside", "/abs", "a//b"])
def test_no_key_leads_out(system: Any, root: str, key: str) -> None:
    store = HFSSpecStore(f"{root}/in/", custom_fs=system)
    store.put("a", b"1")
    system.pipe_file(f"{root}/outside", b"secret")
    for ask in (store.get, store.delete, store.open, lambda key: store.put(key, b"2")):
        with pytest.raises(InvalidKey):
            ask(key)
    assert system.cat_file(f"{root}/outside") == b"secret"


def test_beside_the_original(system: Any, root: str) -> None:
    original = pytest.importorskip("minimalkv.fsspecstore")
    pytest.importorskip("google.auth")
    theirs = original.FSSpecStore(f"{root}/", custom_fs=system)
    ours = FSSpecStore(f"{root}/", custom_fs=system)
    ours.put("a", b"1")
    assert theirs.get("a") == b"1"
    theirs.put("b", b"2")
    assert ours.get("b") == b"2"
    assert sorted(ours.keys()) == ["a", "b"]


class InMemory(FSSpecStore):
    """One that makes its file system when it is used."""

    def _create_filesystem(self) -> Any:
        return fsspec.filesystem("memory")


def test_a_file_system_is_made_at_first_use() -> None:
    store = InMemory(f"/{secrets.token_hex(6)}/")
    store.put("a", b"1")
    assert pickle.loads(pickle.dumps(store)).get("a") == b"1"
    store.delete("a")
    with pytest.raises(NotImplementedError):
        FSSpecStore().keys()


def test_a_source_that_fails_changes_nothing(system: Any, root: str) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("gone")

    store = FSSpecStore(f"{root}/", custom_fs=system)
    store.put("a", b"1")
    with pytest.raises(OSError, match="gone"):
        store.put_file("a", Broken())
    assert store.get("a") == b"1"


def test_a_prefix_is_relative_where_paths_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = fsspec.filesystem("file")
    FSSpecStore(custom_fs=files).put("a", b"1")
    FSSpecStore("below/", custom_fs=files).put("b", b"2")
    assert (tmp_path / "a").read_bytes() + (tmp_path / "below" / "b").read_bytes() == b"12"
    assert FSSpecStore("file://below/", custom_fs=files).keys() == ["b"]
