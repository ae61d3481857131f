"""Objects brought into files."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...._core import calls
from ...._core.errors import (
    IntegrityError,
    MalformedResponse,
    StoreError,
    StoreUnavailable,
    from_oserror,
)
from ...._core.info import ObjectInfo
from ...._core.window import surely
from ...._core.writing import reserve, write_at
from . import checksums
from .filling import PIECE, Filling
from .parallel import Steps
from .reading import Download, Replaced


class File:
    """A hidden file beside the one that it becomes, or nothing is left of it.

    Args:
        path: The file to be written.
        size: Bytes that it will have; they are reserved at once, so that a full disk is known
            before anything is fetched.
    """

    piece = PIECE
    aside = True

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._temp: Path | None = path.with_name(f".{path.name[:200]}.{os.urandom(8).hex()}")
        with _told():
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            self.file = os.open(self._temp, flags, 0o666)
        try:
            with _told():
                reserve(self.file, size)
        except BaseException:
            self.close()
            raise

    async def write(self, at: int, data: memoryview, digest: checksums.Running | None) -> None:
        """See `Place`."""
        await calls.call(self._write, at, data, digest)

    def _write(self, at: int, data: memoryview, digest: checksums.Running | None) -> None:
        if digest is not None:
            digest.update(data)
        with _told():
            write_at(self.file, data, at)

    def digest(self, name: str) -> bytes:
        """See `Place`."""
        digest, at = checksums.running(name), 0
        with _told():
            while data := os.pread(self.file, PIECE, at):
                digest.update(data)
                at += len(data)
        return digest.digest()

    def publish(self, *, durable: bool) -> None:
        """Make it the file."""
        assert self._temp is not None
        with _told():
            if durable:
                os.fsync(self.file)
            os.replace(self._temp, self._path)
            self._temp = None
            if durable:
                _sync(self._path.parent)

    def close(self) -> None:
        """Let go; what was not published is removed. May be called again."""
        file, self.file = self.file, -1
        temp, self._temp = self._temp, None
        if temp is not None:
            with suppress(FileNotFoundError):
                os.unlink(temp)
        if file >= 0:
            os.close(file)


async def download(
    begin: Callable[[], Awaitable[Download]], path: Path, steps: Steps, *, durable: bool
) -> ObjectInfo:
    """Bring an object into a file; again, once, where it was replaced or damaged on its way.

    Args:
        begin: Opens the object.
        path: The file.
        steps: Puts a deadline on each step.
        durable: Whether it is to survive a power cut.
    """
    first = await begin()
    try:
        return await _once(first, path, steps, durable)
    except IntegrityError as error:
        if isinstance(error, MalformedResponse):
            raise
    except Replaced:
        if first.pinned:
            raise
    return await _once(await begin(), path, steps, durable)


async def _once(download: Download, path: Path, steps: Steps, durable: bool) -> ObjectInfo:
    try:
        file = await calls.acquire(File.close, File, path, download.info.size or 0)
    except BaseException:
        download.close()
        raise
    try:
        with download.crowd.one():
            await Filling(download, file, steps).run()
        await calls.call(file.publish, durable=durable)
    finally:
        await surely(file.close)
    return download.info


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _told() -> Iterator[None]:
    """Give what is wrong with the disk as this package's errors, and others as they are."""
    try:
        yield
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        ours = from_oserror(error)
        if isinstance(ours, StoreUnavailable):
            raise
        raise ours from error
