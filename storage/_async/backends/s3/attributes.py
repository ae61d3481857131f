"""What S3 keeps beside an object's bytes, as headers and as `ObjectInfo`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...._core.errors import ConfigError, MalformedResponse
from ...._core.info import ObjectInfo
from ...._core.text import shorten
from . import checksums

UNTOLD = "binary/octet-stream"
"""The media type that S3 gives an object whose writer told none; it is sent, as some servers guess
one, and read as none."""
TOKEN = "storage-write"  # noqa: S105 - a name, no secret
"""The metadata entry that marks one write, by which a writer knows its own object again."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_PLAIN = re.compile(r"(?!.*=\?)[!-~](?:[ -~]*[!-~])?")
_PASSED_ON = (
    "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType",
    "Expires", "Metadata",
)  # fmt: skip


def to_request(
    content_type: str | None, metadata: Mapping[str, str] | None, token: str | None
) -> dict[str, Any]:
    """The parameters of a request that stores an object.

    Metadata names are S3's: lower-case letters, digits, ``.``, ``_`` and ``-``. Values that are not
    printable ASCII travel as RFC 2047 says, which is what S3 itself and its console do.

    Raises:
        ConfigError: No header can carry a name or the media type.
    """
    if content_type is not None and not (_PLAIN.fullmatch(content_type)):
        raise ConfigError(f"no media type: {shorten(repr(content_type))}")
    pairs = {_name(name): _encoded(value) for name, value in (metadata or {}).items()}
    if token is not None:
        pairs[TOKEN] = token
    return {"ContentType": content_type or UNTOLD} | ({"Metadata": pairs} if pairs else {})


def passed_on(head: Mapping[str, Any], token: str | None) -> dict[str, Any]:
    """The parameters that give a copy the attributes of the object in ``head``."""
    known = {name: head[name] for name in _PASSED_ON if head.get(name)}
    if token is not None:
        known["Metadata"] = {**known.get("Metadata", {}), TOKEN: token}
    return known


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or name == TOKEN:
        raise ConfigError(
            "S3 takes metadata names of lower-case ASCII letters, digits, '.', '_' and '-' only "
            f"(and {TOKEN!r} is this package's own), not {shorten(repr(name))}"
        )
    return name


def _encoded(value: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"a metadata value is a str, not {type(value).__name__}")
    if _PLAIN.fullmatch(value):
        return value
    try:
        return f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="
    except UnicodeEncodeError:
        raise ConfigError("a metadata value holds no lone surrogate") from None


def _decoded(value: str) -> str:
    if "=?" not in value:
        return value
    if value.startswith("=?UTF-8?B?") and value.endswith("?=") and value.count("?") == 4:
        try:
            return base64.b64decode(value[10:-2], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return value
    from email.errors import HeaderParseError  # takes a while to import, and is rare
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def quoted(etag: str) -> str:
    """An etag as a condition's header wants it."""
    return f'"{etag.strip(chr(34))}"'


def unquoted(etag: str | None) -> str | None:
    """An etag as this package shows it."""
    return etag.strip('"') if etag else None


def utc(moment: datetime | None) -> datetime | None:
    """A server's time in UTC; to the second, as not all answers tell more."""
    if moment is None:
        return None
    moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return moment.replace(microsecond=0) if moment.microsecond else moment


def checksum_of(answer: Mapping[str, Any]) -> str | None:
    """The digest of the whole content that an answer tells, as ``"algorithm:hexadecimal"``."""
    found = checksums.told(answer)
    return None if found is None else f"{found.name}:{found.digest.hex()}"


def info_of(key: str, answer: Mapping[str, Any], size: int | None = None) -> ObjectInfo:
    """What the answer to a GET or a HEAD tells of the object.

    Args:
        key: As the user knows it.
        answer: The client's.
        size: The whole object's length, where the answer holds a part of it.

    Raises:
        MalformedResponse: It lacks what every S3 answer has.
    """
    size = answer.get("ContentLength") if size is None else size
    if size is None or not answer.get("ETag"):
        raise MalformedResponse("the server's answer lacks the object's length or its etag")
    content_type = answer.get("ContentType")
    pairs = answer.get("Metadata") or {}
    return ObjectInfo(
        key,
        size,
        unquoted(answer["ETag"]),
        utc(answer.get("LastModified")),
        None if content_type == UNTOLD else content_type,
        {name: _decoded(value) for name, value in pairs.items() if name != TOKEN},
        checksum_of(answer),
    )
