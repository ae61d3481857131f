"""Digests that servers tell of their objects."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping

_HEADERS = (
    (
        "Repr-Digest",
        re.compile(r"(?:^|[,\s])(sha-512|sha-256|md5)=:([A-Za-z0-9+/=]+):", re.IGNORECASE),
    ),
    ("Digest", re.compile(r"(?:^|[,\s])(sha-512|sha-256|md5)=([A-Za-z0-9+/=]+)", re.IGNORECASE)),
    ("X-Goog-Hash", re.compile(r"(?:^|[,\s])(md5)=([A-Za-z0-9+/=]+)", re.IGNORECASE)),
)
"""What tells digests of a whole object, also with a part of it."""
_SIZES = {"sha512": 64, "sha256": 32, "md5": 16}


def told(status: int, headers: Mapping[str, str]) -> str | None:
    """The strongest digest of the whole object, as ``"algorithm:hexadecimal"``."""
    found: dict[str, str] = {}
    for header, pattern in _HEADERS:
        for name, text in pattern.findall(headers.get(header, "")):
            found.setdefault(name.lower().replace("-", ""), text)
    if status != 206 and "Content-MD5" in headers:
        found.setdefault("md5", headers["Content-MD5"])
    for name, size in _SIZES.items():
        digest = _decoded(found.get(name, ""))
        if len(digest) == size:
            return f"{name}:{digest.hex()}"
    return None


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return b""


class Running:
    """Is fed with all bytes of an object, and compares them with what was told.

    Args:
        checksum: What was told.
    """

    def __init__(self, checksum: str) -> None:
        name, _, self._wanted = checksum.partition(":")
        self._digest = hashlib.new(name, usedforsecurity=False)
        self.update = self._digest.update

    def holds(self) -> bool:
        """Whether they are the same."""
        return self._digest.hexdigest() == self._wanted
