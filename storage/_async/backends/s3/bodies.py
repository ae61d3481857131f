"""Bodies of uploads: they leave in pieces, at once, and carry their checksum."""

from __future__ import annotations


class UploadBody(bytearray):
    """Bytes that leave in pieces.

    Of plain bytes botocore makes a file, for which it waits for a "100 Continue" that some servers
    never send, and which aiohttp reads in threads; of a plain bytearray over 1 MiB aiohttp warns,
    as it would hand it over at once.
    """

    __slots__ = ()


def body_of(data: bytes | bytearray | memoryview) -> UploadBody:
    """The data as what a client is given; copied unless it is that already."""
    return data if isinstance(data, UploadBody) else UploadBody(data)
