"""A user's own client of redis-py, blocking or for asyncio. It is never closed here."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Sequence
from typing import Any

from ...._core import calls
from ...._core.errors import ConfigError
from ...._core.text import Secret
from ...._core.window import finish_all
from .address import PORT, Address, Lost
from .errors import translated
from .protocol import Command, Reply
from .server import OwnServer, Server
from .sockets import Deadline

_RAW = {"NEVER_DECODE": True}
"""Replies come as bytes, whatever the client was told about text."""
_KINDS = {"Connection", "SSLConnection", "UnixDomainSocketConnection"}


def server_of(client: Any, patience: float) -> Server:
    """The server that a client talks to.

    Raises:
        TypeError: It is no client.
    """
    if not callable(getattr(client, "execute_command", None)) or not hasattr(client, "pipeline"):
        raise TypeError(f"{type(client).__name__} is no client of redis-py: see connect()")
    if inspect.iscoroutinefunction(client.execute_command):
        return LoopClient(client, patience)
    return ThreadClient(client, patience)


class ThreadClient(Server):
    """A blocking client: used in the caller's own thread, or in worker threads."""

    def __init__(self, client: Any, patience: float) -> None:
        super().__init__(0.0)  # it has a patience of its own
        self._client = client
        self.name = _name_of(client)

    async def _send(self, commands: Sequence[Command], end: Deadline) -> list[Reply]:
        end.left()
        return await calls.call(_by_pipeline, self._client, commands)

    @property
    def held(self) -> bool:
        """See `Server`."""
        return False

    async def aclose(self) -> None:
        """See `Server`."""


class LoopClient(Server):
    """An asyncio client: used as it is on the event loop that uses it first.

    Elsewhere (on other loops, by blocking callers) connections of our own lead to the same server.
    """

    def __init__(self, client: Any, patience: float) -> None:
        super().__init__(0.0)
        self._client = client
        self.name = _name_of(client)
        self._home: weakref.ref[asyncio.AbstractEventLoop] | None = None
        self._queue: list[_Wanted] = []
        address = _address_of(client)
        self._elsewhere = None if address is None else OwnServer(address, patience=patience)
        self.inline: bool = address is not None

    async def _send(self, commands: Sequence[Command], end: Deadline) -> list[Reply]:
        if calls.direct() or not self._at_home():
            if self._elsewhere is None:
                raise ConfigError("this client belongs to another event loop")
            return await self._elsewhere._send(commands, end)
        loop = asyncio.get_running_loop()
        if not self._queue:
            loop.call_soon(self._flush)
        wanted = _Wanted(commands)
        self._queue.append(wanted)
        try:
            return await wanted.future
        except asyncio.CancelledError:
            wanted.future.cancel()
            if wanted.batch is not None:
                await wanted.batch.leave()
            raise

    def _at_home(self) -> bool:
        loop = asyncio.get_running_loop()
        if self._home is None or self._home() is None:
            self._home = weakref.ref(loop)
        return self._home() is loop

    def _flush(self) -> None:
        """Send what has come together in this turn of the loop."""
        queue, self._queue = self._queue, []
        wanted = [each for each in queue if not each.future.done()]
        if wanted:
            _Batch(self._client, wanted)

    @property
    def held(self) -> bool:
        """See `Server`."""
        return self._elsewhere is not None and self._elsewhere.held

    async def aclose(self) -> None:
        """Close what was opened beside the client."""
        if self._elsewhere is not None:
            await self._elsewhere.aclose()


class _Wanted:
    """Some commands whose answers somebody waits for."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self.batch: _Batch | None = None


class _Batch:
    """One pipeline for all who came in one turn; cancelled when the last of them is."""

    def __init__(self, client: Any, wanted: list[_Wanted]) -> None:
        self._client = client
        self._wanted = wanted
        for each in wanted:
            each.batch = self
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        pipeline = _pipeline(self._client, [c for each in self._wanted for c in each.commands])
        try:
            replies = await pipeline.execute(raise_on_error=False)
        except Exception as error:
            self._fail(translated(error))
            return
        except BaseException:
            self._fail(Lost(ConnectionError("it was interrupted"), sent=True))
            raise
        at = 0
        for each in self._wanted:
            found = replies[at : at + len(each.commands)]
            at += len(each.commands)
            if not each.future.done():
                each.future.set_result(found)

    def _fail(self, error: Exception) -> None:
        for each in self._wanted:
            if not each.future.done():
                each.future.set_exception(error)

    async def leave(self) -> None:
        """Somebody was cancelled: the pipeline goes on for the others, if there are any."""
        if all(each.future.done() for each in self._wanted) and not self._task.done():
            self._task.cancel()
            await finish_all([asyncio.wait([self._task])])


def _by_pipeline(client: Any, commands: Sequence[Command]) -> list[Reply]:
    try:
        return _pipeline(client, commands).execute(raise_on_error=False)  # type: ignore[no-any-return]
    except Exception as error:
        raise translated(error) from error


def _pipeline(client: Any, commands: Sequence[Command]) -> Any:
    found = client.pipeline(transaction=False)
    for command in commands:
        # The names of commands are text there, by which answers are prepared.
        found.execute_command(command[0].decode(), *command[1:], **_RAW)  # type: ignore[union-attr]
    return found


def _name_of(client: Any) -> str:
    """Where a client leads to; its own ``repr`` may tell a password."""
    known = getattr(getattr(client, "connection_pool", None), "connection_kwargs", {})
    place = known.get("path") or f"{known.get('host', 'localhost')}:{known.get('port', PORT)}"
    return f"{place}/{known.get('db') or 0}"


def _address_of(client: Any) -> Address | None:
    """Where a client leads to, if that is all there is to it."""
    pool = getattr(client, "connection_pool", None)
    known = getattr(pool, "connection_kwargs", {})
    kind = getattr(pool, "connection_class", type(None)).__name__
    if kind not in _KINDS or known.get("credential_provider") is not None:
        return None
    password = known.get("password")
    if kind == "SSLConnection" and known.get("ssl_certfile"):
        return None
    verify: bool | str = known.get("ssl_ca_certs") or known.get("ssl_cert_reqs") != "none"
    return Address(
        known.get("host") or "localhost",
        int(known.get("port") or PORT),
        int(known.get("db") or 0),
        known.get("username") if password else None,
        Secret(password) if password else None,
        known.get("path"),
        kind == "SSLConnection",
        verify,
    )
