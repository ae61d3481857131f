"""Others that keep objects in files: by hand, obstore, fsspec, minimalkv, zipfile."""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.local.contender import AsyncContender, Contender
from benchmarks.local.tasks import FOLDERS, PIECE, key


class ByHand(Contender):
    """Files as one writes them oneself with care: each writer has a new one of his own, which takes
    the old one's place, and leaves nothing behind where that fails.
    """

    needs = "os"
    durable = (False, True)

    def enter(self) -> None:
        self.root = str(self.folder)
        for number in range(FOLDERS):
            os.makedirs(os.path.dirname(self._path(key(number))), exist_ok=True)

    def _path(self, key: str) -> str:
        return os.path.join(self.root, key)

    def put(self, key: str, data: bytes) -> None:
        self.write(key, (data,))

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        path = self._path(key)
        folder = os.path.dirname(path)
        number, new = tempfile.mkstemp(dir=folder)
        try:
            self._fill(open(number, "wb", 0), pieces)  # noqa: SIM115 - closed where it is filled
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
        if self.survives:
            self._sync(folder)

    def _fill(self, new: BinaryIO, pieces: Iterable[bytes]) -> None:
        with new as file:
            file.writelines(pieces)
            if self.survives:
                os.fsync(file.fileno())

    def _sync(self, folder: str) -> None:
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def get(self, key: str) -> bytes:
        with open(self._path(key), "rb") as file:
            return file.read()

    def read(self, key: str) -> int:
        total = 0
        with open(self._path(key), "rb", 0) as file:
            while piece := file.read(PIECE):
                total += len(piece)
        return total

    def exists(self, key: str) -> bool:
        return os.path.exists(self._path(key))

    def delete(self, key: str) -> None:
        os.unlink(self._path(key))
        if self.survives:
            self._sync(os.path.dirname(self._path(key)))

    def list(self) -> int:
        return sum(len(names) for _, _, names in os.walk(self.root))


class OneWriter(ByHand):
    """The least that one can write: right as long as nobody else writes the same file."""

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        path = self._path(key)
        self._fill(open(f"{path}.new", "wb", 0), pieces)  # noqa: SIM115
        os.replace(f"{path}.new", path)
        if self.survives:
            self._sync(os.path.dirname(path))


class InThreads(AsyncContender):
    """The same, each operation in a thread of its own."""

    needs = "os"
    durable = (False, True)

    async def aenter(self) -> None:
        self.files = ByHand(self.folder, self.survives)

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self.files.put, key, data)

    async def get(self, key: str) -> bytes:
        return await asyncio.to_thread(self.files.get, key)

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self.files.exists, key)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self.files.delete, key)

    async def list(self) -> int:  # type: ignore[override]
        return await asyncio.to_thread(self.files.list)

    async def write(self, key: str, pieces: Iterable[bytes]) -> None:  # type: ignore[override]
        await asyncio.to_thread(self.files.write, key, pieces)

    async def read(self, key: str) -> int:  # type: ignore[override]
        return await asyncio.to_thread(self.files.read, key)


def local_store(folder: Path) -> Any:
    """Obstore's store of a directory."""
    from obstore.store import LocalStore

    return LocalStore(prefix=folder, mkdir=True)


class Obstore(Contender):
    needs = "obstore"

    def enter(self) -> None:
        self.store = local_store(self.folder)
        self.put, self.delete = self.store.put, self.store.delete

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        self.store.put(key, pieces)

    def get(self, key: str) -> bytes:
        return bytes(self.store.get(key).bytes())

    def read(self, key: str) -> int:
        return sum(map(len, self.store.get(key)))

    def exists(self, key: str) -> bool:
        return bool(self.store.head(key))

    def list(self) -> int:
        return sum(map(len, self.store.list()))


class AsyncObstore(AsyncContender):
    needs = "obstore"

    async def aenter(self) -> None:
        self.store = local_store(self.folder)
        self.put, self.delete = self.store.put_async, self.store.delete_async
        self.exists = self.store.head_async

    async def write(self, key: str, pieces: Iterable[bytes]) -> None:  # type: ignore[override]
        await self.store.put_async(key, pieces)

    async def get(self, key: str) -> bytes:
        return bytes(await (await self.store.get_async(key)).bytes_async())

    async def read(self, key: str) -> int:  # type: ignore[override]
        return sum([len(piece) async for piece in await self.store.get_async(key)])

    async def list(self) -> int:  # type: ignore[override]
        return sum([len(page) async for page in self.store.list()])


class Fsspec(Contender):
    needs = "fsspec"

    def enter(self) -> None:
        from fsspec.implementations.local import LocalFileSystem

        self.fs: Any = LocalFileSystem(auto_mkdir=True, use_listings_cache=False)
        self.root = str(self.folder)

    def _path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def put(self, key: str, data: bytes) -> None:
        self.fs.pipe_file(self._path(key), data)

    def get(self, key: str) -> bytes:
        data: bytes = self.fs.cat_file(self._path(key))
        return data

    def exists(self, key: str) -> bool:
        return bool(self.fs.exists(self._path(key)))

    def delete(self, key: str) -> None:
        self.fs.rm_file(self._path(key))

    def list(self) -> int:
        return len(self.fs.find(self.root))

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        with self.fs.open(self._path(key), "wb") as file:
            for piece in pieces:
                file.write(piece)

    def read(self, key: str) -> int:
        with self.fs.open(self._path(key), "rb") as file:
            return sum(len(piece) for piece in iter(lambda: file.read(PIECE), b""))


class Minimalkv(Contender):
    needs = "minimalkv"

    def enter(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports all that it has, and what is deprecated
            # The one whose keys may have folders.
            from minimalkv._hstores import HFilesystemStore

        self.store = HFilesystemStore(str(self.folder))
        self.put, self.get, self.delete = self.store.put, self.store.get, self.store.delete
        self.exists = self.store.__contains__

    def list(self) -> int:
        return sum(1 for _ in self.store.iter_keys())

    def read(self, key: str) -> int:
        with self.store.open(key) as file:
            return sum(len(piece) for piece in iter(lambda: file.read(PIECE), b""))


class Zipfile(Contender):
    """Nothing is ever removed from an archive, nor replaced."""

    needs = "zipfile"

    def enter(self) -> None:
        warnings.filterwarnings("ignore", "Duplicate name")
        path = self.folder / "archive.zip"
        self.archive = self.stack.enter_context(zipfile.ZipFile(path, "a"))
        self.put, self.get = self.archive.writestr, self.archive.read

    def exists(self, key: str) -> bool:
        return bool(self.archive.getinfo(key))

    def list(self) -> int:
        return len(self.archive.NameToInfo)

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        with self.archive.open(key, "w") as file:
            for piece in pieces:
                file.write(piece)

    def read(self, key: str) -> int:
        with self.archive.open(key) as file:
            return sum(len(piece) for piece in iter(lambda: file.read(PIECE), b""))
