"""What Azure keeps beside a blob's bytes, as headers and as `ObjectInfo`."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ...._core.errors import ConfigError, MalformedResponse
from ...._core.info import ObjectInfo
from ...._core.text import shorten
from .._cloud.service import TOKEN, UNTOLD

PACKED = "storage_metadata"
"""The entry that holds all pairs where headers cannot: JSON in Base64."""
MOST = 8 * 1024
"""Bytes of all metadata."""
_META = "x-ms-meta-"
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_PLAIN = re.compile(r"([!-~]([ -~]*[!-~])?)?")


def to_headers(
    content_type: str | None, metadata: Mapping[str, str] | None, token: str | None
) -> dict[str, str]:
    """The headers of a request that stores a blob.

    Names that are lower-case identifiers, with values of printable ASCII, are stored as they are;
    if there are others, all are in one entry.

    Raises:
        ConfigError: The media type is none, or there is too much metadata.
    """
    if content_type is not None and not (content_type and _PLAIN.fullmatch(content_type)):
        raise ConfigError(f"no media type: {shorten(repr(content_type))}")
    pairs = dict(metadata or {})
    if any(not isinstance(text, str) for pair in pairs.items() for text in pair):
        raise ConfigError("metadata is pairs of str")
    if not all(_fits(name, value) for name, value in pairs.items()):
        text = json.dumps(pairs)  # ASCII only, lone surrogates too
        pairs = {PACKED: base64.b64encode(text.encode()).decode()}
    if token is not None:
        pairs[TOKEN] = token
    if sum(len(name) + len(value) for name, value in pairs.items()) > MOST:
        raise ConfigError(f"Azure takes {MOST} bytes of metadata at most")
    told = {_META + name: value for name, value in pairs.items()}
    return {"x-ms-blob-content-type": content_type or UNTOLD, **told}


def _fits(name: str, value: str) -> bool:
    own = name in (PACKED, TOKEN)
    return not own and bool(_NAME.fullmatch(name) and value and _PLAIN.fullmatch(value))


def token_of(headers: Mapping[str, str]) -> str | None:
    """The mark of the write that stored a blob."""
    return headers.get(_META + TOKEN)


def info_of(name: str, headers: Mapping[str, str], size: int) -> ObjectInfo:
    """What an answer tells of a blob.

    Raises:
        MalformedResponse: It lacks what every answer has.
    """
    if not headers.get("ETag"):
        raise MalformedResponse("the server's answer lacks the blob's etag")
    content_type = headers.get("Content-Type")
    ranged = "Content-Range" in headers
    return ObjectInfo(
        name,
        size,
        headers["ETag"].strip('"'),
        date(headers.get("Last-Modified")),
        None if content_type == UNTOLD else content_type,
        _pairs(headers),
        checksum(headers.get("x-ms-blob-content-md5" if ranged else "Content-MD5")),
    )


def _pairs(headers: Mapping[str, str]) -> dict[str, str]:
    found = {
        name[len(_META) :].lower(): value
        for name, value in headers.items()
        if name.lower().startswith(_META)
    }
    found.pop(TOKEN, None)
    packed = found.pop(PACKED, None)
    if packed is None:
        return found
    try:
        pairs = json.loads(base64.b64decode(packed, validate=True))
        return {**found, **{str(name): str(value) for name, value in pairs.items()}}
    except (binascii.Error, ValueError, AttributeError):
        return {**found, PACKED: packed}


def checksum(md5: str | None) -> str | None:
    """A digest as this package writes it."""
    try:
        return f"md5:{base64.b64decode(md5, validate=True).hex()}" if md5 else None
    except (binascii.Error, ValueError):
        return None


def date(text: str | None) -> datetime | None:
    """A time as headers and listings write it."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC) if text else None
    except ValueError:
        return None
