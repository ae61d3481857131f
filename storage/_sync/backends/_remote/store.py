# Generated from storage/_async/backends/_remote/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores in a tree of files on a server, whatever the protocol."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends._remote.store import AsyncRemoteStore
from .life import RemoteLife


class RemoteStore(RemoteLife):
    """The ground of the stores that speak to a file server."""

    _async: AsyncRemoteStore
    _async_type: ClassVar[type[AsyncRemoteStore]] = AsyncRemoteStore  # type: ignore[type-abstract]

    def sweep(self, *, older_than: float = 86_400.0) -> int:
        """Remove what killed writers have left behind: hidden files that are no objects.

        Args:
            older_than: Seconds since the last write to what may go, by the server's clock. What
                is still being written is younger, unless its writer has paused for so long.

        Returns:
            How many files were removed.
        """
        return self._run(self._async.sweep(older_than=older_than))
