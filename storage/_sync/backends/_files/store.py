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
        root_path: The root directory; the first put makes it. It may be a symbolic link itself.
            A relative one is relative to the working directory at the time of each call.
        durable: Whether an object survives a power cut once ``put`` has returned (and stays gone
            once ``delete`` has): files and directories are synced. Without, it still survives the
            death of the process, and is never half there.
        follow_symlinks: Whether symbolic links below the root are followed, wherever they lead.
            Without, a key whose path holds one is refused with `AccessDenied`, and listings leave
            it out.
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
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                root_path, durable=durable, follow_symlinks=follow_symlinks, timeout=timeout
            )
        )

    @property
    def root_path(self) -> str:
        return self._async.root_path
