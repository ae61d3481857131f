"""A run as an iterator: every key's outcome, live sums, and a clean end wherever one stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from storage._async.transfer.events import AsyncSyncRun
from storage._async.transfer.ledger import Ledger
from storage._async.transfer.options import SyncOptions
from storage._async.transfer.report import SyncEvent, SyncReport
from storage._async.transfer.steps import Action, Outcome, Remembered, Step
from storage._async.transfer.sync import async_sync_stores
from storage._async.transfer.verify import Thoroughness, async_verify_stores
from storage._core.errors import ConfigError, NoSpace, StoreUnavailable, SyncError
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.object import AsyncDictStore, DictStore
from storage.utils import SyncRun
from tests.stores import FlakyStore, numbered


async def test_each_key_is_told_once_with_its_reason() -> None:
    source = AsyncDictStore({**numbered(50), "large": bytes(3_000_000)})
    target = AsyncDictStore({**numbered(3), "key-00001": b"other", "surplus": b"x"})
    async with AsyncSyncRun(source, target, SyncOptions(delete=True)) as run:
        events = [event async for event in run]
        with pytest.raises(StopAsyncIteration):
            await anext(run)
    assert sorted(event.key for event in events) == sorted({*source.objects, "surplus"})
    told = {event.key: event for event in events}
    assert told["large"] == SyncEvent(Action.COPIED, "large", 3_000_000, None, "new")
    assert (told["key-00001"].action, told["key-00001"].reason) == (Action.COPIED, "size")
    assert events[-1] == SyncEvent(Action.DELETED, "surplus", 0, None, "surplus")
    report = run.report
    assert (report.copied, report.identical, report.deleted) == (49, 2, 1)
    assert (report.listed, report.in_flight) == (52, 0)
    assert report.bytes_planned == report.bytes_copied > 3_000_000
    assert report.seconds > 0


async def test_what_went_wrong_is_raised_at_the_end_once() -> None:
    source, target = FlakyStore(numbered(5)), FlakyStore()
    target.failing.add("put")
    events = []
    async with AsyncSyncRun(source, target) as run:
        with pytest.raises(SyncError):
            async for event in run:
                events.append(event)
        with pytest.raises(StopAsyncIteration):
            await anext(run)
    assert [type(event.error) for event in events] == [StoreUnavailable] * 5


async def test_a_listing_that_broke_off_is_raised_at_the_end() -> None:
    source = FlakyStore(numbered(5))
    source.list_fails_after = 3
    async with AsyncSyncRun(source, AsyncDictStore()) as run:
        with pytest.raises(StoreUnavailable):
            _ = [event async for event in run]
    with pytest.raises(ConfigError, match="begun before"):
        await run.__aenter__()


async def test_a_run_that_is_left_early_is_cancelled() -> None:
    source, target = FlakyStore(numbered(50_000)), FlakyStore(delay=0.001)
    async with AsyncSyncRun(source, target) as run:
        async for _ in run:
            break
    assert run.report.interrupted
    assert not run.report.complete
    assert 0 < len(target.objects) < 50_000
    assert len(asyncio.all_tasks()) == 1


class Slow(AsyncDictStore):
    """The first writes are quick, the others never end."""

    writes = 0

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        self.writes += 1
        if self.writes > 10:
            await asyncio.Event().wait()
        return await super()._put(key, data, options)


async def test_what_was_done_before_a_cancellation_is_told_and_remembered(tmp_path: Path) -> None:
    source, target = AsyncDictStore(numbered(30)), Slow()
    events: list[SyncEvent] = []
    journal = tmp_path / "journal"
    sync = asyncio.create_task(
        async_sync_stores(source, target, watcher=events.extend, journal=journal)
    )
    while target.writes < 20:
        await asyncio.sleep(0.01)
    sync.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sync
    assert sorted(event.key for event in events) == sorted(target.objects)
    assert len(events) == 10
    assert len(asyncio.all_tasks()) == 1
    target.writes = -100
    report = await async_sync_stores(source, target, journal=journal)
    assert (report.copied, report.identical) == (20, 10)


async def test_only_so_many_are_in_flight() -> None:
    source, target = AsyncDictStore(numbered(100)), FlakyStore(delay=0.001)
    peaks = []
    async with AsyncSyncRun(source, target, SyncOptions(transfers=7)) as run:
        async for _ in run:
            peaks.append(run.report.in_flight)
    assert max(peaks) <= 7


def test_the_blocking_run() -> None:
    source, target = DictStore(dict(numbered(20))), DictStore({"surplus": b"x"})
    with SyncRun(source, target, SyncOptions(delete=True, backup=DictStore())) as run:
        events = list(run)
    assert len(events) == 21
    assert run.report.deleted == 1
    assert dict(target.objects) == dict(source.objects)


async def test_a_report_is_plain_json() -> None:
    source, target = FlakyStore(numbered(3)), FlakyStore()
    target.failing.add("put")
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target)
    told = json.loads(json.dumps(caught.value.report.to_dict()))
    assert (told["failed"], told["complete"]) == (3, False)
    assert "the store is down" in told["failures"]["key-00001"]


async def test_a_watcher_that_fails_ends_the_sync() -> None:
    def fail(events: list[SyncEvent]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await async_sync_stores(AsyncDictStore(numbered(3)), AsyncDictStore(), watcher=fail)


@pytest.mark.parametrize(
    ("compare", "same", "reads"), [("bytes", False, 6), ("checksum", False, 6), ("size", True, 0)]
)
async def test_verify_reads_as_much_as_it_is_told(
    compare: Thoroughness, same: bool, reads: int
) -> None:
    a, b = FlakyStore(numbered(3)), FlakyStore({**numbered(3), "key-00001": b"x" * 10})
    report = await async_verify_stores(a, b, compare=compare)
    assert report.same is same
    assert a.reads + b.reads == reads
    with pytest.raises(ConfigError):
        await async_verify_stores(a, b, compare="guess")  # type: ignore[arg-type]


async def test_verify_tells_what_cannot_be_read() -> None:
    a, b = FlakyStore(numbered(2)), FlakyStore(numbered(2))
    a.failing.add("get")
    report = await async_verify_stores(a, b)
    assert report.differences == 2
    assert "the store is down" in report.examples["key-00000"]


async def test_what_cannot_be_made_durable_is_a_failure_and_is_not_remembered() -> None:
    class Medium:
        remembered: Sequence[Remembered] = ()

        async def settle(self) -> None:
            raise NoSpace("the disk is full")

        async def remember(self, rows: Sequence[Remembered]) -> None:
            self.remembered = rows

        async def forget(self, keys: Sequence[str]) -> None:
            raise AssertionError(keys)

        def rows(self) -> AsyncIterator[list[Remembered]]:
            raise AssertionError

    medium, report, told = Medium(), SyncReport(), list[SyncEvent]()

    async def tell(events: list[SyncEvent]) -> None:
        told.extend(events)

    ledger = Ledger(report, medium.settle, medium, tell)
    info = ObjectInfo("a", 1, "etag")
    ledger.add(Outcome(Step("copy", "a", info, None, "new"), Action.COPIED, 1, info))
    ledger.add(Outcome(Step("keep", "b", info, info, "bytes"), Action.IDENTICAL, info=info))
    await ledger.flush()
    assert (report.copied, report.failed, report.identical) == (0, 1, 1)
    assert isinstance(report.failures["a"], NoSpace)
    assert [event.action for event in told] == [Action.FAILED, Action.IDENTICAL]
    assert not medium.remembered


@pytest.mark.parametrize("delete", [False, True])
async def test_a_store_that_cancels_itself_is_a_failure(delete: bool) -> None:
    class Cancelling(AsyncDictStore):
        async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
            if key == "key-00002":
                raise asyncio.CancelledError
            return await super()._get(key, options)

    source, target = Cancelling(numbered(5)), AsyncDictStore({"surplus": b"x"})
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(source, target, delete)
    report = caught.value.report
    assert (report.copied, report.failed, report.deleted) == (4, 1, 0)
