"""How members are packed: stored as they are, by deflate, or by Zstandard.

Numbers in the comments are sections of PKWARE's APPNOTE.TXT, version 6.3.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

from ...._core.codecs.frames import Frame
from ...._core.codecs.zstd import ZstdFrame, library
from ...._core.errors import ConfigError, CorruptStore
from .files import CHUNK

STORED, DEFLATED, ZSTD = 0, 8, 93  # 4.4.5
METHODS = {"deflate": DEFLATED, "store": STORED, "zstd": ZSTD}
RATIOS = {STORED: 1, DEFLATED: 1032, ZSTD: 32768}
"""How many times its packed size a member can have at most."""

_LEVELS = {STORED: range(0), DEFLATED: range(10), ZSTD: range(-131072, 23)}


class Packing(NamedTuple):
    """How new members are packed."""

    method: int
    level: int | None
    """How well, as the method counts; None: as it does by itself."""


class Packer(Protocol):
    """Packs a member, piece by piece."""

    def compress(self, data: bytes | bytearray | memoryview, /) -> bytes:
        """The next piece, or what is there of it."""
        ...

    def flush(self) -> bytes:
        """The rest."""
        ...


AS_IT_IS = Packing(STORED, None)


def packing_of(compression: str, level: int | None) -> Packing:
    """How to pack, from what a user says of it.

    Raises:
        ConfigError: That makes no sense.
        MissingExtra: It is Zstandard, which is not installed.
    """
    method = METHODS.get(compression)
    if method is None:
        raise ConfigError(f"compression is 'deflate', 'store' or 'zstd', not {compression!r}")
    if level is not None and level not in _LEVELS[method]:
        levels = _LEVELS[method]
        known = f"{levels.start} to {levels.stop - 1}" if levels else "none"
        raise ConfigError(f"the levels of {compression!r} are {known}, not {level!r}")
    if method == ZSTD:
        library()
    return Packing(method, level)


def packer(packing: Packing) -> Packer:
    """What packs one member."""
    if packing.method == ZSTD:
        return library().ZstdCompressor(level=packing.level)  # type: ignore[no-any-return]
    level = zlib.Z_DEFAULT_COMPRESSION if packing.level is None else packing.level
    return zlib.compressobj(level, wbits=-zlib.MAX_WBITS)


def unpacked(method: int, data: bytes, size: int) -> bytes:
    """A member's bytes, of which there are to be ``size``.

    Raises:
        CorruptStore: It is damaged, or unpacks to another size.
        MissingExtra: It is packed by Zstandard, which is not installed.
    """
    if method == STORED:
        return data
    if method == ZSTD:
        return b"".join(unpacked_pieces(method, iter([data]), size))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        # One byte more than declared is enough to see that there is more.
        result = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise _damaged() from error
    if len(result) != size or not inflater.eof:
        raise _other_size()
    return result


def unpacked_pieces(method: int, source: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Like `unpacked`, in pieces of bounded size whatever the ratio."""
    new, fails = _frames(method)
    frame, left, data = new(), size, b""
    while True:
        if not data and not frame.pending:
            data = next(source, b"")
        fed = len(data)
        try:
            piece = frame.step(data, min(CHUNK, left + 1))
        except fails as error:
            raise _damaged() from error
        data, left = frame.left, left - len(piece)
        if left < 0:
            break
        if piece:
            yield piece
        if frame.eof:
            if method == ZSTD:  # of which there may be several frames
                data = data or next(source, b"")
            if method != ZSTD or not data:
                break
            frame = new()
        elif not (piece or fed):
            break
    if left or not frame.eof:
        raise _other_size()


class _Inflater:
    """Raw deflate as a `Frame`."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self.eof = self.pending = False
        self.left = b""

    def step(self, data: bytes | memoryview, limit: int) -> bytes:
        output = self._inflater.decompress(data, limit)
        self.left, self.eof = self._inflater.unconsumed_tail, self._inflater.eof
        return output


def _frames(method: int) -> tuple[Callable[[], Frame], type[Exception]]:
    if method == ZSTD:
        return partial(ZstdFrame, library()), library().ZstdError
    return _Inflater, zlib.error


def _damaged() -> CorruptStore:
    return CorruptStore("the member's compressed bytes are damaged")


def _other_size() -> CorruptStore:
    return CorruptStore("the member unpacks to another size than it declares")
