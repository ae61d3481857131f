"""Which keys reach an object of exactly that name, and in which requests."""

from __future__ import annotations

import re

from ...._core.errors import InvalidKey
from ...._core.keys import MAX_KEY_BYTES
from ...._core.text import shorten

# What servers that keep objects as files do without telling: fold empty, "." and ".." parts, take
# a backslash for a slash, keep no body under a trailing slash, leave the directories that they use
# themselves (SeaweedFS: ".uploads", "*.versions") out of listings, fail at control characters and
# at parts that are longer than a file's name may be.
_CHANGED = re.compile(r"[\\\x00-\x1f\x7f]|(?:^|/)(?:\.{0,2}|\.uploads|[^/]*\.versions)(?=/|\Z)")
_PART_BYTES = 255
# What XML 1.0 cannot carry, or carries changed.
_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f]|[\ufffe\uffff]")  # one class takes long to compile


def check(key: str, prefix: str, *, exact: bool) -> None:
    """Refuse a key that would not name exactly one object.

    Args:
        key: As the user wrote it, relative to ``prefix``.
        prefix: The store's own.
        exact: Whether the server is known to keep every key as it is.

    Raises:
        InvalidKey: It is too long with the prefix, or the server might take it for another.
    """
    if len(prefix) + 4 * len(key) > MAX_KEY_BYTES:
        size = len((prefix + key).encode())
        if size > MAX_KEY_BYTES:
            raise InvalidKey(
                f"with the store's prefix the key has {size} bytes, and S3 takes {MAX_KEY_BYTES}"
            )
    if not exact and (_CHANGED.search(key) or _has_long_part(key)):
        raise InvalidKey(
            "servers other than Amazon's may take this key for another one or fail at it, because "
            "of an empty, '.', '..', '.uploads' or '*.versions' part, one longer than "
            f"{_PART_BYTES} bytes, a backslash, a control character, or a slash at its end; if "
            f"yours does not, say exact_keys=True: {shorten(repr(key))}"
        )


def _has_long_part(key: str) -> bool:
    if 4 * len(key) <= _PART_BYTES:
        return False
    return any(len(part.encode()) > _PART_BYTES for part in key.split("/"))


def plain_part(prefix: str) -> str:
    """The beginning of a prefix that any server takes as it is; all of it, as a rule."""
    kept = ""
    for part in re.findall("[^/]*/|[^/]+$", prefix):
        if _CHANGED.search(part.removesuffix("/")) or _has_long_part(part) or part == "/":
            break
        kept += part
    return kept


def exists(text: str) -> bool:
    """Whether a text can be a part of a key at all."""
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return "\0" not in text


def fits_xml(key: str) -> bool:
    """Whether a key can be named in the body of a request."""
    return not _NOT_XML.search(key)
