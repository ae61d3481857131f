"""The children's listings as one, in key order and without repeats."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import TypeAlias

from ...._core.closing import closing
from ...._core.info import Capability, ListResult, ObjectInfo
from ...base import AsyncBaseStore
from .._abreast import in_key_order, merge, sorted_on_disk
from .policies import ReadPolicy, majority, told
from .pump import Pump
from .replicas import Answer, Replicas

AHEAD = 256
"""Entries that are read of each listing before they are asked for."""

Listing: TypeAlias = Callable[[AsyncBaseStore], AsyncIterator[ObjectInfo]]


class Merged:
    """The listings of all children, side by side.

    Under the policy ``quorum`` a minority may fail, since what a majority has shows in the rest;
    under the others each child may be the only one that has a key, so that none may.

    Args:
        replicas: The children.
        policy: Of reads.
    """

    def __init__(self, replicas: Replicas, policy: ReadPolicy) -> None:
        self._replicas = replicas
        self._policy: ReadPolicy = policy
        count = len(replicas.children)
        self._wanted = majority(count) if policy == "quorum" else 1
        self._tolerated = count - self._wanted if policy == "quorum" else 0
        self.errors: dict[int, Exception] = {}
        """Who could not be listed to the end, and why."""

    async def infos(self, listing: Listing) -> AsyncIterator[ObjectInfo]:
        """What ``listing`` gives of the children, merged."""
        async with AsyncExitStack() as stack:
            sources = []
            for index in range(len(self._replicas.children)):
                pump = Pump(self._replicas, self._ordered(index, listing), AHEAD)
                await stack.enter_async_context(closing(pump))
                sources.append(self._quietly(index, pump))
            rows = await stack.enter_async_context(closing(merge(sources)))
            async for row in rows:
                self._check()
                found = [info for info in row if info is not None]
                if self._counts(len(found)):
                    yield told(self._policy, found)
            self._check()

    def _ordered(self, index: int, listing: Listing) -> AsyncIterator[ObjectInfo]:
        child = self._replicas.children[index]
        if Capability.ORDERED in child.capabilities:
            return in_key_order(listing(child), repr(child))
        return sorted_on_disk(listing(child))

    async def _quietly(
        self, index: int, source: AsyncIterator[ObjectInfo]
    ) -> AsyncGenerator[ObjectInfo, None]:
        """A listing that notes its error and ends."""
        try:
            async for info in source:
                yield info
        except Exception as error:
            self.errors[index] = error

    def _counts(self, holders: int) -> bool:
        """Whether enough children have the key, or may have it."""
        return holders + len(self.errors) >= self._wanted

    def _check(self) -> None:
        if len(self.errors) > self._tolerated:
            count = f"{len(self.errors)} of {len(self._replicas.children)} children"
            raise self._replicas.failure(f"{count} could not be listed", self.errors)

    def level(self, answers: list[Answer[ListResult]]) -> ListResult:
        """One level of the keys, of what the children say of it."""
        self.errors = {answer.index: answer.error for answer in answers if answer.error is not None}
        self._check()
        prefixes: dict[str, int] = {}
        objects: dict[str, list[ObjectInfo]] = {}
        for answer in answers:
            if answer.error is None:
                for prefix in answer.value.prefixes:
                    prefixes[prefix] = prefixes.get(prefix, 0) + 1
                for info in answer.value.objects:
                    objects.setdefault(info.key, []).append(info)
        shown = self._shown({key: len(infos) for key, infos in objects.items()})
        return ListResult(
            self._shown(prefixes), tuple(told(self._policy, objects[key]) for key in shown)
        )

    def _shown(self, holders: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(sorted(key for key, count in holders.items() if self._counts(count)))
