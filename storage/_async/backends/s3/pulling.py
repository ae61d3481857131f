"""The bytes of a body, whichever client it came from."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

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


async def _told(reading: Awaitable[T]) -> T:
    try:
        return await reading
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
