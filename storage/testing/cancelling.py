"""A call that is cancelled, at any point, leaves the old or the new, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import ObjectNotFound
from .asasync import AsAsync
from .base import Conformance
from .harness import IN_THREADS, Moment, interrupt_everywhere, nothing_forgotten

OLD = b"old" * 1_000
NEW = b"new!" * 20_000


class CancelChecks(Conformance):
    """Every verb, cancelled at every point at which it waits."""

    async def _interrupted(
        self,
        store: AsyncBaseStore,
        act: Callable[[], Coroutine[Any, Any, Any]],
        *outcomes: dict[str, bytes],
        reads: str | None = None,
    ) -> None:
        """Cancel some work everywhere.

        Args:
            store: The store.
            act: Makes the work.
            outcomes: What the store may hold afterwards; the first is what it holds before.
            reads: The key that the work does no more than read, so that nothing can come late, and
                it is enough to look at the rest in the end.
        """

        async def check() -> dict[str, bytes]:
            if reads is not None:
                found = {**outcomes[0], reads: await store.get(reads)}
            else:
                found = await self._settled(store)
            assert found in outcomes, f"{ {key: len(data) for key, data in found.items()} }"
            await self.clean(store)
            seen.append(found)
            return found

        async def restore() -> None:
            if (self.remote and reads is None) or not seen or seen[-1] != outcomes[0]:
                await store.delete_many([key async for key in store.keys()])
                await store.put_many(outcomes[0])

        seen: list[dict[str, bytes]] = []
        await restore()
        await act()  # whatever is made once and kept is there from now on
        await check()
        with nothing_forgotten():
            async with self.no_descriptors_left():
                await self._everywhere(store, act, prepare=restore, check=check)
        assert outcomes[-1] in seen, "the work was never done"
        assert await self._settled(store) in outcomes

    async def _everywhere(
        self,
        store: AsyncBaseStore,
        act: Callable[[], Coroutine[Any, Any, Any]],
        **steps: Callable[[], Awaitable[Any]],
    ) -> None:
        shown: Any = store
        moments = IN_THREADS if isinstance(shown, AsAsync) else tuple(Moment)
        clock = time.monotonic if self.remote else time.process_time
        await interrupt_everywhere(
            act,
            seconds=self.seconds,
            idle_tasks=self.idle_tasks,
            moments=moments,
            clock=clock,
            **steps,
        )

    async def _settled(self, store: AsyncBaseStore) -> dict[str, bytes]:
        """What the store holds; of a remote one, when it has become quiet."""
        if not self.remote:
            return await self.contents(store)
        before = None
        while True:
            await asyncio.sleep(0.01)
            try:
                found = await self.contents(store)
            except ObjectNotFound:  # a cancelled delete, on the server, between two requests
                continue
            if found == before:
                return found
            before = found

    async def test_cancelled_put(self, store: AsyncBaseStore) -> None:
        await self._interrupted(
            store, lambda: store.put("dir/key", NEW), {"dir/key": OLD}, {"dir/key": NEW}
        )

    async def test_cancelled_first_put(self, store: AsyncBaseStore) -> None:
        await self._interrupted(
            store, lambda: store.put("a/dir/key", NEW), {"x": OLD}, {"x": OLD, "a/dir/key": NEW}
        )

    @pytest.mark.parametrize("kind", ["plain", "async"])
    async def test_cancelled_stream(self, store: AsyncBaseStore, kind: str) -> None:
        data = self._large()
        source = _plain if kind == "plain" else _async
        await self._interrupted(
            store, lambda: store.put("key", source(data)), {"key": OLD}, {"key": data}
        )

    async def test_cancelled_writer(self, store: AsyncBaseStore) -> None:
        data = self._large()

        async def write() -> None:
            async with store.open_writer("key") as writer:
                for piece in _plain(data):
                    await writer.write(piece)

        await self._interrupted(store, write, {"other": OLD}, {"other": OLD, "key": data})

    async def test_cancelled_copy(self, store: AsyncBaseStore) -> None:
        before = {"source": NEW, "target": OLD}
        await self._interrupted(
            store, lambda: store.copy("source", "target"), before, {**before, "target": NEW}
        )

    async def test_cancelled_move(self, store: AsyncBaseStore) -> None:
        before = {"source": NEW, "target": OLD}
        await self._interrupted(
            store,
            lambda: store.move("source", "target"),
            before,
            {"source": NEW, "target": NEW},  # a move may be a copy and a delete
            {"target": NEW},
        )

    async def test_cancelled_delete(self, store: AsyncBaseStore) -> None:
        await self._interrupted(
            store, lambda: store.delete("key"), {"key": OLD, "other": OLD}, {"other": OLD}
        )

    async def test_cancelled_bulk(self, store: AsyncBaseStore) -> None:
        """Each key on its own is old or new."""
        keys = [f"key{number}" for number in range(12)]

        async def change() -> None:
            await store.put_many((key, NEW) for key in keys)
            await store.delete_many(keys[:6])

        async def check() -> dict[str, bytes]:
            found = await self._settled(store)
            assert set(found) >= set(keys[6:])
            assert all(data in (OLD, NEW) for data in found.values())
            await self.clean(store)
            return found

        async def prepare() -> None:
            await store.put_many((key, OLD) for key in keys)

        with nothing_forgotten():
            await self._everywhere(store, change, prepare=prepare, check=check)

    @pytest.mark.parametrize("verb", ["get", "head", "reader", "stream", "list", "get_many"])
    async def test_cancelled_read(self, store: AsyncBaseStore, verb: str) -> None:
        content = {"key": self._large(600_000), **{f"key{number}": OLD for number in range(3)}}

        async def read() -> None:
            if verb == "get":
                await store.get("key")
            elif verb == "head":
                await store.head("key")
            elif verb == "reader":
                async with store.open_reader("key") as reader:
                    await reader.read(10)
                    await reader.seek(len(content["key"]) // 2)
                    await reader.read()
            else:
                await self._iterate(store, verb, sorted(content))

        await self._interrupted(store, read, content, reads="key")

    @staticmethod
    async def _iterate(store: AsyncBaseStore, verb: str, keys: list[str]) -> None:
        sources: dict[str, Callable[[], Any]] = {
            "stream": lambda: store.stream("key"),
            "list": store.list,
            "get_many": lambda: store.get_many(keys),
        }
        source = sources[verb]()
        try:
            async for _ in source:
                pass
        finally:
            await source.aclose()

    async def test_cancelled_condition(self, store: AsyncBaseStore) -> None:
        """A cancelled call does not keep others from the same key."""

        async def change() -> None:
            async with asyncio.TaskGroup() as group:
                for data in (NEW, NEW, _plain(NEW)):
                    group.create_task(store.put("key", data))

        await self._interrupted(store, change, {"key": OLD}, {"key": NEW})

    def _large(self, size: int | None = None) -> bytes:
        return bytes(range(1, 251)) * ((size or self.stream_size) // 250)


def _plain(data: bytes) -> Iterator[bytes]:
    step = max(1, len(data) // 4)
    return (data[at : at + step] for at in range(0, len(data), step))


async def _async(data: bytes) -> AsyncIterator[bytes]:
    for piece in _plain(data):
        await asyncio.sleep(0)
        yield piece
