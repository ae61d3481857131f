"""Readers and writers of one key, interleaved in many ways: nobody sees what is over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from storage._core.errors import ObjectNotFound, StoreUnavailable
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore

POLICIES: list[dict[str, Any]] = [
    {},
    {"plain": False},
    {"plain": False, "write": "invalidate", "max_objects": 1},
    {"ttl": 1000, "negative_ttl": 1000},
    {"revalidate": "always"},
]


class Jittery(AsyncDictStore):
    """Takes its time before and after whatever it does; now and then it fails, done or not.

    Args:
        chance: Decides how long.
        failures: How often of a hundred times.
    """

    def __init__(self, chance: random.Random, failures: int = 0) -> None:
        super().__init__()
        self._chance = chance
        self._failures = failures

    async def _wait(self) -> None:
        for _ in range(self._chance.randrange(5)):
            await asyncio.sleep(0)
        if self._chance.randrange(100) < self._failures:
            raise StoreUnavailable("now and then")

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        await self._wait()
        found = await super()._get(key, options)
        await self._wait()
        return found

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        await self._wait()
        info = await super()._put(key, data, options)
        await self._wait()
        return info

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._wait()
        await super()._delete(key, missing_ok, if_match)
        await self._wait()


async def read(store: AsyncCachingStore, how: int) -> bytes | None:
    """The object in one of several ways; None if there is none."""
    try:
        match how:
            case 0:
                return await store.get_range("a")
            case 1:
                async with store.open_reader("a") as reader:
                    return await reader.read()
            case 2 if not await store.exists("a"):
                return None
        return await store.get("a")
    except ObjectNotFound:
        return None


async def write(store: AsyncCachingStore, how: int, value: bytes) -> bytes | None:
    """Change the object in one of several ways; gives what it is then."""
    match how:
        case 0:
            await store.delete("a", missing_ok=True)
            return None
        case 1:
            await store.put("a", iter([value]))
        case 2:
            await store._child.put("b", value)
            await store.move("b", "a")
        case 3:
            await store.delete_many(["a"])
            return None
        case _:
            await store.put("a", value)
    return value


class Scene:
    """A store with jittery ones below it, and what has become of its object so far.

    Args:
        seed: Decides everything.
        options: Of the store.
    """

    def __init__(self, seed: int, options: dict[str, Any]) -> None:
        self.seed = seed
        self.chance = chance = random.Random(seed)
        self.main, self.cache = Jittery(chance), Jittery(chance, failures=10 * (seed % 2))
        self.store = AsyncCachingStore(self.main, self.cache, **options)
        self.states: list[bytes | None] = [None]
        self.done = 0

    async def keep_writing(self, turns: int) -> None:
        for number in range(turns):
            how = self.chance.randrange(8)
            self.states.append(None if how in (0, 3) else b"%d" % number)
            assert await write(self.store, how, b"%d" % number) == self.states[-1]
            self.done += 1
            await asyncio.sleep(0)

    async def keep_reading(self, turns: int) -> None:
        while self.done < turns:
            before = self.done
            found = await read(self.store, self.chance.randrange(6))
            assert found in self.states[before:], (self.seed, found, self.states, before)
            await asyncio.sleep(0)

    async def write_blindly(self) -> None:
        for number in range(3):
            await write(self.store, self.chance.choice([0, 1, 4]), b"%d" % number)

    async def read_blindly(self) -> None:
        for _ in range(3):
            await read(self.store, self.chance.randrange(6))

    async def leave(self, work: Coroutine[Any, Any, None]) -> None:
        """Be cancelled on the way."""
        task = asyncio.ensure_future(work)
        for _ in range(self.chance.randrange(40)):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def agrees(self) -> None:
        """All is quiet, and the store has what the main store has."""
        expected = self.main.objects.get("a")
        assert [await read(self.store, how) for how in (5, 0, 1)] == [expected] * 3, self.seed
        await self.store.aclose()


@pytest.mark.parametrize("options", POLICIES)
async def test_one_writer_and_readers(options: dict[str, Any]) -> None:
    for seed in range(25):
        scene = Scene(seed, options)
        await asyncio.gather(scene.keep_writing(12), *[scene.keep_reading(12) for _ in range(4)])
        assert scene.states[-1] == scene.main.objects.get("a")
        await scene.agrees()


@pytest.mark.parametrize("options", POLICIES)
async def test_several_writers(options: dict[str, Any]) -> None:
    for seed in range(30):
        scene = Scene(seed, options)
        await asyncio.gather(
            *[scene.write_blindly() for _ in range(2)],
            *[scene.read_blindly() for _ in range(2)],
            scene.leave(scene.read_blindly()),
            scene.leave(scene.write_blindly()),
        )
        await scene.agrees()
