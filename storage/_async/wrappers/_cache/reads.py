"""What a cache knows of objects, and what the main store says of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from ...._core.errors import ObjectNotFound
from ...._core.info import Capability, ObjectInfo
from ...base import AsyncBaseStore
from .counters import Counters
from .entry import Seal
from .flights import Flights
from .policy import Freshness, Policy, same_object
from .shelf import Shelf
from .traffic import Traffic, Visit

UNAVAILABLE = (ConnectionError, TimeoutError)
"""Errors of a main store that cannot be reached; `StoreUnavailable` and `StoreTimeout` are such."""


class Reads:
    """Decides what may be served, for all who read.

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
        self._asking: Flights[tuple[float, ObjectInfo]] = Flights(policy.bears_age)

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
                answer = await self._asking.join(key, visit.writes, partial(self.ask, key))
        except UNAVAILABLE:
            if visit.undisturbed() and self.bears(key, seal):
                return seal
            raise
        if self.is_confirmed(key, seal, answer):
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
                seal = await self._borne(key, visit)
                if seal is None:
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
            try:
                found = await self._main.exists(key)
            except UNAVAILABLE:
                if await self._borne(key, visit) is None:
                    raise
                return True
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

    async def _borne(self, key: str, visit: Visit) -> Seal | None:
        """What an entry tells that may be served since the main store is unavailable."""
        seal = await self._shelf.seal(key)
        borne = seal is not None and visit.undisturbed() and self.bears(key, seal)
        return seal if borne else None

    async def ask(self, key: str) -> tuple[float, ObjectInfo]:
        """What the main store knows of an object, and when (monotonic) it was asked."""
        self._counters.add("revalidations")
        return time.monotonic(), await self._main.head(key)

    def is_confirmed(self, key: str, seal: Seal, answer: tuple[float, ObjectInfo]) -> bool:
        """Whether an entry holds what the main store has."""
        asked, info = answer
        same = same_object(seal.info, info)
        if same:
            self.fresh.confirm(key, seal, asked)
        return same

    def bears(self, key: str, seal: Seal) -> bool:
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

    def knows_conditions(self, seal: Seal) -> bool:
        """Whether the main store can be asked for the very version of an entry."""
        conditions = Capability.READ_CONDITIONS in self._main.capabilities
        return conditions and seal.info.etag is not None

    def check_missing(self, key: str) -> None:
        """Raise `ObjectNotFound` if that was the answer not too long ago."""
        if self.fresh.is_missing(key):
            self._counters.add("absences")
            raise ObjectNotFound("there was no object under this key a moment ago", key=key)

    def hit(self, key: str, size: int) -> None:
        """Count a read from the cache."""
        self._shelf.room.touch(key)
        self._counters.hit(size)
