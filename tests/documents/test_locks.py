"""Of several processes one at a time has a collection open, and none keeps it by dying."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from storage._async.documents.leases import Announcement, Lease, lease_on
from storage._async.documents.owners import Owner
from storage.aiofs import AsyncFilesystemStore
from storage.documents import (
    UID,
    AsyncFileBackend,
    AsyncStorage,
    StorageLockedException,
    open_async_documents,
    open_documents,
)
from storage.object import AsyncDictStore, ObjectInfo, ReadOptions, StoreError, WriteOptions
from tests.documents.places import holding, running, url_of
from tests.stores import ForeignStore

ONE = UID("0" * 32)


@pytest.mark.parametrize("kind", ["json", "in-sqlite"])
def test_two_processes_and_a_killed_one(kind: str, tmp_path: Path) -> None:
    url = url_of(kind, tmp_path)
    with holding(url) as other:
        documents = open_documents(url)
        with pytest.raises(StorageLockedException, match=f"held by process {other.pid} on") as it:
            documents.open()
        assert it.value.holder.startswith(f"process {other.pid} on ")
        assert (it.value.retry_after is None) == (kind == "json")
        other.kill()
        other.wait()
        with documents:
            assert documents.count(UID("theirs")) == 0
            documents.put(ONE, "key", b"1")
    with open_documents(url) as documents:
        assert documents.get(ONE, "key") == b"1"


def test_waiting_for_the_other(tmp_path: Path) -> None:
    url = url_of("json", tmp_path)
    with holding(url) as other:
        assert other.stdin is not None
        threading.Timer(0.05, other.stdin.close).start()
        with open_documents(url, {"lock_wait": 30}) as documents:
            assert documents.get(UID("theirs"), "key") == b"never synced"  # it was, at its end


async def test_waiting_does_not_hold_the_loop(tmp_path: Path) -> None:
    url = url_of("json", tmp_path)
    first = open_async_documents(url)
    await first.open()
    with pytest.raises(StorageLockedException, match=f"process {os.getpid()} on"):
        await open_async_documents(url, {"lock_wait": 0.02}).open()
    waiting = [open_async_documents(url, {"lock_wait": 30}) for _ in range(3)]
    tasks = [asyncio.create_task(_add(each, str(n))) for n, each in enumerate(waiting)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in tasks)
    tasks.pop().cancel()
    await first.close()
    await asyncio.gather(*tasks)
    async with first:
        assert sorted(await first.get_document(ONE)) == ["0", "1"]


async def _add(documents: AsyncStorage, key: str) -> None:
    async with documents:
        await documents.put(ONE, key, b"")


FORKING = """
import os, sys, warnings
from storage.documents import UID, StorageLockedException, open_documents
documents = open_documents(sys.argv[1])
documents.open()
warnings.simplefilter("ignore", DeprecationWarning)
child = os.fork()
if child == 0:
    documents.put(UID("0" * 32), "key", b"the child's")
    try:
        documents.sync()
    except StorageLockedException:
        documents.close({"sync": False})
        os._exit(0)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
try:
    open_documents(sys.argv[1]).open()
except StorageLockedException as error:
    print(error.holder == f"process {os.getpid()} on {os.uname().nodename}")
documents.close()
with documents:
    pass
