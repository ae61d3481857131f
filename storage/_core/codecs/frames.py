"""Decompression of any number of frames, one after the other: gzip's members, zstd's frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .coding import OUTPUT, SLICE, DecodeError


class Frame(Protocol):
    """A decompressor of one frame."""

    eof: bool
    """Whether the frame has ended."""
    left: bytes
    """What it did not use: of a frame that has ended, what follows it."""
    pending: bool
    """Whether it has more output without more input."""

    def step(self, data: bytes | memoryview, limit: int) -> bytes:
        """At most ``limit`` bytes of its output."""
        ...


class FrameDecoder:
    """Decodes all frames of an object; see `coding.Decoder`.

    Args:
        make: Makes the decompressor of the next frame.
        fails: The error that it raises.
        name: Of the format, for messages.
    """

    def __init__(self, make: Callable[[], Frame], fails: type[Exception], name: str) -> None:
        self._make, self._fails, self._name = make, fails, name
        self._frame = make()
        self._input = memoryview(b"")
        self._left: bytes | memoryview = b""
        self._first = True

    @property
    def hungry(self) -> bool:
        return not (self._left or self._input or self._frame.pending)

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        if data:
            self._input = memoryview(data)
        output = bytearray()
        while len(output) < OUTPUT and not self.hungry:
            if not self._left and not self._frame.pending:
                self._left, self._input = self._input[:SLICE], self._input[SLICE:]
            output += self._step(OUTPUT - len(output))
        return bytes(output)

    def _step(self, limit: int) -> bytes:
        if self._frame.eof:
            self._frame, self._first = self._make(), False
        try:
            output = self._frame.step(self._left, limit)
        except self._fails as error:
            where = "" if self._first else ", or something follows its end"
            raise DecodeError(f"the content is no {self._name}{where}: {error}") from error
        self._left = self._frame.left
        return output

    def finish(self) -> bytes:
        if not self._frame.eof:
            raise DecodeError(f"the {self._name} content is cut off")
        return b""
