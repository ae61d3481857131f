"""A store with faults, for tests of what is built on stores."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Literal, Self, TypeAlias

from ..._core.closing import closing
from ..._core.errors import ConfigError, StoreUnavailable
from ..._core.protocol import AsyncObjectStore
from .around import AsyncAroundStore, Passage

FaultKind: TypeAlias = Literal["error", "lost", "latency", "truncated", "broken"]
Rate: TypeAlias = float | Mapping[str, float]

_counting = threading.Lock()  # one for all, so that stores can be pickled
_CHANGES = frozenset(
    {"put", "open_writer", "delete", "copy", "move", "delete_many", "presigned_put"}
)


@dataclass(frozen=True)
class Fault:
    """One thing that a chaos store did.

    Args:
        verb: The operation.
        key: Its key; None for listings and verbs on many keys.
        number: Which one of this verb and key it was, from 0.
        kind: What was done.
    """

    verb: str
    key: str | None
    number: int
    kind: FaultKind


class AsyncChaosStore(AsyncAroundStore):
    """Does what its child does, and at random what networks and servers do.

    What befalls an operation depends on the seed, the verb, the key and how often this key was
    used with it, and on nothing else: a run with the same operations on each key has the same
    faults, in whatever order its tasks come. Rates are probabilities from 0 to 1, for all verbs
    or by verb; verbs are named as in a logging store (``get``, ``open_reader``, ``put``,
    ``open_writer``, ``delete_many``, ...).

    Args:
        store: A store of ours, or any object with the five async verbs.
        seed: Chooses the faults.
        errors: How often an operation fails before anything is done.
        lost: How often a change is made and reported as failed all the same.
        latency: How often an operation is slow.
        truncated: How often a stream ends early, as if the object did: the second half of its
            first piece, and all others, are missing.
        broken: How often a stream that is written fails, after its first piece and before it is
            published.
        seconds: How slow a slow operation is at most.
        timeout: Seconds that one operation may take.

    Raises:
        StoreUnavailable: By operations that were made to fail.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        seed: int = 0,
        *,
        errors: Rate = 0.0,
        lost: Rate = 0.0,
        latency: Rate = 0.0,
        truncated: Rate = 0.0,
        broken: Rate = 0.0,
        seconds: float = 0.01,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self.inline = False
        self.faults: list[Fault] = []
        self._seed = seed
        self._seconds = seconds
        self._rates: dict[FaultKind, Rate] = {
            "error": errors,
            "lost": lost,
            "latency": latency,
            "truncated": truncated,
            "broken": broken,
        }
        for rate in self._rates.values():
            _check(rate)
        self._counts: Counter[tuple[str, str | None]] = Counter()

    def _during(self, verb: str, key: str | None) -> _Fate:
        with _counting:
            number = self._counts[verb, key]
            self._counts[verb, key] += 1
        return _Fate(self, verb, key, number)

    async def _arriving(
        self, passage: Passage, chunks: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        assert isinstance(passage, _Fate)
        if passage.strikes("truncated"):
            chunks = _halved(chunks)
        async with closing(super()._arriving(passage, chunks)) as pieces:
            async for piece in pieces:
                yield piece


class _Fate(Passage):
    """What befalls one operation."""

    def __init__(self, store: AsyncChaosStore, verb: str, key: str | None, number: int) -> None:
        self._store = store
        self._verb = verb
        self._key = key
        self._number = number
        # A string as the seed gives the same numbers in every process.
        self._random = Random(f"{store._seed} {verb} {key!r} {number}")
        self._broken: bool | None = None
        self._rolls: dict[str, float] = {
            kind: self._random.random() for kind in sorted(store._rates)
        }

    def strikes(self, kind: FaultKind) -> bool:
        """Whether a fault is due; it is noted."""
        rate = self._store._rates[kind]
        share = rate.get(self._verb, 0.0) if isinstance(rate, Mapping) else rate
        due = self._rolls[kind] < share
        if due:
            self._store.faults.append(Fault(self._verb, self._key, self._number, kind))
        return due

    async def __aenter__(self) -> Self:
        if self.strikes("latency"):
            await asyncio.sleep(self._store._seconds * self._random.random())
        if self.strikes("error"):
            raise StoreUnavailable("chaos: nothing was done", key=self._key)
        return self

    async def sent(self, size: int) -> None:
        if self._broken:
            await self.publishing()
        elif self._broken is None and self._verb == "open_writer":
            self._broken = self.strikes("broken")

    async def publishing(self) -> None:
        if self._broken:
            raise StoreUnavailable("chaos: the stream broke off", key=self._key)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._verb in _CHANGES and self.strikes("lost"):
            raise StoreUnavailable("chaos: it was done, but nobody heard of it", key=self._key)


async def _halved(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with closing(chunks):
        async for chunk in chunks:
            yield chunk[: len(chunk) // 2]
            return


def _check(rate: Rate) -> None:
    for share in rate.values() if isinstance(rate, Mapping) else (rate,):
        if not 0 <= share <= 1:
            raise ConfigError(f"a rate is a number from 0 to 1, not {share!r}")
