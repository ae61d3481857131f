"""Programs as users of pyStorageBackend write them, and the files that it leaves.

Only their imports are changed.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storage.documents import (
    UID,
    AsyncDocumentBackend,
    AsyncObjectBackend,
    AsyncSqlite3Backend,
    AsyncStorage,
    DocumentNotFoundException,
    GenericJsonBackend,
    InvalidDataException,
    InvalidKeyException,
    InvalidUIDException,
    LocalJsonBackend,
    Sqlite3Backend,
    Storage,
    StorageLockedException,
)
from storage.object import ConfigError, DictStore, NotSupported
from tests.documents.places import each


def program(storage: Storage) -> str:
    """All that its interface has."""
    storage.open()
    uid = storage.generate_uid()
    storage.put(uid=uid, key="first", data=b"first_entry")
    storage.put(uid=uid, key="second", data=b"second_entry")
    assert storage.get(uid=uid, key="first") == b"first_entry"
    assert storage.count(uid=uid) == 2
    storage.delete(uid=uid, key="first")
    storage.delete(uid=uid, key="first")
    assert storage.get(uid=uid, key="first") is None
    assert storage.get_document(uid=uid) == {"second": b"second_entry"}
    storage.sync()
    storage.sync(options={})
    other = UID.new()
    storage.put(other, "key", b"x")
    storage.delete_document(uid=other)
    for wrong, error in (
        (lambda: storage.put(uid, "k" * 33, b"x"), InvalidKeyException),
        (lambda: storage.put(uid, "key", b"x" * 65537), InvalidDataException),
        (lambda: storage.put(str(uid), "key", b"x"), InvalidUIDException),  # type: ignore[arg-type]
        (lambda: storage.get_document(other), DocumentNotFoundException),
    ):
        with pytest.raises(error):
            wrong()
    storage.close()
    storage.open()
    assert storage.get(uid, "second") == b"second_entry"
    storage.close(options=None)
    return str(uid)


@pytest.mark.parametrize("backend", [LocalJsonBackend, Sqlite3Backend])
def test_a_program(backend: type[Any], tmp_path: Path) -> None:
    program(Storage(backend=backend, settings={"path": str(tmp_path / "storage")}))


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    uid = program(Storage(LocalJsonBackend, {"path": "storage.json"}))
    assert json.loads((tmp_path / "storage.json").read_text()) == {uid: {"second": "second_entry"}}


def test_a_backend_by_itself(tmp_path: Path) -> None:
    backend = Sqlite3Backend({"path": str(tmp_path / "test.db")})
    u1 = UID("01aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    backend.create()
    backend.put(u1, "first", b"first_entry")
    backend.put(u1, "second", b"second_entry")
    assert backend.count(u1) == 2
    backend.delete(u1, "first")
    assert backend.get(u1, "first") is None
    assert backend.get_document(u1) == {"second": b"second_entry"}
    backend.delete_document(u1)
    backend.close({})


def test_its_json_files_are_read(tmp_path: Path) -> None:
    file, uid = tmp_path / "old.json", UID.new()
    file.write_text(json.dumps({str(uid): {"key": str(b"\x00'\"\xff"), "text": "words"}}))
    with Storage(LocalJsonBackend, {"path": file}) as storage:
        assert storage.get_document(uid) == {"key": b"\x00'\"\xff", "text": b"words"}
        storage.put(uid, "new", b"")
    with Storage(LocalJsonBackend, {"path": file}) as storage:
        assert storage.count(uid) == 3


async def test_its_databases_are_taken_over(tmp_path: Path) -> None:
    file, uid = tmp_path / "old.db", UID.new()
    with closing(sqlite3.connect(file)) as old, old:
        old.execute(
            "CREATE TABLE hiddil (uid VARCHAR(32), dkey VARCHAR(32), data BLOB, "
            "PRIMARY KEY (uid, dkey))"
        )
        rows = [(str(uid), "a/b", b"\xff"), (str(uid), "text", "words")]
        old.executemany("REPLACE INTO hiddil VALUES (?, ?, ?)", rows)
    async with AsyncStorage(AsyncSqlite3Backend, {"path": file}) as storage:
        assert await storage.get_document(uid) == {"a/b": b"\xff", "text": b"words"}
        await storage.delete(uid, "text")
    async with AsyncStorage(AsyncSqlite3Backend, {"path": file}) as storage:
        assert await storage.get_document(uid) == {"a/b": b"\xff"}


# -- backends of one's own --------------------------------------------------------------------


class FileBackend(GenericJsonBackend):
    """As its own local backend is written."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings)
        self._lock = Path(settings["path"] + ".lock")

    def _read(self) -> str:
        path = Path(self.settings["path"])
        return path.read_text() if path.exists() else ""

    def _overwrite(self, contents: str) -> None:
        Path(self.settings["path"]).write_text(contents)

    def _set_lock(self) -> bool:
        try:
            self._lock.touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _release_lock(self) -> None:
        self._lock.unlink(missing_ok=True)


