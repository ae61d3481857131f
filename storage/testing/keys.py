"""A key is kept exactly or refused; none leaves the store, and no two are one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import InvalidKey, ObjectNotFound, StoreError
from .attempts import MILD, reads, takes, tried, writes
from .base import Conformance
from .harness import fuzz, profile
from .keytable import HOSTILE, IMPOSSIBLE, any_key, possible

SOME = HOSTILE[::5]
_NO_TEXT: tuple[Any, ...] = (b"key", None, 7, ("a",), object())


class KeyChecks(Conformance):
    """Keys."""

    async def test_hostile_keys(self, store: AsyncBaseStore) -> None:
        """All at once in one store, so that two that are taken for one are seen."""
        around = await self._around(store)
        kept = await self.accepted(store, HOSTILE if self.own_keys else SOME)
        listed = [key async for key in store.keys()]
        assert sorted(listed) == sorted(kept)
        assert sorted([info.key async for info in store.list()]) == sorted(kept)
        for key in kept:
            assert await store.get(key) == key.encode()
            assert await store.exists(key) is True
            assert (await store.head(key)).key == key
        assert await self._around(store) == around, "a key has left the store"
        await self.clean(store)
        for key in kept:
            await store.delete(key)
            assert not await store.exists(key)
        assert [key async for key in store.keys()] == []
        assert await self._around(store) == around, "a key has left the store"

    async def test_hostile_keys_one_by_one(self, store: AsyncBaseStore) -> None:
        for key in self._tried_alone():
            await self._keep_or_refuse(store, key)

    async def test_any_key(self, store: AsyncBaseStore) -> None:
        async def check(key: str) -> None:
            if possible(key):
                await self._keep_or_refuse(store, key)
            else:
                await self._refuses(store, key)

        around = await self._around(store)
        examples = self.examples if self.own_keys else max(4, self.examples // 4)
        await fuzz(any_key(), check, profile(examples, shrinks=self.shrinks))
        assert await self.contents(store) == {}
        assert await self._around(store) == around, "a key has left the store"

    async def test_impossible_keys(self, store: AsyncBaseStore) -> None:
        await store.put("there", b"1")
        for key in (*IMPOSSIBLE, *_NO_TEXT, *self.refused_keys):
            await self._refuses(store, key)
        assert await self.contents(store) == {"there": b"1"}
        await self.clean(store)

    async def test_legal_keys(self, store: AsyncBaseStore) -> None:
        keys = list(self.legal_keys)
        assert await self.accepted(store, keys) == keys
        assert sorted([key async for key in store.keys()]) == sorted(keys)

    async def test_hostile_targets(self, store: AsyncBaseStore) -> None:
        """The other verbs that write keep to the same rule as put."""
        around = await self._around(store)
        await store.put("source", b"value")
        for key in self._tried_alone():
            expected = {"source": b"value"}
            try:
                await store.copy("source", key)
                expected[key] = b"value"
            except InvalidKey:
                await self._has_refused(store, key)
            assert await self.contents(store) == expected
            await store.delete(key, missing_ok=True) if key in expected else None
        assert await self._around(store) == around, "a key has left the store"

    def _tried_alone(self) -> Sequence[str]:
        return self.tried_alone(HOSTILE) if self.own_keys else SOME

    async def _keep_or_refuse(self, store: AsyncBaseStore, key: str) -> None:
        value = key.encode()[::-1] + b"!"
        try:
            await store.put(key, value)
        except InvalidKey:
            await self._has_refused(store, key)
            return
        assert await store.get(key) == value
        assert (await store.head(key)).key == key
        assert await self.contents(store) == {key: value}
        assert [found async for found in store.keys(key)] == [key]
        assert [info.key async for info in store.list(key)] == [key]
        assert [found async for found in store.keys(start_after=key)] == []
        await store.put(key, iter([value, value]))
        assert [piece async for piece in store.stream(key, start=0, end=1)] == [value[:1]]
        await store.delete(key)
        assert await store.exists(key) is False

    async def _refuses(self, store: AsyncBaseStore, key: Any) -> None:
        """Every verb refuses what is no key in any store, and nothing changes."""
        before = [found async for found in store.keys()]
        good = before[0] if before else "source"
        verbs = {**reads(store, key), **takes(store, key), **writes(store, key, good)}
        for attempt in verbs.values():
            with pytest.raises(InvalidKey) as caught:
                await tried(attempt)
            assert isinstance(caught.value, ValueError)
        assert [found async for found in store.keys()] == before

    async def _has_refused(self, store: AsyncBaseStore, key: str) -> None:
        """What this store does not take is nowhere in it; the server alone may know that."""
        before = [found async for found in store.keys()]
        for attempt in {**reads(store, key), **takes(store, key)}.values():
            with pytest.raises((InvalidKey, ObjectNotFound)):
                await tried(attempt)
        for name, attempt in writes(store, key, "source").items():
            with suppress(InvalidKey, ObjectNotFound):
                found = await tried(attempt)
                assert name in MILD, f"{name} has taken a key that put refuses"
                assert not found
        assert [found async for found in store.keys()] == before

    async def _around(self, store: AsyncBaseStore) -> list[str]:
        found: Iterable[str] = await self._made(self.outside, self._origin(store))
        return sorted(found)

    async def test_errors_say_which_key(self, store: AsyncBaseStore) -> None:
        for key in ("a\0b", "x" * 5_000):
            with pytest.raises(StoreError) as caught:
                await store.put(key, b"")
            message = str(caught.value)
            assert len(message) < 1_000
            assert "put" in message
            assert repr(key)[:4] in message
