"""Keys as names of files that every file system takes."""

from __future__ import annotations

import base64
import os
import re
from hashlib import sha256

from .keytransforms import KeyTransformer

_DEVICES = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(f"{name}{n}" for name in ("COM", "LPT") for n in range(1, 10)))
)
"""Names that Windows keeps for itself."""
_NAME = re.compile(r"([A-Z2-7]+)(_*)")


def hashpath(key: str, width: int = 2, depth: int = 3) -> str:
    """A relative path made of the key's SHA-256.

    Args:
        key: Any key.
        width: Characters of each directory's name.
        depth: How many directories there are above the file.
    """
    digest = sha256(key.encode()).hexdigest()
    end = width * depth
    return os.path.join(*(digest[at : at + width] for at in range(0, end, width)), digest[end:])


class FilesystemKeyTransformer(KeyTransformer):
    """Writes keys in base 32, with ``_`` for its padding: letters and digits, and no slash."""

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        name = base64.b32encode(key.encode()).decode().replace("=", "_")
        return f"_{name}" if name.rstrip("_") in _DEVICES else name

    def reverse_transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        name = key.removeprefix("_")
        found = _NAME.fullmatch(name)
        if found is None or (name != key) is not (found[1] in _DEVICES):
            raise ValueError("no key has this name")
        return base64.b32decode(name.replace("_", "=")).decode()
