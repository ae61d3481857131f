"""Interrupted calls, lost answers, full disks and files that are not what they should be."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from storage._async.documents import locks
from storage._async.documents.codecs import codec_named, load
from storage._async.documents.owners import Owner
from storage.documents import (
    UID,
    AsyncFileBackend,
    AsyncStorage,
    CopyError,
    FileBackend,
    FtpJsonBackend,
    GenericJsonBackend,
    LocalJsonBackend,
    Sqlite3Backend,
    Storage,
    open_async_documents,
    open_documents,
)
from storage.fs import FilesystemStore
from storage.object import (
    AsyncDictStore,
    ConfigError,
    CorruptStore,
    InvalidKey,
    NoSpace,
    ObjectInfo,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
    WriteOptions,
)
from tests.documents.places import NEEDED, url_of

ONE = UID("1")


# -- interrupted calls ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["json", "in-sqlite"])
async def test_a_cancelled_close_lets_go_when_it_is_tried_again(kind: str, tmp_path: Path) -> None:
    url = url_of(kind, tmp_path)
    for steps in range(6):
        documents = open_async_documents(url)
        await documents.put(ONE, "key", b"%d" % steps)
        task = asyncio.create_task(documents.close())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await documents.close()
        async with open_async_documents(url) as other:
            assert await other.get(ONE, "key") == b"%d" % steps


@pytest.mark.parametrize("again", ["open", "close"])
def test_an_interrupted_close_keeps_nobody_out(
    again: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    documents = open_documents(url_of("json", tmp_path))
    documents.put(ONE, "key", b"1")
    with monkeypatch.context() as patch:
        patch.setattr(locks, "_unlock", interrupt)
        with pytest.raises(KeyboardInterrupt):
            documents.close()
    getattr(documents, again)()
    documents.close()
    with open_documents(url_of("json", tmp_path)) as other:
        assert other.get(ONE, "key") == b"1"


class Unlucky(AsyncDictStore):
    """Loses the answer to the next write, or does that write only before the next one."""

    lose = hold = False
    held: Any = None

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        if self.hold:
            self.hold, self.held = False, (key, data, options)
            raise StoreUnavailable("no answer")
        if self.held:
            held, self.held = self.held, None
            await super()._put(*held)
        info = await super()._put(key, data, options)
        if self.lose:
            self.lose = False
            raise StoreUnavailable("the answer was lost")
        return info


async def test_a_lost_answer_is_no_lost_lease() -> None:
    store = Unlucky()
    async with AsyncStorage(AsyncFileBackend(store, "notes")) as documents:
        await documents.put(ONE, "key", b"1")
        store.lose = True
        with pytest.raises(StoreUnavailable):
            await documents.sync()
        assert "notes" not in store.objects
        await documents.sync()
        assert "notes" in store.objects
    assert list(store.objects) == ["notes"]


async def test_a_write_that_arrives_late_is_our_own() -> None:
    store = Unlucky()
    async with AsyncStorage(AsyncFileBackend(store, "notes", lock="none")) as documents:
        for value, error in ((b"1", StoreUnavailable), (b"2", PreconditionFailed)):
            store.hold = value == b"1"
            await documents.put(ONE, "key", value)
            with pytest.raises(error):
                await documents.sync()
        await documents.sync()
    assert b'"2"' in await store.get("notes")


async def test_an_open_that_fails_says_why_and_not_why_the_lock_was_not_released() -> None:
    class Down(AsyncDictStore):
        async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
            raise asyncio.CancelledError

        async def _get(self, key: str, options: Any) -> Any:
            raise StoreUnavailable("down")

    with pytest.raises(asyncio.CancelledError):
        await AsyncStorage(AsyncFileBackend(Down(), "notes")).open()


# -- full disks -------------------------------------------------------------------------------


@contextmanager
def full_disk() -> Iterator[None]:
    """No file grows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_does_not_keep_documents_closed_and_loses_nothing(tmp_path: Path) -> None:
    url = url_of("json", tmp_path)
    with open_documents(url) as documents:
        documents.put(ONE, "key", b"1")
    with full_disk():
        documents.open()
        found = documents.get(ONE, "key")
        documents.put(ONE, "key", b"2")
        with pytest.raises(StoreError):
            documents.close()
    assert found == b"1"
    documents.close()
    with documents:
        assert documents.get(ONE, "key") == b"2"


