"""``Range``: which bytes are meant, and the form in which several parts are sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from .._core.info import ByteRange

MAX_PARTS = 16
"""Ranges that are sent in one answer; who asks for more gets the whole object."""

Bounds: TypeAlias = tuple[int, int]

_SPEC = re.compile(r"(?:(\d{1,30})-(\d{0,30})|-(\d{1,30}))?")
_FAR = 2**62


@dataclass(frozen=True)
class Unsatisfiable(Exception):
    """No byte of the object is asked for."""


def parsed(header: str | None) -> list[ByteRange]:
    """The ranges of the header; none where there is no header, or one that is to be ignored."""
    unit, _, text = (header or "").partition("=")
    if unit.lower() != "bytes" or text.count(",") >= MAX_PARTS:
        return []
    found = []
    for spec in text.split(","):
        match = _SPEC.fullmatch(spec.strip(" \t"))
        if match is None:
            return []
        first, last, suffix = match.groups()
        if first is not None:
            start, end = min(int(first), _FAR), min(int(last), _FAR) + 1 if last else None
            if end is not None and end <= start:
                return []
            found.append(ByteRange(start, end))
        elif suffix is not None:
            # No byte at all, which is what the last 0 bytes are.
            found.append(ByteRange(-min(int(suffix), _FAR)) if int(suffix) else ByteRange(0, 0))
    return found


def chosen(parts: list[ByteRange], size: int) -> list[Bounds]:
    """The bounds of what is to be sent of an object of ``size`` bytes; none: all of it.

    Raises:
        Unsatisfiable: No range has a byte of the object.
    """
    if not size and any(part.start < 0 for part in parts):
        return []
    bounds = [part.resolve(size) for part in parts]
    bounds = [(start, end) for start, end in bounds if start < end]
    if not bounds:
        raise Unsatisfiable
    ordered = sorted(bounds)
    overlap = any(one[1] > other[0] for one, other in pairwise(ordered))
    return [] if overlap else bounds


def content_range(bounds: Bounds, size: int) -> str:
    """The header's value for a part."""
    return f"bytes {bounds[0]}-{bounds[1] - 1}/{size}"


class Multipart:
    """The frame around several parts.

    Args:
        boundary: Text that is not in the object.
        kind: The object's media type.
        parts: The bounds of each.
        size: Of the object.
    """

    def __init__(self, boundary: str, kind: str, parts: list[Bounds], size: int) -> None:
        self.content_type = f"multipart/byteranges; boundary={boundary}"
        self.heads = [
            f"\r\n--{boundary}\r\ncontent-type: {kind}\r\n"
            f"content-range: {content_range(part, size)}\r\n\r\n".encode()
            for part in parts
        ]
        self.end = f"\r\n--{boundary}--\r\n".encode()
        self.length = sum(map(len, self.heads)) + sum(end - start for start, end in parts)
        self.length += len(self.end)
