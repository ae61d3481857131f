"""Values that are too long for one command, or come in pieces."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ...._core import calls
from ...._core.errors import NoSpace, StoreError, StoreUnavailable
from ...._core.info import ObjectInfo, WriteOptions
from ...._core.window import finish_all
from .companions import UPLOAD, Attributes
from .scripts import PUBLISH, Command
from .server import raised

if TYPE_CHECKING:
    from .hooks import AsyncRedisHooks

T = TypeVar("T")

LONGEST = 512 * 1024 * 1024
"""Bytes that a value of Redis has at most."""
WHOLE = 1024 * 1024
"""Bytes up to which a value goes through a script, which copies it."""
PIECE = 4 * 1024 * 1024
LIFE = 3_600_000
"""Milliseconds after which what was not published goes by itself, counted from the last piece."""
GRACE = 1.0
"""Seconds that a cancelled write waits for its last answer."""


def check_length(size: int) -> None:
    """Raise `NoSpace` where no value can be as long."""
    if size > LONGEST:
        raise NoSpace(f"a value of Redis has {LONGEST} bytes at most, not {size}")


class RedisSink:
    """Collects pieces on the server, under a name that nobody lists and that expires.

    Args:
        store: Where the object is to be.
        key: Its key.
        options: How it is written.
    """

    def __init__(self, store: AsyncRedisHooks, key: str, options: WriteOptions) -> None:
        self.info: ObjectInfo | None = None
        self._store = store
        self._key = key
        self._options = options
        self._buffer = bytearray()
        self._sent = 0
        self._name = store._prefix + UPLOAD + secrets.token_hex(12).encode()

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        check_length(self._sent + len(self._buffer) + len(data))
        self._buffer += data
        if len(self._buffer) >= PIECE:
            await self._send()

    async def _send(self) -> None:
        buffer, self._buffer = self._buffer, bytearray()
        at, self._sent = self._sent, self._sent + len(buffer)
        commands: list[Command] = [
            (b"MULTI",),
            (b"SETRANGE", self._name, at, memoryview(buffer)),
            (b"PEXPIRE", self._name, LIFE),
            (b"EXEC",),
        ]
        replies = await settled(self._store._ask(commands))
        for reply in replies[:-1]:
            raised(reply)
        if raised(replies[-1])[0] != self._sent:
            raise StoreUnavailable("the pieces of a stream have gone from the server")

    async def publish(self) -> None:
        """Make the object of all pieces."""
        if not self._sent:
            data = memoryview(self._buffer)
            self.info = await self._store._put(self._key, data, self._options)
            return
        if self._buffer:
            await self._send()
        attributes = Attributes(self._sent, self._options)
        self.info = await publish(
            self._store, self._key, self._name, self._sent, self._options, attributes, []
        )

    async def discard(self) -> None:
        """Remove what is there."""
        if self._sent:
            await discard(self._store, self._name)


async def put_long(
    store: AsyncRedisHooks, key: str, data: bytes | memoryview, options: WriteOptions
) -> ObjectInfo:
    """Store a value that is too long for a script: under a name of its own, then published."""
    check_length(len(data))
    name = store._prefix + UPLOAD + secrets.token_hex(12).encode()
    first: Command = (b"SET", name, data, b"PX", LIFE)
    attributes = Attributes(len(data), options)
    try:
        return await publish(store, key, name, len(data), options, attributes, [first])
    except BaseException:
        await discard(store, name)
        raise


async def publish(
    store: AsyncRedisHooks,
    key: str,
    name: bytes,
    size: int,
    options: WriteOptions,
    attributes: Attributes,
    before: list[Command],
) -> ObjectInfo:
    """Give content that is on the server its key, in one step."""
    arguments = store._written(options, attributes)
    command = PUBLISH([*store._names(key), name], size, *arguments)
    *earlier, last = await settled(store._ask([*before, command]))
    for reply in earlier:
        raised(reply)
    reply = raised(last)
    if reply[0] == -1:
        raise StoreUnavailable("the content has gone from the server before it was published")
    return store._stored(key, reply, options, attributes, None)


async def discard(store: AsyncRedisHooks, name: bytes) -> None:
    """Remove unpublished content, if that can be done at once; it expires in any case."""
    work = _removed(store, name)
    if calls.direct():
        await work
    else:
        await finish_all([asyncio.wait_for(work, GRACE)])


async def _removed(store: AsyncRedisHooks, name: bytes) -> None:
    try:
        await store._ask([(b"UNLINK", name)])
    except StoreError:
        pass  # also where the store was closed meanwhile


async def settled(work: Coroutine[Any, Any, T]) -> T:
    """Do some work; if it is cancelled, its end is waited for a moment.

    Else what was sent may reach the server after that which removes it.
    """
    if calls.direct():
        return await work
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await finish_all([asyncio.wait([task], timeout=GRACE)])
        task.cancel()
        await finish_all([asyncio.wait([task])])
        if not task.cancelled():
            task.exception()
        raise
