"""Among any number of writers at once, each condition has one winner."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import ObjectExists, ObjectNotFound, PreconditionFailed
from .._core.info import Capability
from .base import Conformance

WRITERS = 24
ROUNDS = 3


class RaceChecks(Conformance):
    """Conditional calls, many at once."""

    @property
    def _writers(self) -> int:
        return WRITERS if self.thorough else 8

    @property
    def _rounds(self) -> int:
        return ROUNDS if self.thorough else 1

    def _needs(self, store: AsyncBaseStore, capability: Capability) -> None:
        if capability not in store.capabilities:
            pytest.skip(f"the store does not declare {capability.name}")

    async def test_one_creator(self, store: AsyncBaseStore) -> None:
        self._needs(store, Capability.IF_ABSENT)
        for number in range(self._rounds):
            key = f"key{number}"
            values = [b"%02d" % writer * 1_000 for writer in range(self._writers)]
            puts = [store.put(key, value, if_absent=True) for value in values]
            winner = await _only_winner(puts, ObjectExists)
            assert await store.get(key) == values[winner]
        await self.clean(store)

    async def test_one_streaming_creator(self, store: AsyncBaseStore) -> None:
        self._needs(store, Capability.IF_ABSENT)
        for number in range(self._rounds):
            key = f"key{number}"
            values = [b"%02d" % writer * 40_000 for writer in range(self._writers)]
            puts = [store.put(key, iter([v[:30_000], v[30_000:]]), if_absent=True) for v in values]
            winner = await _only_winner(puts, ObjectExists)
            assert await store.get(key) == values[winner]
        await self.clean(store)

    async def test_one_swapper(self, store: AsyncBaseStore) -> None:
        self._needs(store, Capability.IF_MATCH)
        for number in range(self._rounds):
            # All of one size: only the etag tells the versions apart.
            etag = (await store.put("key", b"%02d" % (90 + number) * 1_000)).etag
            values = [b"%02d" % writer * 1_000 for writer in range(self._writers)]
            data: list[Any] = [v if i % 2 else iter([v]) for i, v in enumerate(values)]
            puts = [store.put("key", value, if_match=etag) for value in data]
            winner = await _only_winner(puts, PreconditionFailed)
            assert await store.get("key") == values[winner]
        await self.clean(store)

    async def test_no_increment_is_lost(self, store: AsyncBaseStore) -> None:
        """Compare-and-swap, as one uses it: tasks that count together."""
        self._needs(store, Capability.IF_MATCH | Capability.READ_CONDITIONS)
        await store.put("counter", b"0")
        tasks, each = 6, 5

        async def count() -> None:
            for _ in range(each):
                while True:
                    value, info = await store.get_with_info("counter")
                    # The same number of bytes each time: only the etag tells the versions apart.
                    following = b"%d" % (int(value) + 1)
                    try:
                        await store.put("counter", following, if_match=info.etag)
                        break
                    except PreconditionFailed:
                        continue

        await asyncio.gather(*(count() for _ in range(tasks)))
        assert int(await store.get("counter")) == tasks * each

    async def test_one_deleter(self, store: AsyncBaseStore) -> None:
        self._needs(store, Capability.DELETE_IF_MATCH)
        for number in range(self._rounds):
            etag = (await store.put("key", b"old%d" % number)).etag
            deletes = [store.delete("key", if_match=etag) for _ in range(self._writers)]
            await _only_winner(deletes, (ObjectNotFound, PreconditionFailed))
            assert not await store.exists("key")

    async def test_delete_against_put(self, store: AsyncBaseStore) -> None:
        """A delete that was meant for one version does not remove another."""
        self._needs(store, Capability.DELETE_IF_MATCH | Capability.IF_MATCH)
        for number in range(self._rounds * 3):
            etag = (await store.put("key", b"old%d" % number)).etag
            outcomes = await asyncio.gather(
                store.delete("key", if_match=etag),
                store.put("key", b"new", if_match=etag),
                return_exceptions=True,
            )
            failed = [isinstance(outcome, Exception) for outcome in outcomes]
            assert sorted(failed) == [False, True], outcomes
            assert await store.exists("key") is failed[0]

    async def test_one_copier(self, store: AsyncBaseStore) -> None:
        self._needs(store, Capability.COPY_IF_ABSENT)
        values = [b"%02d" % source * 1_000 for source in range(8)]
        await store.put_many((f"source{index}", value) for index, value in enumerate(values))
        for number in range(self._rounds):
            target = f"target{number}"
            copies = [store.copy(f"source{i}", target, if_absent=True) for i in range(8)]
            winner = await _only_winner(copies, ObjectExists)
            assert await store.get(target) == values[winner]
        await self.clean(store)

    async def test_one_mover(self, store: AsyncBaseStore) -> None:
        """Whoever loses keeps the source."""
        self._needs(store, Capability.COPY_IF_ABSENT)
        sources = {f"source{index}": b"%02d" % index * 1_000 for index in range(8)}
        await store.put_many(sources)
        moves = [store.move(source, "target", if_absent=True) for source in sources]
        winner = await _only_winner(moves, ObjectExists)
        expected = {**sources, "target": sources.pop(f"source{winner}")}
        del expected[f"source{winner}"]
        assert await self.contents(store) == expected
        await self.clean(store)


async def _only_winner(
    calls: Iterable[Awaitable[Any]], loses_with: type[Exception] | tuple[type[Exception], ...]
) -> int:
    """Which of the calls succeeded; all others must have failed as expected."""
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    winners = [i for i, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    others = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    strange = [error for error in others if not isinstance(error, loses_with)]
    assert not strange, f"failed, but not as the loser of a race: {strange}"
    assert len(winners) == 1, f"{len(winners)} of {len(outcomes)} have won"
    return winners[0]
