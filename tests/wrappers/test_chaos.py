"""A store with faults: which they are, and that they come again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage.aioutils import AsyncChaosStore, Fault
from storage.object import AsyncDictStore, ConfigError, DictStore, StoreUnavailable
from storage.utils import ChaosStore
from tests.stores import numbered


async def test_without_rates_nothing_happens() -> None:
    store = AsyncChaosStore(AsyncDictStore(), 7)
    await store.put("a", iter([b"1", b"2", b"3"]))
    assert b"".join([piece async for piece in store.stream("a")]) == b"123"
    await store.delete("a")
    assert store.faults == []


async def test_an_error_before_anything_is_done() -> None:
    child = AsyncDictStore({"a": b"1"})
    store = AsyncChaosStore(child, errors={"put": 1.0, "keys": 1.0})
    with pytest.raises(StoreUnavailable):
        await store.put("a", b"2")
    with pytest.raises(StoreUnavailable):
        [key async for key in store.keys()]
    assert await store.get("a") == b"1"
    assert store.faults == [Fault("put", "a", 0, "error"), Fault("keys", None, 0, "error")]


async def test_a_lost_acknowledgement() -> None:
    child = AsyncDictStore({"a": b"1", "b": b"1"})
    store = AsyncChaosStore(child, lost=1)
    for act in (
        store.put("a", b"2"),
        store.put("c", iter([b"3"])),
        store.copy("a", "d"),
        store.delete("b"),
    ):
        with pytest.raises(StoreUnavailable, match="nobody heard"):
            await act
    assert child.objects == {"a": b"2", "c": b"3", "d": b"2"}
    assert await store.get("a") == b"2"


async def test_a_stream_that_ends_early() -> None:
    store = AsyncChaosStore(AsyncDictStore({"a": b"0123456789"}), truncated=1)
    async with store.open_reader("a") as reader:
        assert await reader.read() == b"01234"
        assert reader.info.size == 10
    assert await store.get("a") == b"0123456789"


@pytest.mark.parametrize("pieces", [[b"1"], [b"1", b"2"], [b"1", b"2", b"3"]])
async def test_a_write_that_breaks_off(pieces: list[bytes]) -> None:
    child = AsyncDictStore({"a": b"old"})
    store = AsyncChaosStore(child, broken=1)
    with pytest.raises(StoreUnavailable, match="broke off"):
        await store.put("a", iter(pieces))
    assert child.objects == {"a": b"old"}
    assert [fault.kind for fault in store.faults] == ["broken"]


async def _run(seed: int, concurrently: bool) -> tuple[set[Fault], list[Any]]:
    store = AsyncChaosStore(
        AsyncDictStore(numbered(30)),
        seed,
        errors=0.2,
        lost=0.2,
        latency={"get": 0.3},
        truncated=0.3,
        seconds=0.001,
    )

    async def use(key: str) -> list[str]:
        found = []
        for _ in range(3):
            for act in (store.get(key), store.put(key, b"1234"), store.exists(key)):
                try:
                    found.append(str(await act))
                except StoreUnavailable as error:
                    found.append(type(error).__name__)
        return [text[:6] for text in found]

    work = [use(key) for key in numbered(30)]
    results = await asyncio.gather(*work) if concurrently else [await each for each in work]
    return set(store.faults), results


async def test_the_same_seed_does_the_same() -> None:
    assert await _run(1, True) == await _run(1, False)
    assert (await _run(1, False))[0] != (await _run(2, False))[0]


def test_rates_are_probabilities() -> None:
    faults = 0
    for number in range(40):
        store = ChaosStore(DictStore({"a": b"1"}), number, errors={"exists": 0.5})
        try:
            store.exists("a")
        except StoreUnavailable:
            faults += len(store.faults)
    assert 8 < faults < 32
    for rate in (-0.1, 1.5, {"get": 2.0}):
        with pytest.raises(ConfigError):
            AsyncChaosStore(AsyncDictStore(), errors=rate)
