"""Keys as names of files that every file system takes."""

from __future__ import annotations

import base64
import os
from hashlib import sha256

from .keytransforms import KeyTransformer


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
    """Writes keys in base 32, with ``_`` for its padding: capitals and digits, and no slash.

    None of these names is that of a device of Windows (``CON``, ``COM2`` ...): those have three
    characters, which no key gives, or four of which the last is neither ``A`` nor ``Q``.
    """

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        return base64.b32encode(key.encode()).decode().replace("=", "_")

    def reverse_transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        if "=" in key:
            raise ValueError("no key has this name")
        return base64.b32decode(key.replace("_", "=")).decode()
