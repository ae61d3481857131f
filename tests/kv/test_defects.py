"""What used to go wrong with such stores, and does not here."""

from __future__ import annotations

import io
import os
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from storage.kv import (
    CacheDecorator,
    DictStore,
    FilesystemStore,
    HDictStore,
    HFilesystemStore,
    HMACDecorator,
    KeyValueStore,
    PrefixDecorator,
    URLEncodeKeysDecorator,
    get_store_from_url,
)
from storage.object import InvalidKey


class Dribble(io.BytesIO):
    """Gives at most ten bytes at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(10)


@pytest.mark.parametrize("key", ["../outside", "/etc/hostname", "a/../../outside", ".."])
def test_no_key_leads_out_of_the_directory(tmp_path: Path, key: str) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    store = HFilesystemStore(tmp_path / "root")
    store.put("a/b", b"1")
    for ask in (store.get, store.delete, lambda key: store.put(key, b"2"), store.open):
        with pytest.raises(InvalidKey):
            ask(key)
    with pytest.raises(InvalidKey):
        assert key not in FilesystemStore(tmp_path / "root")
    assert (tmp_path / "outside").read_bytes() == b"secret"


def test_a_move_passes_through_each_decorator() -> None:
    below = DictStore({"a": b"foreign"})
    prefixed = PrefixDecorator("p-", below)
    prefixed.put("a", b"1")
    prefixed.move("a", "b")
    assert below.d == {"a": b"foreign", "p-b": b"1"}
    cached = CacheDecorator(DictStore(), DictStore({"a": b"1", "b": b"2"}))
    assert (cached.get("a"), cached.get("b")) == (b"1", b"2")
    cached.move("a", "b")
    assert (cached.get("b"), "a" in cached) == (b"1", False)
    with pytest.raises(KeyError):
        cached.get("a")
    quoted = URLEncodeKeysDecorator(DictStore())
    quoted.put("ä", b"1")
    quoted.move("ä", "ö")
    assert quoted.keys() == ["ö"]


def test_a_cached_copy_and_no_open_file(tmp_path: Path) -> None:
    cached = CacheDecorator(DictStore(), FilesystemStore(tmp_path))
    cached.put("a", b"1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with cached.open("a") as file:
            assert file.read() == b"1"
    assert cached.copy("a", "b") == "b"
    assert cached.get("b") == b"1"


def test_a_signed_file_is_left_alone(tmp_path: Path) -> None:
    store = HMACDecorator(b"secret", FilesystemStore(tmp_path / "store"))
    store.put_file("a", io.BytesIO(b"value"))
    (tmp_path / "own").write_bytes(b"value")
    store.put_file("b", str(tmp_path / "own"))
    assert (tmp_path / "own").read_bytes() == b"value"
    for key in "ab":
        with store.open(key) as file:
            assert file.read(-1) == b"value"


@pytest.mark.parametrize("make", [DictStore, None])
def test_short_reads_lose_nothing(tmp_path: Path, make: Any) -> None:
    store: KeyValueStore = make() if make else FilesystemStore(tmp_path)
    store.put_file("a", Dribble(b"x" * 30))
    assert store.get("a") == b"x" * 30
    target = io.BytesIO()
    store.get_file("a", target)
    assert target.getvalue() == b"x" * 30


def test_no_reader_sees_half_a_value(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path, durable=False)
    values = [bytes([n]) * 1_000_000 for n in range(4)]
    store.put("a", values[0])
    seen: list[bytes] = []

    def read() -> None:
        for _ in range(40):
            seen.append(store.get("a"))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(20):
        store.put("a", values[n % 4])
    reader.join()
    assert set(seen) <= set(values)


def test_puts_and_deletes_in_one_directory(tmp_path: Path) -> None:
    store = HFilesystemStore(tmp_path, durable=False)
    failed: list[Exception] = []

    def work(name: str) -> None:
        try:
            for _ in range(100):
                store.put(f"d/{name}", b"1")
                store.delete(f"d/{name}")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_a_missing_value_empties_no_file(tmp_path: Path) -> None:
    (tmp_path / "own").write_bytes(b"kept")
    with pytest.raises(KeyError):
        DictStore().get_file("a", str(tmp_path / "own"))
    assert (tmp_path / "own").read_bytes() == b"kept"


def test_empty_values_and_exact_prefixes_in_a_database(tmp_path: Path) -> None:
    with get_store_from_url(f"sqlite://{tmp_path}/objects.sqlite") as store:
        for key in ("a_b", "axb", "A_b"):
            store.put(key, b"")
        assert store.get("a_b") == b""
        assert store.keys("a_") == ["a_b"]


def test_the_end_of_a_value_is_no_error() -> None:
    with DictStore({"a": b""}).open("a") as file:
        assert file.read(5) == b""
        assert file.seek(10) == 10
        assert file.read() == b""
        with pytest.raises((OSError, ValueError)):
            file.seek(-1)


def test_a_prefix_within_keys_stays() -> None:
    below = HDictStore()
    store = PrefixDecorator("kv/", below)
    store.put("a/kv/b", b"1")
    assert store.keys() == ["a/kv/b"]


def test_a_type_is_its_whole_name_and_nobody_is_warned() -> None:
    with pytest.raises(ValueError, match="'m'"):
        get_store_from_url("m://")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        get_store_from_url("memory://")


def test_an_empty_dict_is_kept() -> None:
    own: dict[str, bytes] = {}
    DictStore(own).put("a", b"1")
    assert own == {"a": b"1"}


def test_permissions_never_pass_through_the_process(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        store = FilesystemStore(tmp_path / "store")
        store.put("a", b"1")
        store.get_file("a", tmp_path / "out")
        assert (tmp_path / "store" / "a").stat().st_mode & 0o777 == 0o640
        assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640
    finally:
        assert os.umask(before) == 0o027
