"""Whichever library computes it, a CRC-32 is the same, also in pieces."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from storage._core.crc import crc32


@given(st.lists(st.binary(max_size=300)))
def test_it_is_that_of_zlib(pieces: list[bytes]) -> None:
    found = 0
    for piece in pieces:
        found = crc32(memoryview(piece), found)
    assert found == zlib.crc32(b"".join(pieces)) == crc32(bytearray(b"".join(pieces)))
