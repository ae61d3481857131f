"""A store with one door around all of its operations: the ground of those that watch or limit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from ..._core.closing import closing
from ..._core.info import ByteRange, ListResult, ObjectInfo, ReadOptions, WriteOptions
from ..base import Keys, Outcome
from ..pieces import Body, Sink
from .identity import AsyncIdentityStore


class Passage:
    """What happens around one operation; this one does nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the operation, which has ended."""

    async def sent(self, size: int) -> None:
        """So many bytes are about to be written."""

    async def publishing(self) -> None:
        """All pieces of a stream were written; the object is about to be published."""

    async def received(self, size: int) -> None:
        """So many bytes were read."""

    def failed(self, error: Exception) -> None:
        """A piece of a stream failed, which the end of the operation does not tell."""


QUIET = Passage()


class AsyncAroundStore(AsyncIdentityStore):
    """Hands everything to its child, each operation with `_during` around it.

    Operations go by the names of the verbs, less a few: ``get`` is all that reads an object whole
    or one range of it, ``open_reader`` and ``open_writer`` are all streams, and the verbs that are
    made of others are those.
    """

    def _during(self, verb: str, key: str | None) -> Passage:
        """What happens around an operation; its context is open for as long as a stream is."""
        return QUIET

    # -- one object -------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        async with self._during("get", key) as passage:
            found = await super()._get(key, options)
            await passage.received(weigh(found[0]))
            return found

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        async with self._during("get_ranges", key) as passage:
            found = await super()._get_ranges(key, parts, if_match)
            await passage.received(sum(map(weigh, found)))
            return found

    async def _head(self, key: str) -> ObjectInfo:
        async with self._during("head", key):
            return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        async with self._during("exists", key):
            return await super()._exists(key)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with self._during("open_reader", key) as passage, super()._open(key, options) as body:
            yield Body(body.info, self._arriving(passage, body.chunks))

    async def _arriving(
        self, passage: Passage, chunks: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        """The pieces of a stream that is read."""
        async with closing(chunks):
            try:
                async for chunk in chunks:
                    await passage.received(len(chunk))
                    yield chunk
            except Exception as error:  # the context is left as if nothing had happened
                passage.failed(error)
                raise

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        async with self._during("put", key) as passage:
            await passage.sent(weigh(data))
            return await super()._put(key, data, options)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with self._during("open_writer", key) as passage:
            async with super()._create(key, options) as inner:
                sink = PassingSink(passage, inner)
                yield sink
                await passage.publishing()
            sink.info = inner.info

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async with self._during("delete", key):
            await super()._delete(key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._during("copy", source):
            return await super()._copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._during("move", source):
            return await super()._move(source, target, if_absent)

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        async with self._during("presigned_get", key):
            return await super().presigned_get(key, expiry)

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`. Raises `NotSupported` where the child gives out no URLs."""
        async with self._during("presigned_put", key):
            return await super().presigned_put(key, expiry)

    # -- many -------------------------------------------------------------------------------

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with (
            self._during("delete_many", None),
            closing(super()._delete_many(keys, missing_ok)) as outcomes,
        ):
            async for outcome in outcomes:
                yield outcome

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with (
            self._during("keys", None),
            closing(super()._keys(prefix, start_after)) as keys,
        ):
            async for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with (
            self._during("list", None),
            closing(super()._list(prefix, start_after)) as infos,
        ):
            async for info in infos:
                yield info

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        async with self._during("list_with_delimiter", None):
            return await super()._list_with_delimiter(prefix, delimiter)


class PassingSink:
    """A sink with a passage around each piece."""

    def __init__(self, passage: Passage, sink: Sink) -> None:
        self.info: ObjectInfo | None = None
        self._passage = passage
        self._sink = sink

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        await self._passage.sent(len(data))
        await self._sink.write(data)


def weigh(data: Any) -> int:
    """The length of a value in bytes; 0 for what has none."""
    return len(data) if isinstance(data, bytes | bytearray | memoryview) else 0
