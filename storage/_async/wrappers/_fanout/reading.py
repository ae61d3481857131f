"""Reads by policy: which children are asked, in which order, and when there is an answer."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ...._core.closing import closing
from ...._core.errors import IntegrityError, ObjectNotFound, QuorumError, StoreError
from .policies import ReadPolicy, majority
from .replicas import Answer, Call, Replicas

T = TypeVar("T")

PAUSES = (0.005, 0.02, 0.05)
"""Seconds before a quorum that saw a write half done looks again."""


@dataclass(slots=True)
class Found(Generic[T]):
    """The outcome of a read."""

    answers: list[Answer[T]] = field(default_factory=list)
    """Of those that count; at least one."""
    missing: list[int] = field(default_factory=list)
    """Who said that there is no such object."""
    errors: dict[int, Exception] = field(default_factory=dict)
    """Who could not say, and why."""

    @property
    def value(self) -> T:
        """What was read."""
        return self.answers[0].value

    def note(self, answer: Answer[T]) -> bool:
        """Take down an answer that is no value; tells whether it is one."""
        if answer.missing:
            self.missing.append(answer.index)
        elif answer.error is not None:
            self.errors[answer.index] = answer.error
        return answer.error is None


class Reading:
    """Asks the children by a policy.

    Args:
        replicas: The children.
        policy: Which of them.
    """

    def __init__(self, replicas: Replicas, policy: ReadPolicy) -> None:
        self._replicas = replicas
        self._policy = policy
        self._count = len(replicas.children)
        self.absence = majority(self._count) if policy == "quorum" else self._count
        """How many have to say that there is no object, for it to be missing."""

    async def ask(self, call: Call[T], same: Callable[[T, T], bool] = operator.eq) -> Found[T]:
        """Read.

        Args:
            call: Makes the request to one child.
            same: Whether two values are the same, where a majority has to agree.

        Raises:
            ObjectNotFound: Enough children say so.
            QuorumError: No majority of the children agrees.
            FanoutError: Too many children failed.
        """
        if self._policy == "first":
            return await self._first(call)
        if self._policy == "fastest":
            return await self._fastest(call)
        for pause in PAUSES:
            try:
                return await self._quorum(call, same)
            except QuorumError:
                await asyncio.sleep(pause)
        return await self._quorum(call, same)

    async def _first(self, call: Call[T]) -> Found[T]:
        found = Found[T]()
        for index in range(self._count):
            answer = await self._replicas.one(index, call)
            if found.note(answer):
                found.answers.append(answer)
                return found
        raise self.absent(found)

    async def _fastest(self, call: Call[T]) -> Found[T]:
        found = Found[T]()
        async with closing(self._replicas.answers(call)) as answers:
            async for answer in answers:
                if found.note(answer):
                    found.answers.append(answer)
                    return found
        raise self.absent(found)

    async def _quorum(self, call: Call[T], same: Callable[[T, T], bool]) -> Found[T]:
        found = Found[T]()
        groups: list[list[Answer[T]]] = []
        async with closing(self._replicas.answers(call)) as answers:
            async for answer in answers:
                if found.note(answer):
                    group = _group(groups, answer, same)
                    if len(group) >= self.absence:
                        found.answers = sorted(group, key=lambda one: one.index)
                        return found
                elif len(found.missing) >= self.absence:
                    break
        if not groups or len(found.missing) >= self.absence:
            raise self.absent(found)
        raise self._undecided(found, groups)

    def absent(self, found: Found[Any]) -> StoreError:
        """The error where no child that answered has the object."""
        if len(found.missing) >= self.absence:
            return ObjectNotFound("no child has an object under this key")
        return self._replicas.failure(
            "no child has the object, but not all could say so", found.errors
        )

    def _undecided(self, found: Found[T], groups: list[list[Answer[T]]]) -> StoreError:
        """The error where some children have the object, but no majority agrees."""
        errors = dict(found.errors)
        answered = self._count - len(errors)
        if answered < self.absence:
            return self._replicas.failure(f"only {answered} of {self._count} answered", errors)
        errors |= {i: IntegrityError("it has no such object") for i in found.missing}
        for number, group in enumerate(groups, 1):
            for answer in group:
                errors[answer.index] = IntegrityError(f"it has content {number} of {len(groups)}")
        return self._replicas.failure("no majority of the children agrees", errors, QuorumError)


def _group(
    groups: list[list[Answer[T]]], answer: Answer[T], same: Callable[[T, T], bool]
) -> list[Answer[T]]:
    """Put an answer to those that are the same; gives all of them."""
    for group in groups:
        if same(group[0].value, answer.value):
            group.append(answer)
            return group
    groups.append([answer])
    return groups[-1]
