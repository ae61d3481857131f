"""A store that hands everything to another: the ground of all that change a little of one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from ..._core.closing import closing
from ..._core.errors import NotSupported
from ..._core.info import (
    ByteRange,
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from ..._core.protocol import AsyncObjectStore, SupportsPresign
from ..base import Keys, Outcome
from ..pieces import Body, Sink
from ..streams import WriterSink
from .children import AsyncParentStore


class AsyncIdentityStore(AsyncParentStore):
    """Does what its child does, verb by verb, each natively; made to be subclassed.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__((store,), timeout=timeout)
        self._child = self._children[0]
        self.inline = self._child.inline

    @property
    def store(self) -> AsyncObjectStore:
        """The store that it was made of: the very object that was passed, or, where entering that
        gave another store, this one.
        """
        return self.children[0]

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself."""
        # Asked each time: a child may learn later what its server can do.
        return self._child.capabilities

    @property
    def _keeps_modified(self) -> bool:  # type: ignore[override]
        return self._child._keeps_modified

    @property
    def _stream_bytes(self) -> int:  # type: ignore[override]
        return self._child._stream_bytes

    def _as_value(self, data: Any) -> Any:
        return self._child._as_value(data)

    def _as_piece(self, piece: Any) -> Any:
        return self._child._as_piece(piece)

    def _check_key(self, key: str) -> None:
        self._child._check_key(key)

    # -- one object -------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        return await self._child._read(key, options)

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await self._child.get_ranges(key, parts, if_match=if_match)

    async def _head(self, key: str) -> ObjectInfo:
        return await self._child.head(key)

    async def _exists(self, key: str) -> bool:
        return await self._child.exists(key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with self._child._reader(key, options) as reader:
            yield Body(reader.info, reader)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        return await self._child._write(key, data, options)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._child._writer(key, options) as writer:
            sink = WriterSink(writer)
            yield sink
        sink.info = writer.info

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._child.delete(key, missing_ok=missing_ok, if_match=if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._child.copy(source, target, if_absent=if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._child.move(source, target, if_absent=if_absent)

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return await self._presigning("presigned_get", key)(key, expiry)

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        return await self._presigning("presigned_put", key)(key, expiry)

    def _presigning(self, verb: str, key: str) -> Callable[[str, int], Awaitable[str]]:
        """The child's own verb."""
        self._check(verb, key)
        if not isinstance(self._child, SupportsPresign):
            raise NotSupported(
                "this store gives out no URLs", operation=verb, store=repr(self), key=key
            )
        return self._child.presigned_get if verb == "presigned_get" else self._child.presigned_put

    # -- many -------------------------------------------------------------------------------

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with closing(self._child._delete_many(keys, missing_ok)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with closing(self._child.keys(prefix, start_after=start_after)) as keys:
            async for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._child.list(prefix, start_after=start_after)) as infos:
            async for info in infos:
                yield info

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        return await self._child.list_with_delimiter(prefix, delimiter)
