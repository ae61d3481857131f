"""Steps that wait on disk for their turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import IO

from ..._core import calls
from ..._core.window import surely
from .steps import Step

IN_MEMORY = 1024 * 1024
"""Bytes that are held without a file."""


class Spill:
    """Pages of steps, given back in the order in which they came; leaves no file."""

    def __init__(self) -> None:
        self.count = 0
        self._file: IO[bytes] | None = None

    async def add(self, steps: list[Step]) -> None:
        """Keep steps."""
        if not steps:
            return
        import pickle  # most runs delete nothing

        self.count += len(steps)
        if self._file is None:
            from tempfile import SpooledTemporaryFile

            self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed by us
        await calls.call(pickle.dump, steps, self._file)

    async def pages(self) -> AsyncGenerator[list[Step], None]:
        """All that was kept, from the beginning; nothing can be added afterwards."""
        if self._file is None:
            return
        import pickle

        await calls.call(self._file.seek, 0)
        given = 0
        while given < self.count:
            page: list[Step] = await calls.call(pickle.load, self._file)
            given += len(page)
            yield page

    async def aclose(self) -> None:
        """Drop all."""
        if self._file is not None:
            await surely(self._file.close)
