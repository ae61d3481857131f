"""Collections in one object: written when they are synced, whole, and never over another's."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from storage.documents import (
    UID,
    AsyncFileBackend,
    AsyncObjectBackend,
    AsyncStorage,
    CopyError,
    CopyOutcome,
    FileBackend,
    Storage,
    open_async_documents,
    open_documents,
)
from storage.fs import FilesystemStore
from storage.object import (
    AsyncDictStore,
    DictStore,
    FanoutError,
    IntegrityError,
    ObjectInfo,
    PreconditionFailed,
    StoreClosed,
    StoreUnavailable,
    WriteOptions,
)
from tests.documents.places import running, url_of
from tests.stores import BlockingStore, ForeignStore

ONE, TWO = UID("1" * 32), UID("2" * 32)

KILLED = """
import os, signal, sys
from storage.documents import UID, open_documents
url, when = sys.argv[1:]
documents = open_documents(url)
documents.open()
documents.put(UID("1" * 32), "key", b"new")
def hook(event, arguments):
    if event == "os.rename":
        os.kill(os.getpid(), signal.SIGKILL)
if when == "before":
    sys.addaudithook(hook)
documents.sync()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "left"), [("before", b"old"), ("after", b"new")])
def test_a_kill_leaves_the_old_or_the_new_collection(
    when: str, left: bytes, tmp_path: Path
) -> None:
    url = url_of("json", tmp_path)
    with open_documents(url) as documents:
        documents.put(ONE, "key", b"old")
    with running(KILLED, url, when) as process:
        assert process.wait(60) == -signal.SIGKILL
    with open_documents(url) as documents:
        assert documents.get(ONE, "key") == left


def unlocked(store: Any) -> AsyncStorage:
    return AsyncStorage(AsyncFileBackend(store, "notes.json", lock="none"))


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("store", [AsyncDictStore, ForeignStore])
async def test_what_another_has_written_is_not_written_over(
    store: type[Any], *, begun: bool
) -> None:
    place = store()
    if begun:
        await place.put("notes.json", b"{}")
    first, second = unlocked(place), unlocked(place)
    async with first, second:
        await first.put(ONE, "key", b"1")
        await second.put(TWO, "key", b"2")
        await second.sync()
        for _ in range(2):
            with pytest.raises(PreconditionFailed, match="somebody else has written it"):
                await first.sync()
        with pytest.raises(PreconditionFailed):
            await first.close()  # it stays open, with all that it has
        assert await first.count(ONE) == 1
        await first.sync({"overwrite": True})
        await second.close({"sync": False})
        async with second:
            assert await second.count(ONE) == 1
            assert await second.count(TWO) == 0


class Mute(AsyncDictStore):
    """Does what it is asked, and loses the connection before it can say so."""

    answers = True

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        info = await super()._put(key, data, options)
        if not self.answers and key == "notes.json":
            raise StoreUnavailable("the connection was lost")
        return info


class MuteForeign(ForeignStore):
    """The same without conditions."""

    answers = True

    async def put(self, key: str, data: bytes) -> None:
        await super().put(key, data)
        if not self.answers and key == "notes.json":
            raise StoreUnavailable("the connection was lost")


@pytest.mark.parametrize("kind", [Mute, MuteForeign])
async def test_a_lost_answer_is_not_a_lost_race(kind: type[Mute | MuteForeign]) -> None:
    place = kind()
    async with unlocked(place) as documents:
        for value in (b"first", b"second"):
            await documents.put(ONE, "key", value)
            place.answers = False
            with pytest.raises(StoreUnavailable):
                await documents.sync()
            place.answers = True
            await documents.put(ONE, "more", value)
            await documents.sync()
        place.objects.pop("notes.json")
        await documents.put(ONE, "key", b"third")
        with pytest.raises(PreconditionFailed):
            await documents.sync()
        await documents.close({"sync": False})


async def test_what_arrives_damaged_does_not_replace_anything() -> None:
    class Damaging(ForeignStore):
        async def put(self, key: str, data: bytes) -> None:
            await super().put(key, data.replace(b"new", b"odd"))

    store = Damaging()
    async with unlocked(store) as documents:
        await documents.put(ONE, "key", b"old")
        await documents.sync()
        before = dict(store.objects)
        await documents.put(ONE, "key", b"new")
        with pytest.raises(IntegrityError):
            await documents.sync()
        assert store.objects == before
        await documents.close({"sync": False})


