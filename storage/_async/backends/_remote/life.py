"""How stores on file servers begin and end, and what they hold meanwhile."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ...._core.errors import ConfigError, StoreClosed, StoreUnavailable
from ...._core.perloop import PerLoop
from ...._core.text import Secret
from ...base import AsyncBaseStore
from .paths import check_key, root_of
from .pool import Pool
from .session import Session

TIMEOUT = 60.0
"""Seconds that an operation may take, unless told otherwise."""


class AsyncRemoteLife(AsyncBaseStore):
    """The ground of the stores that speak to a file server.

    Args:
        root: The directory below which the objects are.
        sessions: How many conversations at once there may be with the server on one event loop.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, root: str, sessions: int, timeout: float | None) -> None:
        super().__init__(timeout=timeout)
        if sessions < 3:
            raise ConfigError(f"sessions is a number from 3 on, not {sessions!r}")
        self._root = root_of(root)
        self._sessions = sessions
        self._recipe: dict[str, Any] = {}
        # What holds the pools must not hold the store, which is to warn when nobody needs it.
        self._pools: PerLoop[Pool] = PerLoop(_opener(self._line_maker(), sessions))

    @abstractmethod
    def _line_maker(self) -> Any:
        """What makes a `Line`, and knows no store."""

    # -- life -------------------------------------------------------------------------------

    async def _teardown(self) -> None:
        await self._pools.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        if any(isinstance(value, Secret) for value in self._recipe.values()):
            raise TypeError(
                "a store that was told a secret is not picklable: use keys, or make it anew"
            )
        return _again, (type(self), self._recipe)

    def __del__(self) -> None:
        # An error in the constructor leaves none.
        pools: PerLoop[Pool] | None = self.__dict__.get("_pools")
        if pools is not None and pools.held and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    def _check_key(self, key: str) -> None:
        check_key(key)

    @asynccontextmanager
    async def _lease(self, room: str) -> AsyncIterator[Session]:
        pool = await self._pools.get()
        async with pool.lease(room) as session:
            try:
                yield session
            except StoreUnavailable as error:
                if pool.closed:  # which has ended the session
                    raise StoreClosed("the store was closed") from error
                raise


def _opener(make: Any, sessions: int) -> Any:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Pool]:
        pool = Pool(make(), sessions)
        try:
            yield pool
        finally:
            await pool.close()

    return opened


def _again(cls: type[AsyncRemoteLife], recipe: dict[str, Any]) -> AsyncRemoteLife:
    return cls(**recipe)
