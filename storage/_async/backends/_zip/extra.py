"""Extra fields of a member: times, names in UTF-8, and what this package keeps there.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

import json
import os
import struct
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from ...._core.crc import crc32
from ...._core.errors import ConfigError, CorruptStore

FIELD = struct.Struct("<2H")
"""Header of an extra field, 4.5.1."""
ZIP64 = 0x0001  # 4.5.3
TIMES = 0x5455  # Info-ZIP's extended timestamp
UNICODE_PATH = 0x7075  # 4.6.9
OURS = 0x5453
"""Field of this package: what an `ObjectInfo` tells and a zip archive has no place for."""
MAX_ATTRIBUTES = 32 * 1024

_OURS = struct.Struct("<4s8sq")  # magic, a token that no other put has, nanoseconds since 1970
_MAGIC = b"sto1"
_NEW = struct.Struct("<H7x2H4s8sq")
_OURS_AT = 13


class Notes(NamedTuple):
    """What extra fields and time tell of a member."""

    mark: str
    """Differs between two puts of the same key."""
    modified: datetime | None
    content_type: str | None
    metadata: Mapping[str, str]


def fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The extra fields, 4.5.1; padding and cut ones are left to those who need them whole."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = FIELD.unpack_from(extra, position)
        yield kind, extra[position + 4 : position + 4 + size]
        position += 4 + size


def wide_values(extra: bytes, values: list[int], narrow: int) -> list[int]:
    """Size, packed size and offset; from the ZIP64 field (4.5.3) where they are ``narrow``."""
    field = next((field for kind, field in fields(extra) if kind == ZIP64), b"")
    found, position = [], 0
    for value in values:
        if value != narrow:
            found.append(value)
            continue
        if position + 8 > len(field):
            raise CorruptStore("a ZIP64 member does not tell its size")
        found.append(int.from_bytes(field[position : position + 8], "little"))
        position += 8
    return found


def unicode_path(name: bytes, extra: bytes) -> str | None:
    """The name in UTF-8 that some programs keep beside one in another code, 4.6.9."""
    for kind, field in fields(extra):
        if kind == UNICODE_PATH and field[:5] == b"\x01" + crc32(name).to_bytes(4, "little"):
            return field[5:].decode()
    return None


def read_notes(extra: bytes, clock: int, day: int) -> Notes:
    """What is known beside size and checksum.

    Args:
        extra: The extra fields.
        clock: The member's DOS time, 4.4.6; local, to two seconds.
        day: Its DOS date.
    """
    if len(extra) >= _NEW.size:  # as `new_fields` writes them, which needs no search
        first, kind, size, magic, token, nanoseconds = _NEW.unpack_from(extra)
        if (first, kind, magic) == (TIMES, OURS, _MAGIC) and _OURS_AT + size <= len(extra):
            attributes = _read_attributes(extra[_NEW.size : _OURS_AT + size])
            return Notes(token.hex(), _utc(nanoseconds / 1e9), *attributes)
    return _search_notes(extra, clock, day)


def _search_notes(extra: bytes, clock: int, day: int) -> Notes:
    mark, seconds = f"{day:04x}{clock:04x}", None
    for kind, field in fields(extra):
        if kind == OURS and field[:4] == _MAGIC and len(field) >= _OURS.size:
            _, token, nanoseconds = _OURS.unpack_from(field)
            attributes = _read_attributes(field[_OURS.size :])
            return Notes(token.hex(), _utc(nanoseconds / 1e9), *attributes)
        if kind == TIMES and len(field) >= 5 and field[0] & 1:
            seconds = int.from_bytes(field[1:5], "little", signed=True)
    if seconds is None:
        return Notes(mark, _from_dos_time(clock, day), None, {})
    return Notes(f"{mark}-{seconds:x}", _utc(seconds), None, {})


def new_fields(nanoseconds: int, attributes: bytes) -> bytes:
    """The extra fields of a new member."""
    seconds = min(nanoseconds // 10**9, 2**31 - 1)
    ours = _OURS.pack(_MAGIC, os.urandom(8), nanoseconds) + attributes
    times = FIELD.pack(TIMES, 5) + struct.pack("<Bi", 1, seconds)
    return times + FIELD.pack(OURS, len(ours)) + ours


def pack_attributes(content_type: str | None, metadata: Mapping[str, str] | None) -> bytes:
    """Content type and metadata as `read_notes` reads them; empty where there are none.

    Raises:
        ConfigError: They are longer than 32 KiB.
    """
    if content_type is None and not metadata:
        return b""
    text = json.dumps([content_type, dict(metadata or {})], separators=(",", ":")).encode()
    if len(text) > MAX_ATTRIBUTES:
        raise ConfigError(f"content type and metadata have {len(text)} bytes, and at most 32 KiB")
    return text


def _read_attributes(text: bytes) -> tuple[str | None, Mapping[str, str]]:
    if not text:
        return None, {}
    try:
        content_type, metadata = json.loads(text)
        texts = [*metadata.keys(), *metadata.values(), content_type or ""]
    except (ValueError, TypeError, AttributeError, RecursionError):
        content_type, metadata, texts = None, {}, [None]
    if not all(isinstance(text, str) for text in texts):
        raise CorruptStore("a member's content type and metadata are not readable")
    return content_type, metadata


def to_dos_time(seconds: float) -> tuple[int, int]:
    """The local time in two numbers, 4.4.6."""
    return _to_dos_time(int(seconds) // 2 * 2)


@lru_cache(16)
def _to_dos_time(seconds: int) -> tuple[int, int]:
    now = time.localtime(seconds)
    year = min(max(now.tm_year, 1980), 2107)
    clock = now.tm_hour << 11 | now.tm_min << 5 | min(now.tm_sec, 59) // 2
    return clock, (year - 1980) << 9 | now.tm_mon << 5 | now.tm_mday


@lru_cache(1024)
def _from_dos_time(clock: int, day: int) -> datetime | None:
    """None for no time at all, as some programs write it."""
    date = (day >> 9) + 1980, day >> 5 & 15, day & 31
    try:
        return datetime(*date, clock >> 11, clock >> 5 & 63, (clock & 31) * 2).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _utc(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
