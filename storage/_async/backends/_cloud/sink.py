"""What a stream is written into."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from ...._core.info import ObjectInfo, WriteOptions
from ...._core.window import finish_all
from .digests import fed
from .service import Service, Upload

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]


class SinkStore(Protocol):
    """What a sink asks of its store."""

    _medium: Service
    _prefix: str
    _part_size: int

    async def _put(
        self, key: str, data: bytes | memoryview, options: WriteOptions
    ) -> ObjectInfo: ...
    async def _made(self, work: Work[T]) -> T: ...
    async def _won(self, name: str, token: str | None, work: Work[ObjectInfo]) -> ObjectInfo: ...
    def _own(self, info: ObjectInfo) -> ObjectInfo: ...


class CloudSink:
    """Takes an object's pieces: one request if they are few, else parts."""

    def __init__(self, store: SinkStore, key: str, options: WriteOptions) -> None:
        self.info: ObjectInfo | None = None
        self._store = store
        self._key = key
        self._options = options
        self._token = token_of(options)
        self._buffer = bytearray()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._upload: Upload | None = None

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece; a part leaves when it is known that there is another one."""
        size, rest = self._store._part_size, memoryview(data)
        while rest:
            if len(self._buffer) == size:
                await self._part()
            taken = rest[: size - len(self._buffer)]
            self._buffer += taken
            rest = rest[len(taken) :]

    async def _part(self) -> None:
        store, upload = self._store, self._upload
        data = bytes(self._buffer)
        self._buffer.clear()
        await fed(self._md5, data)
        if upload is not None:
            await upload.part(data)
        else:
            await store._made(lambda: self._begin(data))

    async def _begin(self, data: bytes) -> None:
        """Begin an upload with its first part."""
        name = self._store._prefix + self._key
        self._upload = await self._store._medium.upload(name, self._options, self._token)
        await self._upload.part(data)

    async def finish(self) -> ObjectInfo:
        """Publish the object."""
        store, data, upload = self._store, bytes(self._buffer), self._upload
        if upload is None:
            return await store._put(self._key, data, self._options)
        await fed(self._md5, data)
        name = store._prefix + self._key
        info = await store._won(name, self._token, lambda: upload.finish(data, self._md5.digest()))
        self._upload = None
        return store._own(info)

    async def abort(self) -> None:
        """Let nothing be left of it."""
        upload, self._upload = self._upload, None
        self._buffer.clear()
        if upload is not None:
            await finish_all([upload.abort()])


def token_of(options: WriteOptions) -> str | None:
    """The mark of a write that has a condition."""
    return secrets.token_hex(8) if options.conditional else None
