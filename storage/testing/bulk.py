"""The verbs on many keys do all they can, and tell exactly what failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, TypeVar

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import BulkError, InvalidKey, ObjectNotFound
from .base import Conformance
from .harness import ended

T = TypeVar("T")
VALUES = {f"key{number:02d}": b"%d" % number for number in range(40)}


class BulkChecks(Conformance):
    """Many objects at once."""

    @pytest.mark.parametrize("kind", ["list", "generator", "async"])
    async def test_bulk(self, store: AsyncBaseStore, kind: str) -> None:
        assert await store.put_many(_as(kind, VALUES.items())) == len(VALUES)
        assert await self.contents(store) == VALUES
        wanted = sorted(VALUES, reverse=True)
        got = [pair async for pair in store.get_many(_as(kind, wanted))]
        assert got == [(key, VALUES[key]) for key in wanted]
        assert await store.delete_many(_as(kind, wanted[:30])) == 30
        assert sorted(await self.contents(store)) == wanted[30:][::-1]

    async def test_bulk_of_nothing(self, store: AsyncBaseStore) -> None:
        assert await store.put_many({}) == 0
        assert [pair async for pair in store.get_many([])] == []
        assert await store.delete_many([]) == 0
        assert await store.clear() == 0

    async def test_put_many_of_a_mapping(self, store: AsyncBaseStore) -> None:
        streams: dict[str, Any] = {"a": iter([b"1", b"2"]), "b": b"3", "c": bytearray(b"4")}
        assert await store.put_many(streams) == 3
        assert await self.contents(store) == {"a": b"12", "b": b"3", "c": b"4"}

    async def test_get_many_with_missing(self, store: AsyncBaseStore) -> None:
        await store.put_many(VALUES)
        wanted = ["key03", "gone1", "key01", "gone2", "key02"]
        present = [(key, VALUES[key]) for key in ("key03", "key01", "key02")]
        got = [pair async for pair in store.get_many(wanted, missing_ok=True)]
        assert got == present
        got = []
        with pytest.raises(BulkError) as caught:
            async for pair in store.get_many(wanted):
                got.append(pair)
        assert got == present
        _check_errors(caught.value, {"gone1": ObjectNotFound, "gone2": ObjectNotFound})

    async def test_put_many_with_bad_ones(self, store: AsyncBaseStore) -> None:
        items: list[tuple[str, Any]] = [
            ("good1", b"1"), ("bad\0", b"2"), ("bad-value", "text"), ("good2", b"3"),
            ("bad-stream", _broken()), ("good3", b"4"),
        ]  # fmt: skip
        with pytest.raises(BulkError) as caught:
            await store.put_many(items)
        expected = {"bad\0": InvalidKey, "bad-value": TypeError, "bad-stream": OSError}
        _check_errors(caught.value, expected)
        assert await self.contents(store) == {"good1": b"1", "good2": b"3", "good3": b"4"}
        await self.clean(store)

    @pytest.mark.parametrize("kind", ["generator", "async"])
    async def test_put_many_of_a_source_that_fails(self, store: AsyncBaseStore, kind: str) -> None:
        with pytest.raises(OSError, match="of the user"):
            await store.put_many(_as(kind, _broken_after(VALUES.items())))
        assert await self.contents(store) == VALUES
        with pytest.raises(OSError, match="of the user"):
            await store.delete_many(_as(kind, _broken_after(VALUES)))
        assert await self.contents(store) == {}

    async def test_delete_many_with_missing(self, store: AsyncBaseStore) -> None:
        await store.put_many(VALUES)
        assert await store.delete_many(["key00", "gone", "key01"]) == 3
        with pytest.raises(BulkError) as caught:
            await store.delete_many(["key02", "gone1", "key03", "gone2"], missing_ok=False)
        _check_errors(caught.value, {"gone1": ObjectNotFound, "gone2": ObjectNotFound})
        left = {key: VALUES[key] for key in sorted(VALUES)[4:]}
        assert await self.contents(store) == left
        with pytest.raises(BulkError) as caught:
            await store.delete_many(["bad\0", "key04"])
        _check_errors(caught.value, {"bad\0": InvalidKey})
        assert not await store.exists("key04")

    async def test_delete_many_of_the_same(self, store: AsyncBaseStore) -> None:
        await store.put_many(VALUES)
        await store.delete_many(["key00", "key00", "key01"])
        assert sorted(await self.contents(store)) == sorted(VALUES)[2:]

    async def test_clear(self, store: AsyncBaseStore) -> None:
        await store.put_many({"a-": b"", "a/1": b"", "a/2": b"", "b/1": b"", "ab": b""})
        assert await store.clear("a/") == 2
        assert sorted(await self.contents(store)) == ["a-", "ab", "b/1"]
        assert await store.clear("nothing") == 0
        assert await store.clear() == 3
        assert await self.contents(store) == {}
        await self.clean(store)

    async def test_get_many_is_left_early(self, store: AsyncBaseStore) -> None:
        await store.put_many(VALUES)
        before = asyncio.all_tasks()
        async with self.no_descriptors_left():
            for _ in range(3):
                results = store.get_many(sorted(VALUES))
                assert await anext(results) == ("key00", b"0")
                await results.aclose()  # type: ignore[attr-defined]
                await ended(asyncio.all_tasks() - before, self.idle_tasks)
        assert await store.get("key01") == b"1"


def _broken() -> Iterable[bytes]:
    return _broken_after([b"piece"])


def _broken_after(items: Iterable[T]) -> Iterator[T]:
    yield from items
    raise OSError("the disk of the user")


def _check_errors(error: BulkError, expected: dict[str, type[Exception]]) -> None:
    assert set(error.errors) == set(expected)
    for key, kind in expected.items():
        assert isinstance(error.errors[key], kind)
        assert isinstance(error, ExceptionGroup)
        assert repr(key) in str(error)


def _as(kind: str, items: Iterable[T]) -> Any:
    async def iterate() -> AsyncIterator[T]:
        for item in items:
            yield item

    kinds: dict[str, Callable[..., Any]] = {
        "list": list,
        "generator": iter,
        "async": lambda _: iterate(),
    }
    return kinds[kind](items)
