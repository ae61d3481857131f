"""Objects as files spread over directories by the hash of their keys."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Self

from ..._core.errors import ConfigError
from ..._core.info import Capability
from ..._core.keys import MAX_KEY_BYTES
from ..._core.urls import StoreURL
from ._files import hidden
from ._files.layout import Layout
from ._files.store import AsyncFileTreeStore
from ._files.tree import READ, Parts, Tree
from ._files.urls import path_of
from ._files.waiting import patiently_here
from ._files.walk import Listed, Walk

logger = logging.getLogger("storage.files")

_SUFFIX = b".key"
_PLAIN = Layout()


class _HashLayout(Layout):
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
        return self._cut(sha256(key.encode()).hexdigest().encode())

    def _cut(self, digest: bytes) -> list[bytes]:
        width, end = self.width, self.width * self.depth
        return [*(digest[start : start + width] for start in range(0, end, width)), digest[end:]]

    def keep(self, directory: int, name: bytes, key: str, durable: bool) -> None:
        """Write the key's file, unless it is there."""
        kept, text = name + _SUFFIX, key.encode()
        with suppress(OSError):
            if _read(os.open(kept, READ | os.O_NOFOLLOW, dir_fd=directory)) == text:
                return
        temp, file = hidden.create(directory)
        try:
            hidden.write_all(file, text)
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
            os.unlink(name + _SUFFIX, dir_fd=directory)

    def key_at(self, tree: Tree, path: bytes) -> str | None:
        """The key of the object at a path; None where nothing there tells it.

        Raises:
            FileNotFoundError: The object is gone.
        """
        parts = path.split(b"/")
        digest = b"".join(parts)
        if len(digest) != 64 or self._cut(digest) != parts:
            return None
        for _ in range(3):
            try:
                text = patiently_here(lambda: _read(tree.open([*parts[:-1], parts[-1] + _SUFFIX])))
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


def _read(file: int) -> bytes:
    try:
        return os.read(file, MAX_KEY_BYTES + 1)
    finally:
        os.close(file)


class AsyncHashdirStore(AsyncFileTreeStore):
    """Each object in a file named by its key's hash, so that no directory gets too full.

    With the defaults the SHA-256 ``2cf24dba...`` of a key becomes ``2c/f2/4d/ba...``, as
    amplify-storage-utils has it, so that objects which it wrote can be read. Beside the object a
    small file ``ba....key`` holds the key itself, for listings. Objects without one, such as
    amplify's, are left out of listings, with a warning in the log, until they are put again.

    Takes any key, on any file system. Listings come in the order of the hashes.

    Args:
        root_path: As for `AsyncFilesystemStore`.
        width: Characters that name a directory.
        depth: Directories on the way to an object; ``width * depth`` is below 64.
        durable: Whether objects survive a power cut, as for `AsyncFilesystemStore`.
        follow_symlinks: Whether symbolic links below the root are followed.
        attributes: Whether content types and metadata are kept, as for `AsyncFilesystemStore`.
        timeout: Seconds that one operation may take. None: for ever.
    """

    capabilities = AsyncFileTreeStore.capabilities & ~Capability.ORDERED
    _layout: _HashLayout

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        width: int = 2,
        depth: int = 3,
        *,
        durable: bool = True,
        follow_symlinks: bool = False,
        attributes: bool = True,
        timeout: float | None = None,
    ) -> None:
        if width < 1 or depth < 0 or width * depth > 63:
            raise ConfigError(
                f"a hash of 64 characters cannot be cut into {depth} directories of {width}"
            )
        self._layout = _HashLayout(width, depth)
        super().__init__(
            root_path,
            durable=durable,
            follow_symlinks=follow_symlinks,
            attributes=attributes,
            timeout=timeout,
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``hashdir:///absolute/directory`` or ``hashdir://relative/directory``.

        Options: ``width``, ``depth``, ``durable``, ``follow_symlinks``, ``attributes``,
        ``timeout``, as for the class.
        """
        width, depth = url.option("width", int, 2), url.option("depth", int, 3)
        return cls(path_of(url), width, depth, **cls._url_options(url))

    def _listed(self, prefix: str, start_after: str, facts: bool) -> Iterator[Listed | None]:
        unknown = 0
        tree = self._objects.tree
        try:
            for found in Walk(tree, _PLAIN, facts=facts):
                if found is None:
                    yield None
                elif not found[0].endswith(_SUFFIX.decode()):
                    try:
                        key = self._layout.key_at(tree, found[0].encode())
                    except FileNotFoundError:
                        continue
                    if key is None:
                        unknown += 1
                    elif key > start_after and key.startswith(prefix):
                        yield key, found[1]
        finally:
            if unknown:
                logger.warning("not listed in %r: %d files without their keys", self, unknown)
