"""A range taken out of a stream whose length nobody knows yet."""

from __future__ import annotations

from collections import deque

from ..info import ByteRange


class Cut:
    """Takes a part out of the pieces of a stream.

    A part that is counted from the end is held in memory until the end is there.

    Args:
        part: None for everything.
    """

    def __init__(self, part: ByteRange | None) -> None:
        part = part or ByteRange()
        self._start, self._end = part.start, part.end
        self._position = 0
        self._held: deque[bytes] = deque()
        self._holding = 0

    @property
    def done(self) -> bool:
        """Whether nothing that follows belongs to the part."""
        return self._end is not None and self._position >= self._end

    def feed(self, piece: bytes) -> bytes:
        """What of the next piece belongs to the part."""
        if self._start < 0:
            self._hold(piece)
            return b""
        begin, self._position = self._position, self._position + len(piece)
        if begin >= self._start and (self._end is None or self._position <= self._end):
            return piece
        stop = len(piece) if self._end is None else max(0, self._end - begin)
        return piece[max(0, self._start - begin) : stop]

    def _hold(self, piece: bytes) -> None:
        self._held.append(piece)
        self._holding += len(piece)
        while self._holding - len(self._held[0]) >= -self._start:
            self._holding -= len(self._held.popleft())

    def finish(self) -> bytes:
        """What was held."""
        return b"".join(self._held)[self._start :] if self._start < 0 else b""
