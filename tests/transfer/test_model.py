"""Whatever is in two stores, and whatever fails: a sync brings them together or loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer.comparing import Comparison
from storage._async.transfer.planning import async_apply_plan, async_plan_sync
from storage._async.transfer.selection import Selection
from storage._async.transfer.sync import async_sync_stores
from storage._async.wrappers.guarding import AsyncReadonlyStore
from storage._core.errors import StoreError, StoreUnavailable
from storage._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions

KEYS = st.sampled_from([f"{folder}{name}" for folder in ("", "a/", "b/") for name in "abcdefgh"])
OBJECTS = st.dictionaries(KEYS, st.sampled_from([b"", b"1", b"2", b"33", b"44"]), max_size=24)
ABLE = st.sampled_from(
    [~Capability.NONE, ~Capability.ORDERED, Capability.ORDERED, Capability.NONE,
     ~(Capability.READ_CONDITIONS | Capability.IF_MATCH)]
)  # fmt: skip
SELECTION = st.sampled_from([None, Selection(include=["a/"]), Selection(exclude=["b/", "*c"])])
COMPARE: st.SearchStrategy[Comparison] = st.sampled_from(["auto", "checksum", "always"])


class Unreliable(AsyncDictStore):
    """Fails in the operations of given numbers, and once in its listing.

    Args:
        objects: What it holds.
        able: Its capabilities.
        failing: Numbers of the operations that fail.
        lost: Whether what fails is done before.
        breaks: After how many keys the listing fails. None: never.
    """

    def __init__(
        self,
        objects: dict[str, bytes],
        able: Capability,
        failing: frozenset[int] = frozenset(),
        *,
        lost: bool = False,
        breaks: int | None = None,
    ) -> None:
        super().__init__(dict(objects))
        self.capabilities = able
        self.failing, self.lost, self.breaks = failing, lost, breaks
        self.count = 0

    def _fails(self) -> bool:
        self.count += 1
        return self.count in self.failing

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        if self._fails():
            raise StoreUnavailable("get")
        return await super()._get(key, options)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        fails = self._fails()
        stored = None if fails and not self.lost else await super()._put(key, data, options)
        if fails or stored is None:
            raise StoreUnavailable("put")
        return stored

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        if self._fails():
            raise StoreUnavailable("delete")
        await super()._delete(key, missing_ok, if_match)

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        infos = [info async for info in super()._list(prefix, start_after)]
        if Capability.ORDERED not in self.capabilities:
            infos.reverse()
        for number, info in enumerate(infos):
            if number == self.breaks:
                raise StoreUnavailable("list")
            yield info


def merged(
    source: dict[str, bytes], target: dict[str, bytes], selection: Selection | None, delete: bool
) -> dict[str, bytes]:
    """What the target is to hold."""

    def wanted(key: str) -> bool:
        return selection is None or selection.selects_key(key)

    kept = {key: data for key, data in target.items() if not (delete and wanted(key))}
    return {**kept, **{key: data for key, data in source.items() if wanted(key)}}


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=SLOW)


@QUICK
@given(OBJECTS, OBJECTS, ABLE, ABLE, st.booleans(), COMPARE, SELECTION, st.booleans())
def test_a_clean_sync_makes_the_target_the_source(
    objects: dict[str, bytes],
    others: dict[str, bytes],
    able: Capability,
    also: Capability,
    delete: bool,
    compare: Comparison,
    selection: Selection | None,
    planned: bool,
) -> None:
    source, target = Unreliable(objects, able), Unreliable(others, also)
    expected = merged(objects, others, selection, delete)
    empty = not any(selection is None or selection.selects_key(key) for key in objects)
    if empty and delete:
        expected = others  # nobody empties a target by mistake

    async def run() -> None:
        guarded = AsyncReadonlyStore(source)
        try:
            if planned:
                plan = await async_plan_sync(
                    guarded, target, delete, compare=compare, selection=selection
                )
                await async_apply_plan(plan, guarded, target, max_delete=None)
            else:
                await async_sync_stores(
                    guarded, target, delete, compare=compare, selection=selection, max_delete=None
                )
        except StoreError:
            assert empty
            assert delete

    asyncio.run(run())
    assert target.objects == expected
    assert source.objects == objects


@QUICK
@given(
    OBJECTS,
    OBJECTS,
    ABLE,
    ABLE,
    st.frozensets(st.integers(1, 30), max_size=4),
    st.frozensets(st.integers(1, 30), max_size=4),
    st.booleans(),
    st.none() | st.integers(0, 10),
    st.none() | st.integers(0, 10),
)
def test_a_sync_with_failures_loses_nothing(
    objects: dict[str, bytes],
    others: dict[str, bytes],
    able: Capability,
    also: Capability,
    reads: frozenset[int],
    writes: frozenset[int],
    lost: bool,
    breaks: int | None,
    breaks_too: int | None,
) -> None:
    source = Unreliable(objects, able, reads, breaks=breaks)
    target = Unreliable(others, also, writes, lost=lost, breaks=breaks_too)

    async def run() -> None:
        clean = False
        try:
            await async_sync_stores(source, target, True, max_delete=None)
            clean = True
        except StoreError:
            pass
        now = dict(target.objects)
        assert source.objects == objects
        for key, data in now.items():  # old or new, and whole
            assert data in (objects.get(key), others.get(key))
        if clean:
            assert now == objects
        for key in others.keys() - now.keys():  # what is gone had to go, after all was copied
            assert key not in objects
            assert objects.items() <= now.items()
        target.failing = source.failing = frozenset()
        target.breaks = source.breaks = None
        if objects:  # the next run sees to the rest
            await async_sync_stores(source, target, True, max_delete=None)
            assert target.objects == objects

    asyncio.run(run())
