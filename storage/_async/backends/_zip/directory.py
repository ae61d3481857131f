"""The directory of an archive: checked as a whole, its members made when they are asked for.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from operator import gt
from typing import TypeAlias

from ...._core.errors import CorruptStore
from ...._core.info import ObjectInfo
from ...._core.text import shorten
from .ends import End, find_end
from .files import OpenFile, read_exactly
from .format import CENTRAL, CENTRAL_SIGNATURE, LOCAL, MAX16, MAX32, Entry, Limits, decoded, info_of

NO_ARCHIVE = bytes(16)
"""The identity of an archive that does not exist yet, or is an empty file."""
KEPT = 4096
"""Members that are kept once they were made."""

_RECORD = struct.Struct("<4s4xH10x2L4H6xL")
"""What has to be looked at of every central directory header, 4.3.12."""
_FACTS = struct.Struct("<12x2H3L2H")
"""What an `ObjectInfo` tells: DOS time and date, checksum, sizes, lengths of name and extra."""

Entries: TypeAlias = dict[str, Entry | int]
"""Of each object the member, or where in an archive's directory its record stands."""


class Directory:
    """What an archive holds.

    Args:
        file: The archive.
        records: The central directory and what follows it; empty: so is the archive.
        end: What the end records tell.
    """

    def __init__(self, file: OpenFile, records: bytes = b"", end: End | None = None) -> None:
        self.file = file
        self.identity = hashlib.blake2b(records, digest_size=16).digest() if records else NO_ARCHIVE
        """A digest of the directory: the same archive in another place has the same."""
        self.comment = b"" if end is None else end.comment
        self.positions: Entries = {}
        """Of each object: where in the directory its record stands."""
        self._others: list[int] = []
        self._records = records
        self._shift = 0 if end is None else end.shift
        self._starts = array("Q", [0 if end is None else end.start])
        """Where the members begin, in order, and the directory itself."""
        self._made: dict[int, Entry] = {}

    @property
    def prefix(self) -> int:
        """Bytes before the first member, such as the program of a self-extracting archive."""
        return self._starts[0]

    @property
    def others(self) -> list[Entry]:
        """Members that are no objects: directories."""
        return [self._make(position) for position in self._others]

    def entry(self, position: int) -> Entry:
        """The member whose record stands there."""
        entry = self._made.get(position)
        if entry is None:
            entry = self._make(position)
            if len(self._made) >= KEPT:
                self._made = {}
            self._made[position] = entry
        return entry

    def info(self, key: str, position: int) -> ObjectInfo:
        """What is known of an object; made without its member, of which there may be a million."""
        records = self._records
        clock, day, crc, _, size, name, extra = _FACTS.unpack_from(records, position)
        if size == MAX32:
            return self.entry(position).info()
        start = position + CENTRAL.size + name
        return info_of(key, size, crc, records[start : start + extra], clock, day)

    def _make(self, position: int) -> Entry:
        sizes = struct.unpack_from("<3H", self._records, position + 28)
        record = self._records[position : position + CENTRAL.size + sum(sizes)]
        entry = Entry(record, self.file, self._shift)
        entry.end = self._starts[bisect_right(self._starts, entry.offset)]
        return entry

    def read(self, size: int, limits: Limits) -> int:
        """Look at every member of a directory of ``size`` bytes; returns how many there are.

        Raises:
            CorruptStore: There is one that cannot be, they overlap, or they exceed the limits.
        """
        starts, ends, total = array("Q"), array("Q"), 0
        positions, doubles, limit = self.positions, list[str](), self._starts[-1]
        for position, key, start, end, unpacked in self._scan(size):
            if end > limit:
                raise CorruptStore(f"member {shorten(repr(key))} overlaps what follows it")
            starts.append(start)
            ends.append(end)
            if len(starts) > limits.members:
                raise _too_much(f"more than {limits.members} members", "max_members")
            total += unpacked
            if not unpacked and key.endswith("/"):  # as `Entry.is_directory` tells
                self._others.append(position)
                continue
            if key in positions:
                doubles.append(key)
            positions[key] = position
        if limits.total_size is not None and total > limits.total_size:
            text = f"{total} bytes when unpacked, and at most {limits.total_size}"
            raise _too_much(text, "max_total_size")
        self._place(starts, ends)
        _warn_of(doubles)
        return len(starts)

    def _scan(self, size: int) -> Iterator[tuple[int, str, int, int, int]]:
        """Of every member: where its record stands, its key, where it begins and ends, its size.

        This runs for each of perhaps a million members, and makes as little as it can.
        """
        records, shift, unpack = self._records, self._shift, _RECORD.unpack_from
        position = 0
        while position < size:
            if position + CENTRAL.size > size:
                raise CorruptStore("the archive's directory is cut off")
            found = unpack(records, position)
            signature, flags, packed, unpacked, name_size, extra, comment, disk, offset = found
            name_at = position + CENTRAL.size
            after = name_at + name_size + extra + comment
            if signature != CENTRAL_SIGNATURE or after > size:
                raise CorruptStore("the archive's directory is damaged")
            if disk or MAX32 in (packed, unpacked, offset):
                entry = Entry(records[position:after], self.file)
                key, offset, packed, unpacked = entry.key, entry.offset, entry.packed, entry.size
            else:
                extra_at = name_at + name_size
                key = decoded(records[name_at:extra_at], flags, records, extra_at, extra)
            start = offset + shift
            yield position, key, start, start + LOCAL.size + name_size + packed, unpacked
            position = after

    def _place(self, starts: array[int], ends: array[int]) -> None:
        """Note where the members begin. Such as overlap are an attack."""
        if any(map(gt, ends, islice(starts, 1, None))):  # they may just be out of order
            pairs = sorted(zip(starts, ends, strict=True))
            starts, ends = (array("Q", numbers) for numbers in zip(*pairs, strict=True))
            if any(map(gt, ends, islice(starts, 1, None))):
                raise CorruptStore("members of the archive overlap")
        self._starts = starts + self._starts


def read_directory(file: OpenFile, size: int, limits: Limits) -> Directory:
    """Read an archive's directory.

    Args:
        file: The archive.
        size: Its length in bytes; an empty file is an archive without members.
        limits: What it may hold.

    Raises:
        CorruptStore: It is no zip archive, is damaged, or exceeds the limits.
        NotSupported: It is one part of several.
    """
    if not size:
        return Directory(file)
    end = find_end(file, size)
    if end.count > limits.members:
        raise _too_much(f"{end.count} members, and at most {limits.members}", "max_members")
    directory = Directory(file, read_exactly(file, end.start, size - end.start), end)
    count = directory.read(end.end - end.start, limits)
    if count != end.count and (end.exact or count & MAX16 != end.count):
        raise CorruptStore(f"the archive tells of {end.count} members and lists {count}")
    return directory


def _warn_of(doubles: list[str]) -> None:
    if doubles:
        warnings.warn(
            f"{len(doubles)} members of the archive are there twice, the last one counts: "
            + ", ".join(shorten(repr(key)) for key in doubles[:3]),
            UserWarning,
            stacklevel=2,
        )


def _too_much(text: str, limit: str) -> CorruptStore:
    return CorruptStore(f"the archive has {text}: raise {limit}= if you trust it")
