"""What the service tells of objects, and what it is told; checked before it is believed."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ...._core.errors import ConfigError, IntegrityError, MalformedResponse
from ...._core.info import ObjectInfo, WriteOptions
from .._cloud.requests import Reply
from .._cloud.service import TOKEN, UNTOLD, Page


def generation_of(etag: str) -> str:
    """An etag as a condition has it; what can be none matches nothing."""
    return etag if etag.isascii() and etag.isdecimal() and etag != "0" else "1"


def writing(options: WriteOptions) -> dict[str, str]:
    if options.if_absent:
        return {"ifGenerationMatch": "0"}
    match = options.if_match
    return {} if match is None else {"ifGenerationMatch": generation_of(match)}


def about(name: str, options: WriteOptions, token: str | None) -> dict[str, Any]:
    """What is stored beside an object's bytes."""
    kind = options.content_type or UNTOLD
    if not (kind.isascii() and kind.isprintable()):
        raise ConfigError("no media type")
    pairs = dict(options.metadata or {})
    for text in (text for pair in pairs.items() for text in pair):
        try:
            text.encode()
        except (AttributeError, UnicodeEncodeError):
            raise ConfigError("metadata is pairs of str, without lone surrogates") from None
    if TOKEN in pairs:
        raise ConfigError(f"{TOKEN!r} is this package's own")
    pairs |= {TOKEN: token} if token is not None else {}
    return {"name": name, "contentType": kind} | ({"metadata": pairs} if pairs else {})


def parsed(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise MalformedResponse("the server's answer is no JSON")
    return found


def resource(reply: Reply) -> dict[str, Any]:
    found = parsed(reply)
    # An answer of an older form, and some servers, wrap it up.
    inner = found.get("resource")
    return inner if isinstance(inner, dict) else found


def info_of(found: Mapping[str, Any], name: str | None = None) -> ObjectInfo:
    """What the service tells of an object, its attributes too."""
    told, size, generation = (str(found.get(each, "")) for each in ("name", "size", "generation"))
    if not told or not size.isdecimal() or not generation.isdecimal():
        raise MalformedResponse("the server tells of an object without name, size or generation")
    if name is not None and told != name:
        raise MalformedResponse("the server tells of another object than the one asked for")
    kind = found.get("contentType")
    pairs = {key: text for key, text in (found.get("metadata") or {}).items() if key != TOKEN}
    return ObjectInfo(
        told, int(size), generation, date_of(found.get("updated")),
        None if kind in (UNTOLD, "") else kind, pairs, checksum(found.get("md5Hash")),
    )  # fmt: skip


def checked(found: Mapping[str, Any], name: str, size: int, md5: bytes) -> ObjectInfo:
    """What was stored, if it is what was sent."""
    info = info_of(found, name)
    if info.size != size or info.checksum not in (None, f"md5:{md5.hex()}"):
        raise IntegrityError("the server stored other bytes than those that were sent")
    return info


def page_of(answer: Mapping[str, Any], prefix: str) -> Page:
    items, prefixes = answer.get("items") or [], answer.get("prefixes") or []
    page = Page([], [str(each) for each in prefixes])
    for item in items:
        kept = info_of(item)
        page.objects.append(
            ObjectInfo(
                kept.key, kept.size, kept.etag, kept.modified, kept.content_type,
                checksum=kept.checksum,
            )
        )  # fmt: skip
    for name in [*page.prefixes, *(info.key for info in page.objects)]:
        if not name.startswith(prefix):
            raise MalformedResponse(f"a listing with names that do not begin with {prefix!r}")
    return page


def checksum(text: str | None) -> str | None:
    try:
        return f"md5:{base64.b64decode(text, validate=True).hex()}" if text else None
    except (binascii.Error, ValueError):
        return None


def date_of(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None
