"""The fan-out, by each of its policies, put to the kit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage._core.info import Capability
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncFanoutStore
from storage.object import AsyncDictStore, DictStore
from storage.testing import StoreConformance
from storage.utils import FanoutStore
from tests.stores import ForeignStore

SHARED = Capability.ORDERED | Capability.ATTRIBUTES | Capability.STREAMS | Capability.RANGES


class FanoutConformance(StoreConformance):
    """Two or three stores in memory."""

    __test__ = False
    capabilities = SHARED
    in_memory = True
    thorough = False
    own_keys = False
    examples = 8
    steps = 20
    seconds = 0.1


class TestFanout(FanoutConformance):
    """As it is by default."""

    __test__ = True

    async def make_store(self) -> Any:
        return AsyncFanoutStore([AsyncDictStore(), AsyncDictStore()])


class TestFanoutBlocking(FanoutConformance):
    """The blocking twin."""

    __test__ = True

    async def make_store(self) -> Any:
        return FanoutStore([DictStore(), DictStore()])


class TestFanoutByQuorum(FanoutConformance):
    """All that there is at once."""

    __test__ = True

    async def make_store(self) -> Any:
        children = [AsyncDictStore() for _ in range(3)]
        return AsyncFanoutStore(
            children, write="quorum", read="quorum", repair=True, child_timeout=30
        )


class TestFanoutOfTheFastest(FanoutConformance):
    """All are asked."""

    __test__ = True

    async def make_store(self) -> Any:
        return AsyncFanoutStore([AsyncDictStore(), AsyncDictStore()], read="fastest", repair=True)


class TestFanoutOfFiles(FanoutConformance):
    """Directories side by side."""

    __test__ = True
    capabilities = SHARED
    in_memory = False
    memory_limit = 8 * 1024 * 1024
    many = 120
    picklable = True

    def _at(self, place: Path) -> Any:
        children = [AsyncFilesystemStore(place / name, durable=False) for name in ("a", "b")]
        store = AsyncFanoutStore(children, write="all", child_timeout=30)
        self._places = [*getattr(self, "_places", []), (store, place)]
        return store

    async def make_store(self) -> Any:
        place = self.tmp_path / str(len(getattr(self, "_places", [])))
        async with self._at(place) as store:
            await store.put("first", b"")
            await store.delete("first")
        return self._at(place)

    async def reopen(self, store: Any) -> Any:
        return self._at(next(place for other, place in self._places if other is store))

    async def missing_store(self) -> Any:
        return self._at(self.tmp_path / "missing")


class TestFanoutOfFiveVerbs(FanoutConformance):
    """One of ours and one of somebody's."""

    __test__ = True
    capabilities = Capability.NONE

    async def make_store(self) -> Any:
        return AsyncFanoutStore([AsyncDictStore(), ForeignStore()])
