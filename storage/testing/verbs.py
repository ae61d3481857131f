"""Objects come back as they were put; what is missing is said to be missing."""

from __future__ import annotations

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import ObjectNotFound, StoreNotFound
from .attempts import listings, reads, takes, tried
from .base import Conformance

BIG = 5 * 1024 * 1024 + 1


class VerbChecks(Conformance):
    """The verbs on one object."""

    @pytest.mark.parametrize("size", [0, 1, BIG])
    async def test_round_trip(self, store: AsyncBaseStore, size: int) -> None:
        data = bytes(range(251)) * (size // 251 + 1)
        data = data[:size]
        info = await store.put("some/object", data)
        got = await store.get("some/object")
        assert type(got) is bytes
        assert got == data
        assert info.key == "some/object"
        assert info.size in (size, None)
        assert await store.exists("some/object") is True

    async def test_overwrite(self, store: AsyncBaseStore) -> None:
        for data in (b"first", b"", b"a longer one than the first", b"short", b"x" * 100_000, b"y"):
            await store.put("key", data)
            assert await store.get("key") == data
            assert await self.contents(store) == {"key": data}

    async def test_delete(self, store: AsyncBaseStore) -> None:
        await store.put("one", b"1")
        await store.put("two", b"2")
        await store.delete("one")
        assert await store.exists("one") is False
        assert await self.contents(store) == {"two": b"2"}
        await store.put("one", b"again")
        assert await store.get("one") == b"again"

    async def test_delete_twice(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"")
        await store.delete("key")
        with pytest.raises(ObjectNotFound):
            await store.delete("key")
        await store.delete("key", missing_ok=True)
        await store.put("key", b"")
        await store.delete("key", missing_ok=True)
        assert not await store.exists("key")

    async def test_missing_key(self, store: AsyncBaseStore) -> None:
        await store.put("there", b"1")
        await store.put("deleted", b"2")
        await store.delete("deleted")
        for key in ("missing", "deleted", "there/", "there/x", "ther", "There"):
            for attempt in {**reads(store, key), **takes(store, key)}.values():
                with pytest.raises((ObjectNotFound, *self._refusal(key))) as caught:
                    await tried(attempt)
                assert isinstance(caught.value, (KeyError, ValueError))
        assert not await store.exists("missing")
        assert not await store.exists("target")
        assert await self.contents(store) == {"there": b"1"}

    @staticmethod
    def _refusal(key: str) -> tuple[type[Exception], ...]:
        return (ValueError,) if key.endswith("/") else ()  # not every store has such keys

    async def test_get_with_info(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"0123456789")
        data, info = await store.get_with_info("key")
        assert (data, info.key, info.size) == (b"0123456789", "key", 10)
        data, info = await store.get_with_info("key", start=2, end=5)
        assert (data, info.key) == (b"234", "key")
        assert info.size in (10, None), "the size is that of the whole object"

    async def test_copy(self, store: AsyncBaseStore) -> None:
        data = bytes(300_000)
        await store.put("source", data)
        info = await store.copy("source", "deep/down/target")
        assert info.key == "deep/down/target"
        assert info.size in (len(data), None)
        assert await self.contents(store) == {"source": data, "deep/down/target": data}
        await store.put("source", b"changed")
        assert await store.get("deep/down/target") == data
        await store.copy("source", "deep/down/target")
        assert await store.get("deep/down/target") == b"changed"

    async def test_copy_onto_itself(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"value")
        info = await store.copy("key", "key")
        assert info.key == "key"
        assert await self.contents(store) == {"key": b"value"}
        with pytest.raises(ObjectNotFound):
            await store.copy("missing", "missing")
        assert not await store.exists("missing")

    async def test_copy_of_nothing(self, store: AsyncBaseStore) -> None:
        await store.put("target", b"old")
        for verb in (store.copy, store.move):
            with pytest.raises(ObjectNotFound):
                await verb("missing", "target")
            assert await self.contents(store) == {"target": b"old"}

    async def test_move(self, store: AsyncBaseStore) -> None:
        data = b"value" * 50_000
        await store.put("source", data)
        info = await store.move("source", "deep/target")
        assert info.key == "deep/target"
        assert await self.contents(store) == {"deep/target": data}
        await store.put("other", b"other")
        await store.move("other", "deep/target")
        assert await self.contents(store) == {"deep/target": b"other"}

    async def test_move_onto_itself(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"value")
        info = await store.move("key", "key")
        assert info.key == "key"
        assert await self.contents(store) == {"key": b"value"}

    async def test_survives_reopening(self, store: AsyncBaseStore) -> None:
        await store.put("a/b", b"1")
        await store.put("empty", b"")
        async with self.reopened(store) as other:
            assert await self.contents(other) == {"a/b": b"1", "empty": b""}
            await other.put("third", b"3")
            assert await store.get("third") == b"3"
            await other.delete("a/b")
            assert not await store.exists("a/b")
            assert await other.head("empty") == await store.head("empty")

    async def test_missing_store(self) -> None:
        async with self.opened(self.missing_store) as store:
            exists = {"exists": lambda: store.exists("key")}
            for attempt in {**reads(store, "key"), **exists, **listings(store)}.values():
                with pytest.raises(StoreNotFound) as caught:
                    await tried(attempt)
                assert isinstance(caught.value, FileNotFoundError)
            if not self.creates:
                with pytest.raises(StoreNotFound):
                    await store.put("key", b"value")
                return
            await store.put("key", b"value")
            assert await self.contents(store) == {"key": b"value"}
