"""What a child says, in its parent's keys: infos, errors, what is written and what is listed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
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
    """A context manager: errors of a child that leave its block are about the parent's keys.

    Args:
        store: The parent; an error of its child speaks of the parent instead.
        keys: The child's keys with the parent's.
    """

    __slots__ = ("_keys", "_store", "passing")

    def __init__(self, store: object, keys: Mapping[str, str]) -> None:
        self._store = store
        self._keys = keys
        self.passing: BaseException | None = None
        """An error that is not the child's, and stays as it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, StoreError) and error is not self.passing:
            self.rename(error)

    def also(self, other: Outward) -> Outward:
        """The same for two keys; where they are one, this one's goes."""
        return Outward(self._store, {**other._keys, **self._keys})

    def rename(self, error: StoreError) -> None:
        """Make an error one of the parent's; what has no key gets it from whoever knows it."""
        inner = error.key
        if inner is None and len(self._keys) == 1:
            inner = next(iter(self._keys))
        error.store = repr(self._store)
        if inner is None or inner not in self._keys:
            return
        error.key = outer = self._keys[inner]
        if isinstance(error, InvalidKey) and inner != outer:
            error._message = f"as {shorten(repr(inner))} it is refused: {error._message}"


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
