"""Ranges of deflated members: the unpacking goes on where it was before, if that helps.

Deflate can only be unpacked from the beginning. But what is needed to go on from any place fits
into 40 KiB, so some such places are kept of the members that were read from last.
"""

from __future__ import annotations

import weakref
import zlib
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...._core.errors import CorruptStore
from .files import CHUNK, read_pieces
from .format import Entry

MEMBERS = 4
"""Members of which places are kept, in the whole process."""
PLACES = 12
"""Places that are kept of one, spread over it; and the end of the range that was read last."""
APART = 512 * 1024
"""Bytes that places are apart at least."""


class Place(NamedTuple):
    """Where the unpacking of a member can go on."""

    position: int
    """In the member."""
    packed: int
    """In its packed bytes."""
    inflater: Any


def unpacked_range(entry: Entry, data_at: int, start: int, end: int) -> Iterator[bytes]:
    """The bytes from ``start`` to ``end`` of a deflated member, in pieces.

    Args:
        entry: The member.
        data_at: Where its packed bytes begin in the file.
        start: The first byte.
        end: The byte after the last one, within the member.

    Raises:
        CorruptStore: It is damaged, or shorter than it declares.
    """
    position, packed, inflater = _nearest(entry, start)
    source, tail = read_pieces(entry.file, data_at + packed, data_at + entry.packed), b""
    apart = max(APART, entry.size // PLACES)
    noted = position
    while position < end:
        data = tail or next(source, b"")
        # It stops right at both bounds, so that the next range can go on from there.
        bound = start if position < start else end
        try:
            piece = inflater.decompress(data, min(CHUNK, bound - position))
        except zlib.error as error:
            raise CorruptStore("the member's compressed bytes are damaged") from error
        tail = inflater.unconsumed_tail
        if (inflater.eof and position + len(piece) < end) or not (piece or data):
            raise CorruptStore("the member unpacks to another size than it declares")
        packed += len(data) - len(tail)
        position += len(piece)
        if position - noted >= apart and not inflater.eof:
            noted = position
            _keep(entry, position // apart, Place(position, packed, inflater.copy()))
        if position > start and piece:
            yield piece
    if APART <= end < entry.size and not inflater.eof:
        _keep(entry, -1, Place(position, packed, inflater))


def _nearest(entry: Entry, start: int) -> Place:
    """The last place before a byte, for the caller's own use."""
    best = Place(0, 0, None)
    for place in list((entry.places or {}).values()):  # in one go: there are other threads
        if best.position < place.position <= start:
            best = place
    if best.inflater is None:
        return Place(0, 0, zlib.decompressobj(-zlib.MAX_WBITS))
    return best._replace(inflater=best.inflater.copy())


def _keep(entry: Entry, number: int, place: Place) -> None:
    """Keep a place of a member, and forget those of members that were read from before."""
    if entry.places is None:
        entry.places = {}
    entry.places[number] = place
    this = weakref.ref(entry)
    if this not in _recent:
        _recent.append(this)
    while len(_recent) > MEMBERS:
        other = _recent.popleft()()
        if other is not None:
            other.places = None


_recent: deque[weakref.ref[Entry]] = deque()
