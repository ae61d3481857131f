"""What turns bytes into other bytes and back, piece by piece and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from ..errors import ConfigError, IntegrityError, StoreError

OUTPUT = 256 * 1024
"""Bytes that one step of a decoder gives at most, about."""
SLICE = 16 * 1024
"""Bytes that a decompressor is given at once; it copies what it leaves over."""
FREE = 1024 * 1024
"""Bytes of output before the ratio counts: small objects may shrink as much as they like."""


class DecodeError(IntegrityError, ValueError):
    """What is stored is not of the form that the store writes: cut off, damaged or foreign."""


class DecompressionLimit(StoreError, ValueError):
    """Reading went on past ``max_size`` or ``max_ratio``: perhaps a decompression bomb."""


class Encoder(Protocol):
    """Turns the pieces of one object into their stored form."""

    def feed(self, data: bytes | bytearray | memoryview, /) -> bytes:
        """What is ready after the next piece; it may be nothing."""
        ...

    def finish(self) -> bytes:
        """The rest."""
        ...


class Decoder(Protocol):
    """Turns the stored form of one object back; it raises `DecodeError` where it is damaged."""

    @property
    def hungry(self) -> bool:
        """Whether all that was fed is used up; if not, feed ``b""`` for more of its output."""
        ...

    def feed(self, data: bytes | bytearray | memoryview, /) -> bytes:
        """The next output: at most about `OUTPUT` bytes, or as many as were fed."""
        ...

    def finish(self) -> bytes:
        """The rest, once everything was fed; raises where something is missing."""
        ...


def encoded(encoder: Encoder, data: bytes | bytearray | memoryview) -> bytes:
    """A whole object's stored form."""
    return b"".join((encoder.feed(data), encoder.finish()))


def decoded(decoder: Decoder, data: bytes | bytearray | memoryview) -> bytes:
    """A whole object, from its stored form."""
    first = decoder.feed(data)
    return b"".join((first, rest(decoder)))


def rest(decoder: Decoder) -> bytes:
    """What a decoder gives after it was fed a whole object."""
    return b"".join(_steps(decoder))


def _steps(decoder: Decoder) -> Iterator[bytes]:
    while not decoder.hungry:
        yield decoder.feed(b"")
    yield decoder.finish()


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an object may become as it is decompressed.

    Args:
        max_size: Bytes of output; None for any number.
        max_ratio: Bytes of output for each byte stored, once there are more than ``free`` of them;
            None for any.
        free: See there.
    """

    max_size: int | None = None
    max_ratio: float | None = None
    free: int = FREE

    def __post_init__(self) -> None:
        if self.max_size is not None and self.max_size < 0:
            raise ConfigError(f"max_size is a number of bytes or None, not {self.max_size!r}")
        if self.max_ratio is not None and not self.max_ratio >= 1:
            raise ConfigError(f"max_ratio is at least 1 or None, not {self.max_ratio!r}")

    def check(self, stored: int, size: int) -> None:
        """Raise where so many stored bytes have become too many."""
        if self.max_size is not None and size > self.max_size:
            raise DecompressionLimit(f"it has more than max_size={self.max_size} bytes")
        if self.max_ratio is not None and size > max(self.free, stored * self.max_ratio):
            raise DecompressionLimit(
                f"{stored} stored bytes have become {size}, more than max_ratio={self.max_ratio:g} "
                "allows: raise it if you trust them, or read a stream"
            )

    def around(self, decoder: Decoder) -> Decoder:
        """The decoder, held to the limits."""
        return decoder if self == UNLIMITED else _Limited(decoder, self)


UNLIMITED = Limits()
WHOLE = Limits(max_ratio=100, free=1024 * 1024 * 1024)
"""What a value may become in memory unless somebody says otherwise: honest data of that size
shrinks less, and bombs ten times as much.
"""


class _Limited:
    """Counts what goes in and out; what is too much is not given out."""

    def __init__(self, decoder: Decoder, limits: Limits) -> None:
        self._decoder = decoder
        self._limits = limits
        self._stored = self._size = 0

    @property
    def hungry(self) -> bool:
        return self._decoder.hungry

    def feed(self, data: bytes | bytearray | memoryview) -> bytes:
        self._stored += len(data)
        return self._checked(self._decoder.feed(data))

    def finish(self) -> bytes:
        return self._checked(self._decoder.finish())

    def _checked(self, output: bytes) -> bytes:
        self._size += len(output)
        self._limits.check(self._stored, self._size)
        return output
