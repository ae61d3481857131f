"""A new archive, written from members that are copied as they stand.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from .directory import Directory
from .files import OpenFile, copy_bytes, write_all
from .format import (
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    LOCATOR,
    LOCATOR_SIGNATURE,
    MAX16,
    MAX32,
    ZIP64_VERSION,
    Entry,
    relocated,
)


def write_archive(fd: int, old: Directory | None, entries: Iterable[Entry]) -> bytes:
    """Write a new archive from members that are copied as they stand, and return its identity.

    Args:
        fd: An empty file.
        old: The archive that it takes the place of; its other members, comment and prefix stay.
        entries: The members, in any order.
    """
    comment, prefix, others = b"", 0, list[Entry]()
    if old is not None:
        comment, prefix, others = old.comment, old.prefix, old.others
        copy_bytes(old.file.fd, 0, fd, 0, prefix)
    members = _in_place(old, [*others, *entries])
    position, records = prefix, list[bytes]()
    for entry in members:
        records.append(relocated(entry, position))
        position += entry.end - entry.offset
    written = prefix
    for file, start, end in _runs(members):
        copy_bytes(file.fd, start, fd, written, end - start)
        written += end - start
    directory = b"".join(records)
    tail = directory + _end_records(len(records), len(directory), position, comment)
    write_all(fd, [tail], position)
    return hashlib.blake2b(tail, digest_size=16).digest()


def _in_place(old: Directory | None, entries: list[Entry]) -> list[Entry]:
    """The members in the order in which they stand, those of the old archive first."""
    first = None if old is None else old.file
    return sorted(entries, key=lambda entry: (entry.file is not first, entry.offset))


def _runs(members: list[Entry]) -> Iterator[tuple[OpenFile, int, int]]:
    """Members that stand side by side, as one piece to copy."""
    run: tuple[OpenFile, int, int] | None = None
    for entry in members:
        if run is not None and run[0] is entry.file and run[2] == entry.offset:
            run = entry.file, run[1], entry.end
            continue
        if run is not None:
            yield run
        run = entry.file, entry.offset, entry.end
    if run is not None:
        yield run


def _end_records(count: int, size: int, offset: int, comment: bytes) -> bytes:
    wide = b""
    if count >= MAX16 or size >= MAX32 or offset >= MAX32:
        wide = END64.pack(
            END64_SIGNATURE,
            END64.size - 12,
            ZIP64_VERSION,
            ZIP64_VERSION,
            0,
            0,
            count,
            count,
            size,
            offset,
        ) + LOCATOR.pack(LOCATOR_SIGNATURE, 0, offset + size, 1)
    count, size, offset = min(count, MAX16), min(size, MAX32), min(offset, MAX32)
    end = END.pack(END_SIGNATURE, 0, 0, count, count, size, offset, len(comment))
    return wide + end + comment
