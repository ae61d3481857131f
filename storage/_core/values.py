"""What can be put: bytes-like objects and streams."""

from __future__ import annotations

import copy
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
)
from time import monotonic
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from . import calls
from .closing import closing

T = TypeVar("T")

CHUNK_SIZE = 256 * 1024
"""Bytes that streams are read by, unless told otherwise."""
STREAM: Any = object()
"""Stands for a value that comes in pieces."""
PULL_TIME = 0.005
"""Seconds after which a slow iterator's chunks go on their way."""


@runtime_checkable
class SupportsRead(Protocol):
    """A blocking file object, open for reading bytes."""

    def read(self, size: int, /) -> bytes: ...


@runtime_checkable
class SupportsAsyncRead(Protocol):
    """An async file object, open for reading bytes."""

    async def read(self, size: int, /) -> bytes: ...


BytesLike: TypeAlias = bytes | bytearray | memoryview
Data: TypeAlias = (
    BytesLike | SupportsRead | SupportsAsyncRead | Iterable[BytesLike] | AsyncIterable[BytesLike]
)


def as_buffer(data: Any) -> bytes | memoryview | None:
    """``data`` as one buffer if it is bytes-like; None if it is a stream.

    Raises:
        TypeError: It is neither.
    """
    if type(data) is bytes:
        return data
    if isinstance(data, str):
        raise TypeError("an object's value is bytes, not str: encode it first")
    try:
        return memoryview(data).cast("B")
    except TypeError:
        pass
    if isinstance(data, SupportsRead | AsyncIterable | Iterable) and not isinstance(data, dict):
        return None
    raise TypeError(f"an object's value is bytes-like or a stream of it, not {type(data).__name__}")


def as_piece(piece: Any) -> bytes | memoryview:
    """A piece of a stream of bytes. Raises ``TypeError`` where it is none."""
    buffer = None if isinstance(piece, str) else as_buffer(piece)
    if buffer is None:
        kind = type(piece).__name__
        raise TypeError(f"a stream of bytes is made of bytes-like pieces, not of {kind}")
    return buffer


def ones_own(value: Any) -> Any:
    """A value that several were given, for one of them; what cannot be copied is shared."""
    if isinstance(value, bytes | str):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # whatever it says for itself
        return value


async def chunks_of(data: Any, check: Callable[[Any], Any] = as_piece) -> AsyncGenerator[Any, None]:
    """The pieces of a stream; blocking ones are read in threads.

    Args:
        data: What `as_buffer` gave None for.
        check: Gives a piece as the store takes it, or raises ``TypeError``.
    """
    if isinstance(data, SupportsRead):
        source: AsyncGenerator[Any, None] = _read(data, check)
    elif isinstance(data, AsyncIterable):
        source = _iterate(data)
    else:
        source = _pull_all(iter(data))
    async with closing(source):
        async for chunk in source:
            piece = check(chunk)
            if len(piece):
                yield piece


async def _read(file: Any, check: Callable[[Any], Any]) -> AsyncGenerator[Any, None]:
    read = file.read
    waits = inspect.iscoroutinefunction(read)
    while True:
        chunk = await (read(CHUNK_SIZE) if waits else calls.call_user(read, CHUNK_SIZE))
        if not chunk:
            if isinstance(chunk, str):
                check(chunk)  # an empty file in the wrong mode is an error, too
            return
        yield chunk


async def _iterate(source: AsyncIterable[Any]) -> AsyncGenerator[Any, None]:
    iterator = aiter(source)
    try:
        async for chunk in iterator:
            yield chunk
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


async def _pull_all(iterator: Iterator[Any]) -> AsyncGenerator[Any, None]:
    async with closing(batches(_frozen(iterator), len, CHUNK_SIZE)) as source:
        async for batch in source:
            for chunk in batch:
                yield chunk


def _frozen(iterator: Iterator[Any]) -> Iterator[Any]:
    """The chunks; one that its owner may fill again while it waits in a batch is copied."""
    try:
        for chunk in iterator:
            keeps = isinstance(chunk, bytes | str)
            buffer = None if keeps else as_buffer(chunk)
            yield chunk if buffer is None else bytes(buffer)
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


async def batches(
    iterator: Iterator[T],
    weigh: Callable[[T], int],
    limit: int,
    call: Callable[..., Coroutine[Any, Any, Any]] = calls.call_user,
) -> AsyncGenerator[list[T], None]:
    """A blocking iterator's items, pulled in worker threads and closed at the end.

    If it raises, what it gave before comes before the error.

    Args:
        iterator: Any iterator; it may block.
        weigh: The weight of one item.
        limit: Weight after which a batch is full; a slow one is cut after 5 ms.
        call: Runs a function that pulls.
    """
    batch: list[T] = []
    try:
        while True:
            await call(_pull, iterator, weigh, limit, batch)
            if not batch:
                return
            yield batch
            batch = []
    except Exception:
        if batch:  # what it gave before it failed
            yield batch
        raise
    finally:
        close = getattr(iterator, "close", None)
        if close is not None:
            await call(close)


def _pull(iterator: Iterator[T], weigh: Callable[[T], int], limit: int, batch: list[T]) -> None:
    weight, end = 0, monotonic() + PULL_TIME
    for item in iterator:
        batch.append(item)
        weight += weigh(item)
        if weight >= limit or monotonic() >= end:
            break
