"""What documents promise, whatever keeps them, to async callers and to blocking ones."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.documents import (
    UID,
    AsyncStorage,
    DocumentNotFoundException,
    InvalidDataException,
    InvalidKeyException,
    InvalidUIDException,
    Storage,
    StorageLockedException,
    open_async_documents,
    open_documents,
)
from storage.object import (
    AsyncDictStore,
    ConfigError,
    DictStore,
    InvalidKey,
    ObjectNotFound,
    StoreClosed,
    StoreUnavailable,
)
from tests.documents.places import LAZY, URLS, each, url_of

VALUES = {
    "text": b"words",
    "binary": bytes(range(256)),
    "empty": b"",
    "a/b": "schön 🌲\r\n".encode(),
    "..": b"b'literal'",
    ".storage-tmp-x": b"base64:no",
    "100%": b" padded ",
    "\n\x00=;#[x]": b"\x85\xa0",
    "é" * 32: b"long",
}
ONE = UID("0" * 32)


@pytest.fixture(params=each(*URLS))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Documents of each kind."""
    return url_of(request.param, tmp_path)


def test_values_come_back_as_they_were(url: str) -> None:
    with open_documents(url) as documents:
        for key, value in VALUES.items():
            documents.put(ONE, key, value)
        assert documents.get_document(ONE) == VALUES
    with open_documents(url) as documents:
        assert documents.get_document(ONE) == VALUES
        assert documents.count(ONE) == len(VALUES)
        assert [documents.get(ONE, key) for key in VALUES] == list(VALUES.values())
        assert documents.get(ONE, "no such key") is None


async def test_async_callers_have_the_same(url: str) -> None:
    async with open_async_documents(url) as documents:
        await asyncio.gather(*(documents.put(ONE, key, VALUES[key]) for key in VALUES))
        assert await documents.get_document(ONE) == VALUES
        await documents.delete(ONE, "text")
        await documents.sync()
    documents = open_async_documents(url)
    assert await documents.count(ONE) == len(VALUES) - 1  # opened by its first use
    await documents.delete_document(ONE)
    await documents.close()
    async with documents:
        assert await documents.count(ONE) == 0


def test_a_document_begins_with_its_first_value_and_ends_with_its_last(url: str) -> None:
    other = UID.new()
    with open_documents(url) as documents:
        with pytest.raises(DocumentNotFoundException) as caught:
            documents.get(ONE, "key")
        assert caught.value.key == str(ONE)
        with pytest.raises(DocumentNotFoundException):
            documents.get_document(ONE)
        with pytest.raises(DocumentNotFoundException):
            documents.delete_document(ONE)
        assert documents.count(ONE) == 0
        documents.delete(ONE, "key")
        documents.put(ONE, "key", b"1")
        documents.put(other, "key", b"2")
        documents.put(ONE, "key", b"3")
        documents.delete(ONE, "other")
        assert documents.get_document(ONE) == {"key": b"3"}
        documents.delete(ONE, "key")
        with pytest.raises(DocumentNotFoundException):
            documents.get_document(ONE)
        documents.delete_document(other)
        assert documents.count(other) == 0


def test_what_is_given_out_is_a_copy(url: str) -> None:
    with open_documents(url) as documents:
        documents.put(ONE, "key", b"1")
        documents.get_document(ONE).clear()
        assert documents.count(ONE) == 1


@pytest.mark.parametrize("kind", each(*LAZY))
def test_nothing_is_durable_before_a_sync(kind: str, tmp_path: Path) -> None:
    url = url_of(kind, tmp_path)
    with open_documents(url) as documents:
        documents.put(ONE, "kept", b"1")
        documents.sync()
        documents.put(ONE, "dropped", b"2")
        documents.close({"sync": False})
        with pytest.raises(StoreClosed):
            documents.get(ONE, "kept")
        documents.open()
        assert documents.get_document(ONE) == {"kept": b"1"}


def test_a_block_that_raises_is_not_synced(tmp_path: Path) -> None:
    documents = open_documents(url_of("json", tmp_path))
    with pytest.raises(LookupError), documents:
        documents.put(ONE, "key", b"1")
        raise LookupError
    with documents:
        assert documents.count(ONE) == 0
    assert list(tmp_path.iterdir()) == []  # no lock is left, and an empty collection is no file


