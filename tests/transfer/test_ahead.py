"""Listings that are read ahead, and what becomes of them where a sync ends early."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer import listing
from storage._async.transfer.journal import open_journal
from storage._async.transfer.plan import PlanWriter
from storage._async.transfer.spill import Spill
from storage._async.transfer.steps import Step
from storage._core import workers
from storage._core.errors import MalformedResponse, SyncError
from storage._core.info import Capability, ObjectInfo
from storage._core.workers import Pool
from storage.aioutils import async_sync_stores, async_verify_stores
from storage.testing.harness import interrupt_everywhere, nothing_forgotten

KEYS = ["a", "b", "c", "d", "e"]
OBJECTS = {key: key.encode() * 3 for key in KEYS}


class Paged(AsyncDictStore):
    """Lists in pages of its own, in any order, and waits before each; counts those who list."""

    capabilities = ~Capability.ORDERED

    def __init__(self, pages: list[list[str]], ends: Exception | None = None) -> None:
        super().__init__(dict(OBJECTS))
        self.listing = 0
        self._pages, self._ends = pages, ends

    async def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        self.listing += 1
        try:
            for keys in self._pages:
                await asyncio.sleep(0)
                yield [await self.head(key) for key in keys]
            if self._ends is not None:
                raise self._ends
        finally:
            self.listing -= 1

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        yield ObjectInfo("it is listed in pages")


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "FIRST_PAGE", 1)
    monkeypatch.setattr(listing, "PAGE", 1)


@pytest.mark.parametrize("there", [{}, {"e": b"old", "surplus": b"x"}], ids=["empty", "full"])
async def test_interrupted_everywhere(there: dict[str, bytes], tmp_path: Path) -> None:
    """Nobody lists any more, what is there is whole, and nothing is deleted before the end."""
    source, target = Paged([["a", "b"], ["e", "c"], ["d"]]), AsyncDictStore({})
    journal = tmp_path / "journal"

    async def prepare() -> None:
        target.objects.clear()
        target.objects.update(there)

    async def work() -> None:  # nobody holds the journal of the attempt before any more
        await async_sync_stores(source, target, delete=True, journal=journal)

    async def check() -> int:
        assert source.listing == 0
        found = {key: bytes(value) for key, value in target.objects.items()}
        assert all(value in (OBJECTS.get(key), there.get(key)) for key, value in found.items())
        assert "surplus" in found or "surplus" not in there or found == OBJECTS
        return len(found)

    with nothing_forgotten():
        await interrupt_everywhere(work, prepare=prepare, check=check, seconds=0.4)
    assert dict(source.objects) == OBJECTS


async def test_a_comparison_interrupted_everywhere() -> None:
    a, b = Paged([KEYS]), Paged([["c", "d"], ["a"], ["b", "e"]])

    async def check() -> None:
        assert a.listing == b.listing == 0

    with nothing_forgotten():
        await interrupt_everywhere(lambda: async_verify_stores(a, b), check=check, seconds=0.3)


async def test_a_listing_that_turns_out_to_lie_after_copying_began() -> None:
    """What was copied until then stays, and the error comes out."""
    source = Paged([["a"], ["b"]], MalformedResponse("no listing"))
    target = AsyncDictStore({})
    with pytest.raises(MalformedResponse):
        await async_sync_stores(source, target, delete=True)
    assert {key: bytes(value) for key, value in target.objects.items()} in (
        {}, {"a": OBJECTS["a"]}, {"a": OBJECTS["a"], "b": OBJECTS["b"]},
    )  # fmt: skip
    assert source.listing == 0


async def test_a_key_that_comes_again_after_a_disorder_is_told() -> None:
    target = AsyncDictStore({})
    with pytest.raises(SyncError) as caught:
        await async_sync_stores(Paged([["a", "c"], ["b"], ["a"]]), target, delete=True)
    assert (caught.value.report.copied, caught.value.report.conflicts) == (3, 1)
    assert {key: bytes(value) for key, value in target.objects.items()} == {
        key: OBJECTS[key] for key in "abc"
    }


@pytest.mark.parametrize("what", ["deletes", "journal", "plan"])
async def test_nothing_stays_open_where_closing_is_cancelled(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often, and though no worker has come to it yet."""
    opened: Any
    if what == "deletes":
        opened = Spill()
        await opened.add([Step("delete", "key", None, ObjectInfo("key"), "surplus")])
    elif what == "journal":
        opened = await open_journal(tmp_path / "journal", AsyncDictStore(), AsyncDictStore())
    else:
        opened = PlanWriter(tmp_path / "plan", {})
        await opened.begin()
    file, gate, pool = opened._file, threading.Event(), Pool(limit=1)
    monkeypatch.setattr(workers, "ours", pool)
    busy = asyncio.create_task(pool.submit(gate.wait, (10,)))
    while not pool.is_busy:
        await asyncio.sleep(0)
    closing = asyncio.create_task(opened.aclose())
    for _ in range(2):
        await asyncio.sleep(0.01)
        closing.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await busy
    assert file._broken if what == "journal" else file.closed
