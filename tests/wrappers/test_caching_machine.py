"""Any sequence of calls, with a second writer behind the cache's back, beside a dict."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from storage._core.errors import ObjectNotFound
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore
from tests.stores import FlakyStore

T = TypeVar("T")
KEYS = st.sampled_from(["a", "b", "c", "d"])
DATA = st.binary(max_size=5) | st.integers(0, 3).map(lambda n: b"%d" % n * 200_000)
STORES = st.integers(0, 1)


class Cached(RuleBasedStateMachine):
    """Two caching stores on one cache and one main store, as two processes have them."""

    options: ClassVar[dict[str, Any]] = {"revalidate": "always"}
    secretly: ClassVar[bool] = True

    @initialize()
    def open(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._main, self._cache = AsyncDictStore(), FlakyStore()
        self._stores = [AsyncCachingStore(self._main, self._cache, **self.options) for _ in "12"]
        self._model: dict[str, bytes] = {}

    def teardown(self) -> None:
        if hasattr(self, "_loop"):
            for store in self._stores:
                self._run(store._shelf.room.aclose())
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def _expect(self, key: str, work: Coroutine[Any, Any, T]) -> T | None:
        try:
            found = self._run(work)
        except ObjectNotFound:
            assert key not in self._model
            return None
        assert key in self._model
        return found

    def _pick(self, number: int) -> AsyncCachingStore:
        return self._stores[number if self.secretly else 0]

    @rule(key=KEYS, number=STORES, start=st.integers(0, 300_000))
    def read(self, key: str, number: int, start: int) -> None:
        store, data = self._pick(number), self._model.get(key)
        assert self._expect(key, store.get(key)) == data
        part = self._expect(key, store.get_range(key, start, start + 5))
        assert part == (None if data is None else data[start : start + 5])
        assert self._run(store.exists(key)) is (data is not None)

    @rule(key=KEYS, number=STORES)
    def stream(self, key: str, number: int) -> None:
        async def work() -> bytes:
            async with self._pick(number).open_reader(key) as reader:
                assert reader.info.etag == (await self._main.head(key)).etag
                return await reader.read()

        assert self._expect(key, work()) == self._model.get(key)

    @rule(key=KEYS, number=STORES)
    def inform(self, key: str, number: int) -> None:
        info = self._expect(key, self._pick(number).head(key))
        found = self._expect(key, self._pick(number).get_with_info(key))
        if info is not None and found is not None:
            assert (found[0], found[1].etag) == (self._model[key], info.etag)
            assert info == self._run(self._main.head(key))

    @rule(key=KEYS, number=STORES, data=DATA, streamed=st.booleans())
    def write(self, key: str, number: int, data: bytes, streamed: bool) -> None:
        self._run(self._pick(number).put(key, iter([data]) if streamed else data))
        self._model[key] = data

    @rule(key=KEYS, number=STORES, many=st.booleans())
    def delete(self, key: str, number: int, many: bool) -> None:
        store = self._pick(number)
        self._run(store.delete_many([key]) if many else store.delete(key, missing_ok=True))
        self._model.pop(key, None)

    @rule(source=KEYS, key=KEYS, number=STORES, moves=st.booleans())
    def copy(self, source: str, key: str, number: int, moves: bool) -> None:
        store = self._pick(number)
        verb = store.move if moves else store.copy
        if self._expect(source, verb(source, key)) is not None:
            self._model[key] = self._model[source]
            if moves and source != key:
                del self._model[source]

    @rule(key=KEYS, data=st.none() | DATA)
    def write_behind_its_back(self, key: str, data: bytes | None) -> None:
        if not self.secretly:
            return
        if data is None:
            self._run(self._main.delete(key, missing_ok=True))
            self._model.pop(key, None)
        else:
            self._run(self._main.put(key, data))
            self._model[key] = data

    @rule(position=st.integers(0, 600_000), key=KEYS, cuts=st.booleans())
    def spoil(self, position: int, key: str, cuts: bool) -> None:
        entry = bytearray(self._cache.objects.get(key, b""))
        if entry:
            position %= len(entry)
            entry[position] ^= 1
            self._cache.objects[key] = bytes(entry[:position] if cuts else entry)

    @rule(failing=st.sets(st.sampled_from(["get", "put", "delete"])))
    def fail(self, failing: set[str]) -> None:
        self._cache.failing = failing


class CachedAlone(Cached):
    """One caching store, and nobody else: no policy may be stale."""

    secretly = False


@pytest.mark.parametrize(
    "options",
    [
        {"revalidate": "always"},
        {"revalidate": "always", "write": "around", "max_objects": 2},
        {"revalidate": "always", "write": "invalidate", "max_bytes": 300_000},
    ],
)
def test_always_is_never_stale(options: dict[str, Any]) -> None:
    machine = type("Machine", (Cached,), {"options": options})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=25))


@pytest.mark.parametrize(
    "options", [{"plain": False, "max_objects": 2}, {"ttl": 1000, "negative_ttl": 1000}]
)
def test_no_policy_is_stale_to_a_single_process(options: dict[str, Any]) -> None:
    machine = type("Machine", (CachedAlone,), {"options": options})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=25))
