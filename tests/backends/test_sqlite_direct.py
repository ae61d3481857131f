"""The SQLite store's short way for blocking callers."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage._async.backends.db.objects import CHUNK
from storage.db import SqliteStore
from storage.object import (
    CorruptStore,
    InvalidKey,
    NotModified,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
)
from tests.backends.sqlite import change, leftovers, query, value

SIZES = [0, 1, CHUNK, CHUNK + 1, 3 * CHUNK]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


@pytest.mark.parametrize("old", SIZES)
def test_any_size_replaces_any_other(path: Path, old: int) -> None:
    with SqliteStore(path, durable=False) as store:
        store.put("other", b"other")
        for new in SIZES:
            store.put("key", value(old))
            before = store.head("key")
            info = store.put("key", value(new))
            assert info.etag != before.etag
            assert store.get("key") == value(new)
            assert store.get_with_info("key") == (value(new), info)
            assert leftovers(path) == 0
            assert query(path, "SELECT count(*) FROM chunks") == [(1 + max(1, -(-new // CHUNK)),)]
        assert store.get("other") == b"other"


def test_errors_say_where_they_come_from(path: Path) -> None:
    with SqliteStore(path) as store:
        info = store.put("there", b"x")
        with pytest.raises(ObjectNotFound) as caught:
            store.get("missing")
        error = caught.value
        assert (error.operation, error.store, error.key) == ("get", f"Async{store!r}", "missing")
        with pytest.raises(ObjectExists):
            store.put("there", b"y", if_absent=True)
        with pytest.raises(PreconditionFailed):
            store.get("there", if_match="other")
        with pytest.raises(NotModified):
            store.get("there", if_none_match=info.etag)
        with pytest.raises(InvalidKey):
            store.get("")
        assert store.get("there") == b"x"
    with pytest.raises(StoreClosed):
        store.get("there")


@pytest.mark.parametrize("size", [10, 3 * CHUNK])
def test_a_missing_chunk(path: Path, size: int) -> None:
    with SqliteStore(path) as store:
        store.put("key", value(size))
        change(path, "DELETE FROM chunks WHERE seq = 0")
        with pytest.raises(CorruptStore, match="missing"):
            store.get("key")
        store.put("key", b"new")
        assert store.get("key") == b"new"
    assert leftovers(path) == 0


def test_a_transaction_of_its_own_that_fails(path: Path) -> None:
    """What is damaged fails typed, and what comes next is not within the old transaction."""
    with SqliteStore(path) as store:
        store.put("key", b"value")
        change(path, "ALTER TABLE chunks RENAME TO hidden")
        for verb in (lambda: store.get("key"), lambda: store.put("key", b"x")):
            with pytest.raises(CorruptStore, match="no such table"):
                verb()
        change(path, "ALTER TABLE hidden RENAME TO chunks")
        assert store.get("key") == b"value"
        store.put("key", b"x")
        assert store.get("key") == b"x"
