"""Objects as blocking files, around the async reader and writer of a store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .errors import NotSupported, StoreError
from .info import ObjectInfo
from .openfile import Opened, OpenFile
from .values import CHUNK_SIZE

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

ALL = sys.maxsize
"""More bytes than any object has."""


class Reader(OpenFile):
    """An object open for reading: a binary file, seekable, that `io.BufferedReader` may wrap.

    Its lines are those of any file; `chunks` gives the pieces that the store reads.

    All its bytes are of one version of the object: where the store knows etags, a seek that opens
    the object again asks for the same one (`PreconditionFailed` if it was replaced meanwhile).
    """

    mode = "rb"

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._position = 0
        # The piece that was fetched last, and where in the object it begins.
        self._chunk, self._begin = b"", 0

    @property
    def info(self) -> ObjectInfo:
        """What is known of the object; only while the file is open."""
        self._check_open()
        info: ObjectInfo = self._async.info
        return info

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Let go of the object; may be called again."""
        self._leave()

    def tell(self) -> int:
        """The position, in bytes from the object's start."""
        self._check_open()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to another position; past the end there is just nothing to read.

        Raises:
            OSError: The position would be negative.
        """
        self._check_open()
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            size = self.info.size
            if size is None:
                raise NotSupported("the store does not know the object's size", key=self.info.key)
            offset += size
        elif whence != os.SEEK_SET:
            raise ValueError(f"whence is 0, 1 or 2, not {whence}")
        if offset < 0:
            raise OSError(22, "a position is not negative")
        self._position = offset
        return offset

    async def _fetch(self, size: int | None = None) -> bytes:
        """The next piece at the position, or exactly so many bytes."""
        # Seeks wait until here: those that cancel out, and those within a piece, cost nothing.
        if self._async.tell() != self._position:
            await self._async.seek(self._position)
        data: bytes = await (anext(self._async, b"") if size is None else self._async.read(size))
        return data

    def _take(self, size: int, *, line: bool = False) -> bytes:
        """At most ``size`` of the bytes at the position, fetched if there are none yet."""
        skip = self._position - self._begin
        if not 0 <= skip < len(self._chunk):
            chunk: bytes = self._run(self._fetch())
            self._chunk, self._begin, skip = chunk, self._position, 0
        stop = self._chunk.find(b"\n", skip) + 1 if line else 0
        part = self._chunk[skip : min(skip + size, stop or len(self._chunk))]
        self._position += len(part)
        return part

    def read(self, size: int | None = -1, /) -> bytes:
        """Exactly the next ``size`` bytes, fewer only at the end; all that are left by default."""
        self._check_open()
        left = ALL if size is None or size < 0 else size
        parts = []
        if 0 <= self._position - self._begin < len(self._chunk):
            parts.append(self._take(left))
            left -= len(parts[0])
        if left >= CHUNK_SIZE:  # one crossing for many pieces
            parts.append(self._run(self._fetch(-1 if left > ALL // 2 else left)))
            self._position += len(parts[-1])
            return b"".join(parts)
        while left and (part := self._take(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def readall(self) -> bytes:
        """All bytes that are left."""
        return self.read()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with what is there, at least a byte before the end; returns how many."""
        self._check_open()
        target = memoryview(buffer).cast("B")
        part = self._take(len(target)) if len(target) else b""
        target[: len(part)] = part
        return len(part)

    def readline(self, size: int | None = -1, /) -> bytes:
        """The bytes up to the next newline and with it, at most ``size``."""
        self._check_open()
        left = ALL if size is None or size < 0 else size
        parts = []
        while left and (part := self._take(left, line=True)):
            parts.append(part)
            left -= len(part)
            if part.endswith(b"\n"):
                break
        return b"".join(parts)

    def chunks(self) -> Iterator[bytes]:
        """The bytes that are left, in the pieces that the store reads."""
        self._check_open()
        while part := self._take(ALL):
            yield part


class Writer(OpenFile):
    """An object open for writing: a binary file, published as a whole by the end of its block.

    It is published when the ``with`` block ends well or, without one, by `close`. Nothing is
    published, and what was there stays, when the block raises, when a write failed, after
    `abort`, and when nobody closes it. A buffer around it may be closed within the block::

        with store.open_writer("log.txt") as raw, io.TextIOWrapper(raw) as text:
            text.write("published only if both blocks end well")
    """

    mode = "wb"
    _in_block = False
    _failed = False

    @property
    def info(self) -> ObjectInfo:
        """What was stored; only after the object was published."""
        info: ObjectInfo = self._async.info
        return info

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        self._check_open()
        size: int = self._async.tell()
        return size

    def write(self, data: ReadableBuffer, /) -> int:
        """Append bytes; returns how many."""
        self._check_open()
        # Copied, because the caller may use the buffer again while the store still sends it.
        piece = data if type(data) is bytes else memoryview(data).tobytes()
        if self._opened is not None:
            try:
                self._run(self._async.write(piece))
            except BaseException:
                self._failed = True
                raise
        return len(piece)

    def close(self) -> None:
        """Publish the object, at the block's end where there is one; may be called again."""
        if self._in_block:
            super().close()  # no more writes
        elif self._failed and self._opened is not None:
            self.abort()
            raise StoreError("a write failed, so that nothing was published")
        else:
            self._leave()

    def abort(self) -> None:
        """Publish nothing; may be called again, and after an end without effect."""
        self._leave(Aborted())

    def __enter__(self) -> Self:
        super().__enter__()
        self._in_block = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._in_block = False
        if error is None:
            self.close()
        else:
            self._leave(error)


class Aborted(Exception):
    """Travels through a store's write to undo it; never leaves the writer."""
