"""What the head of an answer says: versions, lengths, ranges, and what went wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus

from ...._core.errors import (
    AccessDenied,
    MalformedResponse,
    NotModified,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)
from ...._core.info import ByteRange, ObjectInfo, ReadOptions
from . import digests

GIVES = frozenset({200, 203, 206})
_PASSING = frozenset({408, 421, 425, 429, 500, 502, 503, 504})
_DENIED = frozenset({401, 403, 407})
_MISSING = frozenset({404, 410})

_ETAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_DATED = re.compile(r"modified (\d{1,11})")
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_LENGTH = re.compile(r"\d{1,18}")


def failure(status: int, headers: Mapping[str, str]) -> StoreError:
    """The error that a status other than success means."""
    try:
        phrase = f" {HTTPStatus(status).phrase}"
    except ValueError:
        phrase = ""
    message = f"the server answered {status}{phrase}"
    if status in _MISSING:
        return ObjectNotFound(message)
    if status in _DENIED:
        return AccessDenied(message)
    if status == 412:
        return PreconditionFailed(message)
    if status == 304:
        return NotModified(message)
    if status in _PASSING:
        error = StoreUnavailable(message)
        error.retry_after = _seconds(headers.get("Retry-After"))
        return error
    if status < 400:
        return MalformedResponse(f"{message} to a request for an object")
    return StoreError(message)


def _seconds(text: str | None) -> float | None:
    """What a ``Retry-After`` asks for: seconds, or a date."""
    if text is None:
        return None
    if text.isdecimal():
        return float(text[:9])
    date = _date(text)
    return None if date is None else max(0.0, (date - datetime.now(UTC)).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


# -- versions -----------------------------------------------------------------------------------


def etag_of(headers: Mapping[str, str]) -> str | None:
    """The mark of a version: an etag without its quotes; a weak one as it stands.

    Where a server tells none, it is the time of the last change, if that was over when the server
    answered: until then there may be another change within the same second.
    """
    match = _ETAG.fullmatch(headers.get("ETag", ""))
    if match is not None:
        return match[0] if match[1] else match[2]
    modified, now = _date(headers.get("Last-Modified")), _date(headers.get("Date"))
    if modified is None or now is None or modified >= now or modified.timestamp() < 0:
        return None
    return f"modified {int(modified.timestamp())}"


def unquoted(options: ReadOptions) -> ReadOptions:
    """The same conditions, where an etag stands as the server writes it."""

    def plain(etag: str | None) -> str | None:
        match = _ETAG.fullmatch(etag or "")
        return match[2] if match is not None and not match[1] else etag

    return ReadOptions(options.byte_range, plain(options.if_match), plain(options.if_none_match))


def conditions(options: ReadOptions) -> dict[str, str]:
    """The headers of a read's conditions; what they cannot say is seen from the answer.

    No server may find that a weak etag matches.
    """
    headers = {}
    for etag, by_tag, by_date in (
        (options.if_match, "If-Match", "If-Unmodified-Since"),
        (options.if_none_match, "If-None-Match", "If-Modified-Since"),
    ):
        tag, date = (None, None) if etag is None else _validator(etag)
        if tag is not None and not (tag.startswith("W/") and by_tag == "If-Match"):
            headers[by_tag] = tag
        elif date is not None:
            headers[by_date] = date
    return headers


def same_version(etag: str) -> str | None:
    """What ``If-Range`` says of a version, if it is marked well enough to go on with its bytes."""
    tag, date = _validator(etag)
    return None if tag is not None and tag.startswith("W/") else tag or date


def _validator(etag: str) -> tuple[str | None, str | None]:
    """An etag as a header has it, or the date that it stands for."""
    dated = _DATED.fullmatch(etag)
    if dated is not None:
        return None, format_datetime(datetime.fromtimestamp(int(dated[1]), UTC), usegmt=True)
    for text in (f'"{etag}"', etag):
        if _ETAG.fullmatch(text):
            return text, None
    return None, None


# -- lengths and ranges -------------------------------------------------------------------------


def length_of(headers: Mapping[str, str]) -> int | None:
    """Bytes of the body, if they are told."""
    text = headers.get("Content-Length")
    if text is None or "Transfer-Encoding" in headers:
        return None
    if not _LENGTH.fullmatch(text):
        raise MalformedResponse(f"the server told a length of {text[:40]!r}")
    return int(text)


def range_header(part: ByteRange) -> str:
    """What asks for a part that is not empty."""
    if part.start < 0:
        return f"bytes={part.start}"
    return f"bytes={part.start}-{'' if part.end is None else part.end - 1}"


def span_of(status: int, headers: Mapping[str, str]) -> tuple[int, int | None, int | None]:
    """Which bytes an answer has, as it says: first, one past the last, and of how many.

    Raises:
        MalformedResponse: It contradicts itself.
    """
    length = length_of(headers)
    if status != 206:
        return 0, length, length
    told = headers.get("Content-Range", "")
    match = _RANGE.fullmatch(told)
    if match is None:
        raise MalformedResponse(f"the server gave a range but not which: {told[:80]!r}")
    start, end = int(match[1]), int(match[2]) + 1
    size = None if match[3] == "*" else int(match[3])
    if end <= start or (size or end) < end or (length or end - start) != end - start:
        raise MalformedResponse(f"the server gave {length} bytes and says: {told[:80]!r}")
    return start, end, size


def info_of(
    key: str, headers: Mapping[str, str], size: int | None, status: int = 200
) -> ObjectInfo:
    """What an answer tells of the object."""
    return ObjectInfo(
        key,
        size,
        etag_of(headers),
        _date(headers.get("Last-Modified")),
        headers.get("Content-Type"),
        None,
        digests.told(status, headers),
    )
