"""Stores for the command to work on, known to it as those of an installed package are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

from storage.object import AsyncDictStore, NoSpace, ObjectInfo, ReadOptions, StoreURL
from tests.stores import numbered

ENTRY_POINTS = """
[storage.backends]
bare = tests.cli.stores:AsyncBareStore
broken = tests.cli.stores:AsyncBrokenStore
full = tests.cli.stores:AsyncFullStore
slow = tests.cli.stores:AsyncSlowStore
"""


def install(folder: Path) -> Path:
    """Write what pip leaves behind of a package that brings these stores."""
    info = folder / "stores_of_tests-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stores-of-tests\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return folder


class AsyncBareStore(AsyncDictStore):
    """``bare://``: one object, of which it knows nothing but the key."""

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        return cls({"key": b""})

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async for key in self._keys(prefix, start_after):
            yield ObjectInfo(key)


class AsyncSlowStore(AsyncDictStore):
    """``slow://?objects=1000&delay=0.01``: numbered objects, each of which takes its time."""

    delay = 0.0

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        store = cls(numbered(url.option("objects", int, 1000), url.option("size", int, 1000)))
        store.delay = url.option("delay", float, 0.01)
        return store

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        await asyncio.sleep(self.delay)
        return await super()._get(key, options)


class AsyncFullStore(AsyncDictStore):
    """``full://``: finds out when it is closed that there is no room, as archives may."""

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        return cls()

    async def _teardown(self) -> None:
        raise NoSpace("No space left on device")


class AsyncBrokenStore(AsyncDictStore):
    """``broken://kind``: raises what no store should."""

    ERRORS: dict[str, Exception] = {  # noqa: RUF012
        "group": ExceptionGroup("some", [ExceptionGroup("", [OSError("the first")]), OSError("2")]),
        "lines": RuntimeError("first line\n  second\x1b[31m line\n"),
        "pipe": BrokenPipeError(32, "Broken pipe"),
        "silent": ValueError(),
    }
    error: Exception | None = None

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        store = cls()
        store.error = cls.ERRORS[url.host]
        return store

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        if self.error is not None:
            raise self.error
        yield ""
