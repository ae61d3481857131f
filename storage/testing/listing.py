"""Listings give exactly what is there, in order where that is declared."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import ConfigError, InvalidKey
from .._core.info import Capability
from .attempts import Attempt, listings, tried
from .base import Conformance

KEYS = (
    "a", "a-b", "a.b", "a/b", "a/b/c", "a/c", "a0", "aa", "ab", "A", "B/b", "b/", "b//c", "%", "%a",
    "_", "_a", "x%y", "x_y", "xzy", "*", "[a]", "été/1", "été/2", "e\u0301te\u0301", "\u00ff",
    "\u0100", "\uffee", "\uffff", "\U00010000", "\U0001f600", "\U0001f600/x", "\U0010ffff",
    "\U0010ffff\U0010ffff", " ", " a", "z/1/2/3", "z/1/2/4", "z/1-2", "z/2", "~", "\x7f", "-", "--",
)  # fmt: skip
PREFIXES = (
    "", "a", "a/", "a/b", "a/b/", "a-", "b", "b/", "b//", "%", "_", "x%", "x_", "*", "[", "[a", "é",
    "été/", "e", "\u00ff", "\uffff", "\U0001f600", "\U0001f600/", "\U0010ffff", "z/1", "z/1/",
    "z/9", "nothing", "a/b/c/d", "A/", " ", "\0", "a\0", "\ud800", "x" * 2_000, "../", "/", ".",
)  # fmt: skip
OTHER_KEYS = ("a/", "a/a", "b", "\uffef", "\U0010ffff" * 3, "\0", "", "z/1/2/35")
_NO_TEXT: tuple[Any, ...] = (b"a", None, 7)


class ListingChecks(Conformance):
    """Listings, against the same keys in a list."""

    async def _filled(self, store: AsyncBaseStore) -> list[str]:
        return sorted(await self.accepted(store, KEYS))

    def _like(self, store: AsyncBaseStore, found: list[str], expected: list[str]) -> None:
        if Capability.ORDERED not in store.capabilities:
            found = sorted(found)
        assert found == expected

    async def test_empty_store(self, store: AsyncBaseStore) -> None:
        assert [key async for key in store.keys()] == []
        assert [info async for info in store.list("prefix", start_after="x")] == []
        result = await store.list_with_delimiter()
        assert (result.prefixes, result.objects) == ((), ())

    async def test_prefixes(self, store: AsyncBaseStore) -> None:
        keys = await self._filled(store)
        for prefix in PREFIXES:
            expected = [key for key in keys if key.startswith(prefix)]
            self._like(store, [key async for key in store.keys(prefix)], expected)
            self._like(store, [info.key async for info in store.list(prefix)], expected)

    async def test_start_after(self, store: AsyncBaseStore) -> None:
        keys = await self._filled(store)
        for after in self.tried_alone([*keys, *OTHER_KEYS]):
            expected = [key for key in keys if key > after]
            self._like(store, [key async for key in store.keys(start_after=after)], expected)
        prefixes = ("a", "a/", "z/1", "été/", "\U0010ffff", "nothing")
        afters = ("a", "a/b", "z/1/2/3", "été/1", "b", "\U0010ffff", "0")
        for prefix, after in self.tried_alone(list(product(prefixes, afters))):
            expected = [key for key in keys if key.startswith(prefix) and key > after]
            found = [key async for key in store.keys(prefix, start_after=after)]
            self._like(store, found, expected)
            infos = [info.key async for info in store.list(prefix, start_after=after)]
            self._like(store, infos, expected)

    async def test_order(self, store: AsyncBaseStore) -> None:
        """Where it is declared: the order of UTF-8 bytes, whatever the medium's own is."""
        keys = await self._filled(store)
        if Capability.ORDERED not in store.capabilities:
            pytest.skip("the store declares no order")
        in_bytes = sorted(keys, key=str.encode)
        assert [key async for key in store.keys()] == in_bytes
        assert [info.key async for info in store.list()] == in_bytes

    async def test_list_with_delimiter(self, store: AsyncBaseStore) -> None:
        keys = await self._filled(store)
        for case in self.tried_alone(list(product(PREFIXES, ("/", "-", "b/", "é")))):
            prefixes, objects = _level(keys, *case)
            result = await store.list_with_delimiter(*case)
            assert list(result.prefixes) == prefixes, case
            assert [info.key for info in result.objects] == objects, case
        assert (await store.list_with_delimiter()).prefixes == tuple(_level(keys, "", "/")[0])
        with pytest.raises(ConfigError):
            await store.list_with_delimiter("a", "")

    async def test_prefix_is_text(self, store: AsyncBaseStore) -> None:
        for wrong in _NO_TEXT:
            after: Attempt = partial(store.keys, start_after=wrong)
            for attempt in [*listings(store, wrong).values(), after]:
                with pytest.raises(InvalidKey):
                    await tried(attempt)

    async def test_more_than_one_page(self, store: AsyncBaseStore) -> None:
        """Put, listed from several points, read and removed in bulk."""
        keys = [f"page/{number:05d}" for number in range(self.many)]
        assert await store.put_many((key, key.encode()) for key in reversed(keys)) == len(keys)
        await store.put("pages", b"")
        self._like(store, [key async for key in store.keys("page/")], keys)
        self._like(store, [info.key async for info in store.list()], [*keys, "pages"])
        for after in (keys[0], keys[-2], "page/00999", "page/00500x"):
            found = [key async for key in store.keys("page/", start_after=after)]
            self._like(store, found, [key for key in keys if key > after])
        level = await store.list_with_delimiter("page/")
        assert [info.key for info in level.objects] == keys
        assert await store.clear("page/") == len(keys)
        assert [key async for key in store.keys()] == ["pages"]

    async def test_many_prefixes(self, store: AsyncBaseStore) -> None:
        """One level with more prefixes than objects."""
        keys = [f"{number:03d}/{item}" for number in range(60) for item in "ab"]
        await store.put_many([(key, b"") for key in keys])
        level = await store.list_with_delimiter()
        assert list(level.prefixes) == [f"{number:03d}/" for number in range(60)]
        assert level.objects == ()

    async def test_listing_is_left_early(self, store: AsyncBaseStore) -> None:
        await store.put_many([(f"{number:03d}", b"") for number in range(40)])
        async with self.no_descriptors_left():
            for _ in range(3):
                listing = store.list()
                await anext(listing)
                await listing.aclose()  # type: ignore[attr-defined]
                keys = store.keys()
                await anext(keys)
                await keys.aclose()  # type: ignore[attr-defined]
        await store.put("more", b"")
        assert await store.clear() == 41

    async def test_listing_while_it_changes(self, store: AsyncBaseStore) -> None:
        """What stays is given exactly once; what comes or goes may be, once."""
        staying = [f"{number:03d}-stays" for number in range(50)]
        going = [f"{number:03d}-goes" for number in range(50)]
        await store.put_many([(key, b"x") for key in staying + going])
        found: list[str] = []
        async for info in store.list():
            found.append(info.key)
            if len(found) % 5 == 1 and going:
                await store.delete(going.pop())
                await store.delete(going.pop(0))
                await store.put(f"{len(found):03d}-comes", b"x")
                await store.put(staying[len(found) % 50], b"longer")
        assert len(set(found)) == len(found), "a key was given twice"
        assert [key for key in found if key.endswith("stays")] == staying or (
            Capability.ORDERED not in store.capabilities
        )
        assert set(staying) <= set(found)

    async def test_two_listings_at_once(self, store: AsyncBaseStore) -> None:
        await store.put_many([(f"{number:02d}", b"") for number in range(20)])
        first, second = store.keys(), store.keys()
        pairs = [(await anext(first), await anext(second)) for _ in range(20)]
        assert all(one == two for one, two in pairs)
        assert [key async for key in first] == []
        assert [key async for key in second] == []


def _level(keys: list[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    prefixes, objects = set(), []
    for key in keys:
        if key.startswith(prefix):
            head, found, _ = key[len(prefix) :].partition(delimiter)
            if found:
                prefixes.add(prefix + head + delimiter)
            else:
                objects.append(key)
    return sorted(prefixes), objects
