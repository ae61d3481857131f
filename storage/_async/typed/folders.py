"""Sets of parts as directories, for handlers that make one value of many files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from ..._core import calls
from ..._core.errors import InvalidKey
from ..._core.info import READ_ALL
from ..._core.window import surely
from ..._core.writing import write_all
from ..._formats.base import DataHandler
from ..._formats.registry import Handlers
from .passing import PIECE
from .wanted import Found, Wanted, attributes


def readers(handlers: Handlers) -> list[DataHandler]:
    """The handlers that read data sets by themselves, the one to be taken first in front."""
    return [one for one in handlers if type(one).read_dataset is not DataHandler.read_dataset]


def writer(handlers: Handlers, value: Any) -> DataHandler | None:
    """The handler that writes a value as a data set by itself; None for none."""
    able = (one for one in handlers if type(one).write_dataset is not DataHandler.write_dataset)
    return next((one for one in able if one.can_handle_data(value)), None)


@asynccontextmanager
async def directory() -> AsyncIterator[Path]:
    """A directory that is gone afterwards."""
    made = await calls.acquire(TemporaryDirectory.cleanup, TemporaryDirectory, prefix="storage-")
    try:
        yield Path(made.name)
    finally:
        await surely(made.cleanup)


async def fetch(found: Found, prefix: str, root: Path) -> None:
    """Bring an object below a directory, under the rest of its key.

    Raises:
        InvalidKey: No file can have that name there.
    """
    rest = found.key[len(prefix) :]
    parts = PurePosixPath(rest).parts
    if "/".join(parts) != rest or ".." in parts or rest.startswith("/"):
        raise InvalidKey("no file of a data set can have this name", key=found.key)
    file = await calls.acquire(_close, _create, root.joinpath(*parts))
    try:
        async with found.store._reader(found.key, READ_ALL) as reader:
            async for chunk in reader:
                await calls.call(write_all, file.fileno(), chunk)
    finally:
        await surely(file.close)


async def send(wanted: Wanted, root: Path, path: Path, extension: str) -> str:
    """Make an object of a file below a directory; gives its key."""
    key = wanted.key + path.relative_to(root).as_posix()
    file = await calls.acquire(_close, path.open, "rb")
    try:
        async with wanted.store._writer(key, attributes(wanted.store, extension)) as writer:
            while chunk := await calls.call(file.read, PIECE):
                await writer.write(chunk)
    finally:
        await surely(file.close)
    return key


def files(root: Path) -> Iterator[Path]:
    """The files below a directory, by their names; blocking."""
    yield from sorted(path for path in root.rglob("*") if path.is_file())


def _create(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("xb", buffering=0)


def _close(file: Any) -> None:
    file.close()
