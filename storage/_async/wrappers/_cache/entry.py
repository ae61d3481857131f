"""What lies in a cache: an object's bytes, and behind them what is known of it, under digests.

An entry is one object of the cache store::

    bytes of the object | description (JSON) | digest of each block | foot

The bytes come first, so that an offset in the object is the same offset in its entry; what is
known comes last, so that an entry can be written while the object streams by. The foot tells the
lengths of the other parts and holds a digest of all that follows the bytes; the blocks are small
enough to be verified before any of their bytes is handed on.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from ...._core.info import ObjectInfo
from ...._core.values import CHUNK_SIZE

MAGIC = b"\x9fcache1\n"
"""The last bytes of every entry; another layout gets another number."""
BLOCK = CHUNK_SIZE
"""Bytes that are verified at a time."""
_DIGEST = 16
_LENGTHS = struct.Struct(">QII")
"""Of the object, of a block, of the description."""
FOOT = _LENGTHS.size + _DIGEST + len(MAGIC)


class Broken(Exception):
    """Not an entry of this key, or not all of one, or not as it was written."""


@dataclass(frozen=True, slots=True)
class Seal:
    """What an entry tells of itself.

    Args:
        info: What the main store said of the object.
        size: Bytes of the object.
        stored: When the main store was asked for it, in seconds of the epoch.
        digests: Of all blocks, one after the other.
        block: Bytes that each of them stands for.
        mark: Distinguishes this entry from every other one.
        data: The object's bytes, if they were read along.
    """

    info: ObjectInfo
    size: int
    stored: float = 0.0
    digests: bytes = b""
    block: int = BLOCK
    mark: bytes = b""
    data: bytes | None = None

    def verify(self, position: int, data: bytes | memoryview) -> None:
        """Raise `Broken` unless these are the bytes of whole blocks, the first at ``position``."""
        at = position // self.block * _DIGEST
        found = _digests(data, self.block)
        if found != self.digests[at : at + len(found)]:
            raise Broken("bytes of it have changed")

    def around(self, start: int, end: int) -> tuple[int, int]:
        """The bounds of the whole blocks that hold a part of the object."""
        return start // self.block * self.block, min(-(-end // self.block) * self.block, self.size)


class Sealer:
    """Takes an object's bytes as they come, and gives what has to follow them."""

    def __init__(self) -> None:
        self.size = 0
        self._digests = bytearray()
        self._hash = _hash()

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes."""
        view = memoryview(data)
        while view:
            room = BLOCK - self.size % BLOCK
            self._hash.update(view[:room])
            self.size += len(view[:room])
            view = view[room:]
            if self.size % BLOCK == 0:
                self._digests += self._hash.digest()
                self._hash = _hash()

    def tail(self, info: ObjectInfo, stored: float) -> bytes:
        """What follows the bytes."""
        digests = bytes(self._digests)
        if self.size % BLOCK:
            digests += self._hash.digest()
        return _tail(replace(info, size=self.size), stored, digests)


def seal(data: bytes | memoryview, info: ObjectInfo, stored: float) -> bytes:
    """The whole entry of an object."""
    tail = _tail(replace(info, size=len(data)), stored, _digests(data, BLOCK))
    return b"".join((data, tail))


def unseal(key: str, entry: bytes) -> tuple[bytes, Seal]:
    """The object in a whole entry, verified. Raises `Broken`."""
    found = read_tail(key, entry, len(entry))
    data = entry[: found.size]
    found.verify(0, data)
    return data, found


def tail_length(foot: bytes) -> int:
    """How long all is that follows the bytes, from the end of an entry. Raises `Broken`."""
    if len(foot) < FOOT or not foot.endswith(MAGIC):
        raise Broken("it is no entry")
    size, block, described = _LENGTHS.unpack_from(foot, len(foot) - FOOT)
    if not block:
        raise Broken("it has no blocks")
    return int(described + -(-size // block) * _DIGEST + FOOT)


def read_tail(key: str, end: bytes, length: int) -> Seal:
    """What an entry tells of itself.

    Args:
        key: The object's key.
        end: The end of the entry, at least `tail_length` bytes of it.
        length: Bytes of the whole entry.

    Raises:
        Broken: It is not a whole entry of this key.
    """
    needed = tail_length(end)
    foot = len(end) - FOOT
    size, block, described = _LENGTHS.unpack_from(end, foot)
    digest = end[foot + _LENGTHS.size : -len(MAGIC)]
    covered = end[len(end) - needed : foot + _LENGTHS.size]
    if len(end) < needed or length != size + needed or _hash(covered).digest() != digest:
        raise Broken("it is not whole")
    try:
        info, stored = _described(json.loads(covered[:described].decode()), size)
    except (ValueError, TypeError, KeyError) as error:
        raise Broken("its description makes no sense") from error
    if info.key != key:
        raise Broken("it is of another object")
    return Seal(info, size, stored, covered[described : -_LENGTHS.size], block, digest)


def _tail(info: ObjectInfo, stored: float, digests: bytes) -> bytes:
    assert info.size is not None
    described = json.dumps(
        {
            "key": info.key,
            "etag": info.etag,
            "modified": info.modified and info.modified.isoformat(),
            "content_type": info.content_type,
            "metadata": None if info.metadata is None else dict(info.metadata),
            "checksum": info.checksum,
            "stored": stored,
        },
        separators=(",", ":"),
    ).encode()
    covered = described + digests + _LENGTHS.pack(info.size, BLOCK, len(described))
    return covered + _hash(covered).digest() + MAGIC


def _described(found: dict[str, Any], size: int) -> tuple[ObjectInfo, float]:
    modified = found["modified"]
    info = ObjectInfo(
        found["key"],
        size,
        found["etag"],
        modified and datetime.fromisoformat(modified),
        found["content_type"],
        found["metadata"],
        found["checksum"],
    )
    return info, float(found["stored"])


def _hash(data: bytes = b"") -> blake2b:
    return blake2b(data, digest_size=_DIGEST, usedforsecurity=False)


def _digests(data: bytes | memoryview, block: int) -> bytes:
    return b"".join(_hash(part).digest() for part in _blocks(data, block))


def _blocks(data: bytes | memoryview, block: int) -> Iterator[Any]:
    view = memoryview(data)
    return (view[start : start + block] for start in range(0, len(view), block))
