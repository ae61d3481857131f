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


@dataclass(slots=True)
class Errand:
    """One copy.

    Args:
        source: Where the object is.
        target: Where it goes.
        listed: What the source's listing said of it: this version is copied, and no other.
        key: Its key at the target.
        condition: On what is there already.
        budget: Of the memory for what is on its way.
        rate: Of what is on its way.
    """

    source: AsyncBaseStore
    target: AsyncBaseStore
    listed: ObjectInfo
    key: str
    condition: WriteOptions
    budget: ByteBudget
    rate: Rate | None

    behind: tuple[tuple[AsyncBaseStore, str], tuple[AsyncBaseStore, str]]
    """The stores that keep the very bytes of source and target, and the keys there."""

    # -- the source ---------------------------------------------------------------------------

    def pinned(self) -> ReadOptions:
        """How to ask for the version that was listed."""
        etag = self.listed.etag
        if etag is None or Capability.READ_CONDITIONS not in self.source.capabilities:
            return READ_ALL
        return ReadOptions(None, etag)

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
            store=repr(self.source),
            key=self.listed.key,
        )

    # -- the target ---------------------------------------------------------------------------

    def options(self, info: ObjectInfo) -> WriteOptions:
        """The condition, and the attributes that both ends keep.

        Args:
            info: What the source told of the object when it was opened.
        """
        source, target, condition = self.source, self.target, self.condition
        kept = times.of_copy(source._keeps_modified, target._keeps_modified, info)
        if Capability.ATTRIBUTES not in target.capabilities:
            if kept.modified is None:
                return condition
            return WriteOptions(condition.if_absent, condition.if_match, modified=kept.modified)
        return WriteOptions(
            condition.if_absent,
            condition.if_match,
            info.content_type,
            kept.metadata,
            kept.modified,
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
                    store=repr(self.target),
                    key=self.key,
                )
        return Copied(stored, size, told)
