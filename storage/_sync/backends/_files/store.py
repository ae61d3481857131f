# Generated from storage/_async/backends/_files/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store class that all stores on files derive from."""

from __future__ import annotations

import os
from typing import ClassVar

from ...._async.backends._files.store import AsyncFileTreeStore
from ...base import BaseStore


class FileTreeStore(BaseStore):
    """Objects as files under a root directory.

    Args:
        root_path: The root directory.
        durable: Whether files and directories are synced.
        follow_symlinks: Whether symbolic links below the root are followed.
        attributes: Whether content types and metadata are kept.
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
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                root_path,
                durable=durable,
                follow_symlinks=follow_symlinks,
                attributes=attributes,
                timeout=timeout,
            )
        )

    @property
    def root_path(self) -> str:
        return self._async.root_path