def test_nothing_is_written_where_nothing_has_changed(tmp_path: Path) -> None:
    url, file = url_of("json", tmp_path), tmp_path / "notes.json"
    with open_documents(url) as documents:
        documents.put(ONE, "key", b"1")
    before = file.stat()
    with open_documents(url) as documents:
        documents.get(ONE, "key")
        documents.delete(ONE, "missing")
        documents.sync()
    assert os.path.samestat(file.stat(), before)
    assert file.stat().st_mtime_ns == before.st_mtime_ns


def test_a_failed_sync_at_the_end_of_a_block_lets_go(tmp_path: Path) -> None:
    url = url_of("json", tmp_path)
    with pytest.raises(PreconditionFailed), open_documents(url) as documents:
        documents.put(ONE, "key", b"1")
        (tmp_path / "notes.json").write_text("{}")  # by somebody who knows no locks
    with open_documents(url) as documents:
        assert documents.count(ONE) == 0


async def test_concurrent_syncs_and_changes() -> None:
    documents = unlocked(AsyncDictStore())
    async with documents:
        for number in range(5):
            await documents.put(ONE, str(number), b"")
            await asyncio.gather(*(documents.sync() for _ in range(3)))
        closing = asyncio.create_task(documents.close())
        taken = 0
        with pytest.raises(StoreClosed):
            while True:
                await documents.put(TWO, str(taken), b"")
                taken += 1
                await asyncio.sleep(0)
        await closing
        await documents.open()
        # What was taken is there, be it taken during the close.
        assert await documents.count(TWO) == taken > 0


async def test_unclosed_documents_are_warned_of() -> None:
    documents = open_async_documents("memory+json://?key=notes")
    await documents.open()
    with pytest.warns(ResourceWarning, match="unclosed AsyncFileBackend"):
        del documents


# -- copies -----------------------------------------------------------------------------------


class Down(BlockingStore):
    """Cannot be reached at times."""

    down = True

    def put(self, key: str, data: bytes) -> None:
        if self.down:
            raise StoreUnavailable("the disk is not plugged in")
        super().put(key, data)


def test_copies_of_a_file(tmp_path: Path) -> None:
    usb, down = FilesystemStore(tmp_path / "usb"), Down()
    settings = {"copies": {"usb": usb, "cloud": down}}
    with open_documents(url_of("json", tmp_path), settings) as documents:
        documents.put(ONE, "key", b"1")
        with pytest.raises(CopyError, match="1 of 2 copies failed") as caught:
            documents.sync()
        assert isinstance(caught.value, FanoutError)
        assert list(caught.value.errors) == ["cloud"]
        usb_outcome, cloud = caught.value.outcomes
        assert usb_outcome == CopyOutcome("usb", written=True)
        assert isinstance(cloud.error, StoreUnavailable)
        assert not cloud.written
        here = (tmp_path / "notes.json").read_bytes()
        assert usb.get("notes.json") == here
        down.down = False
        outcomes = documents.sync()
        assert outcomes == (CopyOutcome("usb", written=False), CopyOutcome("cloud", written=True))
        assert down.get("notes.json") == here
    assert sorted(usb.keys()) == ["notes.json"]


def test_a_close_whose_copies_fail_is_a_close() -> None:
    store = DictStore()
    documents = Storage(FileBackend(store, "notes", copies=[Down()]))
    documents.put(ONE, "key", b"1")
    with pytest.raises(CopyError):
        documents.close()
    with pytest.raises(StoreClosed):
        documents.get(ONE, "key")
    assert list(store.keys()) == ["notes"]
    assert json.loads(store.get("notes")) == {str(ONE): {"key": "1"}}


async def test_copies_of_objects() -> None:
    copy = AsyncDictStore({"docs/x/y/deep": b"", "other/key": b""})
    async with AsyncStorage(AsyncObjectBackend(AsyncDictStore(), "docs/", copies=[copy])) as it:
        await it.put(ONE, "a/b", b"1")
        await it.put(TWO, "key", b"2")
        assert await it.sync() == (CopyOutcome("0", written=True),)
        assert await it.sync() == (CopyOutcome("0", written=False),)
        await it.delete_document(TWO)
        await it.put(ONE, "a/b", b"3")
    kept = {"docs/x/y/deep": b"", "other/key": b""}
    assert copy.objects == {f"docs/{ONE}/a%2Fb": b"3", **kept}


def test_an_empty_store_does_not_empty_its_copies() -> None:
    copy = DictStore({f"{ONE}/key": b"1"})
    documents = Storage(DictStore(), {"copies": {"usb": copy}})
    with pytest.raises(CopyError):
        documents.sync()
    assert copy.get(f"{ONE}/key") == b"1"
    documents.close({"sync": False})
