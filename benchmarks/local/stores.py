"""Our stores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from benchmarks.local.contender import AsyncContender, Contender

BOTH = (False, True)


def made(kind: str, folder: Any, durable: bool, *, blocking: bool) -> Any:
    """One of our stores."""
    from storage.aiodb import AsyncSqliteStore
    from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore
    from storage.db import SqliteStore
    from storage.fs import FilesystemStore, HashdirStore
    from storage.object import AsyncDictStore, DictStore
    from storage.zip import AsyncZipStore, ZipStore

    archive = folder / "archive.zip"
    makers: dict[str, tuple[Any, Any, tuple[Any, ...], dict[str, Any]]] = {
        "FilesystemStore": (
            FilesystemStore, AsyncFilesystemStore, (folder,), {"durable": durable},
        ),
        "HashdirStore": (
            HashdirStore, AsyncHashdirStore, (folder,), {"durable": durable},
        ),
        "SqliteStore": (
            SqliteStore, AsyncSqliteStore, (folder / "objects.db",), {"durable": durable},
        ),
        "ZipStore": (
            ZipStore, AsyncZipStore, (archive,),
            {"durable": durable, "compression": "store"},
        ),
        "MemoryStore": (DictStore, AsyncDictStore, (), {}),
    }  # fmt: skip
    twin, store, places, options = makers[kind]
    return (twin if blocking else store)(*places, **options)


class Ours(Contender):
    """A blocking store."""

    kind: ClassVar[str]
    durable = BOTH

    def enter(self) -> None:
        made_store = made(self.kind, self.folder, self.survives, blocking=True)
        self.store = self.stack.enter_context(made_store)
        self.put, self.get = self.store.put, self.store.get
        self.exists, self.delete = self.store.exists, self.store.delete

    def list(self) -> int:
        return sum(1 for _ in self.store.keys())

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        self.store.put(key, pieces)

    def read(self, key: str) -> int:
        return sum(map(len, self.store.stream(key)))


class AsyncOurs(AsyncContender):
    """A store on the loop."""

    kind: ClassVar[str]
    durable = BOTH

    async def aenter(self) -> None:
        self.store = made(self.kind, self.folder, self.survives, blocking=False)
        await self.store.__aenter__()
        self.put, self.get = self.store.put, self.store.get
        self.exists, self.delete = self.store.exists, self.store.delete

    async def aclose(self) -> None:
        await self.store.aclose()

    async def list(self) -> int:  # type: ignore[override]
        return sum([1 async for _ in self.store.keys()])

    async def write(self, key: str, pieces: Iterable[bytes]) -> None:  # type: ignore[override]
        await self.store.put(key, pieces)

    async def read(self, key: str) -> int:  # type: ignore[override]
        return sum([len(piece) async for piece in self.store.stream(key)])


KINDS = ("FilesystemStore", "HashdirStore", "SqliteStore", "ZipStore", "MemoryStore")


def ours(base: type[Contender]) -> dict[str, type[Contender]]:
    """One contender for each of our stores."""
    durable = {"MemoryStore": (False,)}
    return {
        kind: type(kind, (base,), {"kind": kind, "durable": durable.get(kind, BOTH)})
        for kind in KINDS
    }
