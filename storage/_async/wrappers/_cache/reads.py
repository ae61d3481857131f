"""Reading through a cache."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...._core.errors import NotModified, ObjectNotFound
from ...._core.info import READ_ALL, Capability, ObjectInfo, ReadOptions
from ...base import AsyncBaseStore
from .counters import Counters
from .entry import Seal
from .filling import reader_fills
from .flights import Flights
from .policy import Freshness, Policy, same_object
from .shelf import Shelf
from .traffic import Traffic, Visit

UNAVAILABLE = (ConnectionError, TimeoutError)
"""Errors of a main store that cannot be reached; `StoreUnavailable` and `StoreTimeout` are such."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An object that was read, and whether its bytes came from the cache."""

    data: Any
    info: ObjectInfo
    cached: bool


class Reads:
    """What `AsyncCachingStore` does to read.

    Args:
        main: The main store.
        shelf: The entries.
        policy: When they are served.
        counters: What happens is counted there.
    """

    def __init__(
        self, main: AsyncBaseStore, shelf: Shelf, policy: Policy, counters: Counters
    ) -> None:
        self.traffic = Traffic()
        self.fresh = Freshness(policy)
        self._main = main
        self._shelf = shelf
        self._policy = policy
        self._counters = counters
        ages = {"always": 0.0, "never": float("inf")}
        age = ages.get(policy.revalidate or "", policy.ttl or 0.0)
        self._reading: Flights[Answer] = Flights(age)
        self._asking: Flights[tuple[float, ObjectInfo]] = Flights(age)

    # -- whole objects ----------------------------------------------------------------------

    async def whole(self, key: str) -> tuple[Any, ObjectInfo]:
        """An object from the cache if that may be served, else from the main store."""
        self.check_missing(key)
        with Visit(self.traffic, key) as visit:
            found = await self._shelf.whole(key)
            if found is not None and not visit.undisturbed():
                found = None
            if found is not None and self.fresh.holds(key, found[1]):
                answer = Answer(found[0], found[1].info, cached=True)
            else:
                fetch = partial(self._fetch, key, found, visit.writes)
                answer = await self._reading.join(key, visit.writes, fetch)
        if answer.cached:
            self.hit(key, answer.info.size or 0)
        else:
            self._counters.add("misses")
        return answer.data, answer.info

    async def plain(self, key: str) -> Any:
        """An object from a plain entry, or None."""
        with Visit(self.traffic, key) as visit:
            found = await self._shelf.whole(key)
            if found is None or not visit.undisturbed():
                return None
        self.hit(key, found[1].size)
        return found[0]

    async def _fetch(self, key: str, found: tuple[Any, Seal] | None, version: int) -> Answer:
        """Ask the main store for an object, or whether it still is the one of an entry."""
        stored = time.time()
        with Visit(self.traffic, key) as visit:
            try:
                async with self.noting(key, visit, found is not None):
                    answer = await self._asked(key, found)
            except UNAVAILABLE:
                # An object that was written meanwhile is not what the entry holds.
                same = visit.undisturbed() and visit.writes == version
                if found is None or not same or not self._bears(key, found[1]):
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
            if not self.knows_conditions(seal):
                if self._is_confirmed(key, seal, await self._ask(key)):
                    return Answer(data, seal.info, cached=True)
            else:
                self._counters.add("revalidations")
                options = ReadOptions(if_none_match=seal.info.etag)
        asked = time.monotonic()
        try:
            return Answer(*await self._main._read(key, options), cached=False)
        except NotModified:
            assert found is not None
            self.fresh.confirm(key, found[1], asked)
            return Answer(found[0], found[1].info, cached=True)

    def knows_conditions(self, seal: Seal) -> bool:
        """Whether the main store can be asked for the very version of an entry."""
        conditions = Capability.READ_CONDITIONS in self._main.capabilities
        return conditions and seal.info.etag is not None

    async def _fill(self, key: str, visit: Visit, answer: Answer, stored: float) -> None:
        async with reader_fills(self._shelf, key, visit) as may:
            if may and self._policy.takes(length(answer.data)):
                await self._shelf.put(key, answer.data, answer.info, stored)
            elif may:
                await self._shelf.drop(key)

    # -- what is known of an object ---------------------------------------------------------

    async def current(self, key: str, visit: Visit) -> Seal | None:
        """What an entry tells that may be served; None if the main store has to be read."""
        self.check_missing(key)
        seal = await self._shelf.seal(key)
        if seal is None or not visit.undisturbed():
            return None
        if self.fresh.holds(key, seal):
            return seal
        try:
            async with self.noting(key, visit, True):
                answer = await self._asking.join(key, visit.writes, partial(self._ask, key))
        except UNAVAILABLE:
            if visit.undisturbed() and self._bears(key, seal):
                return seal
            raise
        if self._is_confirmed(key, seal, answer):
            return seal
        await self._shelf.drop(key)
        return None

    async def head(self, key: str) -> ObjectInfo:
        """What is known of an object."""
        self.check_missing(key)
        with Visit(self.traffic, key) as visit:
            seal = await self._held(key, visit)
            # Not every store tells all that it knows when it is written.
            if seal is not None and seal.info.modified is not None:
                self.hit(key, 0)
                return seal.info
            try:
                async with self.noting(key, visit, False):
                    return await self._main.head(key)
            except UNAVAILABLE:
                seal = await self._shelf.seal(key)
                if seal is None or not visit.undisturbed() or not self._bears(key, seal):
                    raise
                return seal.info

    async def exists(self, key: str) -> bool:
        """Whether there is an object."""
        try:
            self.check_missing(key)
        except ObjectNotFound:
            return False
        with Visit(self.traffic, key) as visit:
            if self._shelf.plain:
                if await self._shelf.has(key) and visit.undisturbed():
                    return True
            elif await self._held(key, visit) is not None:
                return True
            asked = time.monotonic()
            found = await self._main.exists(key)
            if not found:
                visit.note(partial(self.fresh.note_missing, key, asked))
            return found

    async def _held(self, key: str, visit: Visit) -> Seal | None:
        """What an entry tells that may be served without asking."""
        if self._policy.revalidate == "always":
            return None
        seal = await self._shelf.seal(key)
        holds = seal is not None and visit.undisturbed() and self.fresh.holds(key, seal)
        return seal if holds else None

    async def _ask(self, key: str) -> tuple[float, ObjectInfo]:
        """What the main store knows of an object, and when (monotonic) it was asked."""
        self._counters.add("revalidations")
        return time.monotonic(), await self._main.head(key)

    def _is_confirmed(self, key: str, seal: Seal, answer: tuple[float, ObjectInfo]) -> bool:
        """Whether an entry holds what the main store has."""
        asked, info = answer
        same = same_object(seal.info, info)
        if same:
            self.fresh.confirm(key, seal, asked)
        return same

    def _bears(self, key: str, seal: Seal) -> bool:
        """Whether an entry may be served though nobody can tell whether it is still true."""
        bears = self.fresh.bears_error(key, seal)
        if bears:
            self._counters.add("stale")
        return bears

    @asynccontextmanager
    async def noting(self, key: str, visit: Visit, drops: bool) -> AsyncIterator[None]:
        """Read the main store, and remember if it has no such object.

        Args:
            key: The object's key.
            visit: Whoever reads.
            drops: Whether there is an entry, which goes then.
        """
        asked = time.monotonic()
        try:
            yield
        except ObjectNotFound:
            visit.note(partial(self.fresh.note_missing, key, asked))
            if drops:
                await self._shelf.drop(key)
            raise

    @asynccontextmanager
    async def missing(self, key: str, visit: Visit) -> AsyncIterator[None]:
        """Read what the cache does not have."""
        self._counters.add("misses")
        async with self.noting(key, visit, False):
            yield

    def check_missing(self, key: str) -> None:
        """Raise `ObjectNotFound` if that was the answer not too long ago."""
        if self.fresh.is_missing(key):
            self._counters.add("absences")
            raise ObjectNotFound("there was no object under this key a moment ago", key=key)

    def hit(self, key: str, size: int) -> None:
        """Count a read from the cache."""
        self._shelf.room.touch(key)
        self._counters.hit(size)


def length(data: Any) -> int:
    """Bytes of a value, if it is any bytes."""
    return len(data) if isinstance(data, bytes | bytearray | memoryview) else 0
