"""Keys in paths: decoded exactly, since a key is opaque, and written so that they come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from .replies import Refusal

_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CHARACTER = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)


def path_of(scope: Mapping[str, Any]) -> bytes:
    """What follows the application's own path and a slash, percent-encoded as it was sent.

    Where a server tells no ``raw_path``, ``%2F`` cannot be told from ``/``.
    """
    raw: bytes | None = scope.get("raw_path")
    if raw is None:
        raw = quote(scope["path"], safe="/").encode()
    raw = raw.partition(b"?")[0]
    if not raw.startswith(b"/") and raw not in (b"", b"*"):
        raise Refusal(400, "the path begins with no slash")  # some servers leave a whole URL there
    root: str = scope.get("root_path", "")
    # What Starlette's outermost application was told of a proxy before it may be missing.
    roots = (root, root.removeprefix(scope.get("app_root_path", "")))
    found = (_below(raw, root.encode()) for root in roots)
    return next((rest for rest in found if rest is not None), raw).removeprefix(b"/")


def _below(raw: bytes, root: bytes) -> bytes | None:
    """The path without that of the application, which stands in it decoded or not; None without."""
    if not root:
        return raw
    at = 0
    for match in _CHARACTER.finditer(raw):
        at = match.end()
        if unquote_to_bytes(raw[:at]) == root and raw[at : at + 1] in (b"", b"/"):
            return raw[at:]
        if len(unquote_to_bytes(raw[:at])) >= len(root):
            break
    return None


def decoded(raw: bytes) -> str:
    """The key of a path: each escape is one byte, and nothing is normalised."""
    if _BROKEN.search(raw):
        raise Refusal(400, "the path has a broken escape")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Refusal(400, "the path is not UTF-8") from None


def root_of(scope: Mapping[str, Any]) -> str:
    """The path of the collection, for links; never the beginning of another host's."""
    return "/" + quote(f"{scope.get('root_path', '').strip('/')}/", safe="/").lstrip("/")


def link(root: str, key: str) -> str:
    """A path that leads to a key.

    Browsers resolve ``.`` and ``..`` also where they are escaped, and proxies merge slashes: such a
    key goes into the query.
    """
    if any(part in ("", ".", "..") for part in key.split("/")):
        return f"{root}?key={quote(key, safe='')}"
    return root + quote(key, safe="/")
