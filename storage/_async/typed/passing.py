"""Values on their way between objects and handlers: the handlers' work is done off the loop."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile, TemporaryDirectory
from typing import Any, BinaryIO, cast

from ..._core import calls
from ..._core.errors import NoSpace, NotSupported
from ..._core.info import READ_ALL, Capability, ObjectInfo
from ..._formats.base import DataHandler, Format
from ..base import AsyncBaseStore
from ..streams import AsyncReader
from .wanted import Found, attributes
from .windows import windowed

LIMIT = 8 * 1024 * 1024
"""Bytes of an object that are held in memory; longer ones pass through a temporary file."""

PIECE = 256 * 1024


class Spool(SpooledTemporaryFile[bytes]):
    """A file that is in memory as long as it is short."""

    def __init__(self) -> None:
        super().__init__(LIMIT)

    def write(self, s: Any) -> int:
        """Write to memory, or to the temporary file.

        Raises:
            NoSpace: The temporary directory takes no more.
        """
        with _space():
            return super().write(s)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position, for which the file takes what was written."""
        with _space():
            return super().seek(offset, whence)

    def writelines(self, iterable: Iterable[Any]) -> None:
        """Write each; some Pythons look at the length only after the last."""
        for line in iterable:
            self.write(line)


@contextmanager
def _space() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EINVAL:  # a damaged object sends its reader anywhere
            raise
        # Not what stores make of the same errors: a lost directory is no lost object.
        raise NoSpace(f"the temporary directory takes no more: {error}") from error


async def fetch(found: Found, spool: Spool) -> None:
    """Bring an object into a spool."""
    whole = await _short(found)
    if whole is not None:
        spool.write(whole)
        return
    async with found.store._reader(found.key, READ_ALL) as reader:
        await _drain(reader, spool)


async def _drain(reader: AsyncReader, spool: Spool) -> None:
    async for chunk in reader:
        if spool.tell() + len(chunk) < LIMIT:
            spool.write(chunk)
        else:
            await calls.call(spool.write, chunk)


@asynccontextmanager
async def opened(found: Found, handler: DataHandler) -> AsyncIterator[BinaryIO]:
    """An object as a file for a handler's thread; of a long one only what is asked for is read."""
    able = isinstance(handler, Format) and Capability.RANGES in found.store.capabilities
    async with found.store._reader(found.key, READ_ALL) as reader:
        if able and (reader.info.size or 0) >= LIMIT:
            yield windowed(reader)
            return
        with Spool() as spool:
            await _drain(reader, spool)
            await calls.call(spool.seek, 0)
            yield _file(spool)


async def _short(found: Found) -> bytes | None:
    """The bytes of an object in one go, if it is known or likely to be short."""
    store, size = found.store, found.info.size
    if size is not None and size < LIMIT:
        return (await store._read(found.key, READ_ALL))[0]
    # On this machine to read too much costs less than to open a stream; and there is no cache.
    if size is None and store.inline and Capability.RANGES in store.capabilities:
        data = await store.get_range(found.key, 0, LIMIT)
        return data if len(data) < LIMIT else None
    return None


async def send(
    store: AsyncBaseStore, key: str, extension: str, spool: Spool, short: bytes | None
) -> ObjectInfo:
    """Make an object of what is in a spool, or of its bytes where `taken` gave them."""
    options = attributes(store, extension)
    if short is not None:
        return await store._write(key, short, options)
    async with store._writer(key, options) as writer:
        while chunk := await calls.call(spool.read, PIECE):
            await writer.write(chunk)
    return writer.info


def taken(spool: Spool) -> bytes | None:
    """The bytes in a spool if they are few; else it is at its beginning. Blocking."""
    size = spool.tell()
    spool.seek(0)
    return spool.read() if size < LIMIT else None


def load(handler: DataHandler, spool: Spool, extension: str, as_: type[Any] | None) -> Any:
    """The value in a spool; blocking."""
    spool.seek(0)
    if isinstance(handler, Format):
        return handler.load(_file(spool), extension, as_)
    return _load_file(handler, _file(spool), extension, as_)


def _load_file(
    handler: DataHandler, source: BinaryIO, extension: str, as_: type[Any] | None
) -> Any:
    with _place(extension) as path:
        with path.open("wb") as file:
            shutil.copyfileobj(source, file)
        value = _kept(handler.read_from_file(path, extension))
    if as_ is not None and not isinstance(value, as_):
        raise TypeError(f"{type(handler).__name__} gives no {as_.__name__}")
    return value


def dump(handler: DataHandler, value: Any, spool: Spool, extension: str) -> bytes | None:
    """Write a value into a spool, and do what `taken` does; blocking."""
    if isinstance(handler, Format):
        handler.dump(value, _file(spool), extension)
    else:
        with _place(extension) as path:
            path.touch()
            handler.write_to_file(value, path, extension)
            with path.open("rb") as file:
                shutil.copyfileobj(file, spool)
    return taken(spool)


def pieces(
    handler: DataHandler, source: BinaryIO, extension: str, as_: type[Any] | None
) -> Iterator[Any]:
    """The pieces of a value in a file; blocking."""
    if isinstance(handler, Format):
        yield from handler.pieces(source, extension, as_)
    else:
        yield _load_file(handler, source, extension, as_)


def piece_writer(
    handler: DataHandler, spool: Spool, extension: str
) -> Callable[[Iterable[Any]], None]:
    """What writes pieces into a spool; blocking.

    Raises:
        NotSupported: The handler knows no pieces.
    """
    if not isinstance(handler, Format):
        raise NotSupported(f"{type(handler).__name__} cannot be written piece by piece")

    def write(values: Iterable[Any]) -> None:
        handler.dump_pieces(values, _file(spool), extension)

    return write


@contextmanager
def _place(extension: str) -> Iterator[Path]:
    """Where a file may be for a while."""
    with TemporaryDirectory(prefix="storage-") as directory:
        yield Path(directory, f"value{extension}")


def _kept(value: Any) -> Any:
    """A value that needs its file no longer: a frame of Polars may only tell where to read."""
    if type(value).__name__ == "LazyFrame" and hasattr(value, "collect"):
        return value.collect().lazy()
    return value


def _file(spool: Spool) -> BinaryIO:
    return cast("BinaryIO", spool)
