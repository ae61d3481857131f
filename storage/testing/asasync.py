"""A blocking store behind the async API, so that one set of tests serves both."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import io
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

# Many threads of our own: calls of many tasks at once must really meet in the store.
_THREADS = ThreadPoolExecutor(64, "storage-testing")
_END = object()
_ITERATORS = {"keys", "list", "stream", "get_many"}
_PLAIN = {"capabilities", "inline"}
_CHUNK = 256 * 1024


async def in_thread(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a function in a thread; a cancelled call ends when the function has ended."""
    return await _in_thread(partial(function, *args, **kwargs), cancellable=True)


async def clean_up_in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """Like `in_thread`, but the function runs even if the call is cancelled before it begins."""
    return await _in_thread(partial(function, *args), cancellable=False)


async def _in_thread(function: Callable[[], Any], *, cancellable: bool) -> Any:
    job = _THREADS.submit(contextvars.copy_context().run, function)
    future = asyncio.wrap_future(job)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if cancellable:
            job.cancel()  # if it has not begun
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()  # nobody else asks for it
        raise


class AsAsync:
    """A blocking store, presenting the async API; each call runs in a thread.

    Args:
        store: A store with the verbs of ours (a blocking twin, or one that does the same).
    """

    def __init__(self, store: Any) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        member = getattr(self.store, name)
        if name in _PLAIN:
            return member
        return partial(_iterate if name in _ITERATORS else _call, member)

    def open_reader(self, key: str, **options: Any) -> _Reader:
        """See `AsyncBaseStore`."""
        return _Reader(partial(self.store.open_reader, key, **options))

    def open_writer(self, key: str, **options: Any) -> _Writer:
        """See `AsyncBaseStore`."""
        return _Writer(partial(self.store.open_writer, key, **options))

    async def aclose(self) -> None:
        """See `AsyncBaseStore`."""
        await clean_up_in_thread(self.store.close)

    async def __aenter__(self) -> Self:
        await in_thread(self.store.__enter__)
        return self

    async def __aexit__(self, *exception: object) -> None:
        await clean_up_in_thread(self.store.__exit__, *exception)

    def __repr__(self) -> str:
        return repr(self.store)


async def _call(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return await in_thread(verb, *map(_blocking, args), **kwargs)


async def _iterate(
    verb: Callable[..., Any], *args: Any, **kwargs: Any
) -> AsyncGenerator[Any, None]:
    taken = [_blocking(value) for value in args]
    source = await in_thread(lambda: iter(verb(*taken, **kwargs)))
    try:
        while (item := await in_thread(next, source, _END)) is not _END:
            yield item
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            await clean_up_in_thread(close)


def _blocking(value: Any) -> Any:
    """An argument as blocking code can take it: async sources are pulled through the loop."""
    if isinstance(value, AsyncIterable) or inspect.iscoroutinefunction(getattr(value, "read", 0)):
        return _Pulled(value, asyncio.get_running_loop())
    if isinstance(value, Mapping):
        return {key: _blocking(item) for key, item in value.items()}
    return value


class _Pulled(Iterator[Any]):
    """An async iterable or async file, iterated from another thread than its loop's."""

    def __init__(self, source: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._read = getattr(source, "read", None)
        self._items = None if self._read else aiter(source)

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _next(self) -> Any:
        if self._read is not None:
            return await self._read(_CHUNK) or _END
        assert self._items is not None
        return await anext(self._items, _END)

    def __next__(self) -> Any:
        item = self._wait(self._next())
        if item is _END:
            raise StopIteration
        return item

    def close(self) -> None:
        close = getattr(self._items, "aclose", None)
        if close is not None:
            self._wait(close())


class _File:
    """What readers and writers share: they are opened and left in threads."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._file: Any = None

    def _opened(self) -> Any:
        if self._file is None:
            raise ValueError("the file is not open: use it in 'async with'")
        return self._file

    async def __aenter__(self) -> Any:
        try:
            await in_thread(self._enter)
        except BaseException as error:
            # Cancelled, while it was opened all the same.
            await self.__aexit__(type(error), error, None)
            raise
        return self

    def _enter(self) -> None:
        made = self._make()
        made.__enter__()
        self._file = made

    async def __aexit__(self, *exception: object) -> None:
        if self._file is not None:
            await clean_up_in_thread(self._file.__exit__, *(exception or (None, None, None)))

    async def aclose(self) -> None:
        await clean_up_in_thread(self._opened().close)

    @property
    def info(self) -> Any:
        return self._opened().info

    def tell(self) -> int:
        return self._opened().tell()  # type: ignore[no-any-return]


class _Reader(_File):
    async def read(self, size: int = -1) -> bytes:
        return await in_thread(self._fill, size)  # type: ignore[no-any-return]

    def _fill(self, size: int) -> bytes:
        """Exactly ``size`` bytes, as async readers give them; a raw file may give fewer."""
        file = self._opened()
        if size < 0:
            return file.read()  # type: ignore[no-any-return]
        parts = []
        while size > 0 and (part := file.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    async def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return await in_thread(self._opened().seek, offset, whence)  # type: ignore[no-any-return]

    def __aiter__(self) -> _Reader:
        return self

    async def __anext__(self) -> bytes:
        chunk = await in_thread(self._chunk)
        if not chunk:
            raise StopAsyncIteration
        return chunk  # type: ignore[no-any-return]

    def _chunk(self) -> Any:
        file = self._opened()
        # Ours give the pieces that the store reads; any file gives as many bytes as it has.
        return next(file.chunks(), b"") if hasattr(file, "chunks") else file.read(_CHUNK)


class _Writer(_File):
    async def write(self, data: Any) -> int:
        return await in_thread(self._opened().write, data)  # type: ignore[no-any-return]

    async def aclose(self) -> None:
        # Within its block a blocking file publishes at the end of the block only.
        await clean_up_in_thread(self._opened().__exit__, None, None, None)

    async def abort(self) -> None:
        await clean_up_in_thread(self._opened().abort)
