"""Which keys reach an object of exactly that name, and in which requests."""

from __future__ import annotations

import re

from ...._core.errors import InvalidKey
from ...._core.keys import MAX_KEY_BYTES
from ...._core.text import shorten

# What servers that keep objects as files do without telling: fold empty, "." and ".." parts, take
# a backslash for a slash, keep no body under a trailing slash, leave the directories that they use
# themselves (SeaweedFS: ".uploads", "*.versions") out of listings.
_CHANGED = re.compile(r"\\|(?:^|/)(?:\.{0,2}|\.uploads|[^/]*\.versions)(?=/|\Z)")
# What XML 1.0 cannot carry, or carries changed.
_NOT_XML = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")


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
    if not exact and _CHANGED.search(key):
        raise InvalidKey(
            "servers other than Amazon's may take this key for another one, because of an empty, "
            "'.', '..', '.uploads' or '*.versions' part, a backslash, or a slash at its end; if "
            f"yours does not, say exact_keys=True: {shorten(repr(key))}"
        )


def plain_prefix(prefix: str) -> bool:
    """Whether a server that may change keys takes this prefix of keys as it is."""
    *whole, last = prefix.split("/")
    return not _CHANGED.search("/".join([*whole, "x"])) and last not in (".", "..")


def fits_xml(key: str) -> bool:
    """Whether a key can be named in the body of a request."""
    return not _NOT_XML.search(key)
