"""Stores that users have written themselves, by the four hooks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from storage.kv import (
    FOREVER,
    NOT_SET,
    CopyMixin,
    ExtendedKeyspaceMixin,
    KeyValueStore,
    TimeToLiveMixin,
    UrlMixin,
)


class Shelf(KeyValueStore, CopyMixin, UrlMixin):
    """As one would write it for minimalkv."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def _open(self, key: str) -> BinaryIO:
        return io.BytesIO(self.held[key])

    def _put_file(self, key: str, file: BinaryIO) -> str:
        self.held[key] = file.read()
        return key

    def _delete(self, key: str) -> None:
        self.held.pop(key, None)

    def iter_keys(self, prefix: str = "") -> Iterator[str]:
        return (key for key in self.held if key.startswith(prefix))

    def _copy(self, source: str, dest: str) -> str:
        self.held[dest] = self.held[source]
        return dest

    def _url_for(self, key: str) -> str:
        return f"shelf:{key}"


class HShelf(ExtendedKeyspaceMixin, Shelf):
    pass


class Fridge(TimeToLiveMixin, Shelf):
    """Notes how long things are good."""

    default_ttl_secs = 60

    def _put_file(  # type: ignore[override]
        self, key: str, file: BinaryIO, ttl_secs: float | str = NOT_SET
    ) -> str:
        self.good_for = ttl_secs
        return super(TimeToLiveMixin, self)._put_file(key, file)


def test_four_hooks_are_a_store(tmp_path: Path) -> None:
    with Shelf() as shelf:
        assert shelf.put("a", b"1") == "a"
        assert shelf.get("a") == b"1"
        assert "a" in shelf
        assert "b" not in shelf
        shelf.get_file("a", tmp_path / "a")
        assert shelf.put_file("b", str(tmp_path / "a")) == "b"
        assert (tmp_path / "a").exists()
        assert sorted(shelf) == ["a", "b"]
        assert shelf.move("b", "c") == "c"
        assert shelf.move("c", "c") == "c"
        assert shelf.keys() == ["a", "c"]
        assert shelf.url_for("x") == "shelf:x"
        with pytest.raises(ValueError, match="key"):
            shelf.url_for("x/y")


def test_a_wider_key_space() -> None:
    shelf = HShelf()
    shelf.put("a/b c", b"1")
    assert list(shelf.iter_prefixes("/")) == ["a/"]
    for key in ("/", "a\n"):
        with pytest.raises(ValueError, match="key"):
            shelf.put(key, b"1")


@pytest.mark.parametrize("ttl", [0, 1, 2.5, FOREVER, NOT_SET])
def test_time_to_live(ttl: float | str, tmp_path: Path) -> None:
    fridge = Fridge()
    assert fridge.ttl_support
    fridge.put("a", b"1", ttl_secs=ttl)
    assert fridge.good_for == ttl
    fridge.put_file("a", io.BytesIO(b"1"))
    assert fridge.good_for == 60
    (tmp_path / "a").write_bytes(b"2")
    fridge.put_file("a", str(tmp_path / "a"), ttl)
    assert fridge.good_for == ttl


@pytest.mark.parametrize("ttl", [-1, -0.5, float("nan"), "soon", b"forever", [1]])
def test_no_time_to_live(ttl: object) -> None:
    fridge = Fridge()
    with pytest.raises(ValueError, match="time to live"):
        fridge.put("a", b"1", ttl)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="time to live"):
        fridge.put_file("a", io.BytesIO(b"1"), ttl)  # type: ignore[arg-type]
    assert fridge.keys() == []


def test_the_base_has_no_hooks() -> None:
    store = KeyValueStore()
    for ask in (
        lambda: store.get("a"),
        lambda: store.put("a", b""),
        lambda: store.delete("a"),
        store.keys,
    ):
        with pytest.raises(NotImplementedError):
            ask()
