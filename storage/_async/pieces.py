"""Objects in pieces: what a backend gives to be read from, and to be written into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from .._core.info import ObjectInfo


@dataclass(slots=True, repr=False, eq=False)
class Body:
    """An object (or a range of it) that a backend has opened.

    Args:
        info: Of the whole object, also where only a range was asked for.
        chunks: The bytes asked for, in pieces of any size.
    """

    info: ObjectInfo
    chunks: AsyncIterator[bytes]


class Sink(Protocol):
    """What a backend writes an object's pieces into."""

    info: ObjectInfo | None
    """Known once the object is published."""

    async def write(self, data: bytes | memoryview, /) -> None:
        """Take the next piece."""
        ...


@dataclass(slots=True, repr=False, eq=False)
class BufferSink:
    """Collects the pieces in memory, for backends that can only put whole objects."""

    info: ObjectInfo | None = None
    buffer: bytearray = field(default_factory=bytearray)

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        self.buffer += data