"""


@pytest.mark.parametrize("kind", ["json", "in-sqlite"])
def test_a_forked_child_has_no_part_in_the_lock(kind: str, tmp_path: Path) -> None:
    with running(FORKING, url_of(kind, tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "True\n"
        assert process.wait(60) == 0


def test_the_file_of_the_lock_is_removed_and_stale_ones_mean_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "notes.json.lock"
    lock.write_text("4d8a2fb65ad94a2d9b3b1c2c1f2e3d4c")  # pyStorageBackend's
    with open_documents(url_of("json", tmp_path)) as documents:
        assert Owner.parse(lock.read_bytes()) is not None
        documents.put(ONE, "key", b"")
    assert not lock.exists()


def test_a_lock_on_a_file_that_was_removed_meanwhile_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, flock = tmp_path / "notes.json.lock", fcntl.flock
    removed: list[int] = []

    def remove_first(fd: int, how: int) -> None:
        if not removed:
            path.unlink()  # as who held it until now does
            removed.append(fd)
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", remove_first)
    with (
        open_documents(url_of("json", tmp_path)),
        pytest.raises(StorageLockedException),
    ):
        open_documents(url_of("json", tmp_path)).open()
    assert removed
    assert not path.exists()


def test_a_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "notes.json.lock").symlink_to(victim)
    with pytest.raises(StoreError):
        open_documents(url_of("json", tmp_path)).open()
    assert victim.read_text() == "precious"


def test_many_threads_lose_nothing(tmp_path: Path) -> None:
    url = url_of("json", tmp_path)

    def add(number: int) -> None:
        with open_documents(url, {"lock_wait": 30}) as documents:
            documents.put(ONE, str(number), b"")

    threads = [threading.Thread(target=add, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_documents(url) as documents:
        assert documents.count(ONE) == 6


# -- leases -----------------------------------------------------------------------------------


def stores() -> dict[str, Any]:
    return {"conditions": AsyncDictStore(), "announcements": ForeignStore()}


@pytest.fixture(params=list(stores()))
def store(request: pytest.FixtureRequest) -> Any:
    """A store that knows conditions, and one that knows nothing."""
    return stores()[request.param]


def of(store: Any, **options: Any) -> AsyncStorage:
    return AsyncStorage(AsyncFileBackend(store, "notes.json", **options))


async def keys(store: Any) -> list[str]:
    return sorted([key async for key in store.keys()])


async def test_a_lease_is_held_until_it_is_released(store: Any) -> None:
    async with of(store) as first:
        await first.put(ONE, "key", b"1")
        with pytest.raises(StorageLockedException) as caught:
            await of(store).open()
        assert caught.value.retry_after is not None
        assert 200 < caught.value.retry_after <= 300
        assert caught.value.holder.startswith(f"process {os.getpid()} on ")
        await first.sync()
        await first.sync()
    assert await keys(store) == ["notes.json"]
    async with of(store) as second:
        assert await second.get(ONE, "key") == b"1"


async def test_a_lease_that_was_not_renewed_is_lost(store: Any) -> None:
    late = of(store, lease=0.01)
    await late.open()
    await late.put(ONE, "late", b"1")
    await asyncio.sleep(0.02)
    async with of(store) as quick:
        await quick.put(ONE, "quick", b"2")
        with pytest.raises(StorageLockedException, match="the lock was lost"):
            await late.sync()
        await late.close({"sync": False})
        await quick.sync()
        assert await quick.get_document(ONE) == {"quick": b"2"}
    assert await keys(store) == ["notes.json"]


async def test_a_lease_that_nobody_took_is_renewed(store: Any) -> None:
    async with of(store, lease=0.01) as documents:
        await documents.put(ONE, "key", b"1")
        await asyncio.sleep(0.02)
        await documents.sync()


async def test_the_lease_of_a_dead_process_is_free_at_once(store: Any) -> None:
    here = json.loads(Owner.here().until(1000).dump())
    dead = json.dumps({**here, "pid": 2**22 + 1, "token": "dead"}).encode()
    elsewhere = json.dumps({**here, "pid": 2**22 + 1, "token": "far", "place": "other"}).encode()
    key = "notes.json.lock" if isinstance(store, AsyncDictStore) else "notes.json.lock.token"
    if not here["place"]:
        pytest.skip("this system does not tell boots apart")
    await store.put(key, elsewhere)
    with pytest.raises(StorageLockedException):
        await of(store).open()
    await store.put(key, dead)
    async with of(store):
        pass
    assert await keys(store) == []


async def test_an_object_of_somebody_else_is_no_lease() -> None:
    store = AsyncDictStore()
    await store.put("notes.json.lock", b"{}")
    with pytest.raises(StorageLockedException, match="held by somebody"):
        await of(store).open()
    assert await store.get("notes.json.lock") == b"{}"


class _Interleaving(ForeignStore):
    """Lets others run before and after each step."""

    async def get(self, key: str) -> bytes:
        await asyncio.sleep(0)
        return await super().get(key)

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.sleep(0)
        await super().put(key, data)
        await asyncio.sleep(0)


class _InterleavingConditions(AsyncDictStore):
    """The same with conditions."""

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        await asyncio.sleep(0)
        return await super()._put(key, data, options)

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        found = await super()._get(key, options)
        await asyncio.sleep(0)
        return found


@pytest.mark.parametrize("kind", [_Interleaving, _InterleavingConditions])
async def test_at_most_one_of_many_holds_a_lease(kind: type[Any]) -> None:
    shared, holders, most = kind(), 0, 0

    async def hold() -> None:
        nonlocal holders, most
        async with of(shared, lock_wait=30):
            holders += 1
            most = max(most, holders)
            await asyncio.sleep(0)
            holders -= 1

    await asyncio.gather(*(hold() for _ in range(4)))
    assert most == 1
    assert await keys(shared) == []


async def test_which_lease_a_store_has(tmp_path: Path) -> None:
    assert type(lease_on(AsyncDictStore(), "key", 1)) is Lease
    assert type(lease_on(AsyncFilesystemStore(tmp_path), "key", 1)) is Lease
    assert type(lease_on(_WithoutConditions(), "key", 1)) is Announcement


class _WithoutConditions(AsyncDictStore):
    capabilities = AsyncDictStore.capabilities.NONE


class _LosesAnswers(AsyncDictStore):
    """Does what it is asked, and is cancelled before it can say so."""

    answers = 0

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        info = await super()._put(key, data, options)
        if not self.answers:
            raise asyncio.CancelledError
        return info


async def test_a_cancelled_open_leaves_no_lease() -> None:
    store = _LosesAnswers()
    with pytest.raises(asyncio.CancelledError):
        await of(store).open()
    assert store.objects == {}
    store.answers = 1
    async with of(store):
        assert list(store.objects) == ["notes.json.lock"]


async def test_without_a_lock(store: Any) -> None:
    async with of(store, lock="none") as first, of(store, lock="none") as second:
        await first.put(ONE, "key", b"1")
        await second.put(ONE, "key", b"2")
        await first.sync()
        assert await keys(store) == ["notes.json"]
        await second.close({"sync": False})