@pytest.mark.parametrize("codec", each("json", "yaml", "ini"))
def test_a_backend_that_is_read_and_written(codec: str, tmp_path: Path) -> None:
    kind = type("OwnBackend", (FileBackend,), {"codec": codec})
    path = str(tmp_path / "storage")
    uid = program(Storage(kind, {"path": path}))
    assert uid in Path(path).read_text()
    with Storage(kind, {"path": path}), pytest.raises(StorageLockedException):
        Storage(kind, {"path": path}).open()


class DictBackend:
    """Somebody's backend, which knows nothing of this package."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.documents: dict[str, dict[str, bytes]] = settings["documents"]

    def open(self) -> None:
        pass

    def close(self, options: Mapping[str, Any] | None = None) -> None:
        pass

    def sync(self) -> None:
        pass

    def get(self, uid: UID, key: str) -> bytes | None:
        return self.documents.get(str(uid), {}).get(key)

    def get_document(self, uid: UID) -> dict[str, bytes]:
        if str(uid) not in self.documents:
            raise DocumentNotFoundException
        return self.documents[str(uid)]

    def put(self, uid: UID, key: str, data: bytes) -> None:
        self.documents.setdefault(str(uid), {})[key] = data

    def delete(self, uid: UID, key: str) -> None:
        self.documents.get(str(uid), {}).pop(key, None)

    def delete_document(self, uid: UID) -> None:
        del self.documents[str(uid)]

    def count(self, uid: UID) -> int:
        return len(self.documents.get(str(uid), {}))


def test_somebodys_backend() -> None:
    documents: dict[str, dict[str, bytes]] = {}
    uid = program(Storage(DictBackend, {"documents": documents}))
    assert documents == {uid: {"second": b"second_entry"}}


def test_what_a_backend_lacks_is_not_supported() -> None:
    class Reading:
        def open(self) -> None:
            pass

        def get(self, uid: UID, key: str) -> bytes:
            return key.encode()

    storage = Storage(Reading())
    assert storage.get(UID.new(), "key") == b"key"
    with pytest.raises(NotSupported, match="Reading has no method 'put'"):
        storage.put(UID.new(), "key", b"")
    with pytest.raises(NotSupported):
        storage.sync()


async def test_a_blocking_backend_runs_in_threads() -> None:
    threads: set[int] = set()

    class Telling(DictBackend):
        def put(self, uid: UID, key: str, data: bytes) -> None:
            threads.add(threading.get_ident())
            super().put(uid, key, data)

    uid = UID.new()
    async with AsyncStorage(Telling({"documents": {}})) as storage:
        await storage.put(uid, "key", b"1")
        assert await storage.get(uid, "key") == b"1"
    assert threads.isdisjoint({threading.get_ident()})


class AsyncBackend(AsyncObjectBackend):
    """One's own, of ours, which needs a loop."""

    def __init__(self, settings: dict[str, Any]) -> None:
        super().__init__(settings["store"])

    @property
    def inline(self) -> bool:
        return False

    async def put(self, uid: UID, key: str, data: bytes) -> None:
        await asyncio.sleep(0)
        await super().put(uid, key, data)


def test_an_async_backend_has_blocking_callers_too() -> None:
    store = DictStore()
    uid = program(Storage(AsyncBackend, {"store": store}))
    assert list(store.keys()) == [f"{uid}/second"]


def test_a_subclass_of_a_backend_is_heard(tmp_path: Path) -> None:
    class Shouting(LocalJsonBackend):
        def put(self, uid: UID, key: str, data: bytes) -> None:
            super().put(uid, key, data.upper())

    uid = UID.new()
    with Storage(Shouting, {"path": tmp_path / "storage"}) as storage:
        storage.put(uid, "key", b"words")
        assert storage.get(uid, "key") == b"WORDS"


@pytest.mark.parametrize("backend", [LocalJsonBackend, Sqlite3Backend])
@pytest.mark.parametrize("settings", [{}, {"path": "x", "paht": 1}])
def test_settings_that_make_no_sense(backend: type[Any], settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Storage(backend, settings)


def test_the_interface_is_abstract() -> None:
    with pytest.raises(TypeError, match="abstract"):
        AsyncDocumentBackend()  # type: ignore[abstract]
