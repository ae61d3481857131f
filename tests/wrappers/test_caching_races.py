"""Readers and writers of one key, interleaved in many ways: nobody sees what is over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from storage._core.errors import BulkError, ObjectNotFound, StoreUnavailable
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore
from tests.origins import Origin
from tests.stores import FlakyStore, HookedStore

POLICIES: list[dict[str, Any]] = [
    {},
    {"plain": False},
    {"plain": False, "write": "invalidate", "max_objects": 1},
    {"ttl": 1000, "negative_ttl": 1000},
    {"revalidate": "always"},
]


class Gate:
    """Where somebody is held up until the others have done what they do."""

    def __init__(self) -> None:
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self.go.wait()


async def test_a_reader_that_a_write_has_overtaken_stores_nothing() -> None:
    main, cache = Origin({"a": b"old"}), FlakyStore()
    main.pause = gate = Gate()
    store = AsyncCachingStore(main, cache, plain=False, write="invalidate", negative_ttl=1000)
    reading = asyncio.create_task(store.get("a"))
    await gate.reached.wait()
    await store.put("a", b"new")
    gate.go.set()
    assert (await reading, cache.writes) == (b"old", 0)
    assert await store.get("a") == b"new"


async def test_a_reader_that_is_storing_when_a_write_comes_takes_it_back() -> None:
    main, cache = Origin({"a": b"old"}), Gated()
    store = AsyncCachingStore(main, cache, plain=False, write="invalidate")
    cache.before_put = gate = Gate()
    reading = asyncio.create_task(store.get("a"))
    await gate.reached.wait()
    await store.put("a", b"new")
    cache.after_put = landed = Gate()
    gate.go.set()
    await landed.reached.wait()  # the old object is in the cache now
    assert await store.get("a") == b"new"
    assert await store.exists("a")
    assert await store.get_range("a") == b"new"
    landed.go.set()
    assert (await reading, cache.objects) == (b"old", {})


async def test_writers_who_meet_leave_no_entry_of_either() -> None:
    main, cache = Origin(), Gated()
    store = AsyncCachingStore(main, cache, plain=False)
    cache.before_put = gate = Gate()
    first = asyncio.create_task(store.put("a", b"1"))
    await gate.reached.wait()
    cache.before_put = None
    await store.put("a", b"2")
    gate.go.set()
    await first
    assert cache.objects == {}
    assert await store.get("a") == b"2"


async def test_nothing_stands_in_for_what_was_written_meanwhile() -> None:
    main = Origin({"a": b"old"})
    store = AsyncCachingStore(main, AsyncDictStore(), revalidate="always", stale_if_error=1000)
    await store.get("a")
    await AsyncDictStore.put(main, "a", b"older")  # by somebody else
    gate = Gate()

    async def hold_and_fail() -> None:
        await gate()
        raise StoreUnavailable("down")

    main.pause = hold_and_fail
    reading = asyncio.create_task(store.get("a"))
    await gate.reached.wait()
    main.pause = None
    await store.put("a", b"new")
    gate.go.set()
    with pytest.raises(StoreUnavailable):
        await reading
    assert (await store.get("a"), store.stats.stale) == (b"new", 0)


@pytest.mark.parametrize("verb", ["delete", "copy", "move", "delete_many", "put"])
async def test_a_change_whose_answer_was_lost_leaves_no_entry(verb: str) -> None:
    class Lossy(HookedStore):
        async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
            await super()._delete(key, missing_ok, if_match)
            raise StoreUnavailable("no answer")

        async def _put(
            self, key: str, data: bytes | memoryview, options: WriteOptions
        ) -> ObjectInfo:
            await super()._put(key, data, options)
            raise StoreUnavailable("no answer")

    main, cache = Lossy({"a": b"old", "b": b"new"}), AsyncDictStore()
    store = AsyncCachingStore(main, cache, plain=False)
    await store.get("a")
    arguments: dict[str, Any] = {"copy": ("b", "a"), "move": ("b", "a"), "put": ("a", b"new")}
    argument = arguments.get(verb, (["a"],) if verb == "delete_many" else ("a",))
    with pytest.raises((StoreUnavailable, BulkError)):
        await getattr(store, verb)(*argument)
    assert await read(store, 5) == (None if verb.startswith("delete") else b"new")


@pytest.mark.parametrize("verb", ["delete", "copy", "move", "delete_many", "put"])
async def test_what_another_process_stores_during_a_change_goes_again(verb: str) -> None:
    main, cache = Jittery(random.Random(1)), AsyncDictStore()
    await main.put("a", b"old")
    await main.put("b", b"new")
    gate = Gate()
    main.hold = gate
    store = AsyncCachingStore(main, cache, plain=False, write="invalidate")
    other = AsyncCachingStore(AsyncDictStore(main.objects), cache, plain=False)
    arguments: dict[str, Any] = {"copy": ("b", "a"), "move": ("b", "a"), "put": ("a", b"new")}
    argument = arguments.get(verb, (["a"],) if verb == "delete_many" else ("a",))
    changing = asyncio.create_task(getattr(store, verb)(*argument))
    await gate.reached.wait()
    assert await other.get("a") == b"old"
    gate.go.set()
    await changing
    assert await read(store, 5) == (None if verb.startswith("delete") else b"new")
    assert await read(other, 5) == await read(store, 5)


class Gated(HookedStore):
    """One whose puts can be held up, before or after they take effect."""

    before_put: Gate | None = None
    after_put: Gate | None = None

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if self.before_put is not None:
            await self.before_put()
        info = await super()._put(key, data, options)
        if self.after_put is not None:
            await self.after_put()
        return info


class Jittery(HookedStore):
    """Takes its time before and after whatever it does; now and then it fails, done or not.

    Args:
        chance: Decides how long.
        failures: How often of a hundred times.
    """

    def __init__(self, chance: random.Random, failures: int = 0) -> None:
        super().__init__()
        self._chance = chance
        self._failures = failures
        self.hold: Gate | None = None

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
        if self.hold is not None:
            await self.hold()
        info = await super()._put(key, data, options)
        await self._wait()
        return info

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._wait()
        if self.hold is not None:
            await self.hold()
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