@pytest.mark.parametrize("key", ["", "x" * 33, None, 7, b"key", "\ud800"])
def test_invalid_keys(key: Any) -> None:
    documents = Storage(DictStore())
    with pytest.raises(InvalidKeyException) as caught:
        documents.put(ONE, key, b"")
    assert isinstance(caught.value, InvalidKey)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(InvalidKeyException):
        documents.get(ONE, key)
    with pytest.raises(InvalidKeyException):
        documents.delete(ONE, key)


@pytest.mark.parametrize("data", ["text", None, 7, bytes(65537), [1]])
def test_invalid_data(data: Any) -> None:
    documents = Storage(DictStore())
    with pytest.raises(InvalidDataException) as caught:
        documents.put(ONE, "key", data)
    assert isinstance(caught.value, ValueError)
    documents.put(ONE, "key", bytes(65536))
    documents.put(ONE, "key", memoryview(b"view"))
    assert documents.get(ONE, "key") == b"view"


@pytest.mark.parametrize("uid", ["a/b", "", "x" * 33, "..", "a b", 7])
def test_invalid_uids(uid: Any) -> None:
    with pytest.raises(InvalidUIDException):
        UID(uid)
    with pytest.raises(InvalidUIDException):
        Storage(DictStore()).get(uid, "key")


def test_uids() -> None:
    uid = Storage.generate_uid()
    assert len(str(uid)) == 32
    assert int(str(uid), 16)
    assert uid == UID(str(uid)) == pickle.loads(pickle.dumps(uid))
    assert len({uid, UID(str(uid)), UID.new()}) == 2
    assert repr(uid) == f"UID({uid})"


def test_limits_are_settings() -> None:
    documents = Storage(DictStore(), {"max_key_length": 100, "max_data_length": 2})
    documents.put(ONE, "x" * 100, b"12")
    with pytest.raises(InvalidDataException, match="at most 2 bytes, and this one 3"):
        documents.put(ONE, "x", b"123")
    with pytest.raises(InvalidKeyException):
        documents.put(ONE, "x" * 101, b"")


def test_errors_are_those_of_stores_too() -> None:
    assert issubclass(DocumentNotFoundException, ObjectNotFound | KeyError)
    assert issubclass(StorageLockedException, StoreUnavailable)
    assert issubclass(InvalidUIDException, InvalidKey)


def test_somebody_elses_objects_are_no_documents() -> None:
    store = DictStore({f"{ONE}/a": b"1", f"{ONE}/a/b": b"2", f"{ONE}/%61": b"3", "other": b"4"})
    documents = Storage(store)
    assert documents.get_document(ONE) == {"a": b"1"}
    documents.delete_document(ONE)
    assert sorted(store.keys()) == [f"{ONE}/%61", f"{ONE}/a/b", "other"]


async def test_a_store_remains_its_owners() -> None:
    store = AsyncDictStore()
    async with AsyncStorage(store, {"prefix": "docs/"}) as documents:
        await documents.put(ONE, "key", b"1")
    assert await store.get(f"docs/{ONE}/key") == b"1"


def closed_with(options: dict[str, Any]) -> None:
    with open_documents("memory+json://?key=x") as documents:
        documents.close(options)


@pytest.mark.parametrize(
    "make",
    [
        lambda: open_documents("json:///tmp/x", {"path": "x"}),
        lambda: open_documents("json:///tmp/x?bogus=1"),
        lambda: open_documents("memory+json://"),
        lambda: open_documents("memory+toml://?key=x"),
        lambda: open_documents("memory://", {"lock": "none"}),
        lambda: open_documents("json:///tmp/x", {"lock": "perhaps"}),
        lambda: open_documents("json:///tmp/x", {"lease": 0}),
        lambda: open_documents("memory://", {"max_key_length": 0}),
        lambda: Storage(DictStore(), {"bogus": 1}),
        lambda: Storage("json:///tmp/x"),
        lambda: Storage(DictStore()).sync({"bogus": True}),
        lambda: closed_with({"synch": True}),
    ],
)
def test_what_makes_no_sense(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError):
        make()
