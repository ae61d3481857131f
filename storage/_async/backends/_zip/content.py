"""An object's bytes on their way into an archive: compressed, measured, kept until they go."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import IO

from ...._core.crc import crc32
from .files import OpenFile, copy_bytes, write_all
from .format import Entry, Limits, entry_of
from .member import packed_bytes
from .methods import AS_IT_IS, STORED, Packer, Packing, packer

IN_MEMORY = 1024 * 1024
"""Packed bytes of a stream that are kept in memory before they go to a file."""
_GAP = 256 * 1024
"""Where the packed bytes begin in such a file; before them is room for the longest header."""
_PROBE = 64 * 1024
_WORTH = 0.95
"""What a probe must shrink to, lest a stream is stored as it is."""


class Content:
    """A member's packed bytes, and what its header tells of them; closed by its owner.

    Args:
        method: How the bytes are packed.
    """

    def __init__(self, method: int = STORED) -> None:
        self.method = method
        self.crc = 0
        self.size = 0
        self.packed = 0
        self.packed_crc = 0
        self._buffer: bytes | bytearray | memoryview = b""
        self._source: OpenFile | None = None
        self._start = 0

    def write_to(self, fd: int, before: Sequence[bytes], position: int) -> None:
        """Write some bytes and the packed ones behind them to a file."""
        if self._source is None:
            return write_all(fd, [*before, self._buffer], position)
        write_all(fd, before, position)
        position += sum(map(len, before))
        return copy_bytes(self._source.fd, self._start, fd, position, self.packed)

    def member(self, header: bytes) -> Entry | None:
        """The member of this local header, in a file of its own; None where it has none."""
        return None

    def close(self) -> None:
        """Let go of the bytes."""
        self._buffer, self._source = b"", None


def content_of(data: bytes | memoryview, packing: Packing) -> Content:
    """All of an object's bytes, packed unless that makes them longer."""
    data = bytes(data)  # a buffer may change under our hands, and then match no checksum
    content = Content(STORED)
    content.crc = content.packed_crc = crc32(data)
    content.size = content.packed = len(data)
    content._buffer = data
    if packing.method != STORED:
        pack = packer(packing)
        packed = pack.compress(data) + pack.flush()
        if len(packed) < len(data):
            content.method, content._buffer = packing.method, packed
            content.packed, content.packed_crc = len(packed), crc32(packed)
    return content


def content_from(entry: Entry, limits: Limits) -> Content:
    """The packed bytes of another member, to be copied as they are."""
    content = Content(entry.method)
    content.crc, content.size, content.packed = entry.crc, entry.size, entry.packed
    content._start, pieces = packed_bytes(entry, limits)
    content._source = entry.file
    content.packed_crc = _crc(pieces)
    return content


def _crc(pieces: Iterable[bytes]) -> int:
    crc = 0
    for piece in pieces:
        crc = crc32(piece, crc)
    return crc


class StreamedContent(Content):
    """A stream's bytes, packed as they come, in a file where they are many.

    Args:
        packing: How to pack them, where the first ones show that it is worth it.
        open_spool: Makes the file; it is closed with this object.
    """

    def __init__(self, packing: Packing, open_spool: Callable[[], IO[bytes]]) -> None:
        super().__init__(packing.method)
        self._packing = packing
        self._open_spool = open_spool
        self._packer: Packer | None = None
        self._spool: IO[bytes] | None = None
        self._spooled = 0
        self._held = bytearray()
        self._ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes."""
        if not self.size:
            self._choose(data)
        self.crc = crc32(data, self.crc)
        self.size += len(data)
        if self._packer is None:
            self._keep(data, self.crc)
        else:
            self._pack(self._packer.compress(data))

    def finish(self) -> None:
        """Take the end; may be called again."""
        if self._ended:
            return
        self._ended = True
        if not self.size:
            self.method = STORED
        if self._packer is not None:
            self._pack(self._packer.flush())
        self._buffer = self._held

    def _choose(self, data: bytes | bytearray | memoryview) -> None:
        if self.method == STORED:
            return
        probe = data[:_PROBE]
        if len(zlib.compress(probe, 1)) > _WORTH * len(probe):
            self._packing = AS_IT_IS
        self.method = self._packing.method
        if self.method != STORED:
            self._packer = packer(self._packing)

    def _pack(self, packed: bytes) -> None:
        self._keep(packed, crc32(packed, self.packed_crc))

    def _keep(self, packed: bytes | bytearray | memoryview, crc: int) -> None:
        self.packed_crc = crc
        self.packed += len(packed)
        if self._spool is None and self.packed <= IN_MEMORY:
            self._held += packed
            return
        if self._spool is None:
            self._spool = self._open_spool()
        write_all(self._spool.fileno(), [self._held, packed], _GAP + self._spooled)
        self._spooled = self.packed
        self._held = bytearray()

    def write_to(self, fd: int, before: Sequence[bytes], position: int) -> None:
        """Write some bytes and the packed ones behind them to a file."""
        if self._spool is None:
            return super().write_to(fd, before, position)
        write_all(fd, before, position)
        position += sum(map(len, before))
        return copy_bytes(self._spool.fileno(), _GAP, fd, position, self.packed)

    def member(self, header: bytes) -> Entry | None:
        """The member of this local header, in a file of its own; None where it has none."""
        if self._spool is None:
            return None
        start = _GAP - len(header)
        write_all(self._spool.fileno(), [header], start)
        return entry_of(header, OpenFile(os.dup(self._spool.fileno())), start)

    def close(self) -> None:
        """Let go of the bytes."""
        super().close()
        self._held = bytearray()
        if self._spool is not None:
            self._spool.close()
