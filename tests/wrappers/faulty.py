"""A store that fails by a script, before or after it has done what it was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from storage._async.base import Keys
from storage._core.closing import closing
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage.object import AsyncDictStore, Body, Sink, StoreUnavailable

Fault = Callable[[], Exception] | None


def down() -> Exception:
    """It could not be reached."""
    return StoreUnavailable("it is down")


class ScriptedStore(AsyncDictStore):
    """Takes a fault for each call from a list; when that is empty, all goes well.

    Attributes:
        before: By call: the faults that keep it from doing anything.
        after: By call: those that come when it is done, so that only the answer is lost.
        calls: How often each was called.
    """

    def __init__(self, **objects: bytes) -> None:
        super().__init__(objects)
        self.before: dict[str, list[Fault]] = {}
        self.after: dict[str, list[Fault]] = {}
        self.calls: Counter[str] = Counter()

    def _fail(self, faults: dict[str, list[Fault]], call: str) -> None:
        if faults.get(call):
            fault = faults[call].pop(0)
            if fault is not None:
                raise fault()

    @asynccontextmanager
    async def _called(self, call: str) -> AsyncIterator[None]:
        self.calls[call] += 1
        self._fail(self.before, call)
        yield
        self._fail(self.after, call)

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        async with self._called("get"):
            return await super()._get(key, options)

    async def _head(self, key: str) -> ObjectInfo:
        async with self._called("head"):
            return await super()._head(key)

    async def _exists(self, key: str) -> bool:
        async with self._called("exists"):
            return await super()._exists(key)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        async with self._called("put"):
            return await super()._put(key, data, options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async with self._called("delete"):
            await super()._delete(key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._called("copy"):
            return await super()._copy(source, target, if_absent)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        async with self._called("move"):
            return await super()._move(source, target, if_absent)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        self.calls["open"] += 1
        self._fail(self.before, "open")
        data, info = await super()._get(key, options)

        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(data), 4):
                self._fail(self.before, "piece")
                yield data[start : start + 4]

        yield Body(info, pieces())

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        self.calls["create"] += 1
        self._fail(self.before, "create")
        async with super()._create(key, options) as sink:
            yield sink

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        self.calls["keys"] += 1
        async with closing(super()._keys(prefix, start_after)) as keys:
            async for key in keys:
                self._fail(self.before, "keys")
                yield key

    async def _delete_many(
        self, keys: Keys, missing_ok: bool
    ) -> AsyncGenerator[tuple[str, Exception | None], None]:
        self.calls["delete_many"] += 1
        async with closing(super()._delete_many(keys, missing_ok)) as outcomes:
            async for outcome in outcomes:
                yield outcome
