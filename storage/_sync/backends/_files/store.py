# Generated from storage/_async/backends/_files/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store class that all stores on files derive from."""

from __future__ import annotations

import os
from typing import ClassVar

from ...._async.backends._files.store import AsyncFileTreeStore
from ...lifetimes import LifetimeStore


class FileTreeStore(LifetimeStore):
    """Objects as files under a root directory.

    Args:
        root_path: The root directory.
        durable: Whether files and directories are synced.
        follow_symlinks: Whether symbolic links below the root are followed.
        attributes: Whether content types and metadata are kept.
        file_mode: The permissions of the files.
        ttl: Seconds that an object lives after it was put; None: for ever.
        timeout: Seconds that one operation may take. None: for ever.
    """

    _async: AsyncFileTreeStore
    _async_type: ClassVar[type[AsyncFileTreeStore]] = AsyncFileTreeStore

    def __init__(
        self,
        root_path: str | os.PathLike[str],
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
                durable=durable,
                follow_symlinks=follow_symlinks,
                attributes=attributes,
                file_mode=file_mode,
                ttl=ttl,
                timeout=timeout,
            )
        )

    @property
    def root_path(self) -> str:
        return self._async.root_path

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))

    def sweep(self, *, older_than: float = 86_400.0) -> int:
        """Remove what killed writers have left behind, hidden files, and objects that are over.

        What somebody is still writing stays, however long that takes: its writer holds a lock on
        it. Where files cannot be locked, as on some network file systems, only the age protects
        it. Most writers leave nothing to sweep, since what they create has no name until it is
        whole; but what replaces an object needs one.

        Args:
            older_than: Seconds since the last write to what killed writers left and may go.

        Returns:
            How many files were removed.
        """
        return self._run(self._async.sweep(older_than=older_than))
