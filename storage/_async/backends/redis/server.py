"""The server, as the store talks to it: tries again what can be, and gives typed errors."""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from .errors import LOADING, Lost, code_of, translated
from .scripts import Command, Reply, in_full

PATIENCE = 5.0
"""Seconds for which a server that cannot be reached is asked again."""


class Server(ABC):
    """Where commands are sent.

    Args:
        patience: Seconds for which a server is asked again that cannot be reached or is loading.
    """

    inline: bool = False
    """Whether a blocking caller needs no event loop."""
    name: str
    """What it is shown as."""

    def __init__(self, patience: float) -> None:
        self._patience = patience

    async def ask(self, commands: Sequence[Command], *, again: bool = True) -> list[Any]:
        """Send commands in one go.

        Args:
            commands: They are not a transaction.
            again: Whether they may be sent twice where it is not known what became of them.

        Returns:
            A reply to each command; errors are among them and not raised.

        Raises:
            StoreError: The server could not be reached.
        """
        until, pause = time.monotonic() + self._patience, 0.02
        while True:
            try:
                replies = await self._send(commands)
            except Lost as error:
                if (error.sent and not again) or time.monotonic() >= until:
                    raise translated(error.error) from error.error
            else:
                if not _loading(replies) or time.monotonic() >= until:
                    return await self._with_scripts(commands, replies)
            await asyncio.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, 0.5)

    async def _with_scripts(self, commands: Sequence[Command], replies: list[Reply]) -> list[Reply]:
        """The replies; what the server did not know the script for is sent again with its text."""
        for index, reply in enumerate(replies):
            if isinstance(reply, Exception) and _is_unknown(reply):
                try:
                    (replies[index],) = await self._send([in_full(commands[index])])
                except Lost as error:
                    raise translated(error.error) from error.error
        return replies

    @abstractmethod
    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands once; raise `Lost` where that did not work."""

    @property
    def held(self) -> bool:
        """Whether there are connections to be closed."""
        return False

    async def aclose(self) -> None:
        """Close the connections that were made here."""


def raised(reply: Any) -> Any:
    """A reply that is no error."""
    if isinstance(reply, Exception):
        raise translated(reply)
    return reply


def _loading(replies: list[Reply]) -> bool:
    """Whether the server did nothing, since it is not ready."""
    return any(isinstance(each, Exception) and code_of(each) in LOADING for each in replies)


def _is_unknown(reply: Exception) -> bool:
    return code_of(reply) == "NOSCRIPT"
