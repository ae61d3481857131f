"""Decorators: what each adds, and that none is passed by."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from storage.kv import (
    CacheDecorator,
    DictStore,
    FilesystemStore,
    HashDecorator,
    HDictStore,
    HMACDecorator,
    KeyValueStore,
    PrefixDecorator,
    ReadOnlyDecorator,
    URLEncodeKeysDecorator,
    UUIDDecorator,
    VerificationException,
)

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Failing(DictStore):
    """A cache whose disk is full."""

    def _put(self, key: str, data: bytes) -> str:
        raise OSError("full")

    _put_file = _put  # type: ignore[assignment]


class Deaf(DictStore):
    """A cache that cannot be read."""

    def _get(self, key: str) -> bytes:
        raise OSError("broken")

    _open = _get  # type: ignore[assignment]


def test_a_prefix_shows_its_own() -> None:
    below = DictStore({"other": b"0", "p-a": b"1"})
    store = PrefixDecorator("p-", below)
    store.put("b", b"2")
    assert sorted(store) == ["a", "b"]
    assert store.move("a", "other") == "other"
    assert below.d == {"other": b"0", "p-b": b"2", "p-other": b"1"}
    with pytest.raises(ValueError, match="key"):
        store.put("a/b", b"1")


def test_any_letters_in_keys() -> None:
    below = DictStore()
    store = URLEncodeKeysDecorator(below)
    for key in ("é/ü", "a b", "🍎", "%2F"):
        store.put(key, key.encode())
        assert store.get(key) == key.encode()
    assert sorted(store.keys()) == sorted(["é/ü", "a b", "🍎", "%2F"])
    assert list(store.iter_prefixes("/", "é")) == ["é/"]
    assert store.move("é/ü", "x") == "x"
    assert "a+b" in below


def test_read_only() -> None:
    store = ReadOnlyDecorator(DictStore({"a": b"1"}))
    assert (store.get("a"), store.keys(), "a" in store, list(store)) == (b"1", ["a"], True, ["a"])
    with store.open("a") as file:
        assert file.read() == b"1"
    store.get_file("a", io.BytesIO())
    for verb in ("put", "put_file", "delete", "copy", "move", "url_for", "ttl_support"):
        assert not hasattr(store, verb)


def test_a_cache_is_filled_and_forgotten() -> None:
    cache, below = DictStore(), DictStore({"a": b"1", "b": b"2", "c": b"3"})
    store = CacheDecorator(cache, below)
    with store.open("b") as file:
        assert file.read() == b"2"
    store.get_file("c", io.BytesIO())
    assert (store.get("a"), cache.d) == (b"1", {"a": b"1", "b": b"2", "c": b"3"})
    store.put("a", b"4")
    store.copy("a", "b")
    store.move("a", "c")
    assert cache.d == {}
    assert (store.get("b"), store.get("c"), "a" in store) == (b"4", b"4", False)
    store.delete("b")
    assert "b" not in cache


@pytest.mark.parametrize("cache", [Failing, Deaf])
def test_a_cache_that_fails_is_passed_by(cache: type[DictStore]) -> None:
    store = CacheDecorator(cache(), DictStore({"a": b"1"}))
    assert store.get("a") == b"1"
    with store.open("a") as file:
        assert file.read() == b"1"


def test_a_cache_that_takes_nothing_still_gives_files() -> None:
    target = io.BytesIO()
    CacheDecorator(Failing(), DictStore({"a": b"1"})).get_file("a", target)
    assert target.getvalue() == b"1"


@pytest.mark.parametrize(
    "change",
    [lambda d: d[:-1], lambda d: d + b"x", lambda d: b"", lambda d: bytes([d[0] ^ 1]) + d[1:]],
)
def test_a_changed_value_is_noticed(change: Any, tmp_path: Path) -> None:
    below = DictStore()
    store = HMACDecorator(b"secret", below)
    store.put("a", b"value")
    below.d["a"] = change(below.d["a"])
    (tmp_path / "kept").write_bytes(b"kept")
    with pytest.raises(VerificationException):
        store.get("a")
    with pytest.raises(VerificationException), store.open("a") as file:
        while file.read(1):
            pass
    with pytest.raises(VerificationException), store.open("a") as file:
        file.seek(2)
    with pytest.raises(VerificationException):
        store.get_file("a", str(tmp_path / "kept"))
    assert (tmp_path / "kept").read_bytes() == b"kept"


def test_a_value_under_another_key_is_noticed() -> None:
    below = DictStore()
    store = HMACDecorator(b"secret", below)
    store.put("a", b"value")
    below.d["b"] = below.d["a"]
    with pytest.raises(VerificationException):
        store.get("b")


def test_the_digest_is_the_one_that_others_write() -> None:
    below = DictStore()
    HMACDecorator(b"secret", below).put("key", b"value")
    import hmac

    assert below.d["key"] == b"value" + hmac.digest(b"keysecret", b"value", "sha256")


def test_a_signed_file_is_a_file() -> None:
    store = HMACDecorator(b"secret", DictStore())
    value = bytes(range(256)) * 8
    store.put_file("a", io.BytesIO(value))
    with io.BufferedReader(store.open("a"), 100) as file:  # type: ignore[type-var]
        assert file.read(5) == value[:5]
        assert file.seek(1000) == 1000
        assert file.read(3) == value[1000:1003]
        assert file.seek(-2, io.SEEK_END) == len(value) - 2
        assert file.read() == value[-2:]


def test_digests_as_keys(tmp_path: Path) -> None:
    store = HashDecorator(DictStore(), hashlib.sha256, "v-{}")
    key = f"v-{hashlib.sha256(b'value').hexdigest()}"
    assert store.put(None, b"value") == key
    assert store.put_file(None, io.BytesIO(b"value")) == key
    (tmp_path / "value").write_bytes(b"value")
    assert store.put_file(None, str(tmp_path / "value")) == key
    assert store.put("own", b"1") == "own"
    assert sorted(store) == ["own", key]
    with pytest.raises(OSError, match="bytes"):
        store.put(None, "text")  # type: ignore[arg-type]


def test_uuids_as_keys() -> None:
    store = UUIDDecorator(DictStore(), "pre-{}")
    key = store.put(None, b"1")
    assert UUID.fullmatch(key.removeprefix("pre-"))
    assert store.put_file(None, io.BytesIO(b"2")) not in ("pre-", key)
    assert store.put("own", b"3") == "pre-own"


def test_decorators_are_stores_and_hand_on_the_rest(tmp_path: Path) -> None:
    store = PrefixDecorator("p-", FilesystemStore(tmp_path))
    assert isinstance(store, KeyValueStore)
    assert store.root == str(tmp_path)
    with store as entered:
        assert entered is store
    with pytest.raises(AttributeError):
        store.nothing  # noqa: B018


def test_stores_can_be_pickled(tmp_path: Path) -> None:
    store = PrefixDecorator("p-", HDictStore({"p-a": b"1"}))
    assert pickle.loads(pickle.dumps(store)).get("a") == b"1"
    files = FilesystemStore(tmp_path)
    files.put("a", b"1")
    assert pickle.loads(pickle.dumps(files)).get("a") == b"1"
