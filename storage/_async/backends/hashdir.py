"""Objects as files spread over directories by the hash of their keys."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Self

from ..._core.errors import ConfigError
from ..._core.info import Capability
from ..._core.urls import StoreURL
from ._files.hashed import SUFFIX, HashLayout
from ._files.layout import Layout
from ._files.rehashing import Rehash
from ._files.store import AsyncFileTreeStore
from ._files.urls import path_of
from ._files.walk import Listed, Walk

logger = logging.getLogger("storage.files")

_PLAIN = Layout()


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
        file_mode: The permissions of the files, as for `AsyncFilesystemStore`.
        ttl: Seconds that an object lives after it was put, as for `AsyncFilesystemStore`.
        timeout: Seconds that one operation may take. None: for ever.
    """

    capabilities = AsyncFileTreeStore.capabilities & ~Capability.ORDERED
    _layout: HashLayout

    def __init__(
        self,
        root_path: str | os.PathLike[str],
        width: int = 2,
        depth: int = 3,
        *,
        durable: bool = True,
        follow_symlinks: bool = False,
        attributes: bool = True,
        file_mode: int | None = None,
        ttl: float | None = None,
        timeout: float | None = None,
    ) -> None:
        self._layout = _layout(width, depth)
        super().__init__(
            root_path,
            durable=durable,
            follow_symlinks=follow_symlinks,
            attributes=attributes,
            file_mode=file_mode,
            ttl=ttl,
            timeout=timeout,
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``hashdir:///absolute/directory`` or ``hashdir://relative/directory``.

        Options: ``width``, ``depth``, ``durable``, ``follow_symlinks``, ``attributes``,
        ``file_mode``, ``ttl``, ``timeout``, as for the class.
        """
        width, depth = url.option("width", int, 2), url.option("depth", int, 3)
        return cls(path_of(url), width, depth, **cls._url_options(url))

    async def rehash(self, width: int, depth: int) -> int:
        """Move all objects to where a store of another width and depth has them.

        Each moves at once, so that a store of either settings has it all the time. Whoever writes
        or lists meanwhile should do so with the new settings; what was written with the old ones
        after all is moved by another call, as is what is left when this one is interrupted. Where
        both have an object of one key, the newer one stays. This store keeps its own settings.

        Args:
            width: Characters that name a directory.
            depth: Directories on the way to an object.

        Returns:
            How many objects were moved.
        """
        self._check_open("rehash")
        steps = iter(Rehash(self._objects.tree, _layout(width, depth)))
        return await self._place("rehash", None, self._total(steps))

    def _listed(self, prefix: str, start_after: str, facts: bool) -> Iterator[Listed | None]:
        unknown = 0
        tree = self._objects.tree
        try:
            for found in Walk(tree, _PLAIN, facts=facts):
                if found is None:
                    yield None
                elif not found[0].endswith(SUFFIX.decode()):
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


def _layout(width: int, depth: int) -> HashLayout:
    if width < 1 or depth < 0 or width * depth > 63:
        raise ConfigError(
            f"a hash of 64 characters cannot be cut into {depth} directories of {width}"
        )
    return HashLayout(width, depth)
