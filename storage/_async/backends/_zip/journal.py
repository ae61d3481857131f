"""The journal beside an archive: changes that the archive does not hold yet.

A journal is a magic line and then frames, each with the checksum of its parts and of all frames
before it. A *put* holds a member exactly as it will stand in the archive, a *delete* a key, and a
*mark* the identity of an archive: what follows a mark are changes to that archive. A journal
begins with a mark, and a checkpoint adds the mark of the new archive before that takes its place;
so whichever archive is found beside the journal, the last mark that fits says what is to be done
still, and no journal is ever applied to an archive that it does not belong to.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ...._core.crc import crc32
from ...._core.errors import CorruptStore
from .content import Content
from .files import CHUNK, OpenFile, write_all

MAGIC = b"storage zip journal 1\n"
FRAME = struct.Struct("<B3xIQIII")
"""Kind, size of head and data, checksum of head and data, chained checksum of all this."""
_CHAINED = FRAME.size - 4
PUT, DELETE, MARK = 1, 2, 3
MAX_HEAD = 30 + 2 * 0xFFFF

_flush = getattr(os, "fdatasync", os.fsync)


class Record(NamedTuple):
    """One change, or a mark."""

    kind: int
    head: bytes
    """Of a put the local header, of a delete the key, of a mark the archive's identity."""
    position: int
    """Where the head stands in the journal; the data follows it."""
    data_size: int


class Journal:
    """A journal, read up to some point.

    Args:
        file: Open for reading at least.
    """

    def __init__(self, file: OpenFile) -> None:
        self.file = file
        self.end = 0
        """Where the frames end that were read or written."""
        self._chain = 0

    def replay(self) -> Iterator[Record]:
        """What was written since the last look.

        A frame that is not all there yet was never acknowledged: it ends the replay.

        Raises:
            CorruptStore: A frame is damaged, or the file is no journal.
        """
        size = os.fstat(self.file.fd).st_size
        with open(self.file.fd, "rb", buffering=CHUNK, closefd=False) as source:
            source.seek(self.end)
            if self.end == 0 and not self._read_magic(source):
                return
            while (record := self._read(source, size)) is not None:
                yield record

    def _read_magic(self, source: BinaryIO) -> bool:
        magic = source.read(len(MAGIC))
        if not MAGIC.startswith(magic):
            raise CorruptStore("the file beside the archive is no journal of it")
        whole = magic == MAGIC
        self.end = len(MAGIC) if whole else 0
        return whole

    def _read(self, source: BinaryIO, size: int) -> Record | None:
        frame = source.read(FRAME.size)
        if len(frame) < FRAME.size or not any(frame):
            return None  # zeros: the file grew before a power cut, its contents did not come
        kind, head_size, data_size, head_crc, data_crc, chain = FRAME.unpack(frame)
        if crc32(frame[:_CHAINED], self._chain) != chain or head_size > MAX_HEAD:
            raise CorruptStore(f"the journal is damaged at byte {self.end}")
        position = self.end + FRAME.size
        end = position + head_size + data_size
        if end > size:
            return None
        head = source.read(head_size)
        if crc32(head) != head_crc or _crc_of(source, data_size) != data_crc:
            if end == size:
                return None  # the last one, and a power cut may have come before its contents
            raise CorruptStore(f"the journal is damaged at byte {position}")
        self.end, self._chain = end, chain
        return Record(kind, head, position, data_size)

    def begin(self, identity: bytes, *, marked: bool) -> None:
        """Cut off what is not whole, and mark the archive to which the next changes belong."""
        if os.fstat(self.file.fd).st_size > self.end:
            os.ftruncate(self.file.fd, self.end)
        if self.end == 0:
            write_all(self.file.fd, [MAGIC], 0)
            self.end, self._chain = len(MAGIC), 0
        if not marked:
            self.append(MARK, identity)

    def append(
        self,
        kind: int,
        head: bytes,
        content: Content | None = None,
        *,
        sync: bool = False,
    ) -> Record:
        """Write a frame, whole or not at all.

        Args:
            kind: `PUT`, `DELETE` or `MARK`.
            head: See `Record`.
            content: The member's packed bytes.
            sync: Wait until it survives a power cut.
        """
        size, crc = (content.packed, content.packed_crc) if content else (0, 0)
        frame = FRAME.pack(kind, len(head), size, crc32(head), crc, 0)[:_CHAINED]
        chain = crc32(frame, self._chain)
        position = self.end + FRAME.size
        try:
            parts = [frame, chain.to_bytes(4, "little"), head]
            if content is None:
                write_all(self.file.fd, parts, self.end)
            else:
                content.write_to(self.file.fd, parts, self.end)
            if sync:
                _flush(self.file.fd)
        except BaseException:
            os.ftruncate(self.file.fd, self.end)
            raise
        self.end, self._chain = position + len(head) + size, chain
        return Record(kind, head, position, size)


def _crc_of(source: BinaryIO, size: int) -> int:
    crc = 0
    while size:
        piece = source.read(min(CHUNK, size))
        if not piece:
            return -1
        crc = crc32(piece, crc)
        size -= len(piece)
    return crc
