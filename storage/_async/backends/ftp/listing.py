"""What FTP servers tell of files (RFC 3659)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ...._core.errors import MalformedResponse
from .._remote.session import Facts, Kind

_LINE = re.compile(rb"((?:[^;= ]+=[^;]*;)+) (.+)", re.DOTALL)
_TIME = re.compile(r"(\d{14})(?:\.(\d{1,6})\d*)?")


def parse_listing(data: bytes) -> list[tuple[bytes, Facts]]:
    """The entries of an answer to MLSD.

    Raises:
        MalformedResponse: It is none, or was cut.
    """
    if data and not data.endswith(b"\n"):
        raise MalformedResponse("the listing was cut")
    found = []
    for line in data.split(b"\n")[:-1]:
        entry = facts_in(line.removesuffix(b"\r"))
        if entry is None:
            raise MalformedResponse(f"no line of a listing: {line[:80]!r}")
        if entry[0]:
            found.append(entry)
    return found


def facts_in(line: bytes) -> tuple[bytes, Facts] | None:
    """The name and the facts of a line; an empty name for what is not in the directory."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    facts = {}
    for fact in match[1].decode("utf-8", "replace").split(";")[:-1]:
        name, _, value = fact.partition("=")
        facts[name.lower()] = value
    kind = facts.get("type", "").lower()
    if kind in ("cdir", "pdir"):
        return b"", Facts(Kind.DIRECTORY)
    return match[2], Facts(_kind(kind), _size(facts.get("size")), _time(facts.get("modify")))


def _kind(text: str) -> Kind:
    if text == "file":
        return Kind.FILE
    if text == "dir":
        return Kind.DIRECTORY
    return Kind.LINK if "link" in text else Kind.OTHER


def _size(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _time(text: str | None) -> datetime | None:
    match = _TIME.fullmatch(text or "")
    if match is None:
        return None
    try:
        whole = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return whole + timedelta(microseconds=int((match[2] or "0").ljust(6, "0")))
