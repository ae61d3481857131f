"""The end of an archive, which tells where its directory is.

Programs differ in what they make of an archive whose records contradict each other, and that is
how one hides a member from a scanner. So whatever two readers could read in two ways is refused.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...._core.errors import CorruptStore, NotSupported
from .files import OpenFile, read_exactly
from .format import (
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
    MAX16,
    MAX32,
)


@dataclass(slots=True)
class End:
    """The end records: where the directory is."""

    count: int
    exact: bool
    """Whether the count is whole, and not what 16 bits hold of it."""
    start: int
    end: int
    shift: int
    """What to add to the offsets: archives may have been put behind something else."""
    comment: bytes


@dataclass(slots=True)
class _Wide:
    """Both ZIP64 records."""

    position: int
    """Where they begin."""
    told: int
    """Where the locator says that they do."""
    values: list[int]
    """Disk, first disk, members here, members, size and offset of the directory."""


def find_end(file: OpenFile, size: int) -> End:
    """Find and read the end records.

    Raises:
        CorruptStore: There is none, or they contradict each other.
        NotSupported: The archive is one part of several.
    """
    start = max(0, size - END.size - MAX16)
    tail = read_exactly(file, start, size - start)
    found = list(_candidates(tail))
    if not found:
        raise CorruptStore("this is no zip archive, or its end was cut off")
    if len(found) > 1:
        raise CorruptStore("the archive has two ends, one within the other's comment")
    return _read_end(file, start + found[0], tail[found[0] :])


def _candidates(tail: bytes) -> Iterator[int]:
    """Where an end record stands that is followed by its comment, and perhaps by zeros."""
    at = tail.find(END_SIGNATURE)
    while 0 <= at <= len(tail) - END.size:
        end = at + END.size + END.unpack_from(tail, at)[7]
        # Programs that write to tapes fill their last block up with zeros.
        if end <= len(tail) and not tail[end:].strip(b"\0"):
            yield at
        at = tail.find(END_SIGNATURE, at + 1)


def _read_end(file: OpenFile, position: int, record: bytes) -> End:
    _, *values, comment = END.unpack_from(record)
    wide, end = _read_wide(file, position), position
    if wide is not None:
        values, end = _widened(values, wide), wide.position
    disk, first_disk, here, count, size, offset = values
    if disk or first_disk or here != count:
        raise NotSupported("the archive is one part of several")
    start = end - size
    if start < offset or start < 0:
        raise CorruptStore("the archive's directory lies outside of it")
    if wide is not None and wide.told + start - offset != wide.position:
        raise CorruptStore("the archive's ZIP64 end record is not where its locator says")
    return End(count, wide is not None, start, end, start - offset, record[END.size :][:comment])


def _widened(narrow: Sequence[int], wide: _Wide) -> list[int]:
    """The values of the ZIP64 record, which the plain ones are not to contradict, 4.4.1.4."""
    full = (MAX16, MAX16, MAX16, MAX16, MAX32, MAX32)
    for short, long, mark in zip(narrow, wide.values, full, strict=True):
        if short not in (long, mark):
            raise CorruptStore("the archive's two end records contradict each other")
    return wide.values


def _read_wide(file: OpenFile, position: int) -> _Wide | None:
    """Both ZIP64 records, which stand right before the end record; None where they do not."""
    place = position - LOCATOR.size
    if place < END64.size:
        return None
    signature, disk, told, disks = LOCATOR.unpack(read_exactly(file, place, LOCATOR.size))
    if signature != LOCATOR_SIGNATURE:
        return None
    if disk or disks > 1:
        raise NotSupported("the archive is one part of several")
    # As a rule nothing stands between the two, whatever the archive was put behind.
    for start in (place - END64.size, told):
        if not 0 <= start <= place - END64.size:
            continue
        found = END64.unpack(read_exactly(file, start, END64.size))
        if found[0] == END64_SIGNATURE and start + 12 + found[1] == place:
            return _Wide(start, told, list(found[4:]))
    raise CorruptStore("the archive's ZIP64 end record is not where it belongs")
