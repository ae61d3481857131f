"""The life of a store: opening, closing, loops and threads."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import StoreClosed, StoreError
from .asasync import in_thread
from .attempts import Attempt, listings, reads, takes, tried, writes
from .base import Conformance
from .harness import nothing_forgotten

PIECE = b"piece" * 20_000


class ClosingChecks(Conformance):
    """Opening, closing, and use from several loops and threads."""

    async def test_closed_store(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"value")
        await store.aclose()
        await store.aclose()
        attempts: dict[str, Attempt] = {
            **reads(store, "key"),
            **takes(store, "key"),
            **writes(store, "key", "missing"),
            **listings(store),
            "delete_many": lambda: store.delete_many(["key"]),
            "clear": store.clear,
            "enter": lambda: store,
        }
        for name, attempt in attempts.items():
            with pytest.raises(StoreClosed):
                await tried(attempt)
                pytest.fail(f"{name} works on a closed store")
        for bulk in (lambda: store.get_many(["key"]), lambda: store.put_many({"key": b""})):
            with pytest.raises(StoreError):
                await tried(bulk)

    async def test_close_keeps_objects(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"value")
        await store.put("streamed", iter([PIECE] * 5))
        async with self.reopened(store) as other:
            await store.aclose()
            assert await self.contents(other) == {"key": b"value", "streamed": PIECE * 5}
            await self.clean(other)

    async def test_without_entering(self) -> None:
        store = await self.unopened()
        try:
            await store.put("key", b"value")
            assert await store.get("key") == b"value"
            assert [key async for key in store.keys()] == ["key"]
        finally:
            await store.aclose()

    async def test_block_that_raises(self) -> None:
        with pytest.raises(RuntimeError, match="the user's"):
            async with self.opened() as store:
                await store.put("key", b"value")
                raise RuntimeError("the user's")
        with pytest.raises(StoreClosed):
            await store.get("key")

    async def test_closing_lets_go(self) -> None:
        async with self.opened() as store:
            await self._use(store)
        before = asyncio.all_tasks()
        with nothing_forgotten():
            async with self.no_descriptors_left():
                for _ in range(2):
                    async with self.opened() as store:
                        await self._use(store)
                del store
        assert not asyncio.all_tasks() - before

    async def _use(self, store: AsyncBaseStore) -> None:
        await store.put("a", PIECE)
        await store.put("b", iter([PIECE, PIECE]))
        async with store.open_reader("b") as reader:
            await reader.read(10)
        assert [key async for key in store.keys()]
        listing = store.list()
        await anext(listing)
        await listing.aclose()  # type: ignore[attr-defined]
        await store.delete_many(["a", "b"])

    async def test_closing_amid_writes(self, store: AsyncBaseStore) -> None:
        """What is in flight ends or is refused; it does not hang, and nothing is half there."""
        going = asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield PIECE
                going.set()
                await asyncio.sleep(0)

        async with self.reopened(store) as other:
            puts = [asyncio.create_task(store.put(f"key{i}", slowly())) for i in range(4)]
            await asyncio.wait_for(going.wait(), 30)
            await asyncio.wait_for(store.aclose(), 30)
            outcomes = await asyncio.wait_for(asyncio.gather(*puts, return_exceptions=True), 30)
            for index, outcome in enumerate(outcomes):
                done = not isinstance(outcome, BaseException)
                assert done or isinstance(outcome, StoreError)
                assert await other.exists(f"key{index}") is done
                if done:
                    assert await other.get(f"key{index}") == PIECE * 20
            await self.clean(other)

    async def test_several_loops(self, store: AsyncBaseStore) -> None:
        """In turn, then at once, and then the first one again."""
        await store.put("first", b"1")

        async def use(name: str) -> None:
            await store.put(name, name.encode())
            await store.put(name, iter([PIECE, PIECE]))
            assert await store.get(name) == PIECE * 2
            assert name in [key async for key in store.keys()]
            await asyncio.gather(*(store.put(f"{name}-{n}", b"%d" % n) for n in range(10)))
            got = [pair async for pair in store.get_many(f"{name}-{n}" for n in range(10))]
            assert [data for _, data in got] == [b"%d" % n for n in range(10)]

        def elsewhere(name: str) -> None:
            asyncio.run(use(name))

        await in_thread(elsewhere, "second")
        await in_thread(elsewhere, "third")
        await use("fourth")
        await asyncio.gather(*(in_thread(elsewhere, name) for name in ("fifth", "sixth")))
        assert await store.get("first") == b"1"
        assert len([key async for key in store.keys()]) == 56

    async def test_pickled_store(self, store: AsyncBaseStore) -> None:
        if not self.picklable:
            pytest.skip("the store is not said to be picklable")
        await store.put("key", b"value")
        again = pickle.loads(pickle.dumps(self._origin(store)))  # noqa: S301 - our own bytes

        async def given() -> Any:
            return again

        async with self.opened(given) as other:
            assert await other.get("key") == b"value"
