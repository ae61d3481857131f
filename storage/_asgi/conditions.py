"""Entity tags, and the preconditions of a request in the order of RFC 9110, section 13.2.2."""

from __future__ import annotations

import re
from urllib.parse import quote

from .._core.info import ObjectInfo
from . import dates
from .messages import Request

CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_PLAIN = "".join(map(chr, range(0x21, 0x7F))).replace('"', "").replace("%", "")


def tag_of(etag: str | None) -> str | None:
    """An object's etag as a header has it; None without one."""
    if etag is None:
        return None
    return etag if _TAG.fullmatch(etag) else f'"{quote(etag, safe=_PLAIN)}"'


def _strongly(one: str, other: str | None) -> bool:
    return one == other and not one.startswith("W/")


def _weakly(one: str, other: str | None) -> bool:
    return other is not None and one.removeprefix("W/") == other.removeprefix("W/")


def _names(header: str, info: ObjectInfo | None, strong: bool) -> bool:
    """Whether a list of tags, or ``*``, names the object."""
    if info is None or header == "*":
        return info is not None
    alike, tag = _strongly if strong else _weakly, tag_of(info.etag)
    return any(alike(one, tag) for one in _TAG.findall(header))


def is_list(header: str) -> bool:
    """Whether it is ``*`` or a list of tags: what is not understood is no leave to replace."""
    return header == "*" or ('"' in header and not _TAG.sub("", header).strip(" \t,"))


def failing(request: Request, info: ObjectInfo | None) -> int | None:
    """The status by which a condition says that the request is not to be carried out, or None.

    Args:
        request: What is asked for.
        info: What the object is now; None: there is none.
    """
    changed = dates.seconds(info.modified) if info is not None and info.modified else None
    match, since = request.header("if-match"), dates.parsed(request.header("if-unmodified-since"))
    if match is not None:
        if not _names(match, info, strong=True):
            return 412
    elif since is not None and changed is not None and changed > since:
        return 412
    none, after = request.header("if-none-match"), dates.parsed(request.header("if-modified-since"))
    if none is not None:
        if _names(none, info, strong=False):
            return 304 if request.reads else 412
    elif request.reads and after is not None and changed is not None and changed <= after:
        return 304
    return None


def ranged(request: Request, info: ObjectInfo) -> bool:
    """Whether ``If-Range`` leaves the ``Range`` in force.

    A date does not: a time in whole seconds cannot tell two versions of one second apart, so it is
    no strong validator.
    """
    wanted = request.header("if-range")
    return wanted is None or (_strongly(wanted, tag_of(info.etag)))
