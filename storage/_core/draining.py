"""Bytes moved from sockets into files by worker threads, without their loop.

Both ends are the kernel's, which needs no lock of the interpreter: so several bodies come in at
once, and each of their bytes is still in the processor's cache when it is digested and written.
"""

from __future__ import annotations

import os
import select
from time import monotonic
from typing import Protocol

from .errors import from_oserror
from .writing import AT_ONCE, write_at

ABLE = hasattr(os, "readv") and hasattr(select, "poll")
"""Whether there are the means for it."""
PATIENCE = 0.02
"""Seconds that more bytes are waited for."""
LONGEST = 0.05
"""Seconds after which a turn ends, so that whoever is cancelled does not wait for longer."""


class Digest(Protocol):
    """Takes bytes piece by piece."""

    def update(self, data: bytes | memoryview, /) -> None: ...


class Drain:
    """Puts bytes into one file, wherever they come from; its methods may block.

    Args:
        file: The file's descriptor, which others may use at the same time.
        digest: Is fed with all bytes, in the order in which they come.
    """

    def __init__(self, file: int, digest: Digest | None) -> None:
        self.at = 0
        """Where the next bytes go in the file."""
        self.waited = 0.0
        """Seconds in which no bytes came."""
        self._file = file
        self._digest = digest
        self._buffer = memoryview(bytearray(AT_ONCE))

    def put(self, data: memoryview) -> None:
        """Write bytes.

        Raises:
            StoreError: The file takes no more.
        """
        if self._digest is not None:
            self._digest.update(data)
        try:
            write_at(self._file, data, self.at)
        except OSError as error:
            raise from_oserror(error) from error
        self.at += len(data)

    def move(self, socket: int, most: int) -> int:
        """Write what comes from a socket within some time.

        Args:
            socket: Its descriptor; it does not block.
            most: More are not taken.

        Returns:
            How many bytes it was. Where it is less than ``most`` there were no more, or the
            connection is at its end, which is for its loop to see.

        Raises:
            StoreError: The file takes no more; then some bytes are lost.
        """
        done, end = 0, monotonic() + LONGEST
        while done < most:
            room = self._buffer[: most - done]
            try:
                size = os.readv(socket, [room])
            except BlockingIOError:
                if not self._comes(socket):
                    break
                continue
            except OSError:
                break  # the connection is lost
            if not size:
                break
            self.put(room[:size])
            done += size
            if monotonic() >= end:
                break
        return done

    def _comes(self, socket: int) -> bool:
        began, poll = monotonic(), select.poll()
        poll.register(socket, select.POLLIN)
        found = poll.poll(PATIENCE * 1000)
        self.waited += monotonic() - began
        return bool(found)
