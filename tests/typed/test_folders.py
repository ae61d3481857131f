"""Handlers that make one value of many files, and what backends have besides the needed methods."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.db import SqliteStore
from storage.object import AsyncDictStore, DictStore, InvalidKey
from storage.testing.harness import interrupt_everywhere
from storage.typed import (
    AsyncAutoStore,
    AutoStore,
    DataHandler,
    FileMetadata,
    StorageBackend,
    StorageConfig,
)


class Album:
    """A value of many files."""

    def __init__(self, pages: dict[str, Any]) -> None:
        self.pages = pages


class AlbumHandler(DataHandler):
    """As users of data sets write one."""

    extensions = (".page",)
    priority = 20

    def can_handle_data(self, data: Any) -> bool:
        return isinstance(data, Album)

    def read_from_file(self, file_path: Path, file_extension: str) -> Any:
        return json.loads(file_path.read_text())

    def write_to_file(self, data: Any, file_path: Path, file_extension: str) -> None:
        file_path.write_text(json.dumps(data.pages))

    def read_dataset(self, dataset_path: Path, file_pattern: str = "*") -> Any:
        files = sorted(dataset_path.rglob("*.page"))
        names = [file.relative_to(dataset_path).as_posix() for file in files]
        return Album(dict(zip(names, map(json.loads, map(Path.read_text, files)), strict=True)))

    def write_dataset(self, data: Any, dataset_path: Path) -> None:
        for name, page in data.pages.items():
            (dataset_path / name).parent.mkdir(parents=True, exist_ok=True)
            (dataset_path / name).write_text(json.dumps(page))


FIRST = {"1.page": [1], "more/2.page": {"a": 2}}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_value_of_many_files(kind: str, tmp_path: Path) -> None:
    below = DictStore() if kind == "memory" else SqliteStore(tmp_path / "objects.sqlite")
    with AutoStore(below) as store:
        store.register_handler(AlbumHandler())
        store["album/"] = Album(FIRST)
        assert sorted(below.keys()) == ["album/1.page", "album/more/2.page"]
        assert store["album/"].pages == FIRST
        assert store["album/more/2.page"] == {"a": 2}
        store["album/"] = Album({"1.page": [3]})  # what was there besides goes
        assert store["album/"].pages == {"1.page": [3]}
        assert list(below.keys()) == ["album/1.page"]
        # Sets of other kinds are joined, as without it.
        store["rows/"] = [[{"a": 1}], [{"a": 2}]]
        assert store["rows/"] == [{"a": 1}, {"a": 2}]


def test_what_fails_in_between_leaves_the_old_set() -> None:
    class Full(AlbumHandler):
        def write_dataset(self, data: Any, dataset_path: Path) -> None:
            super().write_dataset(data, dataset_path)
            raise OSError("no more paper")

    below = DictStore()
    with AutoStore(below) as store:
        store.register_handler(AlbumHandler())
        store["album/"] = Album(FIRST)
        store.register_handler(Full())
        with pytest.raises(OSError, match="no more paper"):
            store["album/"] = Album({"1.page": [9], "3.page": [3]})
        assert store["album/"].pages == FIRST


@pytest.mark.parametrize("name", ["../x.page", "a/../../x.page", "/etc/x.page", "a//b.page"])
def test_no_file_is_made_outside(name: str) -> None:
    below = DictStore({f"album/{name}": b"[1]"})
    with AutoStore(below) as store:
        store.register_handler(AlbumHandler())
        with pytest.raises(InvalidKey):
            store["album/"]


class ShelfBackend(StorageBackend):
    """Files in a dict, and no more than has to be written."""

    files: dict[str, bytes]

    def exists(self, path: str) -> bool:
        return path in self.files

    def download(self, remote_path: str, local_path: Path) -> None:
        local_path.write_bytes(self.files[remote_path])

    def upload(self, local_path: Path, remote_path: str) -> None:
        self.files[remote_path] = local_path.read_bytes()

    def delete(self, path: str) -> None:
        del self.files[path]

    def list_files(self, pattern: str = "*", recursive: bool = True) -> Iterator[str]:
        yield from sorted(self.files)

    def get_metadata(self, path: str) -> FileMetadata:
        return FileMetadata(len(self.files[path]), None)


def test_what_backends_have_of_their_own(tmp_path: Path) -> None:
    shelf = ShelfBackend("shelf://", StorageConfig())
    shelf.files = {"a/1": b"one", "a/b/2": b"two", "c": b"three", "a/../../x": b"out"}
    shelf.mkdir("anywhere")
    assert shelf.get_size("c") == 5
    assert [shelf.is_directory(path) for path in ("a", "a/b/", "c", "d")] == [
        True,
        True,
        False,
        False,
    ]
    assert [shelf.is_dataset(path) for path in ("a", "a/b", "c")] == [True, False, False]
    shelf.copy("c", "d")
    shelf.move("d", "e")
    shelf.move("e", "e")
    assert (shelf.files["c"], shelf.files["e"], "d" in shelf.files) == (b"three", b"three", False)
    assert shelf.download_with_cache("c", tmp_path / "c").read_bytes() == b"three"
    with pytest.raises(ValueError, match="leads out"):
        shelf.download_dataset("a", tmp_path / "set")
    del shelf.files["a/../../x"]
    shelf.download_dataset("a/", tmp_path / "set")
    assert (tmp_path / "set" / "b" / "2").read_bytes() == b"two"
    assert not (tmp_path.parent / "x").exists()
    place = shelf.get_temp_dir()
    assert place == shelf.get_temp_dir()
    assert place.is_dir()
    shelf.cleanup()
    shelf.cleanup()
    assert not place.exists()


@pytest.mark.parametrize("write", [True, False])
async def test_cancelled_at_every_await(
    write: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old set or the new one, file by file, and no directory is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    below = AsyncDictStore()
    async with AsyncAutoStore(below) as store:
        store.register_handler(AlbumHandler())
        await store.write("album/", Album(FIRST))

        async def work() -> None:
            if write:
                await store.write("album/", Album({**FIRST, "3.page": [3]}))
            else:
                await store.read("album/")

        async def check() -> None:
            assert await asyncio.to_thread(os.listdir, tmp_path) == []
            found = (await store.read("album/")).pages
            assert {**found, "3.page": [3]} == {**FIRST, "3.page": [3]}
            await below.delete("album/3.page", missing_ok=True)

        await interrupt_everywhere(work, check=check, seconds=0.3)
