"""A lock between processes, for collections in one file: the operating system's."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
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
        self._fd: int | None = None
        self._pid = 0

    async def acquire(self, wait: float) -> None:
        """See `Lock`."""
        end, pauses = monotonic() + wait, Pauses()
        while True:
            fd = await calls.acquire(_dispose, _lock, self._path)
            if fd is not None:
                self._fd, self._pid = fd, os.getpid()
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
        fd, self._fd = self._fd, None
        if fd is not None and self._pid == os.getpid():
            await calls.call(_unlock, self._path, fd)
        elif fd is not None:
            os.close(fd)

    def __del__(self) -> None:
        if self._fd is not None:
            os.close(self._fd)


def _lock(path: str) -> int | None:
    """The open file, if nobody else has its lock."""
    with translate_oserror("lock", path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_there(path, fd):
                    _sign(fd)
                    return fd
            except BlockingIOError:
                os.close(fd)
                return None
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # somebody has removed it in between


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


def _unlock(path: str, fd: int) -> None:
    try:
        with suppress(OSError):
            if _is_there(path, fd):
                os.unlink(path)
        # Not by closing it alone: a forked child may hold the same open file.
        fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _dispose(fd: int | None) -> None:
    if fd is not None:
        os.close(fd)


def _holder(path: str) -> Owner | None:
    with suppress(OSError), open(path, "rb") as file:
        return Owner.parse(file.read(4096))
    return None
