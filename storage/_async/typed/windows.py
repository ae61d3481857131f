"""An object open for reading on a loop, as a file for the thread where a handler works."""

from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..._core import calls
from ..streams import AsyncReader

T = TypeVar("T")

BUFFER = 1024 * 1024


class Window(io.RawIOBase):
    """Reads, seeks and tells by an `AsyncReader`; what is skipped is not fetched.

    Made on the loop, or by whoever is driven in place; used in any thread but the loop's.
    """

    def __init__(self, reader: AsyncReader) -> None:
        self._reader = reader
        self._loop = None if calls.direct() else asyncio.get_running_loop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            return calls.drive(work)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; returns how many bytes there were."""
        view = memoryview(buffer).cast("B")
        data = self._run(self._reader.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position."""
        return self._run(self._reader.seek(offset, whence))

    def tell(self) -> int:
        """The position."""
        return self._reader.tell()


def windowed(reader: AsyncReader) -> io.BufferedReader:
    """A file that reads a MiB at a time."""
    return io.BufferedReader(Window(reader), BUFFER)