# -- what should be something else ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("json", '{"a": {"k": "1"}, "a": {"j": "2"}}'),
        ("json", '{"a": {"k": "1", "k": "2"}}'),
        ("json", '{"a": {"\\ud800": "1"}}'),
        ("json", '{"\\ud800": {"k": "1"}}'),
        ("json", "[" * 100_000),
        ("ini", "[a]\na%62 = 1\nab = 2\n"),
        ("yaml", "a: {k: v}\na: {j: w}\n"),
        ("yaml", "a: &a {k: v}\nb: *a\n"),
    ],
)
def test_what_could_not_be_kept_is_refused(name: str, data: str) -> None:
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    with pytest.raises(CorruptStore):
        load(codec_named(name), data.encode())


@pytest.mark.parametrize("data", [b"[" * 100_000, b"%d" % 10**30, b"null"])
def test_what_is_no_owner(data: bytes) -> None:
    assert Owner.parse(data) is None
    here = Owner.here().dump().replace(b'"pid": ', b'"pid": 9999999999999999999999')
    assert Owner.parse(here) is None


def test_a_key_that_is_none_leaves_no_lock_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.lock").write_text("mine")
    with pytest.raises(InvalidKey):
        Storage(FileBackend(FilesystemStore(tmp_path / "root"), "../elsewhere")).open()
    assert (tmp_path / "elsewhere.lock").read_text() == "mine"


@pytest.mark.parametrize("data", ["nothing of the kind" * 100, None])
def test_databases_that_cannot_be_taken_over(data: str | None, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    if data is not None:
        file.write_text(data)
    else:
        with closing(sqlite3.connect(file)) as old, old:
            old.execute("CREATE TABLE hiddil (uid, dkey, data BLOB)")
            old.execute("INSERT INTO hiddil VALUES ('1', 'key', 5)")
    before = file.read_bytes()
    with pytest.raises(CorruptStore):
        Storage(Sqlite3Backend, {"path": file}).open()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    "settings",
    [{"path": "x"}, {"path": "x", "url": "u:secret@host:port"}, {"path": "x", "url": "host:port"}],
)
def test_settings_of_ftp_that_make_no_sense(settings: dict[str, Any]) -> None:
    pytest.importorskip("aioftp")
    with pytest.raises(ConfigError) as caught:
        Storage(FtpJsonBackend, settings)
    assert "secret" not in str(caught.value)


def test_more_that_makes_no_sense() -> None:
    with pytest.raises(ConfigError, match="fragment"):
        open_documents("json:///tmp/notes#1.json")
    with pytest.raises(ConfigError, match="path"):
        Storage(LocalJsonBackend, {"path": 5})


async def test_a_copy_of_somebody_elses_may_raise_anything() -> None:
    class Odd(AsyncDictStore):
        async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
            raise ZeroDivisionError

    good = AsyncDictStore()
    copies = {"odd": Odd(), "good": good}
    documents = AsyncStorage(AsyncFileBackend(AsyncDictStore(), "notes", copies=copies))
    await documents.put(ONE, "key", b"1")
    with pytest.raises(CopyError) as caught:
        await documents.close()
    assert isinstance(caught.value.errors["odd"], ZeroDivisionError)
    assert list(good.objects) == ["notes"]


def test_a_backend_of_ones_own_closes_twice_and_stays_open_where_it_cannot_write() -> None:
    class Text(GenericJsonBackend):
        text = ""
        full = True

        def _read(self) -> str:
            return self.text

        def _overwrite(self, contents: str) -> None:
            if self.full:
                raise NoSpace("full")
            self.text = contents

    backend = Text({})
    backend.open()
    backend.put(ONE, "key", b"1")
    with pytest.raises(NoSpace):
        backend.close()
    backend.full = False
    backend.put(ONE, "key", b"2")
    backend.close()
    backend.close()
    assert '"2"' in backend.text
