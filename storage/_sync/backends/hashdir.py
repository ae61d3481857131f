# Generated from storage/_async/backends/hashdir.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects as files spread over directories by the hash of their keys."""

from __future__ import annotations

import os
from typing import ClassVar, Self

from ..._async.backends.hashdir import AsyncHashdirStore
from ..._core.urls import StoreURL
from ._files.store import FileTreeStore


class HashdirStore(FileTreeStore):
    """Each object in a file named by its key's hash, so that no directory gets too full.

    With the defaults the SHA-256 ``2cf24dba...`` of a key becomes ``2c/f2/4d/ba...``, as
    amplify-storage-utils has it, so that objects which it wrote can be read. Beside the object a
    small file ``ba....key`` holds the key itself, for listings. Objects without one, such as
    amplify's, are left out of listings, with a warning in the log, until they are put again.

    Takes any key, on any file system. Listings come in the order of the hashes.

    Args:
        root_path: As for `FilesystemStore`.
        width: Characters that name a directory.
        depth: Directories on the way to an object; ``width * depth`` is below 64.
        durable: Whether objects survive a power cut, as for `FilesystemStore`.
        follow_symlinks: Whether symbolic links below the root are followed.
        attributes: Whether content types and metadata are kept, as for `FilesystemStore`.
        file_mode: The permissions of the files, as for `FilesystemStore`.
        ttl: Seconds that an object lives after it was put, as for `FilesystemStore`.
        timeout: Seconds that one operation may take. None: for ever.
    """

    _async: AsyncHashdirStore
    _async_type: ClassVar[type[AsyncHashdirStore]] = AsyncHashdirStore

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
        self._hold(
            self._async_type(
                root_path,
                width,
                depth,
                durable=durable,
                follow_symlinks=follow_symlinks,
                attributes=attributes,
                file_mode=file_mode,
                ttl=ttl,
                timeout=timeout,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``hashdir:///absolute/directory`` or ``hashdir://relative/directory``.

        Options: ``width``, ``depth``, ``durable``, ``follow_symlinks``, ``attributes``,
        ``file_mode``, ``ttl``, ``timeout``, as for the class.
        """
        return cls.around(cls._async_type.from_url(url))

    def rehash(self, width: int, depth: int) -> int:
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
        return self._run(self._async.rehash(width, depth))
