"""A stream that a majority of the children agrees on."""

from __future__ import annotations

from functools import partial
from typing import Any

from ...._core.info import ObjectInfo, ReadOptions
from .policies import alike, same_content
from .pump import Pump, Streams, content
from .reading import Found, Reading
from .replicas import Answer, Replicas

ATTEMPTS = 5
"""How often the children are asked anew when the object was replaced between two questions."""


class Agreeing:
    """Opens the very version that a majority of the children holds.

    What they tell of it decides, where that is a digest; else all of them are read through first.
    Every child has to know conditional reads, by which the version is held fast.
    """

    def __init__(self, replicas: Replicas) -> None:
        self._replicas = replicas
        self._reading = Reading(replicas, "quorum")
        # To read an object through takes as long as it takes; each piece has its deadline.
        self._patient = Reading(Replicas(replicas.children, None), "quorum")

    async def open(
        self, streams: Streams, key: str, options: ReadOptions
    ) -> tuple[Pump[Any], Found[ObjectInfo]]:
        """The stream of one of those that agree, and what they tell."""
        for _ in range(ATTEMPTS):
            found = await self.ask(key)
            for answer in found.answers:
                pinned = ReadOptions(options.byte_range, answer.value.etag)
                begin = partial(streams.begin, options=pinned)
                opening = await self._replicas.one(answer.index, begin)
                if opening.error is None:
                    return streams.choose(opening.value), found
                found.errors[answer.index] = opening.error
        raise self._replicas.failure("it changes faster than it can be agreed on", found.errors)

    async def ask(self, key: str) -> Found[ObjectInfo]:
        """What a majority tells that holds the same bytes for sure."""
        found = await self._reading.ask(lambda i: self._replicas.children[i].head(key), alike)
        first = found.value
        if all(same_content(first, answer.value) for answer in found.answers[1:]):
            return found
        read = await self._patient.ask(
            lambda i: content(self._replicas, i, key), lambda a, b: a[0] == b[0]
        )
        infos = [Answer(answer.index, answer.value[1]) for answer in read.answers]
        return Found(infos, read.missing, read.errors)
