"""Where the object of a key lies: the plain layout, and what others may do differently."""

from __future__ import annotations

import re

from ...._core.errors import InvalidKey
from ...._core.keys import MAX_KEY_BYTES
from .hidden import TEMPORARY
from .tree import Parts

MAX_NAME_BYTES = 255
"""Bytes that a file's name may have."""

_TEMPORARY = re.compile(r"(?:^|/)" + re.escape(TEMPORARY.decode()), re.IGNORECASE)
_PLAIN = re.compile(r"[^./][^/]{0,62}(?:/[^./][^/]{0,62})*")  # 63 characters have at most 252 bytes


class Layout:
    """Keys as paths, as they are.

    Names on disk become *tails*: what follows the tail of the directory above. All tails on the
    way together are the key, and those of one directory are in the order of the keys.
    """

    folding_proof = False
    """Whether no two names differ in case or composition alone."""

    def check(self, key: str) -> None:
        """Raise `InvalidKey` where this layout cannot hold a key exactly."""
        if _PLAIN.fullmatch(key):
            return
        if _TEMPORARY.search(key):
            raise InvalidKey(f"{TEMPORARY.decode()!r} begins the names of files in the making")
        for part in key.encode().split(b"/"):
            if part in (b"", b".", b".."):
                raise InvalidKey(
                    "a plain path has no empty part and no part '.' or '..': "
                    "use the safe or the hashed layout"
                )
            if len(part) > MAX_NAME_BYTES:
                raise InvalidKey(
                    f"a part of a plain path has at most {MAX_NAME_BYTES} bytes, "
                    f"not {len(part)}: use the safe or the hashed layout"
                )

    def parts(self, key: str) -> Parts:
        """The way to a key's file."""
        return key.encode().split(b"/")

    def start(self, prefix: bytes) -> Parts | None:
        """The deepest directory that has all keys with a prefix; None where there can be none."""
        above, slash, _ = prefix.rpartition(b"/")
        if not slash:
            return ()
        try:
            key = above.decode()
            self.check(key)
        except (UnicodeDecodeError, InvalidKey):
            return None
        return None if b"\0" in above or len(above) > MAX_KEY_BYTES else above.split(b"/")

    def file_tail(self, name: bytes) -> bytes | None:
        """The tail that a file's name stands for; None for a file that is no object."""
        return name

    def directory_tail(self, name: bytes) -> bytes | None:
        """The tail that a directory's name stands for; None for one that holds no objects."""
        return name + b"/" if is_text(name) else None

    def file_name(self, tail: bytes) -> bytes:
        """The reverse of `file_tail`."""
        return tail

    def directory_name(self, tail: bytes) -> bytes:
        """The reverse of `directory_tail`."""
        return tail[:-1]

    def keep(self, directory: int, name: bytes, key: str, durable: bool) -> None:
        """Write what is kept beside an object, before it appears; under the directory's lock."""

    @property
    def keeps(self) -> bool:
        """Whether `keep` does anything."""
        return type(self).keep is not Layout.keep

    def forget(self, directory: int, name: bytes) -> None:
        """Remove what was kept beside an object, after it is gone; under the same lock."""

    def owner(self, above: Parts, name: bytes) -> bytes | None:
        """The object's name, where this is the name of what `keep` writes beside it."""
        return None


def is_text(name: bytes) -> bool:
    """Whether a name is valid UTF-8."""
    if name.isascii():
        return True
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
