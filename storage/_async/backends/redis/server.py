"""The server, as the store talks to it: tries again what can be, and gives typed errors."""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any

from ...._core import calls
from ...._core.errors import ConfigError, StoreClosed
from ...._core.perloop import PerLoop
from .address import Address, Lost
from .errors import LOADING, code_of, translated
from .lines import Lines
from .protocol import Command, Reply
from .scripts import in_full
from .sockets import Deadline, Plugs

MOST = 16
"""Connections for one event loop, or for all blocking callers."""
PATIENCE = 5.0
"""Seconds for which a server that cannot be reached is asked again."""


class Server(ABC):
    """Where commands are sent.

    Args:
        patience: Seconds for which a server is asked again that cannot be reached or is loading.
    """

    inline: bool = True
    """Whether a blocking caller needs no event loop."""
    name: str
    """What it is shown as."""

    def __init__(self, patience: float) -> None:
        self._patience = patience

    async def ask(
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
        end = Deadline(timeout if calls.direct() else None)
        until, pause = time.monotonic() + self._patience, 0.02
        while True:
            try:
                replies = await self._send(commands, end)
            except Lost as error:
                if (error.sent and not again) or time.monotonic() >= until:
                    raise error.as_store_error() from error.__cause__
            else:
                if not _loading(replies) or time.monotonic() >= until:
                    return await self._with_scripts(commands, replies, end)
            await _sleep(random.uniform(pause / 2, pause), end)
            pause = min(2 * pause, 0.5)

    async def _with_scripts(
        self, commands: Sequence[Command], replies: list[Reply], end: Deadline
    ) -> list[Reply]:
        """The replies; what the server did not know the script for is sent again with its text."""
        for index, reply in enumerate(replies):
            if isinstance(reply, Exception) and _is_unknown(reply):
                try:
                    (replies[index],) = await self._send([in_full(commands[index])], end)
                except Lost as error:
                    raise error.as_store_error() from error.__cause__
        return replies

    @abstractmethod
    async def _send(self, commands: Sequence[Command], end: Deadline) -> list[Reply]:
        """Send commands once; raise `Lost` where that did not work."""

    @property
    @abstractmethod
    def held(self) -> bool:
        """Whether there are connections to be closed."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close the connections that were made here."""


class OwnServer(Server):
    """A server that is reached over connections of our own.

    Args:
        address: Where it is.
        most: How many connections there may be.
        patience: As for `Server`.
    """

    def __init__(self, address: Address, most: int = MOST, patience: float = PATIENCE) -> None:
        super().__init__(patience)
        if most < 1:
            raise ConfigError(f"max_connections is at least 1, not {most!r}")
        self.name = str(address)
        self._closed = False
        self._plugs = Plugs(address, most)
        self._lines: PerLoop[Lines] = PerLoop(partial(Lines.opened, address, most))

    async def _send(self, commands: Sequence[Command], end: Deadline) -> list[Reply]:
        if self._closed:
            raise StoreClosed("the store was closed")
        if calls.direct():
            return self._plugs.send(commands, end)
        lines = self._lines.peek() or await self._lines.get()
        return await lines.send(commands)

    @property
    def held(self) -> bool:
        """See `Server`."""
        return self._plugs.held or self._lines.held

    async def aclose(self) -> None:
        """Close all connections, those of other event loops, too."""
        self._closed = True
        self._plugs.close()
        if not calls.direct():
            await self._lines.aclose()


def raised(reply: Any) -> Any:
    """A reply that is no error."""
    if isinstance(reply, Exception):
        raise translated(reply)
    return reply


def _loading(replies: list[Reply]) -> bool:
    """Whether the server did nothing, since it is not ready."""
    return any(isinstance(each, Exception) and code_of(each) in LOADING for each in replies)


def _is_unknown(reply: Exception) -> bool:
    return code_of(reply) == "NOSCRIPT" or type(reply).__name__ == "NoScriptError"


async def _sleep(seconds: float, end: Deadline) -> None:
    if calls.direct():
        left = end.left()
        time.sleep(seconds if left is None else min(seconds, left))  # noqa: ASYNC251 - no loop
    else:
        await asyncio.sleep(seconds)
