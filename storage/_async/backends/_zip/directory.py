"""The directory of an archive: found, checked and read.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

import hashlib
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...._core.errors import CorruptStore, NotSupported
from ...._core.text import shorten
from .files import OpenFile, read_exactly
from .format import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    LOCAL,
    LOCATOR,
    LOCATOR_SIGNATURE,
    MAX16,
    MAX32,
    Entry,
    Limits,
)

NO_ARCHIVE = bytes(16)
"""The identity of an archive that does not exist yet."""


@dataclass(slots=True)
class Directory:
    """What an archive holds."""

    file: OpenFile
    identity: bytes
    """A digest of the directory: the same archive in another place has the same."""
    comment: bytes = b""
    prefix: int = 0
    """Bytes before the first member, such as the program of a self-extracting archive."""
    entries: dict[str, Entry] = field(default_factory=dict)
    others: list[Entry] = field(default_factory=list)
    """Members that are no objects: directories."""


@dataclass(slots=True)
class _End:
    """The end records: where the directory is."""

    count: int
    exact: bool
    """Whether the count is whole, and not what 16 bits hold of it."""
    start: int
    end: int
    shift: int
    """What to add to the offsets: archives may have been put behind something else."""
    comment: bytes


def read_directory(file: OpenFile, size: int, limits: Limits) -> Directory:
    """Read an archive's directory.

    Args:
        file: The archive.
        size: Its length in bytes.
        limits: What it may hold.

    Raises:
        CorruptStore: It is no zip archive, is damaged, or exceeds the limits.
        NotSupported: It is one part of several.
    """
    end = _find_end(file, size)
    if end.count > limits.members:
        raise _too_much(f"{end.count} members, and at most {limits.members}", "max_members")
    tail = read_exactly(file, end.start, size - end.start)
    identity = hashlib.blake2b(tail, digest_size=16).digest()
    entries = list(_parse(tail[: end.end - end.start], file, end.shift, limits))
    if len(entries) != end.count and (end.exact or len(entries) & MAX16 != end.count):
        raise CorruptStore(f"the archive tells of {end.count} members and lists {len(entries)}")
    directory = Directory(file, identity, end.comment)
    directory.prefix = _check_spans(entries, end.start)
    _sort_out(directory, entries)
    _check_sizes(directory, limits)
    return directory


def _find_end(file: OpenFile, size: int) -> _End:
    start = max(0, size - END.size - MAX16)
    tail = read_exactly(file, start, size - start)
    found = tail.rfind(END_SIGNATURE)
    while found >= 0:
        record = tail[found : found + END.size]
        if len(record) == END.size and found + END.size + END.unpack(record)[7] == len(tail):
            return _read_end(file, start + found, record, tail[found + END.size :])
        found = tail.rfind(END_SIGNATURE, 0, found)
    raise CorruptStore("this is no zip archive, or its end was cut off")


def _read_end(file: OpenFile, position: int, record: bytes, comment: bytes) -> _End:
    _, disk, first_disk, here, count, size, offset, _ = END.unpack(record)
    end, exact = position, False
    if MAX16 in (count, here, disk, first_disk) or MAX32 in (size, offset):
        wide = _read_end64(file, position)
        if wide is not None:
            disk, first_disk, here, count, size, offset = wide
            end, exact = position - LOCATOR.size - END64.size, True
    if disk or first_disk or here != count:
        raise NotSupported("the archive is one part of several")
    start = end - size
    if start < offset or start < 0:
        raise CorruptStore("the archive's directory lies outside of it")
    return _End(count, exact, start, end, start - offset, comment)


def _read_end64(file: OpenFile, position: int) -> list[int] | None:
    """Both ZIP64 records, which stand right before the end record; None where they do not."""
    start = position - LOCATOR.size - END64.size
    if start < 0:
        return None
    record = read_exactly(file, start, END64.size + LOCATOR.size)
    if record[END64.size :][:4] != LOCATOR_SIGNATURE:
        return None
    if record[:4] != END64_SIGNATURE:
        raise CorruptStore("the archive's ZIP64 end record is not where it belongs")
    return list(END64.unpack_from(record)[4:])


def _parse(data: bytes, file: OpenFile, shift: int, limits: Limits) -> Iterator[Entry]:
    position, count = 0, 0
    while position < len(data):
        head = data[position : position + CENTRAL.size]
        if len(head) < CENTRAL.size or head[:4] != CENTRAL_SIGNATURE:
            raise CorruptStore("the archive's directory is damaged")
        end = position + CENTRAL.size + sum(struct.unpack_from("<3H", head, 28))
        if end > len(data):
            raise CorruptStore("the archive's directory is cut off")
        count += 1
        if count > limits.members:
            raise _too_much(f"more than {limits.members} members", "max_members")
        yield Entry(data[position:end], file, shift)
        position = end


def _check_spans(entries: list[Entry], end: int) -> int:
    """Where the members begin; set the end of each. Members that overlap are an attack."""
    for entry in sorted(entries, key=lambda entry: entry.offset, reverse=True):
        entry.end = end
        if entry.offset + LOCAL.size + len(entry.name) + entry.packed > end:
            raise CorruptStore(f"member {shorten(repr(entry.key))} overlaps what follows it")
        end = entry.offset
    return end


def _sort_out(directory: Directory, entries: list[Entry]) -> None:
    doubles = []
    for entry in entries:
        if entry.is_directory:
            directory.others.append(entry)
            continue
        if entry.key in directory.entries:
            doubles.append(entry.key)
        directory.entries[entry.key] = entry
    if doubles:
        warnings.warn(
            f"{len(doubles)} members of the archive are there twice, the last one counts: "
            + ", ".join(shorten(repr(key)) for key in doubles[:3]),
            UserWarning,
            stacklevel=2,
        )


def _check_sizes(directory: Directory, limits: Limits) -> None:
    if limits.total_size is not None:
        total = sum(entry.size for entry in directory.entries.values())
        if total > limits.total_size:
            text = f"{total} bytes when unpacked, and at most {limits.total_size}"
            raise _too_much(text, "max_total_size")


def _too_much(text: str, limit: str) -> CorruptStore:
    return CorruptStore(f"the archive has {text}: raise {limit}= if you trust it")
