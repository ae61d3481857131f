"""Zstandard (RFC 8878), by the standard library or its backport."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from ..errors import MissingExtra
from .frames import FrameDecoder


def library() -> Any:
    """The module. Raises `MissingExtra` where it is not installed."""
    # Other packages for it are older, but give no output in pieces of a limited length.
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as error:
        raise MissingExtra.named("backports.zstd", "zstd") from error
    return zstd


class ZstdEncoder:
    """Writes one frame with a checksum.

    Args:
        level: -131072 (fastest) to 22 (best).
    """

    def __init__(self, level: int) -> None:
        zstd = library()
        parameter = zstd.CompressionParameter
        options = {parameter.compression_level: level, parameter.checksum_flag: 1}
        compressor = zstd.ZstdCompressor(options=options)
        self.feed = compressor.compress
        self.finish = compressor.flush


def zstd_decoder() -> FrameDecoder:
    """Reads any number of frames, each checked against its checksum if it has one."""
    zstd = library()
    return FrameDecoder(partial(ZstdFrame, zstd), zstd.ZstdError, "zstd")


class ZstdFrame:
    """One frame, as `frames.Frame`.

    Args:
        zstd: The module.
    """

    def __init__(self, zstd: Any) -> None:
        self._decompressor = zstd.ZstdDecompressor()
        self.eof = self.pending = False
        self.left = b""

    def step(self, data: bytes | memoryview, limit: int) -> bytes:
        output: bytes = self._decompressor.decompress(data, limit)
        self.eof = self._decompressor.eof
        self.pending = not self.eof and not self._decompressor.needs_input
        self.left = self._decompressor.unused_data if self.eof else b""
        return output
