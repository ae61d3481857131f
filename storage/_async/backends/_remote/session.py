"""What a protocol has to provide: conversations with a server about its files."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ...._core.errors import NotSupported, StoreError
from ...._core.info import ByteRange

CHUNK = 1024 * 1024
"""Bytes that are read at a time, at most."""


class Refused(StoreError):
    """The server did not do it, and did not say why; a look at the files may tell."""


class Kind(enum.Enum):
    """What stands under a path."""

    FILE = "a file"
    DIRECTORY = "a directory"
    LINK = "a symbolic link"
    OTHER = "something else"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server tells of what stands under a path."""

    kind: Kind
    size: int | None = None
    modified: datetime | None = None


@dataclass(slots=True)
class Reading:
    """A file that is open for reading."""

    facts: Facts
    chunks: AsyncIterator[bytes]


class Upload(Protocol):
    """A new file that is being written."""

    async def write(self, data: bytes | memoryview, /) -> None:
        """Append bytes; returns when they may be changed again."""
        ...

    def copy(self, source: str, size: int, /) -> AsyncIterator[int]:
        """Let the server copy another file's bytes; only where `Session.copies` says so.

        Tells after each step how many bytes it was.
        """
        ...

    async def finish(self) -> Facts:
        """Write what is left, close the file and tell what is there."""
        ...

    async def abandon(self) -> None:
        """Close the file, whatever is in it; must also work after a request was cancelled."""
        ...


class Session(ABC):
    """A conversation with a server, used by one operation at a time.

    All paths are absolute, or relative to where the server puts its users. What goes wrong is a
    `StoreError`, or ``FileNotFoundError`` where something on the path is missing; `Refused` stands
    for all that the protocol has no words for.
    """

    copies = False
    """Whether the server copies files by itself."""

    @property
    @abstractmethod
    def quiet(self) -> bool:
        """Whether it can be used again: it is open, and waits for no answer."""

    @abstractmethod
    async def is_alive(self, idle: float) -> bool:
        """Whether the server still listens, when nobody used it for ``idle`` seconds."""

    @abstractmethod
    def drop(self) -> None:
        """End it at once, without a word to the server."""

    @abstractmethod
    async def look(self, path: str) -> Facts | None:
        """What stands under a path, links not followed; None where nothing does."""

    @abstractmethod
    async def refuse_links(self, root: str, path: str) -> None:
        """Raise `AccessDenied` where what leads to ``path`` from ``root`` goes over a link.

        Does nothing where the protocol does not tell.
        """

    @abstractmethod
    async def scan(self, path: str) -> list[tuple[bytes, Facts]]:
        """What a directory holds."""

    @abstractmethod
    async def make_directory(self, path: str) -> None:
        """Make one; an existing one may be refused."""

    @abstractmethod
    async def remove_directory(self, path: str) -> None:
        """Remove one that is empty; any other one must be refused."""

    @abstractmethod
    async def remove(self, path: str) -> None:
        """Remove a file."""

    @abstractmethod
    async def replace(self, source: str, target: str) -> None:
        """Rename a file, over what is there, in one step."""

    async def link(self, source: str, target: str) -> None:
        """Give a file a second name, which must be free, in one step."""
        raise NotSupported("this protocol cannot create a file only if there is none")

    @abstractmethod
    def read(
        self, root: str, path: str, part: ByteRange | None
    ) -> AbstractAsyncContextManager[Reading]:
        """Open a file, or a part of it, for reading; links as in `refuse_links`."""

    @abstractmethod
    async def create(self, path: str) -> Upload:
        """Make a new file; nothing may be there."""


class Line(Protocol):
    """The way to a server, on one event loop."""

    async def open(self) -> Session:
        """A new session."""
        ...

    async def close(self) -> None:
        """Hang up; the sessions are closed by then. Must not wait for long."""
        ...
