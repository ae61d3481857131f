"""gzip (RFC 1952)."""

from __future__ import annotations

import zlib

from .frames import FrameDecoder

GZIP = 31
"""zlib's number for the gzip format with the largest window."""


class GzipEncoder:
    """Writes one member, without a time, so that equal content is stored equal.

    Args:
        level: 0 (not at all) to 9 (best).
    """

    def __init__(self, level: int) -> None:
        compressor = zlib.compressobj(level, zlib.DEFLATED, GZIP)
        self.feed = compressor.compress
        self.finish = compressor.flush


def gzip_decoder() -> FrameDecoder:
    """Reads any number of members, each checked against its length and CRC."""
    return FrameDecoder(_Member, zlib.error, "gzip")


class _Member:
    pending = False  # what there is no room for stays in its unconsumed tail

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(GZIP)
        self.eof = False
        self.left = b""

    def step(self, data: bytes | memoryview, limit: int) -> bytes:
        output = self._inflate.decompress(data, limit)
        self.eof = self._inflate.eof
        self.left = self._inflate.unused_data if self.eof else self._inflate.unconsumed_tail
        return output
