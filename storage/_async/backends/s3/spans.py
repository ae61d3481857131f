"""Ranges of bytes, as requests ask for them and answers tell them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...._core.errors import MalformedResponse
from ...._core.info import ByteRange

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def header_of(part: ByteRange) -> str:
    """A range as the header that asks for it."""
    if part.start < 0:
        return f"bytes={part.start}"
    return f"bytes={part.start}-{'' if part.end is None else part.end - 1}"


def span_of(answer: Mapping[str, Any]) -> tuple[int, int, int]:
    """First byte, byte past the last one, and the object's size, as an answer to GET says."""
    length, told = answer.get("ContentLength"), answer.get("ContentRange")
    if answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
        start, end, size = 0, length, length
    else:
        match = _CONTENT_RANGE.fullmatch(told or "")
        if match is None:
            raise MalformedResponse(f"the server gave a range but not which: {told!r}")
        start, end, size = int(match[1]), int(match[2]) + 1, int(match[3])
    if length is None or end is None or size is None or end - start != length or end > size:
        raise MalformedResponse(
            f"the server's answer has {length} bytes and says that it has those of {told!r}"
        )
    return start, end, size


def within(part: ByteRange, start: int, end: int, size: int) -> tuple[int, int]:
    """The positions of a range, which lies in what an answer has of an object.

    Raises:
        MalformedResponse: It does not.
    """
    at, to = part.resolve(size)
    if not (start <= at <= to <= end):
        raise MalformedResponse(
            f"the server gave the bytes {start} to {end} instead of {at} to {to}"
        )
    return at, to
