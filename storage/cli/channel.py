"""Values between a sync's process and those that copy for it: pickled, over a private socket."""

from __future__ import annotations

import pickle
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from typing import Any

from .._core.errors import StoreError
from .main import one_line

LENGTH = 4


class Channel:
    """One end of a socket to a process that this one started, or was started by.

    Args:
        reader: What comes in.
        writer: What goes out.
    """

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, value: Any) -> None:
        """Send a value.

        Raises:
            OSError: The other end is gone.
        """
        self.post(value)
        await self._writer.drain()

    def post(self, value: Any) -> None:
        """Send a value, without waiting until it has left."""
        data = _pickled(value)
        self._writer.write(len(data).to_bytes(LENGTH) + data)

    async def receive(self) -> Any:
        """The next value; None where the other end is gone."""
        try:
            length = int.from_bytes(await self._reader.readexactly(LENGTH))
            data = await self._reader.readexactly(length)
        except (IncompleteReadError, OSError):
            return None
        return pickle.loads(data)  # noqa: S301 - from our own process, over a socket of its own

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def _pickled(value: Any) -> bytes:
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def portable(error: Exception | None) -> Exception | None:
    """An error that survives the way: itself, or one that says the same."""
    if error is None:
        return None
    try:
        if type(pickle.loads(_pickled(error))) is type(error):  # noqa: S301 - pickled just now
            return error
    except Exception:  # noqa: S110 - whatever it is, it does not survive
        pass
    return StoreError(one_line(error))
