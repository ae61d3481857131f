"""What a backend may know beyond the verbs, so that copies between two stores are cheaper.

All of it is optional, and asked for by the copies of whole stores only (`transfer/copying`): who
has nothing to say is read from and written to by the verbs.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from .._core.errors import NotSupported
from .._core.info import ObjectInfo, ReadOptions, WriteOptions

if TYPE_CHECKING:
    from .base import AsyncBaseStore


class Digest(Protocol):
    """Takes bytes piece by piece."""

    def update(self, data: bytes | memoryview, /) -> None: ...


class Place(Protocol):
    """Where the bytes of one object are brought to, in any order."""

    file: int | None
    """The descriptor of a file, where the bytes may be put there without asking; None: ask."""

    async def write(self, at: int, data: memoryview, digest: Digest | None) -> None:
        """Keep a copy of bytes at a position, and feed a digest with them."""
        ...

    def blocks(self) -> Iterator[bytes]:
        """All that was kept, from its beginning; blocking."""
        ...


class Placing(Place, Protocol):
    """A place that becomes an object."""

    info: ObjectInfo | None
    """Known once the object is published."""


class Content(Protocol):
    """One version of an object of known length, read at any place by several at once."""

    info: ObjectInfo

    async def fill(self, view: memoryview, start: int) -> None:
        """Read as many bytes as the view holds, from a position on."""
        ...

    async def verify(self) -> None:
        """Raise `PreconditionFailed` if it is no longer the version that it was."""
        ...


class Fetch(Protocol):
    """An object that was opened to be brought to a place, over several connections if need be."""

    info: ObjectInfo

    async def into(self, place: Place) -> None:
        """Bring all of it, and compare it with what the store tells of it."""
        ...


class StoreShortcuts:
    """Hooks for the ways on which objects need not pass through this process, or not in one go."""

    _keeps_modified = False
    """Whether an object keeps the time of what it is a copy of, and listings tell that time."""
    _copies_remotely = False
    """Whether `_copy_from` takes nothing of this machine's network and disks."""
    _reads_one_version = False
    """Whether a whole read is of one version, whose etag it tells, with no condition on it."""
    _has_places = False
    """Whether there is a `_placing`."""
    _lists_spans = False
    """Whether there is a `_span_pages`, which costs no more than what it lists."""
    _stream_bytes = 2 * 1024 * 1024
    """Bytes that one stream into or out of the store holds, about."""

    def _behind(self, key: str) -> tuple[AsyncBaseStore, str]:
        """The store that keeps the very bytes of an object, and its key there.

        A store made of another one gives that one only if it neither changes nor watches what
        passes through it.
        """
        return self, key  # type: ignore[return-value]

    async def _make_whole(self) -> None:
        """Show other programs all that is stored, also what a killed writer has left."""

    def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None] | None:
        """What `_list` gives, in lists of some length; None: one by one is as good.

        To hand on each object by itself, through each of the layers, takes longer than to make it.
        """
        return None

    def _span_pages(
        self, prefix: str, after: str, until: str | None
    ) -> AsyncGenerator[list[ObjectInfo], None]:
        """What `_info_pages` gives after a key, at least up to another (None: to the end)."""
        raise NotSupported("it is not listed in parts")

    def _service(self) -> Hashable | None:
        """What two stores have in common between which `_copy_from` works; None for none."""
        return None

    async def _copy_from(
        self, source: AsyncBaseStore, listed: ObjectInfo, key: str, options: WriteOptions
    ) -> ObjectInfo:
        """Copy an object of another store of the same service, with its attributes.

        Args:
            source: The other store.
            listed: The object as it is known there; no other version is copied.
            key: The new key.
            options: The conditions.

        Raises:
            NotSupported: It has to be done in another way.
        """
        raise NotSupported("there is no short way")

    def _content(
        self, key: str, options: ReadOptions
    ) -> AbstractAsyncContextManager[Content] | None:
        """An object to be read at any place; None: ranged reads are as good."""
        return None

    def _takes_contents(self, size: int) -> int | None:
        """Bytes that `_take` holds at least of a content of so many; None: there is no `_take`."""
        return None

    async def _take(
        self, key: str, content: Content, options: WriteOptions, state: str | None
    ) -> ObjectInfo:
        """Store a content in parallel parts; an upload that was begun before goes on.

        Args:
            key: The object's key.
            content: Read as often as need be; `Content.verify` is asked before it is published.
            options: The conditions and the attributes.
            state: What `_begin_take` gave. It is left as it is by whatever fails.

        Raises:
            ObjectNotFound: There is no such upload any more.
        """
        raise NotSupported("there is no such way to write")

    async def _begin_take(self, key: str, options: WriteOptions, size: int) -> str:
        """Begin an upload that `_take` goes on with; it stays until then, or until `_drop_take`."""
        raise NotSupported("there is no such way to write")

    async def _drop_take(self, key: str, state: str) -> None:
        """Give up what `_begin_take` began; what is gone is no error."""

    def _fetch(self, key: str, options: ReadOptions) -> AbstractAsyncContextManager[Fetch] | None:
        """A large object, opened to be brought to a place; None: reading it in order is as good."""
        return None

    def _placing(
        self, key: str, size: int, options: WriteOptions
    ) -> AbstractAsyncContextManager[Placing]:
        """A place for an object, published when the block ends well."""
        raise NotSupported("there is no such way to write")
