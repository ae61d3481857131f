"""Locks by key, for as long as somebody holds or awaits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .looplocal import LoopLocal


class KeyLocks:
    """One lock a key, among the tasks of one event loop (tasks of two loops do not exclude)."""

    def __init__(self) -> None:
        self._locks: LoopLocal[dict[str, _Counted]] = LoopLocal(dict)

    @asynccontextmanager
    async def __call__(self, key: str) -> AsyncIterator[bool]:
        """Hold the key's lock; gives whether it had to be waited for."""
        locks = self._locks.get()
        counted = locks.setdefault(key, _Counted())
        waited = counted.users > 0
        counted.users += 1
        try:
            async with counted.lock:
                yield waited
        finally:
            counted.users -= 1
            if not counted.users:
                del locks[key]


class _Counted:
    """A lock, and how many tasks hold or await it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
