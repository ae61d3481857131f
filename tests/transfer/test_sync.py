"""Sync makes the target the source, says what it did, and never deletes in doubt."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer.report import Action, SyncEvent
from storage._async.transfer.selection import Selection
from storage._async.transfer.stores import async_clear_store, async_copy_store
from storage._async.transfer.sync import async_sync_stores
from storage._async.transfer.verify import async_verify_stores
from storage._core.errors import (
    BulkError,
    ConfigError,
    StoreNotFound,
    StoreUnavailable,
    SyncError,
)
from storage._core.info import Capability, ObjectInfo
from tests.stores import FlakyStore, ForeignStore, fill, numbered


class Unordered(AsyncDictStore):
    """Lists its keys backwards, and says so."""

    capabilities = ~Capability.ORDERED

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        infos = [info async for info in super()._list(prefix, start_after)]
        for info in reversed(infos):
            yield info


class Disordered(Unordered):
    """Lists its keys backwards, and claims an order."""

    capabilities = ~Capability.NONE


@pytest.mark.parametrize("source_kind", [AsyncDictStore, Unordered, ForeignStore])
@pytest.mark.parametrize("target_kind", [AsyncDictStore, Unordered, ForeignStore])
async def test_the_target_becomes_the_source(source_kind: type, target_kind: type) -> None:
    source, target = source_kind(), target_kind()
    source.objects.update(numbered(100), changed=b"new", longer=b"longer")
    target.objects.update(changed=b"old", longer=b"long", surplus=b"x", extra=b"y")
    report = await async_sync_stores(source, target)
    assert (report.copied, report.identical, report.deleted) == (102, 0, 0)
    assert target.objects == {**source.objects, "surplus": b"x", "extra": b"y"}
    report = await async_sync_stores(source, target, delete=True)
    assert (report.copied, report.identical, report.deleted) == (0, 102, 2)
    assert dict(target.objects) == dict(source.objects)
    assert report.complete


async def test_a_second_run_copies_nothing() -> None:
    source, target = FlakyStore(numbered(50)), FlakyStore()
    await async_sync_stores(source, target)
    assert target.writes == 50
    await async_sync_stores(source, target)
    assert target.writes == 50


async def test_large_objects_are_streamed_and_attributes_come_along() -> None:
    source, target = AsyncDictStore(), AsyncDictStore()
    large = bytes(range(256)) * 20_000
    await source.put("large", large, content_type="image/png", metadata={"a": "b"})
    await source.put("small", b"s", content_type="text/plain")
    report = await async_sync_stores(source, target)
    assert report.bytes_copied == len(large) + 1
    assert await target.get("large") == large
    info = await target.head("large")
    assert (info.content_type, dict(info.metadata or {})) == ("image/png", {"a": "b"})
    assert (await target.head("small")).content_type == "text/plain"


async def test_a_dry_run_changes_nothing() -> None:
    source, target = AsyncDictStore(numbered(3)), AsyncDictStore({"surplus": b"x"})
    report = await async_sync_stores(source, target, delete=True, dry_run=True)
    assert (report.copied, report.deleted, report.bytes_copied) == (3, 1, 30)
    assert target.objects == {"surplus": b"x"}


@pytest.mark.parametrize("end", ["source", "target"])
async def test_nothing_is_deleted_after_a_listing_broke_off(end: str) -> None:
    source, target = FlakyStore(numbered(20)), FlakyStore({**numbered(20), "surplus": b"x"})
    (source if end == "source" else target).list_fails_after = 10
    with pytest.raises(StoreUnavailable):
        await async_sync_stores(source, target, delete=True)
    assert len(target.objects) == 21


@pytest.mark.parametrize("end", ["source", "target"])
async def test_nothing_is_deleted_after_a_listing_out_of_order(end: str) -> None:
    stores = {"source": AsyncDictStore(numbered(5)), "target": AsyncDictStore(numbered(9))}
    stores[end] = Disordered(stores[end].objects)
    stores["source"].objects["new"] = b"new"
    with pytest.raises(SyncError, match="order that it claims"):
        await async_sync_stores(stores["source"], stores["target"], delete=True)
    assert sorted(stores["target"].objects) == [*numbered(9), "new"]  # all else is done


async def test_nothing_is_deleted_when_the_source_is_empty_or_missing() -> None:
    target = AsyncDictStore(numbered(3))
    with pytest.raises(SyncError, match="empty") as caught:
        await async_sync_stores(AsyncDictStore(), target, delete=True)
    assert caught.value.report.deletes_refused

    class Missing(AsyncDictStore):
        def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            raise StoreNotFound("no such bucket")

    with pytest.raises(StoreNotFound):
        await async_sync_stores(Missing(), target, delete=True)
    assert len(target.objects) == 3


async def test_nothing_is_deleted_after_a_copy_failed_and_the_rest_is_copied() -> None:
    source, target = FlakyStore(numbered(20)), AsyncDictStore({"surplus": b"x"})
    read = source._get

    async def fail_once(key: str, options: object) -> object:
        if key == "key-00007":
            raise StoreUnavailable("this one is broken", key=key)
        return await read(key, options)  # type: ignore[arg-type]

    source._get = fail_once  # type: ignore[method-assign, assignment]
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, delete=True)
    report = caught.value.report
    assert (report.copied, report.failed, report.deleted) == (19, 1, 0)
    assert list(report.failures) == ["key-00007"]
    assert "surplus" in target.objects


async def test_the_watcher_hears_of_every_key() -> None:
    events: list[SyncEvent] = []
    source = AsyncDictStore(numbered(1000))
    target = AsyncDictStore({**numbered(10), "surplus": b"x"})
    await async_sync_stores(source, target, delete=True, watcher=events.extend)
    counts = {action: sum(e.action is action for e in events) for action in Action}
    assert counts == {
        Action.COPIED: 990,
        Action.IDENTICAL: 10,
        Action.DELETED: 1,
        Action.FAILED: 0,
        Action.CONFLICT: 0,
        Action.SKIPPED: 0,
    }


async def test_what_makes_no_sense_is_refused() -> None:
    store = AsyncDictStore()
    with pytest.raises(ConfigError, match="same store"):
        await async_sync_stores(store, store)
    with pytest.raises(ConfigError, match="transfers"):
        await async_sync_stores(store, AsyncDictStore(), transfers=0)
    with pytest.raises(ConfigError, match="compare"):
        await async_sync_stores(store, AsyncDictStore(), compare="fast")  # type: ignore[arg-type]


async def test_copy_and_clear_whole_stores() -> None:
    source, target = AsyncDictStore({"a": b"1", "b": b"2"}), ForeignStore(a=b"0", c=b"3")
    report = await async_copy_store(source, target, overwrite=False)
    assert target.objects == {"a": b"0", "b": b"2", "c": b"3"}
    assert report.copied == 1
    await async_copy_store(source, target)
    assert target.objects == {"a": b"1", "b": b"2", "c": b"3"}
    assert await async_clear_store(target) == 3
    assert target.objects == {}


async def test_clear_deletes_nothing_after_a_listing_error_and_names_what_failed() -> None:
    store = FlakyStore(numbered(5))
    store.list_fails_after = 3
    with pytest.raises(StoreUnavailable):
        await async_clear_store(store)
    assert len(store.objects) == 5
    store.list_fails_after = None
    store.failing.add("delete")
    with pytest.raises(BulkError) as caught:
        await async_clear_store(store)
    assert sorted(caught.value.errors) == sorted(store.objects)


async def test_verify_finds_every_kind_of_difference() -> None:
    a = AsyncDictStore({**numbered(100), "only a": b"", "bytes": b"1234", "size": b"1"})
    b = ForeignStore(**numbered(100), **{"only b": b"", "bytes": b"1235", "size": b"12"})
    report = await async_verify_stores(a, b)
    assert not report.same
    assert report.identical == 100
    assert set(report.examples) == {"only a", "only b", "bytes", "size"}
    b.objects = dict(a.objects)
    assert (await async_verify_stores(a, b)).same


async def test_verify_reads_large_objects_to_their_ends() -> None:
    large = bytes(3_000_000)
    a, b = AsyncDictStore({"k": large + b"1"}), AsyncDictStore({"k": large + b"2"})
    assert not (await async_verify_stores(a, b)).same
    b.objects["k"] = large + b"1"
    assert (await async_verify_stores(a, b)).same


async def test_keys_that_were_named_and_are_missing_are_told() -> None:
    selection = Selection(files_from=["a", "b", "never", "nowhere"], exclude=["nowhere"])
    report = await async_sync_stores(
        AsyncDictStore(fill("a", "b")), AsyncDictStore(), selection=selection
    )
    assert report.warnings == ["the source has no objects under 1 of the 3 keys of files_from"]
