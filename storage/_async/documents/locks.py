"""A lock between processes, for collections in one file: the operating system's."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from io import FileIO
from time import monotonic
from typing import Protocol

from ..._core import calls
from ..._core.errors import translate_oserror
from .owners import Owner, locked
from .turns import Pauses


class Lock(Protocol):
    """What makes one process wait for another."""

    async def acquire(self, wait: float) -> None:
        """Take it.

        Raises:
            StorageLockedException: Somebody has it, and still has after ``wait`` seconds.
        """

    async def renew(self) -> None:
        """Make sure that it is still ours.

        Raises:
            StorageLockedException: It was given to somebody else.
        """

    async def release(self) -> None:
        """Give it back; may be called again."""


class NoLock:
    """What one takes where nobody else can come."""

    async def acquire(self, wait: float) -> None:
        """There is nothing to wait for."""

    async def renew(self) -> None:
        """It cannot be lost."""

    async def release(self) -> None:
        """There is nothing to give back."""


class FileLock:
    """``flock`` on a file of its own beside the documents, which is replaced never.

    The system gives it up with the process, however that dies. The file tells who has it, and is
    removed with the lock. A forked child has no part in it.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._pid = 0

    async def acquire(self, wait: float) -> None:
        """See `Lock`."""
        end, pauses = monotonic() + wait, Pauses()
        while True:
            self._file = await calls.acquire(_dispose, _lock, self._path)
            if self._file is not None:
                self._pid = os.getpid()
                return
            if monotonic() >= end:
                raise locked(self._path, await calls.call(_holder, self._path))
            await pauses.rest()

    async def renew(self) -> None:
        """It is held until it is released, but not by a forked child."""
        if self._pid != os.getpid():
            raise locked(self._path, await calls.call(_holder, self._path))

    async def release(self) -> None:
        """See `Lock`."""
        file = self._file
        if file is not None and not file.closed and self._pid == os.getpid():
            await calls.call(_unlock, self._path, file)
        _dispose(file)
        self._file = None  # not before: who was interrupted tries again

    def __del__(self) -> None:
        _dispose(self._file)


def _lock(path: str) -> FileIO | None:
    """The open file, if nobody else has its lock."""
    with translate_oserror("lock", path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        while True:
            file = FileIO(path, "r+", opener=_open)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_there(path, file.fileno()):
                    _sign(file.fileno())
                    return file
            except BlockingIOError:
                file.close()
                return None
            except BaseException:
                file.close()
                raise
            file.close()  # somebody has removed it in between


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o666)


def _sign(fd: int) -> None:
    # The lock holds without it, and on a full disk documents can still be read and deleted.
    with suppress(OSError):
        os.truncate(fd, 0)
        os.pwrite(fd, Owner.here().dump(), 0)


def _is_there(path: str, fd: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except FileNotFoundError:
        return False


def _unlock(path: str, file: FileIO) -> None:
    with file:
        with suppress(OSError):
            if _is_there(path, file.fileno()):
                os.unlink(path)
        # Not by closing it alone: a forked child may hold the same open file.
        fcntl.flock(file, fcntl.LOCK_UN)


def _dispose(file: FileIO | None) -> None:
    if file is not None:
        file.close()


def _holder(path: str) -> Owner | None:
    with suppress(OSError), open(path, "rb") as file:
        return Owner.parse(file.read(4096))
    return None
