"""What stores on local files cost beside the files, the database and the archive themselves."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import zipfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Limit, Race, installed
from storage.aiofs import AsyncFilesystemStore
from storage.db import SqliteStore
from storage.fs import FilesystemStore, HashdirStore, SafeFilesystemStore
from storage.zip import ZipStore

DATA = bytes(range(256)) * 16
"""The 4 KiB that are read and written."""
KEY = "folder/key"
IN_FLIGHT = 32
NO_OBSTORE = () if installed("obstore") else ("obstore",)


def races(folder: Path) -> Iterator[Race]:
    """All races; files are written in the folder."""
    yield reading(folder)
    yield writing(folder)
    yield writing_durably(folder)
    yield listing(folder)
    with asyncio.Runner() as runner:
        yield in_flight(folder, runner)
    yield from database(folder)
    yield from archive(folder)


def reading(folder: Path) -> Race:
    """4 KiB from a file."""
    path = folder / "get" / KEY
    stores = {
        "FilesystemStore": FilesystemStore(folder / "get"),
        "SafeFilesystemStore": SafeFilesystemStore(folder / "safe"),
        "HashdirStore": HashdirStore(folder / "hashed"),
    }
    contenders: dict[str, Callable[[], object]] = {"Path.read_bytes": path.read_bytes}
    for name, store in stores.items():
        store.put(KEY, DATA)
        contenders[name] = partial(store.get, KEY)
    if local := obstore(folder / "get"):
        contenders["obstore.LocalStore"] = lambda: local.get(KEY).bytes()
    limit = Limit("FilesystemStore", ratio=4)
    return Race("get 4 KiB from a file", contenders, limit=limit, absent=NO_OBSTORE)


def writing(folder: Path) -> Race:
    """4 KiB into a file that is there, atomically."""
    path = folder / "put by hand"
    store = FilesystemStore(folder / "put", durable=False)

    def by_hand() -> None:
        (folder / "temporary").write_bytes(DATA)
        os.replace(folder / "temporary", path)

    contenders: dict[str, Callable[[], object]] = {
        "Path.write_bytes and os.replace": by_hand,
        "FilesystemStore(durable=False)": lambda: store.put(KEY, DATA),
    }
    if local := obstore(folder / "put by obstore"):
        contenders["obstore.LocalStore"] = lambda: local.put(KEY, DATA)
    return Race("put 4 KiB into a file", contenders, absent=NO_OBSTORE)


def writing_durably(folder: Path) -> Race:
    """The same, and it survives a power cut."""
    path = folder / "durable by hand"
    store = FilesystemStore(folder / "durable")

    def by_hand() -> None:
        with open(folder / "temporary", "wb", 0) as file:
            file.write(DATA)
            os.fsync(file.fileno())
        os.replace(folder / "temporary", path)
        directory = os.open(folder, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    return Race(
        "put 4 KiB into a file, durably",
        {
            "write, fsync, os.replace, fsync": by_hand,
            "FilesystemStore": lambda: store.put(KEY, DATA),
        },
    )


def listing(folder: Path) -> Race:
    """A thousand keys of ten directories."""
    root = folder / "listed"
    store = FilesystemStore(root, durable=False)
    store.put_many({f"{i % 10}/key-{i:03}": b"" for i in range(1000)})

    def walk() -> None:
        found = [os.path.join(top, name) for top, _, names in os.walk(root) for name in names]
        assert len(found) == 1000

    def keys() -> None:
        assert sum(1 for _ in store.keys()) == 1000

    return Race(
        "list 1,000 keys of ten directories",
        {"os.walk": walk, "FilesystemStore": keys},
        operations=1000,
    )


def in_flight(folder: Path, runner: asyncio.Runner) -> Race:
    """Many reads at once, on the event loop."""
    path = folder / "get" / KEY
    store = AsyncFilesystemStore(folder / "get")

    def many(get: Callable[[], Coroutine[Any, Any, object]]) -> Callable[[], object]:
        async def gather() -> None:
            await asyncio.gather(*(get() for _ in range(IN_FLIGHT)))

        return lambda: runner.run(gather())

    contenders = {
        "asyncio.to_thread(Path.read_bytes)": many(lambda: asyncio.to_thread(path.read_bytes)),
        "AsyncFilesystemStore": many(lambda: store.get(KEY)),
    }
    if local := obstore(folder / "get"):

        async def get() -> object:
            return await (await local.get_async(KEY)).bytes_async()

        contenders["obstore.LocalStore"] = many(get)
    title = f"async get 4 KiB from a file, {IN_FLIGHT} in flight"
    return Race(title, contenders, operations=IN_FLIGHT, absent=NO_OBSTORE)


def database(folder: Path) -> Iterator[Race]:
    """4 KiB in SQLite."""
    by_hand = sqlite3.connect(folder / "by hand.sqlite", isolation_level=None)
    by_hand.execute("PRAGMA journal_mode=WAL")
    by_hand.execute("PRAGMA synchronous=NORMAL")
    by_hand.execute("CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB) WITHOUT ROWID")

    def insert() -> None:
        by_hand.execute("INSERT OR REPLACE INTO objects VALUES (?, ?)", (KEY, DATA))

    def select() -> bytes:
        row = by_hand.execute("SELECT data FROM objects WHERE key = ?", (KEY,)).fetchone()
        return bytes(row[0])

    path = folder / "ours.sqlite"
    with closing(by_hand), SqliteStore(path, durable=False) as store, ExitStack() as stack:
        yield Race(
            "put 4 KiB into SQLite",
            {
                "sqlite3 by hand": insert,
                "SqliteStore(durable=False)": lambda: store.put(KEY, DATA),
            },
        )
        contenders: dict[str, Callable[[], object]] = {
            "sqlite3 by hand": select,
            "SqliteStore": lambda: store.get(KEY),
        }
        if module := installed("sqlitedict"):
            peer = stack.enter_context(
                module.SqliteDict(str(folder / "sqlitedict"), autocommit=True)
            )
            peer[KEY] = DATA
            contenders["sqlitedict"] = lambda: peer[KEY]
        absent = () if installed("sqlitedict") else ("sqlitedict",)
        yield Race("get 4 KiB from SQLite", contenders, absent=absent)


def archive(folder: Path) -> Iterator[Race]:
    """4 KiB in a zip archive."""
    path = folder / "archive.zip"
    with ZipStore(path) as store:
        store.put(KEY, DATA)
    with zipfile.ZipFile(path) as by_hand, ZipStore(path) as store:
        yield Race(
            "get 4 KiB from a zip archive",
            {"zipfile": lambda: by_hand.read(KEY), "ZipStore": lambda: store.get(KEY)},
        )


def obstore(folder: Path) -> Any:
    """Its store of a directory; None where it is not installed."""
    module = installed("obstore.store")
    return module and module.LocalStore(prefix=folder, mkdir=True)
