"""What a child says, in its parent's keys: infos, errors, what is written and what is listed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Self

from ..._core.errors import InvalidKey, StoreError
from ..._core.info import ObjectInfo
from ..._core.text import shorten
from ..streams import AsyncReader, AsyncWriter, WriterSink


def renamed(info: ObjectInfo, key: str) -> ObjectInfo:
    """What is known of an object, under another key."""
    return ObjectInfo(
        key,
        info.size,
        info.etag,
        info.modified,
        info.content_type,
        info.metadata,
        info.checksum,
    )


class Outward:
    """A context manager: errors of a child that leave its block are about the parent's key.

    Args:
        store: The parent; an error of its child speaks of the parent instead.
        inner: The child's key.
        outer: The parent's.
    """

    __slots__ = ("_inner", "_other", "_outer", "_store", "passing")

    def __init__(self, store: object, inner: str, outer: str) -> None:
        self._store = store
        self._inner = inner
        self._outer = outer
        self._other: Outward | None = None
        self.passing: BaseException | None = None
        """An error that is not the child's, and stays as it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None and isinstance(error, StoreError) and error is not self.passing:
            self.rename(error)

    def also(self, other: Outward) -> Self:
        """The same for two keys; where they are one, this one's goes."""
        self._other = other
        return self

    def rename(self, error: StoreError) -> None:
        """Make an error one of the parent's; one without a key is about the first."""
        if self._other is not None and error.key not in (None, self._inner):
            self._other.rename(error)
            return
        error.store = repr(self._store)
        if error.key not in (None, self._inner):
            return
        error.key = self._outer
        if isinstance(error, InvalidKey) and self._inner != self._outer:
            error._message = f"as {shorten(repr(self._inner))} it is refused: {error._message}"


class OutwardSink(WriterSink):
    """Hands everything to a child's writer, whose errors are about the parent's keys."""

    def __init__(self, writer: AsyncWriter, outward: Outward) -> None:
        super().__init__(writer)
        self._outward = outward

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        with self._outward:
            await self._writer.write(data)


async def pieces(reader: AsyncReader, outward: Outward) -> AsyncIterator[bytes]:
    """The rest of what a child's reader gives; its errors are about the parent's keys."""
    with outward:
        async for piece in reader:
            yield piece


def translate(error: StoreError, outer: Callable[[str], str | None]) -> None:
    """Make an error of a child's listing the parent's; it stays where the key is none of ours."""
    key = None if error.key is None else outer(error.key)
    if key is not None:
        error.key = key
        error.store = None
