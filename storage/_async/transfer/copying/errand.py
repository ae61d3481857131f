"""One copy to be made: what is read, what is written, and what has to be true of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from ...._core.budget import ByteBudget
from ...._core.errors import IntegrityError, ObjectNotFound, PreconditionFailed, SourceChanged
from ...._core.info import READ_ALL, Capability, ObjectInfo, ReadOptions, WriteOptions
from ...base import AsyncBaseStore
from ..steps import Copied
from . import times


class Rate(Protocol):
    """A limit of bytes in a second."""

    async def take(self, size: int, /) -> None:
        """Wait until so many more may go."""


class Ends:
    """Both ends of many copies, what they share, and what is asked of the ends but once.

    Args:
        source: Where the objects are.
        target: Where they go.
        budget: Of the memory for what is on its way.
        rate: Of what is on its way.
    """

    def __init__(
        self, source: AsyncBaseStore, target: AsyncBaseStore, budget: ByteBudget, rate: Rate | None
    ) -> None:
        self.source, self.target = source, target
        self.budget, self.rate = budget, rate
        able, there = source.capabilities, target.capabilities
        self.pins = Capability.READ_CONDITIONS in able
        self.ranges = self.pins and Capability.RANGES in able
        self.streams = Capability.STREAMS in able & there
        self.attributes = Capability.ATTRIBUTES in there
        self.times = source._keeps_modified or target._keeps_modified


@dataclass(slots=True, repr=False, eq=False)
class Errand:
    """One copy.

    Args:
        ends: Where from and where to.
        listed: What the source's listing said of the object: this version is copied, no other.
        key: Its key at the target.
        condition: On what is there already.
        here: The store that keeps the source's very bytes, and the key there.
        there: The same for the target.
    """

    ends: Ends
    listed: ObjectInfo
    key: str
    condition: WriteOptions
    here: tuple[AsyncBaseStore, str]
    there: tuple[AsyncBaseStore, str]

    # -- the source ---------------------------------------------------------------------------

    def pinned(self) -> ReadOptions:
        """How to ask for the version that was listed."""
        etag = self.listed.etag
        return ReadOptions(None, etag) if etag is not None and self.ends.pins else READ_ALL

    def check_source(self, info: ObjectInfo) -> None:
        """Raise `SourceChanged` unless what was opened is the version that was listed."""
        listed = self.listed
        if info.etag == listed.etag is not None and info.size == listed.size:
            return
        for was, now in (
            (listed.size, info.size),
            (listed.etag, info.etag),
            (listed.modified, info.modified),
        ):
            if was is not None and now is not None and was != now:
                raise self.changed()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A block that only reads: what is no longer there, or another version, has changed."""
        try:
            yield
        except (PreconditionFailed, ObjectNotFound) as error:
            if isinstance(error, SourceChanged):
                raise
            raise self.changed() from error

    def changed(self) -> SourceChanged:
        """The error for a source that is not what it was."""
        return SourceChanged(
            "the source's object is not what was listed: it was replaced, changed or removed",
            operation="copy",
            store=repr(self.ends.source),
            key=self.listed.key,
        )

    # -- the target ---------------------------------------------------------------------------

    def options(self, info: ObjectInfo) -> WriteOptions:
        """The condition, and the attributes that both ends keep.

        Args:
            info: What the source told of the object when it was opened.
        """
        ends, condition = self.ends, self.condition
        metadata, modified = info.metadata, None
        if ends.times:
            modified, metadata = times.of_copy(
                ends.source._keeps_modified, ends.target._keeps_modified, info
            )
        if not ends.attributes:
            if modified is None:
                return condition
            return WriteOptions(condition.if_absent, condition.if_match, modified=modified)
        return WriteOptions(
            condition.if_absent, condition.if_match, info.content_type, metadata, modified
        )

    def check_length(self, info: ObjectInfo, size: int) -> None:
        """Raise `IntegrityError` where a store tells another length than that of what came."""
        if info.size is not None and info.size != size:
            raise IntegrityError(
                f"{size} bytes were copied of an object of {info.size}", key=info.key
            )

    def done(self, info: ObjectInfo, stored: ObjectInfo, size: int) -> Copied:
        """What was copied, after a last look at what both ends say of it."""
        self.check_length(stored, size)
        told = info.checksum or stored.checksum
        if info.checksum and stored.checksum and info.checksum != stored.checksum:
            kind, _, _ = info.checksum.partition(":")
            if stored.checksum.startswith(f"{kind}:"):
                raise IntegrityError(
                    f"the target's {kind} is not the source's",
                    store=repr(self.ends.target),
                    key=self.key,
                )
        return Copied(stored, size, told)
