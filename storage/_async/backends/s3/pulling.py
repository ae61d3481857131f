"""The bytes of a body, whichever client it came from."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from ...._core.draining import Drain
from .errors import translate

T = TypeVar("T")


def pull(body: Any, size: int) -> Awaitable[bytes]:
    """At most so many bytes, as many as are there; none at the end."""
    return _told(body.read(size))


async def pull_into(body: Any, room: memoryview) -> memoryview:
    """The same, put at the beginning of some memory; that part of it."""
    read_into = getattr(body, "read_into", None)
    if read_into is not None:
        return room[: await _told(read_into(room))]
    data = await pull(body, len(room))
    room[: len(data)] = data
    return room[: len(data)]


async def lend(body: Any, drain: Drain, most: int) -> int:
    """Let a worker thread take bytes right from the socket; 0 where that cannot be done."""
    lend = getattr(body, "lend", None)
    return 0 if lend is None else await _told(lend(drain, most))


async def _told(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
