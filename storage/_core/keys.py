"""What a key is: 1 to 1,024 bytes of UTF-8 without NUL; otherwise opaque."""

from __future__ import annotations

from typing import Any

from .errors import InvalidKey
from .text import shorten

MAX_KEY_BYTES = 1024


def check_key(key: Any) -> str:
    """Return ``key`` if it can be a key of any store.

    Raises:
        InvalidKey: It is not a ``str``, is empty, is longer than 1,024 bytes in UTF-8, or holds a
            NUL or a lone surrogate.
    """
    if type(key) is str and key.isascii() and 0 < len(key) <= MAX_KEY_BYTES and "\0" not in key:
        return key
    return _check_slowly(key)


def _check_slowly(key: Any) -> str:
    if not isinstance(key, str):
        raise InvalidKey(f"a key is a str, not {type(key).__name__}")
    if not key:
        raise InvalidKey("a key has at least one character")
    shown = shorten(repr(key))
    if "\0" in key:
        raise InvalidKey(f"a key holds no NUL: {shown}")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidKey(f"a key holds no lone surrogate: {shown}") from None
    if size > MAX_KEY_BYTES:
        raise InvalidKey(f"a key has at most {MAX_KEY_BYTES} bytes in UTF-8, not {size}: {shown}")
    return key


def check_prefix(prefix: Any) -> str:
    """Return ``prefix`` if it is a ``str``; what no key can start with just matches nothing.

    Raises:
        InvalidKey: It is not a ``str``.
    """
    if not isinstance(prefix, str):
        raise InvalidKey(f"a prefix is a str, not {type(prefix).__name__}")
    return prefix
