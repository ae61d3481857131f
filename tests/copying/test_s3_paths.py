"""Each pair of stores and each size has its way, and all of them are verified."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.backends.memory import AsyncDictStore
from storage._async.backends.s3 import AsyncBucketStore, copying, parallel
from storage._async.transfer.copying import Copier
from storage._async.wrappers.keys import AsyncPrefixStore
from storage._core.budget import ByteBudget
from storage._core.errors import ObjectExists, PreconditionFailed, SourceChanged, StoreError
from storage._core.info import ObjectInfo, WriteOptions
from tests.backends.s3 import MIB
from tests.faults import fault
from tests.faults.proxy import Exchange, FaultProxy
from tests.faults.wire import Response

LARGE = random.Random(4).randbytes(10 * MIB + 5)
SMALL = b"small" * 1000
ABSENT = WriteOptions(if_absent=True)
Made: TypeAlias = tuple[Copier, ObjectInfo]


def told(between: FaultProxy, before: int = 0) -> list[str]:
    """The requests so far, by what they do."""
    names = []
    for request in between.requests[before:]:
        name = request.method
        if "x-amz-copy-source" in request.headers:
            name = "COPY"
        if "partNumber=" in request.target:
            name += " part"
        elif "uploads" in request.target:
            name = "BEGIN"
        elif "uploadId=" in request.target:
            name = "ABORT" if name == "DELETE" else "COMPLETE"
        elif "range" in request.headers:
            name += " range"
        names.append(name)
    return names


async def uploads_of(store: AsyncBucketStore) -> list[str]:
    return [upload.key async for upload in store.list_uploads()]


@pytest.fixture
def folder(tmp_path: Path) -> AsyncFilesystemStore:
    return AsyncFilesystemStore(tmp_path / "folder")


# -- between buckets ------------------------------------------------------------------------


@pytest.mark.parametrize("data", [SMALL, LARGE[: MIB + 1]])
@pytest.mark.parametrize("condition", [WriteOptions(), ABSENT])
async def test_one_request_within_a_service(
    near: AsyncBucketStore, beside: AsyncBucketStore, between: FaultProxy, data: bytes,
    condition: WriteOptions,
) -> None:  # fmt: skip
    info = await near.put("a", data, content_type="a/b", metadata={"c": "d"})
    before = len(between.requests)
    copied = await Copier(near, beside).copy(info, condition, "b")
    assert told(between, before) == ["COPY"]
    assert between.requests[-1].headers["x-amz-copy-source-if-match"] == f'"{info.etag}"'
    found = await beside.head("b")
    assert (found.etag, found.size) == (copied.info.etag, copied.size) == (info.etag, len(data))
    assert (found.content_type, found.metadata) == ("a/b", {"c": "d"})
    assert await beside.get("b") == data


async def test_a_prefix_does_not_hide_the_service(
    near: AsyncBucketStore, beside: AsyncBucketStore, between: FaultProxy
) -> None:
    source, target = AsyncPrefixStore(near, "x/"), AsyncPrefixStore(beside, "y/")
    info = await source.put("a", SMALL)
    before = len(between.requests)
    copied = await Copier(source, target).copy(info)
    assert told(between, before) == ["COPY"]
    assert copied.info.key == "a"
    assert await beside.get("y/a") == SMALL


async def test_a_condition_on_what_is_replaced(
    near: AsyncBucketStore, beside: AsyncBucketStore, between: FaultProxy
) -> None:
    info, old = await near.put("a", SMALL), await beside.put("a", b"old")
    before = len(between.requests)
    copier = Copier(near, beside)
    with pytest.raises(PreconditionFailed) as caught:
        await copier.copy(info, WriteOptions(if_match="other"))
    assert not isinstance(caught.value, SourceChanged)
    assert await beside.get("a") == b"old"
    await copier.copy(info, WriteOptions(if_match=old.etag))
    assert "COPY" not in told(between, before)
    assert await beside.get("a") == SMALL
    with pytest.raises(ObjectExists):
        await copier.copy(await near.put("a", b"another"), ABSENT)
    assert await beside.get("a") == SMALL


async def test_parts_above_the_limit_of_one_copy(
    near: AsyncBucketStore, beside: AsyncBucketStore, between: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(copying, "LIMIT", 6 * MIB)
    monkeypatch.setattr(copying, "PART_SIZE", 5 * MIB)
    info = await near.put("a", LARGE, content_type="a/b", metadata={"c": "d"})
    before, old = len(between.requests), await beside.put("a", b"old")
    copier = Copier(near, beside)
    with pytest.raises(ObjectExists):
        await copier.copy(info, ABSENT)
    with pytest.raises(PreconditionFailed):
        await copier.copy(info, WriteOptions(if_match="other"))
    assert await uploads_of(beside) == []
    await copier.copy(info, WriteOptions(if_match=old.etag))
    assert told(between, before).count("COPY part") == 9
    assert not between.sent("GET", "/a")[before:]
    found = await beside.head("a")
    assert (found.content_type, found.metadata) == ("a/b", {"c": "d"})
    assert await beside.get("a") == LARGE


@pytest.mark.parametrize("condition", [WriteOptions(), ABSENT])
async def test_a_source_that_is_another_one_by_now(
    near: AsyncBucketStore, beside: AsyncBucketStore, far: AsyncBucketStore,
    folder: AsyncFilesystemStore, condition: WriteOptions,
) -> None:  # fmt: skip
    await folder.put("other", b"")
    info = await near.put("a", SMALL)
    await near.put("a", SMALL + b"and more")
    large = await near.put("large", LARGE)
    await near.put("large", LARGE[1:])
    for target in (beside, far, folder, AsyncDictStore()):
        for listed in (info, large):
            with pytest.raises(SourceChanged):
                await Copier(near, target).copy(listed, condition)
        assert not await target.exists("a")
        assert not await target.exists("large")
    await near.delete("a")
    for target in (beside, far, folder):
        with pytest.raises(SourceChanged):
            await Copier(near, target).copy(info, condition)


async def test_a_copy_whose_answer_was_lost_is_ours(
    near: AsyncBucketStore, beside: AsyncBucketStore, between: FaultProxy
) -> None:
    info = await near.put("a", SMALL)
    between.when("PUT", fault.lost_answer)
    copied = await Copier(near, beside).copy(info, ABSENT)
    assert copied.info.etag == info.etag
    assert between.sent("PUT")[-1].headers["if-none-match"] == "*"


async def test_who_may_not_copy_may_still_read_and_write(
    near: AsyncBucketStore, beside: AsyncBucketStore, between: FaultProxy
) -> None:
    infos = [await near.put(key, SMALL) for key in "ab"]
    before = len(between.requests)
    between.when("PUT", fault.refused(403, "AccessDenied"))
    copier = Copier(near, beside)
    for info in infos:
        await copier.copy(info)
    assert told(between, before) == ["COPY", "GET", "PUT", "GET", "PUT"]
    assert await beside.get("b") == SMALL


# -- between services -----------------------------------------------------------------------


async def test_parts_between_services(
    near: AsyncBucketStore, far: AsyncBucketStore, between: FaultProxy
) -> None:
    info = await near.put("a", LARGE, content_type="a/b", metadata={"c": "d"})
    before = len(between.requests)
    copied = await Copier(near, far).copy(info, ABSENT)
    assert told(between, before) == ["HEAD", "GET range", "GET range", "GET range"]
    ranged = between.requests[-1]
    assert ranged.headers["if-match"] == f'"{info.etag}"'
    assert (copied.size, copied.info.size) == (len(LARGE), len(LARGE))
    found = await far.head("a")
    assert (found.content_type, found.metadata) == ("a/b", {"c": "d"})
    assert await far.get("a") == LARGE


async def test_a_source_that_is_replaced_between_two_parts(
    near: AsyncBucketStore, far: AsyncBucketStore, between: FaultProxy
) -> None:
    info = await far.put("a", LARGE)
    other = AsyncPrefixStore(near, "")

    async def replacing(exchange: Exchange) -> None:
        await far.put("a", LARGE[::-1])
        await fault.passed(exchange)

    between.when("PUT", replacing, target="partNumber=")
    with pytest.raises(SourceChanged):
        await Copier(far, other, budget=ByteBudget(1)).copy(info)
    assert [key async for key in near.keys()] == []
    assert await uploads_of(near) == []


async def test_a_damaged_part_is_not_published(
    near: AsyncBucketStore, far: AsyncBucketStore, between: FaultProxy
) -> None:
    info = await near.put("a", LARGE)

    def flip(answer: Response) -> None:
        answer.body = bytes([answer.body[0] ^ 1]) + answer.body[1:]

    between.when("GET", fault.changed(flip))
    with pytest.raises(StoreError, match="crc32"):
        await Copier(near, far).copy(info)
    assert [key async for key in far.keys()] == []
    assert await uploads_of(far) == []


# -- files ----------------------------------------------------------------------------------


async def test_files_go_up_in_parallel_parts_and_keep_their_time(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy
) -> None:
    info = await folder.put("a", LARGE)
    between.when("PUT", fault.late(0.03), times=-1)
    copied = await Copier(folder, near).copy(info, ABSENT)
    assert sorted(told(between)) == ["BEGIN", "COMPLETE", "PUT part", "PUT part", "PUT part"]
    assert between.peak >= 2
    assert copied.info.size == len(LARGE)
    assert info.modified is not None
    written = (await near.head("a")).metadata
    assert written == {"mtime": f"{info.modified.timestamp():.6f}".rstrip("0")}
    assert await near.get("a") == LARGE


@pytest.mark.parametrize("data", [SMALL, LARGE[: MIB // 2], LARGE])
async def test_files_come_down_as_they_went_up(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, tmp_path: Path, between: FaultProxy,
    data: bytes, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(parallel, "LARGE", MIB)
    monkeypatch.setattr(parallel, "STEP", MIB)
    monkeypatch.setattr(parallel, "FAST", float("inf"))
    info = await folder.put("a", data)
    up = await Copier(folder, near).copy(info)
    back, before = AsyncFilesystemStore(tmp_path / "back"), len(between.requests)
    between.when("GET", fault.slow(MIB // 2, 0.01))
    await Copier(near, back).copy(up.info, ABSENT)
    first, *others = told(between, before)
    assert first == "GET"
    assert set(others) == ({"GET range"} if data is LARGE else set())
    found = await back.head("a")
    assert (found.size, found.modified) == (len(data), info.modified)
    assert await back.get("a") == data
    with pytest.raises(ObjectExists):
        await Copier(near, back).copy(up.info, ABSENT)


async def test_a_file_that_changes_under_way(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    info = await folder.put("a", LARGE)

    async def writing(exchange: Exchange) -> None:
        with (tmp_path / "folder" / "a").open("r+b") as file:
            file.write(b"other")
        await fault.passed(exchange)

    between.when("PUT", writing, target="partNumber=1")
    with pytest.raises(SourceChanged):
        await Copier(folder, near).copy(info)
    assert [key async for key in near.keys()] == []
    assert await uploads_of(near) == []


async def test_a_download_that_is_cut_leaves_nothing(
    near: AsyncBucketStore, folder: AsyncFilesystemStore, between: FaultProxy, tmp_path: Path
) -> None:
    info = await near.put("a", LARGE)
    between.when("GET", fault.cut(1000))
    between.when("GET", fault.refused(403, "AccessDenied"))
    with pytest.raises(StoreError):
        await Copier(near, folder).copy(info)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


# -- what all of them have in common --------------------------------------------------------


async def _up(near: AsyncBucketStore, far: AsyncBucketStore, folder: AsyncFilesystemStore) -> Made:
    return Copier(folder, near), await folder.put("a", LARGE)


async def _down(
    near: AsyncBucketStore, far: AsyncBucketStore, folder: AsyncFilesystemStore
) -> Made:
    return Copier(near, folder), await near.put("a", LARGE)


async def _over(
    near: AsyncBucketStore, far: AsyncBucketStore, folder: AsyncFilesystemStore
) -> Made:
    return Copier(far, near), await far.put("a", LARGE)


@pytest.mark.parametrize("make", [_up, _down, _over])
async def test_cancelled_in_the_middle_nothing_is_left(
    near: AsyncBucketStore, far: AsyncBucketStore, folder: AsyncFilesystemStore,
    between: FaultProxy, tmp_path: Path, make: Callable[..., Awaitable[Made]],
) -> None:  # fmt: skip
    copier, info = await make(near, far, folder)
    before = len(between.requests)
    method, target = ("GET", "/a") if make is _down else ("PUT", "partNumber=2")
    between.when(method, fault.hang, target=target)
    task = asyncio.create_task(copier.copy(info))
    while not any(method == each.method and target in each.target
                  for each in between.requests[before:]):  # fmt: skip
        await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await uploads_of(near) == []
    if make is _down:
        assert not any(path.is_file() for path in tmp_path.rglob("*"))
    else:
        assert [key async for key in near.keys()] == []
    assert copier._ends.budget.used == 0


@pytest.mark.parametrize("make", [_up, _over])
async def test_memory_stays_within_the_budget(
    near: AsyncBucketStore, far: AsyncBucketStore, folder: AsyncFilesystemStore,
    between: FaultProxy, make: Callable[..., Awaitable[Made]],
) -> None:  # fmt: skip
    _, info = await make(near, far, folder)
    source = folder if make is _up else far
    budget = ByteBudget(20 * MIB)
    copier = Copier(source, near, budget=budget)
    in_flight = peak = 0

    async def counted(exchange: Exchange) -> None:
        nonlocal in_flight, peak
        in_flight += 1
        peak = max(peak, in_flight)
        await asyncio.sleep(0.01)
        await fault.passed(exchange)
        in_flight -= 1

    between.when("PUT", counted, target="partNumber=", times=-1)
    await asyncio.gather(*(copier.copy(info, key=f"copy-{number}") for number in range(4)))
    assert budget.peak <= budget.limit
    assert budget.used == 0
    assert 2 <= peak <= 4  # parts of 5 MiB
    assert await near.get("copy-3") == LARGE


async def test_a_time_that_rclone_wrote(near: AsyncBucketStore, tmp_path: Path) -> None:
    metadata = {"mtime": "1588800000.123456789", "other": "x"}
    info = await near.put("a", SMALL, metadata=metadata)
    target = AsyncFilesystemStore(tmp_path / "target")
    await Copier(near, target).copy(info)
    moment = datetime(2020, 5, 6, 21, 20, 0, 123456, tzinfo=UTC)
    assert (await target.head("a")).modified == moment
    kept = AsyncDictStore()
    await Copier(near, kept).copy(info)
    assert (await kept.head("a")).metadata == metadata
