# Generated from storage/_async/backends/_remote/life.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""How stores on file servers begin and end, and what they hold meanwhile."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends._remote.life import AsyncRemoteLife
from ...base import BaseStore


class RemoteLife(BaseStore):
    """The ground of the stores that speak to a file server.

    Args:
        root: The directory below which the objects are.
        sessions: How many conversations at once there may be with the server on one event loop.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncRemoteLife
    _async_type: ClassVar[type[AsyncRemoteLife]] = AsyncRemoteLife  # type: ignore[type-abstract]

    def __init__(self, root: str, sessions: int, timeout: float | None) -> None:
        self._hold(self._async_type(root, sessions, timeout))
