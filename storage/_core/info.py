"""The small values that the protocol speaks in."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from .errors import ConfigError, NotModified, ObjectExists, ObjectNotFound, PreconditionFailed


class Capability(enum.Flag):
    """What a store does beyond the five verbs, by itself and atomically where that matters."""

    NONE = 0
    ORDERED = enum.auto()
    """Listings come in the order of the keys' UTF-8 bytes."""
    IF_ABSENT = enum.auto()
    """``put(if_absent=True)`` has exactly one winner."""
    IF_MATCH = enum.auto()
    """``put(if_match=etag)`` is an atomic compare-and-swap."""
    DELETE_IF_MATCH = enum.auto()
    """``delete(if_match=etag)`` is atomic."""
    COPY_IF_ABSENT = enum.auto()
    """``copy(if_absent=True)`` has exactly one winner."""
    READ_CONDITIONS = enum.auto()
    """``get(if_match=)`` and ``get(if_none_match=)`` hold for the very bytes returned."""
    ATTRIBUTES = enum.auto()
    """``content_type`` and ``metadata`` are kept."""
    STREAMS = enum.auto()
    """Objects are read and written in pieces, in bounded memory."""
    RANGES = enum.auto()
    """A ranged read does not read the rest of the object."""


@dataclass(frozen=True, slots=True, init=False)
class ObjectInfo:
    """What is known of an object; a field is None where the store does not know it."""

    key: str
    size: int | None = None
    """Length in bytes."""
    etag: str | None = None
    """An opaque mark that changes whenever the content does."""
    modified: datetime | None = None
    """When the object was written last, with its time zone."""
    content_type: str | None = None
    metadata: Mapping[str, str] | None = None
    """The user's own pairs."""
    checksum: str | None = None
    """A digest of the content, as ``"algorithm:hexadecimal"``."""

    def __init__(
        self,
        key: str,
        size: int | None = None,
        etag: str | None = None,
        modified: datetime | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        checksum: str | None = None,
    ) -> None:
        # One is made for each key of a listing. The `__init__` of a frozen dataclass looks up each
        # field by its name, which takes three times as long.
        _set_key(self, key)
        _set_size(self, size)
        _set_etag(self, etag)
        _set_modified(self, modified)
        _set_content_type(self, content_type)
        _set_metadata(self, metadata)
        _set_checksum(self, checksum)


_set_key, _set_size, _set_etag, _set_modified, _set_content_type, _set_metadata, _set_checksum = (
    getattr(ObjectInfo, field.name).__set__ for field in fields(ObjectInfo)
)


@dataclass(frozen=True, slots=True)
class ListResult:
    """One level of a listing: the objects on it, and the prefixes under it."""

    prefixes: tuple[str, ...]
    objects: tuple[ObjectInfo, ...]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of an object, with a slice's meaning: the end is exclusive, and it never fails.

    Args:
        start: First byte, from 0. Negative: that many bytes from the object's end.
        end: The byte after the last one; None for the object's end. Not with a negative start.
    """

    start: int = 0
    end: int | None = None

    def __post_init__(self) -> None:
        if self.start < 0 and self.end is not None:
            raise ConfigError("a range from the end of an object has no end of its own")
        if self.end is not None and self.end < self.start:
            raise ConfigError(f"a range does not end ({self.end}) before it starts ({self.start})")

    def resolve(self, size: int) -> tuple[int, int]:
        """The bounds within an object of ``size`` bytes: ``0 <= start <= end <= size``."""
        start = max(0, size + self.start) if self.start < 0 else min(self.start, size)
        return start, size if self.end is None else max(start, min(self.end, size))


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a read asks for."""

    byte_range: ByteRange | None = None
    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, info: ObjectInfo) -> None:
        """Raise unless the object that was found satisfies the conditions."""
        if self.if_match is not None and self.if_match != info.etag:
            raise PreconditionFailed(
                f"the object has etag {info.etag!r}, not {self.if_match!r}", key=info.key
            )
        if self.if_none_match is not None and self.if_none_match == info.etag:
            raise NotModified(f"the object still has etag {info.etag!r}", key=info.key)

    def cut(self, data: bytes) -> bytes:
        """The range asked for, of an object that was read whole."""
        if self.byte_range is None:
            return data
        start, end = self.byte_range.resolve(len(data))
        return data[start:end]

    @property
    def conditional(self) -> bool:
        """Whether there is any condition."""
        return self.if_match is not None or self.if_none_match is not None


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What a write asks for."""

    if_absent: bool = False
    if_match: str | None = None
    content_type: str | None = None
    metadata: Mapping[str, str] | None = None
    modified: datetime | None = None
    """When the content was written where it is copied from; heeded where the medium keeps it."""

    def check(self, key: str, found: ObjectInfo | None) -> None:
        """Raise unless what stands under the key now (None: nothing) may be replaced."""
        if self.if_absent and found is not None:
            raise ObjectExists("there is an object under this key", key=key)
        if self.if_match is not None and (found is None or found.etag != self.if_match):
            now = "there is no object" if found is None else f"the object has etag {found.etag!r}"
            raise PreconditionFailed(f"{now}, not etag {self.if_match!r}", key=key)

    @property
    def conditional(self) -> bool:
        """Whether there is any condition."""
        return self.if_absent or self.if_match is not None

    def arguments(self) -> dict[str, Any]:
        """The same as the keyword arguments of ``put`` and ``open_writer``."""
        return {
            "if_absent": self.if_absent,
            "if_match": self.if_match,
            "content_type": self.content_type,
            "metadata": self.metadata,
        }

    @property
    def attributed(self) -> bool:
        """Whether there is anything to keep beside the bytes."""
        return self.content_type is not None or bool(self.metadata)


def check_delete(key: str, found: ObjectInfo | None, if_match: str | None) -> None:
    """Raise unless what stands under the key now (None: nothing) may be deleted."""
    if found is None:
        raise ObjectNotFound("there is no object under this key", key=key)
    if if_match is not None and found.etag != if_match:
        raise PreconditionFailed(f"the object has etag {found.etag!r}, not {if_match!r}", key=key)


READ_ALL = ReadOptions()
WRITE_OVER = WriteOptions()
