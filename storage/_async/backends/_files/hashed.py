"""Keys by their hashes, cut into directories; and from one cut to another."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from hashlib import sha256

from ...._core.keys import MAX_KEY_BYTES
from ...._core.writing import write_all
from . import hidden
from .layout import Layout
from .tree import READ, Parts, Tree
from .waiting import patiently_here

SUFFIX = b".key"
"""What the name of the file ends with that holds an object's key."""


_DIGEST = re.compile(rb"[0-9a-f]{64}")


class HashLayout(Layout):
    """Keys by their SHA-256 in hexadecimal, cut into directories; the key is kept beside it.

    The file with the key depends on nothing but the key, so it is right whoever wrote it last. It
    is written before the object appears and removed after the object is gone, under the lock of
    their directory: there is never an object of ours without it.
    """

    folding_proof = True

    def __init__(self, width: int, depth: int) -> None:
        self.width = width
        self.depth = depth

    def check(self, key: str) -> None:
        """Any key is fine."""

    def parts(self, key: str) -> Parts:
        """The way to a key's file."""
        return self.cut(sha256(key.encode()).hexdigest().encode())

    def cut(self, digest: bytes) -> list[bytes]:
        """The way to the file of what has this hash."""
        width, end = self.width, self.width * self.depth
        return [*(digest[start : start + width] for start in range(0, end, width)), digest[end:]]

    def keep(self, directory: int, name: bytes, key: str, durable: bool) -> None:
        """Write the key's file, unless it is there."""
        kept, text = name + SUFFIX, key.encode()
        with suppress(OSError):
            if read(os.open(kept, READ | os.O_NOFOLLOW, dir_fd=directory)) == text:
                return
        temp, file = hidden.create(directory)
        try:
            write_all(file, text)
            if durable:
                os.fsync(file)
            os.rename(temp, kept, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(temp, dir_fd=directory)
            raise
        finally:
            os.close(file)

    def forget(self, directory: int, name: bytes) -> None:
        """Remove the key's file."""
        with suppress(FileNotFoundError):
            os.unlink(name + SUFFIX, dir_fd=directory)

    def owner(self, above: Parts, name: bytes) -> bytes | None:
        """The object's name, where this is the name of its key's file, however it is cut."""
        stem = name.removesuffix(SUFFIX)
        return stem if stem != name and is_digest(b"".join([*above, stem])) else None

    def is_place(self, parts: Parts) -> bool:
        """Whether this is the way to the file of some key."""
        digest = b"".join(parts)
        return is_digest(digest) and self.cut(digest) == list(parts)

    def key_at(self, tree: Tree, path: bytes) -> str | None:
        """The key of the object at a path; None where nothing there tells it.

        Raises:
            FileNotFoundError: The object is gone.
        """
        parts = path.split(b"/")
        if not self.is_place(parts):
            return None
        digest = b"".join(parts)
        for _ in range(3):
            try:
                text = patiently_here(lambda: read(tree.open([*parts[:-1], parts[-1] + SUFFIX])))
            except FileNotFoundError:
                # Either somebody has just removed the object, or he has just put it there again.
                tree.stat(parts)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.EISDIR):
                    break
                raise
            else:
                return text.decode() if sha256(text).hexdigest().encode() == digest else None
        return None


def is_digest(text: bytes) -> bool:
    """Whether this is a hash as it stands in names."""
    return _DIGEST.fullmatch(text) is not None


def read(file: int) -> bytes:
    """The text of a key's file, which is closed."""
    try:
        return os.read(file, MAX_KEY_BYTES + 1)
    finally:
        os.close(file)
