"""Listings in pages and in order, and what lies side by side in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._async.backends.memory import AsyncDictStore
from storage._async.transfer import listing, sorting
from storage._async.transfer.ahead import AHEAD, ahead
from storage._async.transfer.listing import DisorderError, Listing, in_pages
from storage._async.transfer.merge import merge, nothing
from storage._async.transfer.selection import Selection
from storage._async.transfer.steps import Remembered
from storage._core.errors import StoreNotFound
from storage._core.info import Capability, ObjectInfo
from tests.stores import AskedStore, numbered

T0 = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5)))
PAGES = st.lists(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=4), max_size=8)


async def given_pages(pages: list[list[ObjectInfo]]) -> AsyncGenerator[list[ObjectInfo], None]:
    for page in pages:
        await asyncio.sleep(0)
        yield page


def rising(pages: list[list[str]]) -> list[list[str]]:
    """The same keys, each once, in order, in pages of the same lengths at most."""
    keys = sorted({key for page in pages for key in page})
    sizes = [len(page) or 1 for page in pages]
    found = []
    while keys:
        size = sizes.pop() if sizes else 1
        found.append(keys[:size])
        keys = keys[size:]
    return found


@settings(max_examples=50, deadline=None)
@given(PAGES, PAGES, PAGES)
def test_what_is_merged_is_what_is_in_any_of_them(
    a: list[list[str]], b: list[list[str]], c: list[list[str]]
) -> None:
    sides = rising(a), rising(b), rising(c)
    here, there = ([[ObjectInfo(key) for key in page] for page in side] for side in sides[:2])
    known = [[Remembered(key, "", "") for key in page] for page in sides[2]]

    async def journal() -> AsyncGenerator[list[Remembered], None]:
        for page in known:
            yield page

    def source(*, in_order: bool) -> AsyncIterator[list[ObjectInfo]]:
        return given_pages(here)

    async def run() -> None:
        rows = [
            row
            async for page in merge(
                lambda in_order: given_pages(here), given_pages(there), journal()
            )
            for row in page
        ]
        keys = [{key for page in side for key in page} for side in sides]
        assert [row[0] for row in rows] == sorted(set.union(*keys))
        for key, *found in rows:
            assert [item is not None for item in found] == [key in side for side in keys]
            assert all(item is None or item.key == key for item in found)

    asyncio.run(run())


@pytest.mark.parametrize("held", [10, 10_000])
async def test_any_order_is_sorted_in_memory_and_on_disk(
    monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(sorting, "IN_MEMORY", held)
    infos = [
        ObjectInfo(key, size, etag, modified, checksum=checksum)
        for key, size, etag, modified, checksum in [
            ("b", 1, "etag", T0, "sha256:00"),
            ("a", None, None, None, None),
            ("\ud800", 0, "x", T0.astimezone(UTC), None),
            ("é", 2**40, "", T0, None),
            ("a/b", 1, None, None, None),
            ("a b", 1, None, None, None),
            ("b", 2, None, None, None),
            *((str(n), n, None, None, None) for n in range(2000, 1000, -1)),
        ]
    ]
    pages = [infos[start : start + 7] for start in range(0, len(infos), 7)]
    found = [info async for page in sorting.sorted_pages(given_pages(pages)) for info in page]
    assert len(found) == len(infos)
    assert [info.key for info in found] == sorted(info.key for info in infos)
    told = {(i.key, i.size, i.etag, i.modified, i.checksum) for i in found}
    assert told == {(i.key, i.size, i.etag, i.modified, i.checksum) for i in infos}


class Told(AsyncDictStore):
    """Lists what it is told to."""

    def __init__(self, *keys: str, able: Capability = ~Capability.NONE) -> None:
        super().__init__()
        self.told, self.capabilities = keys, able

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        for key in self.told:
            yield ObjectInfo(key)


async def keys_of(one: Listing) -> list[str]:
    return [info.key async for page in one.pages() for info in page]


async def test_a_disorder_is_found_out_and_mended_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "FIRST_PAGE", 2)
    monkeypatch.setattr(listing, "PAGE", 2)
    for keys in (("a", "b", "d", "c"), ("a", "c", "b", "d"), ("b", "a", "c", "d")):
        one = Listing(Told(*keys), "the source")
        with pytest.raises(DisorderError):
            await keys_of(one)
        assert await keys_of(one) == ["a", "b", "c", "d"]
        assert one.count == 4
        assert list(one.doubts) == ["the source does not list in the order that it claims"]


@pytest.mark.parametrize("able", [~Capability.NONE, Capability.NONE])
async def test_what_comes_twice_is_given_once_and_doubted(
    monkeypatch: pytest.MonkeyPatch, able: Capability
) -> None:
    monkeypatch.setattr(listing, "FIRST_PAGE", 2)
    one = Listing(Told("a", "b", "b", "c", "c", able=able), "the source")
    assert await keys_of(one) == ["a", "b", "c"]
    assert list(one.doubts) == ["the source lists keys twice, such as 'b'"]


async def test_only_what_is_selected_is_asked_for() -> None:
    store = AskedStore({f"{folder}/{key}": b"" for folder in "abc" for key in "xyz"})
    chosen = Selection(include=["/a/", "/c/x"])
    assert await keys_of(Listing(store, "it", chosen)) == ["a/x", "a/y", "a/z", "c/x"]
    assert [prefix for prefix, _ in store.asked] == list(chosen.prefixes())
    assert "" not in chosen.prefixes()


@pytest.mark.parametrize("missing_ok", [False, True])
async def test_what_is_missing_is_empty_only_where_that_is_expected(missing_ok: bool) -> None:
    class Missing(AsyncDictStore):
        def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            raise StoreNotFound("no bucket")

    one = Listing(Missing(), "it", missing_ok=missing_ok)
    if missing_ok:
        assert await keys_of(one) == []
        return
    with pytest.raises(StoreNotFound):
        await keys_of(one)


async def test_a_store_that_goes_while_it_is_listed_was_not_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Going(AsyncDictStore):
        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            yield ObjectInfo("a")
            raise StoreNotFound("no bucket")

    monkeypatch.setattr(listing, "FIRST_PAGE", 1)
    with pytest.raises(StoreNotFound):
        await keys_of(Listing(Going(), "it", missing_ok=True))


async def test_the_next_pages_are_on_their_way_and_are_given_up_at_the_end() -> None:
    begun, closed = 0, False

    async def endless() -> AsyncGenerator[int, None]:
        nonlocal begun, closed
        try:
            while True:
                begun += 1
                yield begun
                await asyncio.sleep(0)
        finally:
            closed = True

    source = ahead(endless())
    for number in range(1, 4):
        assert await anext(source) == number
        await asyncio.sleep(0.01)
        assert begun == number + AHEAD + 1  # one waits for room
    await source.aclose()
    assert closed
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("error", [OSError, asyncio.CancelledError])
async def test_what_ends_a_listing_comes_after_its_pages(error: type[BaseException]) -> None:
    async def broken() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        raise error

    found = []
    with pytest.raises(error):
        async for number in ahead(broken()):
            await asyncio.sleep(0.01)
            found.append(number)
    assert found == [1, 2]


async def drawn(pages: AsyncIterator[list[ObjectInfo]]) -> list[list[str]]:
    return [[info.key for info in page] async for page in pages]


async def test_what_goes_to_an_empty_place_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pages come while the store still lists; all that follows a disorder is sorted."""
    monkeypatch.setattr(listing, "FIRST_PAGE", 1)
    monkeypatch.setattr(listing, "PAGE", 1)
    told = [["b", "c"], ["d", "e"], ["a1", "a0"], ["z"]]
    go_on = asyncio.Event()

    class Slow(AsyncDictStore):
        capabilities = ~Capability.ORDERED

        async def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
            for keys in told:
                yield [ObjectInfo(key) for key in keys]
                if keys == told[0]:
                    await go_on.wait()

        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            yield ObjectInfo("it is listed in pages")

    one = Listing(Slow(), "it")
    pages = one.pages(in_order=False)
    assert [info.key for info in await asyncio.wait_for(anext(pages), 5)] == told[0]
    go_on.set()
    assert await drawn(pages) == [told[1], ["a0", "a1", "z"]]
    assert one.count == 7
    assert not one.doubts
    assert await drawn(one.pages()) == [["a0", "a1", "b", "c", "d", "e", "z"]]


@pytest.mark.parametrize("others", [[], [[ObjectInfo("k")]]])
async def test_only_a_source_that_stands_alone_may_come_in_any_order(
    others: list[list[ObjectInfo]],
) -> None:
    asked: list[bool] = []

    def here(*, in_order: bool) -> AsyncIterator[list[ObjectInfo]]:
        asked.append(in_order)
        return given_pages([[ObjectInfo("b")], [ObjectInfo("c")]])

    rows = [page async for page in merge(here, given_pages(others), nothing())]
    assert asked == [bool(others)]
    assert [row[0] for page in rows for row in page] == ["b", "c", *("k" for _ in others)]


async def test_pages_are_full_but_the_first_and_the_last() -> None:
    store = AsyncDictStore(numbered(2500))
    sizes = [len(page) async for page in in_pages(store.list())]
    assert sizes == [100, 1000, 1000, 400]
