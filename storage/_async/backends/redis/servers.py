"""Where commands are sent: by redis-py, with a pool of ours or a client of the user's."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from ...._core import calls
from ...._core.errors import ConfigError
from ...._core.perloop import PerLoop
from ...._core.runner import on_runner_loop
from .address import PORT
from .errors import translated
from .scripts import Command, Reply
from .server import Server
from .turns import Turns

MOST = 16
"""Connections for one event loop."""

Options: TypeAlias = Callable[[], dict[str, Any]]

_KINDS = {"Connection", "SSLConnection", "UnixDomainSocketConnection"}
_SAME = {"host", "port", "path", "db", "username", "password", "credential_provider"}
"""What another connection to the same server is made of; and what begins with ``ssl_``."""


class OwnServer(Server):
    """A server that is reached over connections of our own.

    Args:
        name: What it is shown as.
        options: A blocking function: what a pool of connections is made with.
        most: How many connections there may be on one event loop.
        patience: As for `Server`.
    """

    def __init__(self, name: str, options: Options, most: int, patience: float) -> None:
        super().__init__(patience)
        if most < 1:
            raise ConfigError(f"max_connections is at least 1, not {most!r}")
        self.name = name
        self._turns: PerLoop[Turns] = PerLoop(partial(_opened, options, most))

    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        turns = self._turns.peek() or await self._turns.get()
        return await turns.ask(commands)

    @property
    def held(self) -> bool:
        """See `Server`."""
        return self._turns.held

    async def aclose(self) -> None:
        """Close all connections, those of other event loops, too."""
        await self._turns.aclose()


class LoopClient(Server):
    """An asyncio client: used as it is on the event loop that uses it first.

    Elsewhere (on other loops, by blocking callers) connections of our own lead to the same server.
    """

    def __init__(self, client: Any, patience: float) -> None:
        super().__init__(0.0)  # it has a patience of its own
        pool = getattr(client, "connection_pool", None)
        known = getattr(pool, "connection_kwargs", {})
        self.name = _name_of(client)
        self._home: weakref.ref[asyncio.AbstractEventLoop] | None = None
        self._turns = Turns(partial(_piped, client), MOST)
        self._elsewhere: OwnServer | None = None
        kind = getattr(pool, "connection_class", None)
        if getattr(kind, "__name__", "") in _KINDS:
            same = {n: known[n] for n in known if n in _SAME or n.startswith("ssl_")}
            same["connection_class"] = kind
            self._elsewhere = OwnServer(self.name, lambda: same, MOST, patience)

    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        if self._at_home():
            return await self._turns.ask(commands)
        if self._elsewhere is None:
            raise ConfigError("this client belongs to another event loop")
        return await self._elsewhere._send(commands)

    def _at_home(self) -> bool:
        if on_runner_loop():  # only users' loops are a user's client's
            return False
        loop = asyncio.get_running_loop()
        if self._home is None or self._home() is None:
            self._home = weakref.ref(loop)
        return self._home() is loop

    @property
    def held(self) -> bool:
        """See `Server`."""
        return self._elsewhere is not None and self._elsewhere.held

    async def aclose(self) -> None:
        """Close what was opened beside the client."""
        if self._elsewhere is not None:
            await self._elsewhere.aclose()


class ThreadClient(Server):
    """A blocking client: used in the caller's own thread, or in worker threads."""

    inline = True

    def __init__(self, client: Any) -> None:
        super().__init__(0.0)
        self._client = client
        self.name = _name_of(client)

    async def _send(self, commands: Sequence[Command]) -> list[Reply]:
        try:
            return await calls.call(_by_pipeline, self._client, commands)
        except Exception as error:
            raise translated(error) from error


def server_of(client: Any, patience: float) -> Server:
    """The server that a client talks to.

    Raises:
        TypeError: It is no client.
    """
    if not callable(getattr(client, "execute_command", None)) or not hasattr(client, "pipeline"):
        raise TypeError(f"{type(client).__name__} is no client of redis-py: see connect()")
    if inspect.iscoroutinefunction(client.execute_command):
        return LoopClient(client, patience)
    return ThreadClient(client)


@asynccontextmanager
async def _opened(options: Options, most: int) -> AsyncIterator[Turns]:
    """Connections of our own, for the running loop, until the end."""
    from .connections import exchanged, pool_of

    pool = pool_of(await calls.call(options), most)
    turns = Turns(partial(exchanged, pool), most)
    try:
        yield turns
    finally:
        await turns.close()
        await pool.disconnect()


async def _piped(client: Any, commands: Sequence[Command]) -> list[Reply]:
    try:
        return await _pipeline(client, commands).execute(raise_on_error=False)  # type: ignore[no-any-return]
    except Exception as error:
        raise translated(error) from error


def _by_pipeline(client: Any, commands: Sequence[Command]) -> list[Reply]:
    return _pipeline(client, commands).execute(raise_on_error=False)  # type: ignore[no-any-return]


def _pipeline(client: Any, commands: Sequence[Command]) -> Any:
    found = client.pipeline(transaction=False)
    for name, *arguments in commands:
        # The names of commands are text there, by which answers are prepared; these come as
        # bytes, whatever the client was told about text.
        found.execute_command(name.decode(), *arguments, NEVER_DECODE=True)  # type: ignore[union-attr]
    return found


def _name_of(client: Any) -> str:
    """Where a client leads to; its own ``repr`` may tell a password."""
    known = getattr(getattr(client, "connection_pool", None), "connection_kwargs", {})
    place = known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', PORT)}"
    return f"{place}/{known.get('db') or 0}"
