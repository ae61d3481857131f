"""What may be a key: the strict key space, and the one of the stores whose names begin with H."""

from __future__ import annotations

import re

from .._core.errors import InvalidKey

VALID_NON_NUM = r"""\`\!"#$%&'()+,-.<=>?@[]^_{}~"""
"""What a key may hold besides ASCII letters and digits."""
VALID_NON_NUM_EXTENDED = VALID_NON_NUM + "/ "
"""The same where slashes and spaces are welcome, too."""
# `\Z`, since `$` would let a line break pass at the end.
VALID_KEY_REGEXP = rf"^[{re.escape(VALID_NON_NUM)}0-9a-zA-Z]+\Z"
VALID_KEY_REGEXP_EXTENDED = rf"^[{re.escape(VALID_NON_NUM_EXTENDED)}0-9a-zA-Z]+\Z"
VALID_KEY_RE = re.compile(VALID_KEY_REGEXP)
VALID_KEY_RE_EXTENDED = re.compile(VALID_KEY_REGEXP_EXTENDED)


def check_key(key: object, pattern: re.Pattern[str] = VALID_KEY_RE) -> None:
    """Raise `InvalidKey` unless ``key`` is a text of allowed letters, and not empty."""
    if not isinstance(key, str):
        raise InvalidKey(f"a key is a str, not {type(key).__name__}")
    if not pattern.match(key):
        raise InvalidKey(f"the key {key!r} is empty or has a letter that keys may not have")


class ExtendedKeyspaceMixin:
    """Allows slashes and spaces in keys; stands before the store in a class's bases.

    ``class Mine(ExtendedKeyspaceMixin, DictStore): ...``
    """

    def _check_valid_key(self, key: str) -> None:
        check_key(key, VALID_KEY_RE_EXTENDED)
        if key == "/":
            raise InvalidKey("a single slash is no key")
