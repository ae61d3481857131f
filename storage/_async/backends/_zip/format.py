"""The records of a zip archive, as bytes and as values.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

import re
import struct
import time
from typing import Any, NamedTuple

from ...._core.errors import CorruptStore, InvalidKey
from ...._core.info import ObjectInfo
from ...._core.keys import check_key
from .extra import (
    FIELD,
    ZIP64,
    fields,
    new_fields,
    read_notes,
    to_dos_time,
    unicode_path,
    wide_values,
)
from .files import OpenFile
from .methods import ZSTD

LOCAL = struct.Struct("<4s5H3L2H")
"""Local file header, 4.3.7."""
CENTRAL = struct.Struct("<4s6H3L5H2L")
"""Central directory header, 4.3.12. Bytes 6 to 32 are bytes 4 to 30 of the local header."""
LOCAL_SIGNATURE, CENTRAL_SIGNATURE = b"PK\x03\x04", b"PK\x01\x02"

END = struct.Struct("<4s4H2LH")
"""End of central directory record, 4.3.16."""
END64 = struct.Struct("<4sQ2H2L4Q")
"""ZIP64 end of central directory record, 4.3.14, without extensible data."""
LOCATOR = struct.Struct("<4sLQL")
"""ZIP64 end of central directory locator, 4.3.15."""
END_SIGNATURE, END64_SIGNATURE, LOCATOR_SIGNATURE = (
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
)

ENCRYPTED, PATCHED, UTF8, MASKED = 1, 32, 0x800, 0x2000  # 4.4.4
MAX16, MAX32 = 0xFFFF, 0xFFFFFFFF
BASE_VERSION, ZIP64_VERSION, ZSTD_VERSION = 20, 45, 63  # 4.4.3.2

_OUTSIDE = re.compile(r"[/\\]|[A-Za-z]:|(.*[/\\])?\.\.([/\\]|\Z)", re.DOTALL)
_UNIX = 3 << 8  # 4.4.2: the upper half of the external attributes is a Unix mode
_MODE = 0o100644 << 16
_NO_MEMBER = "the journal holds something that is no member"


class Limits(NamedTuple):
    """What an archive may hold and unpack to, lest a small file fills memory or disk."""

    members: int
    object_size: int | None
    total_size: int | None
    ratio: int | None
    """None: what each method can reach."""


class Entry:
    """One member: where it stands, and its central directory record.

    Args:
        record: The central directory record.
        file: Where the member stands.
        shift: What to add to the record's offset.
    """

    __slots__ = (
        "__weakref__",
        "crc",
        "end",
        "file",
        "key",
        "method",
        "offset",
        "packed",
        "places",
        "record",
        "size",
    )

    def __init__(self, record: bytes, file: OpenFile, shift: int = 0) -> None:
        head = CENTRAL.unpack_from(record)
        flags, self.method, self.crc, disk = head[3], head[4], head[7], head[13]
        packed, size, offset = head[8], head[9], head[16]
        self.record = record
        if MAX32 in (packed, size, offset):
            size, packed, offset = wide_values(self.extra, [size, packed, offset], MAX32)
        if disk not in (0, MAX16):
            raise CorruptStore("the archive is one part of several")
        self.packed: int = packed
        self.size: int = size
        self.offset: int = offset + shift
        """Of the local header in the file."""
        self.end = self.offset
        """Where the next member begins; nothing of this one lies behind."""
        self.file = file
        self.places: dict[int, Any] | None = None
        """Where to go on with the unpacking; see `seeking`."""
        self.key = decoded(self.name, flags, self.extra)

    @property
    def name(self) -> bytes:
        """The name as it stands in the archive."""
        return self.record[46 : 46 + int.from_bytes(self.record[28:30], "little")]

    @property
    def extra(self) -> bytes:
        """The extra fields of the directory."""
        name, extra = FIELD.unpack_from(self.record, 28)
        return self.record[46 + name : 46 + name + extra]

    @property
    def flags(self) -> int:
        """The general purpose flags, 4.4.4."""
        return int.from_bytes(self.record[8:10], "little")

    @property
    def is_directory(self) -> bool:
        """Whether it only says that there is a directory; such a one is no object."""
        return self.size == 0 and self.key.endswith("/")

    def info(self) -> ObjectInfo:
        """What is known of the object."""
        times = struct.unpack_from("<2H", self.record, 12)
        return info_of(self.key, self.size, self.crc, self.extra, *times)


def info_of(key: str, size: int, crc: int, extra: bytes, clock: int, day: int) -> ObjectInfo:
    """What is known of the object in a member, from the fields of its record."""
    mark, modified, content_type, metadata = read_notes(extra, clock, day)
    checksum = f"{crc:08x}"
    etag = f"{checksum}-{size:x}-{mark}"
    return ObjectInfo(key, size, etag, modified, content_type, metadata, f"crc32:{checksum}")


def decoded(name: bytes, flags: int, extra: bytes, start: int = 0, size: int = MAX16) -> str:
    """A member's name as a key.

    Args:
        name: As it stands in the archive.
        flags: The general purpose flags, 4.4.4.
        extra: What holds the extra fields.
        start: Where they begin in it.
        size: How long they are.

    Raises:
        CorruptStore: It cannot be a key.
    """
    try:
        if flags & UTF8 or name.isascii():
            return check_key(name.decode())
        text = unicode_path(name, extra[start : start + size])
        return check_key(text or name.decode("cp437"))  # appendix D
    except (UnicodeDecodeError, InvalidKey) as error:
        raise CorruptStore(f"a member's name cannot be a key: {name[:60]!r}") from error


def check_name(key: str) -> None:
    """Raise `InvalidKey` for a name that does harm, or is lost, where others unpack it."""
    if _OUTSIDE.match(key):
        raise InvalidKey("in a zip archive, no key leads out of the directory it is unpacked to")
    if key.endswith("/"):
        raise InvalidKey("in a zip archive, no key ends in a slash: that is a directory")


def local_header(
    key: str, method: int, crc: int, packed: int, size: int, attributes: bytes
) -> bytes:
    """The local header of a new member, its sizes known (so no data descriptor, 4.3.9)."""
    now = time.time_ns()
    name, extra = key.encode(), new_fields(now, attributes)
    flags = 0 if key.isascii() else UTF8
    version = ZSTD_VERSION if method == ZSTD else BASE_VERSION
    if max(packed, size) >= MAX32:
        extra += struct.pack("<2H2Q", ZIP64, 16, size, packed)
        version, packed, size = max(version, ZIP64_VERSION), MAX32, MAX32
    times, lengths = to_dos_time(now / 1e9), (len(name), len(extra))
    numbers = (version, flags, method, *times, crc, packed, size, *lengths)
    return LOCAL.pack(LOCAL_SIGNATURE, *numbers) + name + extra


def entry_of(header: bytes, file: OpenFile, offset: int) -> Entry:
    """The entry of a member that this package wrote, from its local header.

    Raises:
        CorruptStore: It is no such header.
    """
    if len(header) < LOCAL.size or header[:4] != LOCAL_SIGNATURE:
        raise CorruptStore(_NO_MEMBER)
    made_by = struct.pack("<H", _UNIX | header[4])
    ends = struct.pack("<3H2L", 0, 0, 0, _MODE, 0)  # no comment, disk 0, binary, mode, offset
    record = CENTRAL_SIGNATURE + made_by + header[4:30] + ends + header[30:]
    if CENTRAL.size + sum(FIELD.unpack_from(header, 26)) != len(record):
        raise CorruptStore(_NO_MEMBER)
    entry = Entry(record, file, offset)
    entry.end = offset + len(header) + entry.packed
    return entry


def relocated(entry: Entry, offset: int) -> bytes:
    """The entry's central directory record for another offset of the local header."""
    record = entry.record
    narrow = MAX32 not in (*struct.unpack_from("<2L", record, 20), offset)
    if narrow and offset < MAX32 and record[42:46] != b"\xff" * 4:
        return record[:42] + offset.to_bytes(4, "little") + record[46:]
    return _rebuilt(entry, offset)


def _rebuilt(entry: Entry, offset: int) -> bytes:
    """The record with another ZIP64 field, or none."""
    name, extra = entry.name, entry.extra
    kept = b"".join(
        FIELD.pack(kind, len(field)) + field for kind, field in fields(extra) if kind != ZIP64
    )
    head: list[Any] = list(CENTRAL.unpack_from(entry.record))
    wide = [value for value in (entry.size, entry.packed, offset) if value >= MAX32]
    if wide:
        kept = struct.pack(f"<2H{len(wide)}Q", ZIP64, 8 * len(wide), *wide) + kept
        head[2] = max(head[2], ZIP64_VERSION)
    head[8:10] = min(entry.packed, MAX32), min(entry.size, MAX32)
    head[11], head[13], head[16] = len(kept), 0, min(offset, MAX32)
    comment = entry.record[46 + len(name) + len(extra) :]
    return CENTRAL.pack(*head) + name + kept + comment
