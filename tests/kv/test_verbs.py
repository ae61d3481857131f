"""What users of minimalkv count on, over each kind of store."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytest

from storage._kv.objects import ObjectKeyValueStore
from storage.kv import FOREVER, NOT_SET, KeyValueStore
from tests.kv.stores import EXPIRING, EXTENDED, NO_COPIES

ODD = """'!"`#$%&'()+,-.<=>?@[]^_{}~'"""
VALUE = bytes(range(256)) * 9


class Dribble(io.RawIOBase):
    """A file whose reads give less than they are asked for."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int | None = -1, /) -> bytes:
        return self._data.read(min(7, size) if size and size > 0 else 7)


def test_what_is_put_is_there(store: Any) -> None:
    assert store.put("a", VALUE) == "a"
    assert store.get("a") == VALUE
    assert "a" in store
    assert list(store) == store.keys() == ["a"]
    assert store.put("a", b"") == "a"
    assert store.get("a") == b""


def test_odd_letters_stay_what_they_are(store: Any) -> None:
    store.put(ODD, b"odd")
    assert store.get(ODD) == b"odd"
    assert store.keys() == [ODD]


def test_what_is_not_there(store: Any, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"kept")
    for ask in (store.get, store.open):
        with pytest.raises(KeyError):
            ask("a")
    with pytest.raises(KeyError):
        store.get_file("a", str(kept))
    assert kept.read_bytes() == b"kept"
    assert "a" not in store
    store.delete("a")


def test_delete(store: Any) -> None:
    store.put("a", b"1")
    store.delete("a")
    assert "a" not in store


@pytest.mark.parametrize("data", ["text", bytearray(b"1"), memoryview(b"1"), None])
def test_values_are_bytes(store: Any, data: Any) -> None:
    with pytest.raises(OSError, match="bytes"):
        store.put("a", data)
    assert store.keys() == []


@pytest.mark.parametrize("key", [None, b"a", 1])
def test_a_key_is_a_text(store: Any, key: Any) -> None:
    for ask in (store.get, store.delete, store.open, lambda key: key in store):
        with pytest.raises(ValueError, match="key"):
            ask(key)
    with pytest.raises(ValueError, match="key"):
        store.put(key, b"1")


@pytest.mark.parametrize("key", ["", "a\n", "a\0", "é", "a:b", "a*b", "a;b", "a|b"])
def test_letters_that_no_key_has(store: Any, kind: str, key: str) -> None:
    if kind == "quoted" and key:
        pytest.skip("takes any letters")
    with pytest.raises(ValueError, match="key"):
        store.put(key, b"1")
    with pytest.raises(ValueError, match="key"):
        assert key not in store


def test_slashes_and_spaces(store: Any, kind: str) -> None:
    if kind not in EXTENDED:
        with pytest.raises(ValueError, match="key"):
            store.put("a b/c", b"1")
        return
    store.put("a b/c", b"1")
    assert store.keys() == ["a b/c"]
    if kind != "quoted":
        with pytest.raises(ValueError, match="key"):
            store.put("/", b"1")


def test_prefixes(store: Any) -> None:
    for key in ("a-b-c", "a-d", "ab-x", "b"):
        store.put(key, b"")
    assert sorted(store.keys("a")) == ["a-b-c", "a-d", "ab-x"]
    assert sorted(store.iter_keys("a-")) == ["a-b-c", "a-d"]
    assert sorted(store.iter_prefixes("-", "a")) == ["a-", "ab-"]
    assert sorted(store.iter_prefixes("-", "a-")) == ["a-b-", "a-d"]
    assert sorted(store.iter_prefixes("-")) == ["a-", "ab-", "b"]


@pytest.mark.parametrize("as_path", [str, Path])
def test_files_by_path(store: Any, tmp_path: Path, as_path: type[Any]) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(VALUE)
    assert store.put_file("a", as_path(source)) == "a"
    assert store.get("a") == VALUE
    assert store.get_file("a", as_path(target)) == "a"
    assert target.read_bytes() == VALUE
    assert sorted(path.name for path in tmp_path.glob(".storage-*")) == []


def test_files_that_are_open(store: Any) -> None:
    assert store.put_file("a", Dribble(VALUE)) == "a"
    target = io.BytesIO()
    assert store.get_file("a", target) == "a"
    assert target.getvalue() == VALUE


def test_a_value_as_a_file(store: Any) -> None:
    store.put("a", VALUE)
    with store.open("a") as file:
        assert file.read(10) == VALUE[:10]
        assert file.seek(-5, io.SEEK_END) == len(VALUE) - 5
        assert file.read() == VALUE[-5:]
        assert file.seek(len(VALUE) + 10) == len(VALUE) + 10
        assert file.read() == b""
        assert file.seek(0) == file.tell() == 0
        assert file.read(None) == VALUE
        with pytest.raises((OSError, ValueError)):
            file.seek(-1)
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_copies_and_moves(store: Any, kind: str) -> None:
    store.put("a", b"1")
    store.put("b", b"2")
    if kind in NO_COPIES:
        for verb in (store.copy, store.move):
            with pytest.raises(NotImplementedError):
                verb("a", "b")
        return
    assert store.copy("a", "b") == "b"
    assert store.get("b") == store.get("a") == b"1"
    assert store.move("a", "c") == "c"
    assert (store.get("c"), "a" in store) == (b"1", False)
    for verb in (store.copy, store.move):
        with pytest.raises(KeyError):
            verb("a", "b")
        with pytest.raises(ValueError, match="key"):
            verb("", "b")
    assert store.get("b") == b"1"


def test_it_is_a_key_value_store(store: Any) -> None:
    assert isinstance(store, KeyValueStore)


def test_time_to_live(store: Any, kind: str) -> None:
    """Where there is one; elsewhere it is refused and nothing is stored."""
    assert getattr(store, "ttl_support", False) is (kind in EXPIRING)
    if kind not in EXPIRING:
        if isinstance(store, ObjectKeyValueStore):
            with pytest.raises(NotImplementedError):
                store.put("a", b"1", ttl_secs=1)
            assert "a" not in store
            store.put("a", b"1", ttl_secs=FOREVER)
        return
    store.put("a", b"1", ttl_secs=0.03)
    store.put_file("b", io.BytesIO(b"2"), ttl_secs=0.03)
    store.put("c", b"3", ttl_secs=100)
    store.put("d", b"4", ttl_secs=0)
    store.put("e", b"5", FOREVER)
    store.put("f", b"6", ttl_secs=NOT_SET)
    assert {"a", "b", "c", "e", "f"} >= set(store.keys()) >= {"c", "e", "f"}
    time.sleep(0.05)
    assert sorted(store.keys()) == ["c", "e", "f"]
    with pytest.raises(KeyError):
        store.get("a")
    if isinstance(store, ObjectKeyValueStore):
        store.default_ttl_secs = 0
        store.put("c", b"3")
        assert "c" not in store
    for wrong in (-1, "soon"):
        with pytest.raises(ValueError, match="time to live"):
            store.put("a", b"1", ttl_secs=wrong)
