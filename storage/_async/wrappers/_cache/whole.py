"""Reading whole objects through a cache."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...._core.errors import NotModified
from ...._core.info import READ_ALL, ObjectInfo, ReadOptions
from ...._core.values import ones_own
from ...base import AsyncBaseStore
from .counters import Counters
from .entry import Seal
from .filling import reader_fills
from .flights import Flights
from .policy import Policy
from .reads import UNAVAILABLE, Reads
from .shelf import Shelf, length
from .traffic import Visit


@dataclass(frozen=True, slots=True)
class Answer:
    """An object that was read, and whether its bytes came from the cache."""

    data: Any
    info: ObjectInfo
    cached: bool


class Whole:
    """Reads objects at one go, many readers of one key together.

    Args:
        main: The main store.
        shelf: The entries.
        policy: Which objects are cached.
        reads: Decides what may be served.
        counters: Where misses are counted.
    """

    def __init__(
        self,
        main: AsyncBaseStore,
        shelf: Shelf,
        policy: Policy,
        reads: Reads,
        counters: Counters,
    ) -> None:
        self._main = main
        self._shelf = shelf
        self._policy = policy
        self._reads = reads
        self._counters = counters
        self._flights: Flights[Answer] = Flights(policy.bears_age)

    async def get(self, key: str) -> tuple[Any, ObjectInfo]:
        """An object from the cache if that may be served, else from the main store."""
        self._reads.check_missing(key)
        with Visit(self._reads.traffic, key) as visit:
            found = await self._shelf.whole(key)
            if found is not None and not visit.undisturbed():
                found = None
            if found is not None and self._reads.fresh.holds(key, found[1]):
                answer = Answer(found[0], found[1].info, cached=True)
            else:
                fetch = partial(self._fetch, key, found, visit.writes)
                answer = await self._flights.join(key, visit.writes, fetch)
        if answer.cached:
            self._reads.hit(key, answer.info.size or 0)
        else:
            self._counters.add("misses")
        return ones_own(answer.data), answer.info

    async def plain(self, key: str) -> tuple[Any, ObjectInfo] | None:
        """An object from a plain entry, with what this process knows of it."""
        with Visit(self._reads.traffic, key) as visit:
            found = await self._shelf.whole(key)
            if found is None or not visit.undisturbed():
                return None
        self._reads.hit(key, found[1].size)
        return found[0], found[1].info

    async def _fetch(self, key: str, found: tuple[Any, Seal] | None, version: int) -> Answer:
        """Ask the main store for an object, or whether it still is the one of an entry."""
        stored = time.time()
        with Visit(self._reads.traffic, key) as visit:
            try:
                async with self._reads.noting(key, visit, found is not None):
                    answer = await self._asked(key, found)
            except UNAVAILABLE:
                # An object that was written meanwhile is not what the entry holds.
                same = visit.undisturbed() and visit.writes == version
                if found is None or not same or not self._reads.bears(key, found[1]):
                    raise
                return Answer(found[0], found[1].info, cached=True)
            if not answer.cached:
                await self._fill(key, visit, answer, stored)
            return answer

    async def _asked(self, key: str, found: tuple[Any, Seal] | None) -> Answer:
        """What the main store answers; the entry's object where it still has that."""
        options = READ_ALL
        if found is not None:
            data, seal = found
            if not self._reads.knows_conditions(seal):
                if self._reads.is_confirmed(key, seal, await self._reads.ask(key)):
                    return Answer(data, seal.info, cached=True)
            else:
                self._counters.add("revalidations")
                options = ReadOptions(if_none_match=seal.info.etag)
        asked = time.monotonic()
        try:
            return Answer(*await self._main._read(key, options), cached=False)
        except NotModified:
            assert found is not None
            self._reads.fresh.confirm(key, found[1], asked)
            return Answer(found[0], found[1].info, cached=True)

    async def _fill(self, key: str, visit: Visit, answer: Answer, stored: float) -> None:
        async with reader_fills(self._shelf, key, visit) as may:
            if may and self._policy.takes(length(answer.data)):
                await self._shelf.put(key, answer.data, answer.info, stored)
            elif may:
                await self._shelf.drop(key)
