"""A store that leaves another alone for a while after it has failed too often."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import ConfigError
from ..._core.info import ByteRange, ListResult, ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..base import Keys, Outcome
from ..pieces import Body, Sink
from ..streams import AsyncWriter
from ._circuit import Circuit
from .identity import AsyncIdentityStore

T = TypeVar("T")


class AsyncCircuitBreakerStore(AsyncIdentityStore):
    """Stops asking a store that is down, so that callers learn it at once and it can recover.

    Closed, it counts the calls that end in `StoreUnavailable` or `StoreTimeout`. After too many it
    opens: all calls fail at once, with a `StoreUnavailable` that says when it will try again. Then
    one call is let through: if that is answered, it closes, else it opens for as long again. All
    loops and threads share one state. Streams that are open already go on.

    A deadline counts if it is the child's own; to this store's one, a call just ends.

    Args:
        store: A store of ours, or any object with the five async verbs.
        failures: How many failures open it.
        window: Seconds within which they have to fall.
        reset: Seconds after which it tries again.
        clock: Gives the time in seconds.
        timeout: Seconds that one operation may take.

    Raises:
        StoreUnavailable: It is open; ``retry_after`` says for how many seconds more.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        *,
        failures: int = 5,
        window: float = 60.0,
        reset: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        if failures < 1 or not window > 0 or not reset > 0:
            raise ConfigError("failures is at least 1, window and reset are seconds above 0")
        self._circuit = Circuit(failures, window, reset, clock)

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        return self._circuit.state

    async def _through(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Make a call, if the circuit lets it through, and tell it how that ended."""
        with self._circuit.call():
            return await call()

    # -- one object -------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        return await self._through(partial(super()._get, key, options))

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await self._through(partial(super()._get_ranges, key, parts, if_match))

    async def _head(self, key: str) -> ObjectInfo:
        return await self._through(partial(super()._head, key))

    async def _exists(self, key: str) -> bool:
        return await self._through(partial(super()._exists, key))

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        return await self._through(partial(super()._put, key, data, options))

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._through(partial(super()._delete, key, missing_ok, if_match))

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._through(partial(super()._copy, source, target, if_absent))

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._through(partial(super()._move, source, target, if_absent))

    # -- in pieces --------------------------------------------------------------------------

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with AsyncExitStack() as stack:
            reader = self._child._reader(key, options)
            await self._through(lambda: stack.enter_async_context(reader))
            yield Body(reader.info, self._watched(reader))

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        writer = self._child._writer(key, options)
        await self._through(writer.__aenter__)
        sink = _WatchedSink(self._circuit, writer)
        try:
            yield sink
        except BaseException as error:
            await writer.__aexit__(type(error), error, error.__traceback__)
            raise
        with self._circuit.step():
            await writer.aclose()
        sink.info = writer.info

    async def _watched(self, source: AsyncIterator[T]) -> AsyncIterator[T]:
        """A stream that was let through; if it breaks, that counts."""
        while True:
            with self._circuit.step():
                try:
                    item = await anext(source)
                except StopAsyncIteration:
                    return
            yield item

    # -- many -------------------------------------------------------------------------------

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async with closing(self._listed(super()._keys(prefix, start_after))) as keys:
            async for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._listed(super()._list(prefix, start_after))) as infos:
            async for info in infos:
                yield info

    async def _listed(self, source: AsyncIterator[T]) -> AsyncIterator[T]:
        async with closing(source):
            try:
                first = await self._through(partial(_step, source))
            except StopAsyncIteration:
                return
            yield first
            async with closing(self._watched(source)) as rest:
                async for item in rest:
                    yield item

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        return await self._through(partial(super()._list_with_delimiter, prefix, delimiter))

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async with closing(self._listed(super()._delete_many(keys, missing_ok))) as outcomes:
            async for key, error in outcomes:
                if error is not None:
                    self._circuit.note(error)
                yield key, error


async def _step(source: AsyncIterator[T]) -> T:
    return await anext(source)


class _WatchedSink:
    """Takes an object's pieces; if the store does not, that counts."""

    def __init__(self, circuit: Circuit, writer: AsyncWriter) -> None:
        self.info: ObjectInfo | None = None
        self._circuit = circuit
        self._writer = writer

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        with self._circuit.step():
            await self._writer.write(data)
