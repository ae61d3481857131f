"""The hooks of the store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ...._core.errors import ObjectExists, ObjectNotFound, PreconditionFailed
from ...._core.info import (
    READ_ALL,
    ByteRange,
    Capability,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
    check_delete,
)
from ...base import AsyncBaseStore
from ...pieces import Body, Sink
from .companions import SUFFIX, Attributes, info_beside, info_of
from .scripts import COPY, DELETE, LOOK, PUT, READ, Argument, Command
from .server import Server, raised
from .writing import LONGEST, WHOLE, RedisSink, put_long

CHUNK = 1024 * 1024
"""Bytes of a stream that are read at once."""
PAGE = 512
"""Keys that one step of a listing looks at, about."""
GLANCE = 64
"""Objects that one script looks at: the server does nothing else meanwhile."""

_SPECIAL = re.compile(rb"[*?\[\]\\^-]")


class AsyncRedisHooks(AsyncBaseStore):
    """What `AsyncRedisStore` does; it says how it is made."""

    capabilities = ~Capability.ORDERED

    _server: Server
    _prefix: bytes
    _ttl: float | None

    # -- names and commands -----------------------------------------------------------------

    def _names(self, key: str) -> tuple[bytes, bytes]:
        """What an object and its companion are called on the server."""
        name = self._prefix + key.encode()
        return name, name + SUFFIX

    async def _ask(self, commands: Sequence[Command], *, again: bool = True) -> list[Any]:
        return await self._server.ask(commands, again=again)

    async def _one(self, command: Command, *, again: bool = True) -> Any:
        return raised((await self._ask([command], again=again))[0])

    # -- reading ----------------------------------------------------------------------------

    async def _get_data(self, key: str, options: ReadOptions) -> bytes:
        name = self._prefix + key.encode()
        part = options.byte_range
        if options.conditional:
            return (await self._get(key, options))[0]
        if part is None:
            data = await self._one((b"GET", name))
            if data is None:
                raise ObjectNotFound("there is no object under this key")
        else:
            last = -1 if part.end is None else part.end - 1
            empty = part.end == part.start
            data = b"" if empty else await self._one((b"GETRANGE", name, part.start, last))
            if not data:  # or there is nothing at all
                return (await self._get(key, options))[0]
        return data  # type: ignore[no-any-return]

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        if options is not READ_ALL:
            return await self._read_part(key, options, LONGEST)
        data, said = await self._one((b"MGET", *self._names(key)))
        if data is None:
            raise ObjectNotFound("there is no object under this key")
        return data, info_beside(key, data, said)

    async def _head(self, key: str) -> ObjectInfo:
        return (await self._read_part(key, READ_ALL, 0))[1]

    async def _read_part(
        self, key: str, options: ReadOptions, limit: int
    ) -> tuple[bytes, ObjectInfo]:
        """Read no more than ``limit`` bytes of what is asked for."""
        part = options.byte_range
        start, end = (0, None) if part is None else (part.start, part.end)
        command = READ(
            self._names(key),
            start,
            b"" if end is None else end,
            limit,
            _condition(options.if_match),
            _condition(options.if_none_match),
        )
        found = await self._one(command)
        if found is None:
            raise ObjectNotFound("there is no object under this key")
        info = info_of(key, *found[:3])
        options.check(info)
        return found[3], info

    async def _exists(self, key: str) -> bool:
        return bool(await self._one((b"EXISTS", self._prefix + key.encode())))

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        first, info = await self._read_part(key, options, CHUNK)
        assert info.size is not None
        part = options.byte_range
        start, end = (0, info.size) if part is None else part.resolve(info.size)

        async def chunks() -> AsyncIterator[bytes]:
            at, chunk = start, first
            while chunk:
                yield chunk
                at += len(chunk)
                if at >= end:
                    return
                chunk = await self._go_on(key, at, end, info)

        yield Body(info, chunks())

    async def _go_on(self, key: str, at: int, end: int, info: ObjectInfo) -> bytes:
        """The next bytes of the very same version."""
        try:
            wanted = ReadOptions(ByteRange(at, end), info.etag)
            return (await self._read_part(key, wanted, CHUNK))[0]
        except ObjectNotFound as error:
            raise PreconditionFailed("the object went while it was read") from error

    # -- writing ----------------------------------------------------------------------------

    def _lifetime(self) -> Argument:
        """The lifetime of what is put, in milliseconds, as scripts take it."""
        if self._ttl is None:
            return b""
        return max(1, round(self._ttl * 1000)) if self._ttl > 0 else 0

    def _written(self, options: WriteOptions, attributes: Attributes) -> tuple[Argument, ...]:
        """What a script is told of a write."""
        return (
            b"1" if options.if_absent else b"",
            _condition(options.if_match),
            self._lifetime(),
            attributes.token,
            attributes.text,
        )

    def _putting(
        self, key: str, data: bytes | memoryview, options: WriteOptions, attributes: Attributes
    ) -> Command:
        return PUT(self._names(key), data, *self._written(options, attributes))

    def _stored(
        self,
        key: str,
        reply: list[Any],
        options: WriteOptions,
        attributes: Attributes,
        data: bytes | memoryview | None,
    ) -> ObjectInfo:
        """What was stored, if it was."""
        if not reply[0]:
            options.check(key, info_of(key, *reply[1]) if len(reply) > 1 else None)
        return attributes.info(key, data)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if len(data) > WHOLE:
            return await put_long(self, key, data, options)
        attributes = Attributes(len(data), options)
        reply = await self._one(self._putting(key, data, options, attributes))
        return self._stored(key, reply, options, attributes, data)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = RedisSink(self, key, options)
        try:
            yield sink
            await sink.publish()
        except BaseException:
            await sink.discard()
            raise

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        command = DELETE(self._names(key), _condition(if_match))
        reply = await self._one(command, again=missing_ok and if_match is None)
        _check_deleted(key, reply, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._copied(source, target, if_absent, b"")

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._copied(source, target, if_absent, b"1")

    async def _copied(self, source: str, target: str, if_absent: bool, moves: bytes) -> ObjectInfo:
        names = [*self._names(source), *self._names(target)]
        command = COPY(names, b"1" if if_absent else b"", moves)
        again = not (if_absent or moves)
        reply = await self._run("copy", source, self._one(command, again=again))
        if reply[0] == 0:
            raise ObjectExists("there is an object under this key", key=target)
        if reply[0] < 0:
            raise ObjectNotFound("there is no object under this key", key=source)
        return info_of(target, *reply[1])

    # -- listing ----------------------------------------------------------------------------

    async def _pages(self, prefix: str, start_after: str) -> AsyncIterator[list[str]]:
        """The keys in the server's order, each once; others may come and go meanwhile."""
        try:
            pattern = _SPECIAL.sub(rb"\\\g<0>", self._prefix + prefix.encode()) + b"*"
        except UnicodeEncodeError:
            return  # no key begins so
        after = start_after.encode(errors="surrogatepass")
        seen = Seen()
        cursor = b"0"
        while True:
            command = (b"SCAN", cursor, b"MATCH", pattern, b"COUNT", PAGE, b"TYPE", b"string")
            found, names = await self._one(command)
            page = []
            for name in names:
                key = _key_of(name[len(self._prefix) :])
                if key is not None and (not after or key.encode() > after) and seen.first(key):
                    page.append(key)
            if page:
                yield page
            cursor = found if isinstance(found, bytes) else b"%d" % found
            if cursor == b"0":
                return

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async for page in self._pages(prefix, start_after):
            for key in page:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for page in self._pages(prefix, start_after):
            for at in range(0, len(page), GLANCE):
                keys = page[at : at + GLANCE]
                names = [name for key in keys for name in self._names(key)]
                for key, found in zip(keys, await self._one(LOOK(names)), strict=True):
                    if found is not None:  # else it went meanwhile
                        yield info_of(key, *found)


class Seen:
    """Tells which keys come for the first time.

    A server that makes its table smaller while it is listed may tell keys twice. They come soon
    after each other, so that only the last ones are remembered.
    """

    MOST = 200_000

    def __init__(self) -> None:
        self._old: set[str] = set()
        self._new: set[str] = set()

    def first(self, key: str) -> bool:
        """Whether a key comes for the first time."""
        if key in self._new or key in self._old:
            return False
        if len(self._new) == self.MOST:
            self._old, self._new = self._new, set()
        self._new.add(key)
        return True


def _key_of(name: bytes) -> str | None:
    """The key that something on the server has; None where it can be none."""
    if b"\0" in name or not 0 < len(name) <= 1024:
        return None
    try:
        return name.decode()
    except UnicodeDecodeError:
        return None


def _condition(etag: str | None) -> bytes:
    """A condition as scripts take it: empty for none."""
    return b"" if etag is None else b"=" + etag.encode(errors="replace")


def _check_deleted(
    key: str, reply: list[Any], missing_ok: bool, if_match: str | None = None
) -> None:
    """Raise unless the object was removed."""
    if reply[0] or (missing_ok and if_match is None):
        return
    check_delete(key, info_of(key, *reply[1]) if len(reply) > 1 else None, if_match)
