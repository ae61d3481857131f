"""Async iterators that are closed where their use ends, not when they are collected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class closing(Generic[T]):  # noqa: N801 - reads as contextlib's
    """``async with closing(source) as items``: closes the iterator at the end, if it can be.

    Args:
        source: Any async iterator; most are generators, which hold things open until closed.
    """

    __slots__ = ("_source",)

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source

    async def __aenter__(self) -> AsyncIterator[T]:
        return self._source

    async def __aexit__(self, *exception: object) -> None:
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()
