"""What a backend writes: the hooks, and how the verbs run them.

A backend writes four hooks (`_get`, `_put`, `_delete`, `_list`) and overrides of the others what
its medium does better than the default, which is built on those four.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from .._core import calls
from .._core.deadlines import Deadline
from .._core.errors import (
    ConfigError,
    NotSupported,
    ObjectNotFound,
    StoreClosed,
    StoreError,
    StoreTimeout,
)
from .._core.info import (
    READ_ALL,
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from .._core.keys import check_key, check_prefix
from .._core.resuming import resumed
from .._core.values import STREAM, as_buffer, as_piece
from .pieces import Body, BufferSink, Sink

T = TypeVar("T")
Ending: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class AsyncStoreHooks(ABC):
    """The ground of all stores: hooks, deadlines, closing.

    Args:
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    capabilities: Capability = Capability.NONE
    """What the store does by itself and atomically."""
    inline: bool = False
    """Whether its operations await nothing but blocking functions, so that they need no loop."""
    _timeout: float | None = None
    _closed = False
    _ending: Ending = (None, None, None)
    """How the block ended that is being left, for what is left with it."""

    def __init__(self, *, timeout: float | None = None) -> None:
        if timeout is not None and not timeout > 0:
            raise ConfigError(f"timeout is a number of seconds above 0 or None, not {timeout!r}")
        self._timeout = timeout

    # -- life -------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Let go of all that the store holds; may be called again."""
        if not self._closed:
            self._closed = True
            await self._teardown()

    async def __aenter__(self) -> Self:
        self._check_open("open")
        await self._run("open", None, self._setup())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._closed:  # or another task is at it
            return await self.aclose()
        self._ending = (kind, error, traceback)
        try:
            await self.aclose()
        finally:
            self._ending = (None, None, None)  # a traceback keeps much alive

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    # -- hooks ------------------------------------------------------------------------------

    @abstractmethod
    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        """Read an object, or the range asked for, and tell what the whole object is."""

    @abstractmethod
    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        """Store an object atomically, if the conditions hold."""

    @abstractmethod
    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        """Remove an object; raise `ObjectNotFound` where there is none, unless ``missing_ok``."""

    @abstractmethod
    def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        """List what begins with ``prefix`` and comes after ``start_after``, as a stream."""

    async def _get_data(self, key: str, options: ReadOptions) -> bytes:
        """Like `_get`, where nobody asks what the object is, and telling it would cost much."""
        return (await self._get(key, options))[0]

    async def _head(self, key: str) -> ObjectInfo:
        return (await self._get(key, READ_ALL))[1]

    async def _exists(self, key: str) -> bool:
        try:
            await self._head(key)
        except ObjectNotFound:
            return False
        return True

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        async for info in self._list(prefix, start_after):
            yield info.key

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        prefixes: dict[str, None] = {}
        objects = []
        async for info in self._list(prefix, ""):
            cut = info.key.find(delimiter, len(prefix))
            if cut < 0:
                objects.append(info)
            else:
                prefixes[info.key[: cut + len(delimiter)]] = None
        return ListResult(
            tuple(sorted(prefixes)), tuple(sorted(objects, key=lambda info: info.key))
        )

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        """Open an object, or the range asked for, for reading in pieces."""
        data, info = await self._get(key, options)

        async def once() -> AsyncIterator[bytes]:
            yield data

        yield Body(info, once())

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        """Take an object's pieces; publish it when the block ends well, else undo all."""
        sink = BufferSink()
        yield sink
        sink.info = await self._put(key, bytes(sink.buffer), options)

    @abstractmethod
    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        """Copy an object with its attributes; onto itself it changes nothing."""

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        info = await self._copy(source, target, if_absent)
        if source != target:
            await self._delete(source, True, None)
        return info

    async def _setup(self) -> None:
        """Open what the store holds, at ``async with``; the verbs must also work without."""

    async def _teardown(self) -> None:
        """Let go of what the store holds; called once."""

    def _locations(self) -> tuple[tuple[str, str], ...]:
        """Where the objects are: services, and the path in each that all of ours begin with.

        Two stores may share objects if they name the same service, and one path begins with the
        other. Called in a worker thread.
        """
        return (("object", f"{id(self):x}/"),)

    # -- checks and deadlines ---------------------------------------------------------------

    def _check_open(self, operation: str) -> None:
        if self._closed:
            raise StoreClosed("the store was closed", operation=operation, store=repr(self))

    def _check(self, operation: str, key: str) -> None:
        if self._closed:
            self._check_open(operation)
        try:
            check_key(key)
            self._check_key(key)
        except StoreError as error:
            error.located(operation=operation, store=repr(self))
            raise

    def _as_value(self, data: Any) -> Any:
        """What was given to `put`, as `_put` takes it; `STREAM` if it comes in pieces."""
        buffer = as_buffer(data)
        return STREAM if buffer is None else buffer

    def _as_piece(self, piece: Any) -> Any:
        """A piece of what comes in pieces, as the sink of `_create` takes it."""
        return as_piece(piece)

    def _check_key(self, key: str) -> None:
        """Raise `InvalidKey` where this store cannot keep such a key; does no I/O."""

    def _check_listing(self, operation: str, prefix: str, start_after: str) -> None:
        self._check_open(operation)
        check_prefix(prefix)
        check_prefix(start_after)

    def _require(self, operation: str, key: str, needed: Capability, what: str) -> None:
        if needed not in self.capabilities:
            raise NotSupported(
                f"this store cannot do {what}", operation=operation, store=repr(self), key=key
            )

    def _run(
        self, operation: str, key: str | None, work: Coroutine[Any, Any, T]
    ) -> Coroutine[Any, Any, T]:
        """Do a piece of work within the deadline, and say where an error came from."""
        # A blocking caller's thread cannot be interrupted; there the deadline has no meaning.
        if self._timeout is not None and not calls.direct():
            work = self._within(self._timeout, work)
        return self._place(operation, key, work)

    async def _place(self, operation: str, key: str | None, work: Coroutine[Any, Any, T]) -> T:
        """Do a piece of work, and say where an error came from."""
        try:
            return await work
        except StoreError as error:
            error.located(operation=operation, store=repr(self), key=key)
            raise

    async def _within(self, timeout: float, work: Coroutine[Any, Any, T]) -> T:
        deadline = Deadline(timeout)
        try:
            with deadline:
                return await work
        except TimeoutError as error:
            if deadline.expired and not isinstance(error, StoreError):
                raise StoreTimeout(f"it took longer than {timeout:g} s") from error
            raise

    async def _steps(self, operation: str, source: AsyncIterator[T]) -> AsyncGenerator[T, None]:
        """Iterate with the deadline on each step, and close the source at the end."""
        try:
            if self._timeout is None:
                async for item in source:
                    yield item
                return
            while True:
                step = _step(source)
                try:
                    waiting = step.send(None)
                    item = await self._run(operation, None, resumed(step, waiting))
                except StopIteration as done:  # there was nothing to wait for, as a rule
                    item = done.value
                except StopAsyncIteration:
                    return
                yield item
        except StoreError as error:
            error.located(operation=operation, store=repr(self))
            raise
        finally:
            await source.aclose()  # type: ignore[attr-defined]


async def _step(source: AsyncIterator[T]) -> T:
    return await anext(source)
