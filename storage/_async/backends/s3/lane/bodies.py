"""Bodies of answers, with the methods of the client's."""

from __future__ import annotations

from collections.abc import Awaitable

from ....._core.draining import Drain
from .transport import Response


class Body:
    """The bytes of an object, as they come.

    Args:
        response: What they come in.
    """

    __slots__ = ("_response",)

    def __init__(self, response: Response) -> None:
        self._response = response

    def read(self, size: int = -1) -> Awaitable[bytes]:
        """At most ``size`` bytes, as many as are there; all of them by default."""
        return self._response.read(size)

    def read_into(self, room: memoryview) -> Awaitable[int]:
        """The same into memory of the caller's; how many bytes were put there."""
        return self._response.read_into(room)

    async def lend(self, drain: Drain, most: int) -> int:
        """Let a worker thread take bytes right from the socket; 0 where that cannot be done."""
        lend = getattr(self._response, "lend", None)
        return 0 if lend is None else await lend(drain, most)

    def close(self) -> None:
        """Give the connection back if all was read, or else close it."""
        finish(self._response)


def finish(response: Response) -> None:
    """Close an answer at once: its closing waits for nothing."""
    closing = response.aclose()
    try:
        closing.send(None)
    except StopIteration:
        return
    closing.close()
    raise AssertionError("a transport waits where it must not")
