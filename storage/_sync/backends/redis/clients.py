# Generated from storage/_async/backends/redis/clients.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A user's own client of redis-py, blocking or for asyncio. It is never closed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ...._async.backends.redis.clients import AsyncClient
from ...._async.backends.redis.protocol import Command
from ...._core.bridge import Twin


class Client(Twin):
    """An asyncio client: used as it is on the event loop that uses it first.

    Elsewhere (on other loops, by blocking callers) connections of our own lead to the same server.
    """

    _async: AsyncClient
    _async_type: ClassVar[type[AsyncClient]] = AsyncClient

    def __init__(self, client: Any, patience: float) -> None:
        self._hold(self._async_type(client, patience))

    @property
    def held(self) -> bool:
        """See `Server`."""
        return self._async.held

    def close(self) -> None:
        """Close what was opened beside the client."""
        self._run(self._async.aclose())

    @property
    def name(self) -> str:
        """What it is shown as."""
        return self._async.name

    def ask(
        self, commands: Sequence[Command], timeout: float | None, *, again: bool = True
    ) -> list[Any]:
        """Send commands in one go.

        Args:
            commands: They are not a transaction.
            timeout: Seconds that a blocking caller waits; others have a deadline around this.
            again: Whether they may be sent twice where it is not known what became of them.

        Returns:
            A reply to each command; errors are among them and not raised.

        Raises:
            StoreError: The server could not be reached.
        """
        return self._run(self._async.ask(commands, timeout, again=again))
