"""Reading members: whole, a range, or in pieces, and never more than they declare."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ...._core.crc import crc32
from ...._core.errors import CorruptStore, NotSupported
from .files import read_exactly, read_pieces
from .format import ENCRYPTED, LOCAL, LOCAL_SIGNATURE, MASKED, PATCHED, Entry, Limits
from .methods import DEFLATED, RATIOS, STORED, unpacked, unpacked_pieces
from .seeking import unpacked_range

AHEAD = 64 * 1024
"""Packed bytes up to which a member is read together with its local header."""
_HEADER = struct.Struct("<4s4xH16x2H")  # what has to be looked at of a local header
_EXTRA = 128  # bytes of extra fields that are read along


def read_whole(entry: Entry, limits: Limits) -> bytes:
    """A member's bytes, their checksum verified.

    Raises:
        CorruptStore: They are not what the directory declares, or exceed the limits.
        NotSupported: They are encrypted or compressed by a method that nobody here knows.
        MissingExtra: They are compressed by Zstandard, which is not installed.
    """
    packed = entry.packed
    position, start, block = _locate(entry, limits, packed if packed <= AHEAD else 0)
    if len(block) - start >= packed:
        data = block[start : start + packed]
    else:
        data = read_exactly(entry.file, position, packed)
    if entry.method != STORED:
        data = unpacked(entry.method, data, entry.size)
    _check_crc(entry, crc32(data))
    return data


def read_some(entry: Entry, start: int, end: int, limits: Limits) -> Iterator[bytes]:
    """The bytes from ``start`` to ``end`` of a member, in pieces; raises as `read_whole` does.

    The checksum can only be verified where that is all of it: before the last piece.
    """
    position, _, _ = _locate(entry, limits, 0)
    whole = start == 0 and end == entry.size
    if entry.method == STORED:
        pieces = read_pieces(entry.file, position + start, position + end)
    elif entry.method == DEFLATED and not whole:
        pieces = unpacked_range(entry, position, start, end)
    else:
        source = read_pieces(entry.file, position, position + entry.packed)
        pieces = unpacked_pieces(entry.method, source, entry.size)
        pieces = pieces if whole else _cut(pieces, start, end)
    return _verified(entry, pieces) if whole else pieces


def packed_bytes(entry: Entry, limits: Limits) -> tuple[int, Iterator[bytes]]:
    """Where a member's packed bytes stand, and the pieces of them."""
    start, _, _ = _locate(entry, limits, 0)
    return start, read_pieces(entry.file, start, start + entry.packed)


def _locate(entry: Entry, limits: Limits, ahead: int) -> tuple[int, int, bytes]:
    """Where the packed bytes begin in the file; where in a block, and the block itself.

    The block holds the local header, and perhaps up to ``ahead`` of the packed bytes.
    """
    _check_readable(entry, limits)
    name, offset = entry.name, entry.offset
    name_end = LOCAL.size + len(name)
    block = read_exactly(entry.file, offset, min(name_end + _EXTRA + ahead, entry.end - offset))
    signature, method, name_size, extra_size = _HEADER.unpack_from(block)
    if signature != LOCAL_SIGNATURE or method != entry.method:
        raise _other_member()
    if name_size != len(name) or block[LOCAL.size : name_end] != name:
        raise _other_member()
    start = name_end + extra_size
    if offset + start + entry.packed > entry.end:
        raise CorruptStore("the member overlaps what follows it")
    return offset + start, start, block


def _other_member() -> CorruptStore:
    return CorruptStore("the member is not what the archive's directory tells of it")


def _check_readable(entry: Entry, limits: Limits) -> None:
    if entry.flags & (ENCRYPTED | PATCHED | MASKED):
        raise NotSupported("the member is encrypted or a patch")
    most = RATIOS.get(entry.method)
    if most is None:
        raise NotSupported(
            f"the member is compressed by method {entry.method}, of which nothing is known here"
        )
    if entry.method == STORED and entry.packed != entry.size:
        raise CorruptStore("the member is stored as it is, but declares another size")
    if limits.object_size is not None and entry.size > limits.object_size:
        text = f"{entry.size} bytes, and at most {limits.object_size}"
        raise CorruptStore(f"the object has {text}: raise max_object_size= if you trust it")
    if entry.size > entry.packed * (most if limits.ratio is None else limits.ratio):
        text = f"{entry.packed} bytes unpack to {entry.size}"
        raise CorruptStore(f"{text}: raise max_ratio= if you trust the archive")


def _check_crc(entry: Entry, crc: int) -> None:
    if crc != entry.crc:
        raise CorruptStore("the object's bytes do not match their checksum")


def _verified(entry: Entry, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, each held back until it is known whether it is the last one."""
    crc, last = 0, b""
    for piece in pieces:
        if last:
            yield last
        crc, last = crc32(piece, crc), piece
    _check_crc(entry, crc)
    if last:
        yield last


def _cut(pieces: Iterator[bytes], start: int, end: int) -> Iterator[bytes]:
    """What of the pieces lies between ``start`` and ``end``; nothing is unpacked behind it."""
    position = 0
    while position < end and (piece := next(pieces, None)) is not None:
        if position + len(piece) > start:
            yield piece[max(0, start - position) : end - position]
        position += len(piece)
