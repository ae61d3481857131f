"""Files, pipes and terminals, read and written so that nobody waits in vain for Ctrl-C to work."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from select import PIPE_BUF, select
from time import monotonic
from typing import TextIO

PIECE = 256 * 1024
"""Bytes that are read at a time."""
PAGE = 512
"""Lines that are written at a time."""
PATIENCE = 0.1
"""Seconds in which the other end may do its part, before there is a look at what else is up."""


def pieces(file: int) -> Iterator[bytes]:
    """What the other end gives; an empty piece where it takes its time."""
    while True:
        if not select([file], [], [], PATIENCE)[0]:
            yield b""
        elif piece := os.read(file, PIECE):
            yield piece
        else:
            return


async def write(file: int, data: bytes) -> None:
    """Write all of it, however slowly the other end takes it."""
    from asyncio import to_thread

    rest = memoryview(data)
    while rest:
        rest = rest[await to_thread(_write_some, file, rest) :]


async def write_lines(file: TextIO, lines: AsyncIterator[str]) -> None:
    """Write lines as they come, several at once where they come fast."""
    page: list[str] = []
    written = monotonic()
    async for line in lines:
        page.append(f"{line}\n")
        if len(page) == PAGE or monotonic() - written > PATIENCE:
            await _write_page(file, page)
            page, written = [], monotonic()
    await _write_page(file, page)


async def _write_page(file: TextIO, page: list[str]) -> None:
    await write(file.fileno(), "".join(page).encode(file.encoding, "backslashreplace"))


def _write_some(file: int, data: memoryview) -> int:
    done = 0
    # Once a pipe is ready, it takes so many bytes without a wait, but maybe not one more.
    while done < len(data) and select([], [file], [], PATIENCE)[1]:
        done += os.write(file, data[done : done + PIPE_BUF])
    return done
