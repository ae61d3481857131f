"""What stands beside a value: its attributes, and an etag of its own.

A value is a plain string under its own key, for everybody to read and write. A second string, the
companion, is kept for a value that has attributes, that was written under a condition or that is
longer than `SMALL`. It holds

- the mark of the value that it belongs to: the SHA-1 of a small value; of a larger one that of its
  length and of 16 samples. What somebody else has put in place of the value is known by that, and
  the companion then counts for nothing,
- a token that no other write has: the etag,
- the attributes, as JSON.

A value without one has its mark as its etag.
"""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from ...._core.errors import MalformedResponse
from ...._core.info import ObjectInfo, WriteOptions

SMALL = 1024
"""Bytes up to which the mark is that of all of the value."""
SAMPLES, SAMPLE = 16, 64
MARK, TOKEN = 40, 32

SUFFIX = b"\0about"
"""Ends the name of a companion: no key has a NUL."""
UPLOAD = b"\0upload:"
"""Begins what follows the prefix in the name of a stream's pieces."""


def mark_of(data: bytes | memoryview) -> str:
    """The mark of a value; the server's `scripts` have the same function."""
    size = len(data)
    if size <= SMALL:
        return sha1(data).hexdigest()
    digest = sha1(b"%d" % size)
    for index in range(SAMPLES):
        at = index * (size - SAMPLE) // (SAMPLES - 1)
        digest.update(data[at : at + SAMPLE])
    return digest.hexdigest()


class Attributes:
    """What is to be kept beside a value that is written.

    Args:
        size: The value's length.
        options: How it is written.
    """

    def __init__(self, size: int, options: WriteOptions) -> None:
        self._size = size
        self._options = options
        self.token = self.text = b""
        kept = options.attributed or options.modified is not None
        if not (kept or options.conditional or size > SMALL):
            return
        self.token = secrets.token_hex(TOKEN // 2).encode()
        self._modified = _milliseconds(options.modified or datetime.now(UTC))
        said: dict[str, Any] = {"modified": self._modified}
        if options.content_type is not None:
            said["content_type"] = options.content_type
        if options.metadata:
            said["metadata"] = dict(options.metadata)
        self.text = json.dumps(said, separators=(",", ":")).encode()

    def info(self, key: str, data: bytes | memoryview | None) -> ObjectInfo:
        """What the written object is.

        Args:
            key: Its key.
            data: The value; None where there is a companion anyway.
        """
        if self.token:
            return info_of(key, self._size, self.token, self.text)
        return ObjectInfo(key, self._size, mark_of(data or b""))


def info_of(key: str, size: int, etag: bytes, text: bytes) -> ObjectInfo:
    """What an object is, by what a script has found of it."""
    if not text:
        return ObjectInfo(key, size, etag.decode())
    try:
        said = json.loads(text)
        modified = datetime.fromtimestamp(said["modified"] / 1000, UTC)
        return ObjectInfo(
            key, size, etag.decode(), modified, said.get("content_type"), said.get("metadata")
        )
    except (ValueError, KeyError, TypeError, OverflowError, OSError) as error:
        raise MalformedResponse(f"what stands beside the value is damaged: {error}") from error


def info_beside(key: str, data: bytes, said: bytes | None) -> ObjectInfo:
    """What an object is, by its value and its companion."""
    mark = mark_of(data)
    if said is not None and said[:MARK] == mark.encode():
        return info_of(key, len(data), said[MARK : MARK + TOKEN], said[MARK + TOKEN :])
    return ObjectInfo(key, len(data), mark)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
