"""A plan says what would be done, and doing it changes nothing that is not what it was."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from storage._async.backends.fs import AsyncFilesystemStore
from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer.plan import SyncPlan, read_plan
from storage._async.transfer.planning import async_apply_plan, async_plan_sync
from storage._async.transfer.report import SyncEvent
from storage._async.transfer.steps import Action
from storage._core.errors import ConfigError, StoreUnavailable, SyncError
from storage._core.info import Capability
from storage.object import DictStore
from storage.utils import apply_plan, plan_sync
from tests.stores import FlakyStore, ForeignStore, numbered


class Unconditional(AsyncDictStore):
    """Holds no condition, as most media do."""

    capabilities = Capability.ORDERED | Capability.STREAMS


def ends(kind: type = AsyncDictStore) -> tuple[AsyncDictStore, AsyncDictStore]:
    """A source, and a target that lacks, has other and has more objects."""
    source = AsyncDictStore({**numbered(5), "bytes": b"new", "size": b"longer", "été\n": b"1"})
    target = kind({**numbered(5), "bytes": b"old", "size": b"long", "surplus": b"x"})
    return source, target


async def test_a_plan_is_sorted_json_with_a_head_and_an_end(tmp_path: Path) -> None:
    source, target = ends()
    plan = await async_plan_sync(source, target, True, path=tmp_path / "plan")
    lines = [json.loads(line) for line in (tmp_path / "plan").read_text().splitlines()]
    assert lines[0]["format"] == "storage-plan"
    assert lines[0]["version"] == 1
    assert [(line["do"], line["key"], line["why"]) for line in lines[1:-1]] == [
        ("copy", "bytes", "bytes"),
        ("copy", "size", "size"),
        ("delete", "surplus", "surplus"),
        ("copy", "été\n", "new"),
    ]
    assert lines[1]["source"] == {
        "size": 3,
        "etag": (await source.head("bytes")).etag,
        "modified": (await source.head("bytes")).modified.isoformat(),  # type: ignore[union-attr]
    }
    assert lines[-2]["target"] is None
    end = {"end": True, "steps": 4, "copy": 3, "delete": 1, "identical": 5, "bytes": 10}
    assert end.items() <= lines[-1].items()
    assert target.objects["bytes"] == b"old"
    read = await asyncio.to_thread(read_plan, tmp_path / "plan")
    assert await asyncio.to_thread(list, read.steps()) == await asyncio.to_thread(
        list, plan.steps()
    )


async def test_a_plan_of_the_same_ends_is_the_same_text() -> None:
    source, target = ends()
    plans = [await async_plan_sync(source, target, True) for _ in range(2)]
    assert list(plans[0].lines()) == list(plans[1].lines())


@pytest.mark.parametrize("held", [False, True])
async def test_what_is_applied_is_what_was_planned(tmp_path: Path, held: bool) -> None:
    source, target = ends()
    path = None if held else tmp_path / "plan"
    plan: SyncPlan | Path = await async_plan_sync(source, target, True, path=path)
    report = await async_apply_plan(path or plan, source, target)
    assert (report.copied, report.deleted, report.bytes_copied) == (3, 1, 10)
    assert dict(target.objects) == dict(source.objects)


@pytest.mark.parametrize("kind", [AsyncDictStore, Unconditional])
async def test_what_changed_since_the_plan_is_a_conflict(kind: type) -> None:
    source, target = ends(kind)
    plan = await async_plan_sync(source, target, True)
    await source.put("size", b"another")  # the source's object is not what was planned
    await target.put("bytes", b"theirs")  # somebody wrote in between
    await target.put("été\n", b"theirs")
    await target.put("surplus", b"theirs")
    with pytest.raises(SyncError, match="changed by others") as caught:
        await async_apply_plan(plan, source, target)
    report = caught.value.report
    assert sorted(report.failures) == ["bytes", "size", "été\n"]
    assert report.deleted == 0
    for key in ("bytes", "été\n", "surplus"):
        assert target.objects[key] == b"theirs"


async def test_a_delete_of_what_changed_is_a_conflict() -> None:
    source, target = AsyncDictStore(numbered(3)), AsyncDictStore({**numbered(3), "surplus": b"x"})
    plan = await async_plan_sync(source, target, True)
    await target.put("surplus", b"wanted again")
    with pytest.raises(SyncError) as caught:
        await async_apply_plan(plan, source, target)
    assert caught.value.report.conflicts == 1
    assert target.objects["surplus"] == b"wanted again"


async def test_somebody_elses_store_is_looked_at_before_it_is_written() -> None:
    source, target = AsyncDictStore({"a": b"1"}), ForeignStore()
    plan = await async_plan_sync(source, target)
    target.objects["a"] = b"theirs"
    with pytest.raises(SyncError):
        await async_apply_plan(plan, source, target)
    assert target.objects == {"a": b"theirs"}


async def test_a_plan_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    source, target = ends()
    await async_plan_sync(source, target, True, path=tmp_path / "plan")
    whole = (tmp_path / "plan").read_bytes()
    before = dict(target.objects)
    for cut in range(0, len(whole) - 1, 7):
        (tmp_path / "plan").write_bytes(whole[:cut])
        with pytest.raises(ConfigError):
            await async_apply_plan(tmp_path / "plan", source, target)
    lines = whole.splitlines(keepends=True)
    for wrong in (lines[:1] + lines[2:], [lines[0], *reversed(lines[1:-1]), lines[-1]]):
        (tmp_path / "plan").write_bytes(b"".join(wrong))
        with pytest.raises(ConfigError):
            await async_apply_plan(tmp_path / "plan", source, target)
    assert dict(target.objects) == before


@pytest.mark.parametrize(
    "line",
    ['{"do":"copy"}', "[]", '{"do":"delete","key":"a","source":{},"target":{},"why":""}',
     '{"do":"rename","key":"a","source":{},"target":{},"why":""}',
     '{"do":"delete","key":"a","source":null,"target":null,"why":""}'],
)  # fmt: skip
def test_a_line_that_is_no_step_is_refused(tmp_path: Path, line: str) -> None:
    head = '{"format":"storage-plan","version":1,"delete":true}\n'
    (tmp_path / "plan").write_text(f'{head}{line}\n{{"end":true,"steps":1}}\n')
    with pytest.raises(ConfigError):
        read_plan(tmp_path / "plan")


def test_a_plan_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan").write_text('{"format":"storage-plan","version":2}\n{"end":true}\n')
    with pytest.raises(ConfigError, match="version 2"):
        read_plan(tmp_path / "plan")


async def test_a_plan_whose_listing_broke_off_is_none(tmp_path: Path) -> None:
    source, target = FlakyStore(numbered(3000)), AsyncDictStore(numbered(10))
    source.list_fails_after = 2500
    with pytest.raises(StoreUnavailable):
        await async_plan_sync(source, target, True, path=tmp_path / "plan")
    with pytest.raises(ConfigError, match="cut"):
        await async_apply_plan(tmp_path / "plan", source, target)


async def test_planned_deletes_are_limited_when_they_are_done() -> None:
    source, target = AsyncDictStore(numbered(2)), AsyncDictStore(numbered(10))
    plan = await async_plan_sync(source, target, True)
    assert plan.counts["delete"] == 8
    with pytest.raises(SyncError, match="8 of the target's 10 objects would go"):
        await async_apply_plan(plan, source, target)
    assert len(target.objects) == 10
    assert (await async_apply_plan(plan, source, target, max_delete=8)).deleted == 8


async def test_what_cannot_be_read_for_the_plan_is_compared_when_it_is_applied() -> None:
    source, target = FlakyStore({"a": b"1", "b": b"2"}), AsyncDictStore({"a": b"1", "b": b"3"})
    source.failing.add("get")
    plan = await async_plan_sync(source, target)
    assert [step.action for step in plan.steps()] == ["compare", "compare"]
    source.failing.clear()
    report = await async_apply_plan(plan, source, target)
    assert (report.identical, report.copied) == (1, 1)


async def test_files_are_held_to_what_was_planned(tmp_path: Path) -> None:
    source, target = AsyncDictStore({"a": b"new"}), AsyncFilesystemStore(tmp_path)
    await target.put("a", b"old")
    plan = await async_plan_sync(source, target)
    (tmp_path / "a").write_bytes(b"theirs")
    with pytest.raises(SyncError):
        await async_apply_plan(plan, source, target)
    assert (tmp_path / "a").read_bytes() == b"theirs"


def test_plans_for_blocking_callers(tmp_path: Path) -> None:
    source, target = DictStore({"a": b"1", "b": b"2"}), DictStore({"b": b"x", "c": b"3"})
    backup = DictStore()
    plan = plan_sync(source, target, True, path=tmp_path / "plan")
    assert [(step.action, step.key) for step in plan.steps()] == [
        ("copy", "a"),
        ("copy", "b"),
        ("delete", "c"),
    ]
    report = apply_plan(plan, source, target, backup=backup)
    assert report.complete
    assert dict(target.objects) == dict(source.objects)
    assert backup.objects == {"b": b"x", "c": b"3"}


async def test_the_watcher_of_a_plan_hears_what_would_become_of_each_key() -> None:
    events: list[SyncEvent] = []
    source, target = ends()
    await async_plan_sync(source, target, True, watcher=events.extend)
    told = {event.key: (event.action, event.reason) for event in events}
    assert told["surplus"] == (Action.DELETED, "surplus")
    assert told["bytes"] == (Action.COPIED, "bytes")
    assert told["key-00001"] == (Action.IDENTICAL, "bytes")


async def test_a_plan_is_not_done_to_other_stores_unless_told(tmp_path: Path) -> None:
    source, target = ends()
    plan = await async_plan_sync(source, target, True)
    other = AsyncDictStore(dict(target.objects))
    for pair in ((source, other), (other, target), (target, source)):
        with pytest.raises(ConfigError, match="other_stores"):
            await async_apply_plan(plan, *pair)
    assert other.objects == target.objects != source.objects
    lines = list(plan.lines())
    lines[0] = json.dumps({**json.loads(lines[0]), "ends": None}) + "\n"
    await asyncio.to_thread((tmp_path / "plan").write_text, "".join(lines))
    with pytest.raises(ConfigError, match="other_stores"):
        await async_apply_plan(tmp_path / "plan", source, target)
    fresh = AsyncDictStore()
    plan = await async_plan_sync(source, fresh)
    report = await async_apply_plan(plan, source, AsyncDictStore(), other_stores=True)
    assert report.copied == len(source.objects)


async def test_a_plan_without_deletes_has_none() -> None:
    source, target = ends()
    plan = await async_plan_sync(source, target)
    assert plan.counts["delete"] == 0
    assert {step.action for step in await asyncio.to_thread(list, plan.steps())} == {"copy"}


async def test_a_plan_does_not_lie_in_an_end(tmp_path: Path) -> None:
    source, target = ends()
    files = AsyncFilesystemStore(tmp_path)
    for pair in ((source, files), (files, target)):
        with pytest.raises(ConfigError, match="the plan"):
            await async_plan_sync(*pair, path=tmp_path / "below" / "plan")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("line", "change"),
    [
        (1, {"key": 5}),
        (1, {"key": None}),
        (1, {"source": {"size": "3"}}),
        (1, {"source": {"size": -1}}),
        (1, {"source": {"etag": 7}}),
        (1, {"source": {"modified": "yesterday"}}),
        (1, {"source": []}),
        (1, {"target": "x"}),
        (-1, {"source_keys": "9"}),
        (-1, {"target_keys": None}),
        (-1, {"doubts": "none"}),
    ],
)
async def test_a_plan_that_somebody_broke_is_refused(
    tmp_path: Path, line: int, change: dict[str, object]
) -> None:
    source, target = ends()
    lines = list((await async_plan_sync(source, target, True)).lines())
    lines[line] = json.dumps({**json.loads(lines[line]), **change}) + "\n"
    await asyncio.to_thread((tmp_path / "plan").write_text, "".join(lines))
    with pytest.raises(ConfigError, match="plan"):
        await async_apply_plan(tmp_path / "plan", source, target)
    assert "surplus" in target.objects


@pytest.mark.parametrize("kind", [AsyncDictStore, Unconditional])
async def test_a_plan_that_was_interrupted_is_done_to_its_end_by_doing_it_again(kind: type) -> None:
    source, target = ends(kind)
    plan = await async_plan_sync(source, target, True)
    await target.put("bytes", b"new")  # as the first attempt has left it
    await target.put("été\n", b"1")
    report = await async_apply_plan(plan, source, target)
    assert (report.copied, report.identical, report.deleted) == (1, 2, 1)
    assert dict(target.objects) == dict(source.objects)
