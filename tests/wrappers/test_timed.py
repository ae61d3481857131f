"""A store that answers in time or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from storage._async.pieces import Body
from storage.aioutils import AsyncTimeoutStore
from storage.object import AsyncDictStore, ConfigError, DictStore, StoreTimeout
from storage.utils import TimeoutStore


class StuckStore(AsyncDictStore):
    """Every operation hangs, until it is cancelled; counts those."""

    def __init__(self) -> None:
        super().__init__({"a": b"0123456789"})
        self.cancelled = 0

    async def _hang(self, *args: Any) -> Any:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        yield "a"
        await self._hang()

    async def _delete_many(
        self, keys: Any, missing_ok: bool
    ) -> AsyncGenerator[tuple[str, Exception | None], None]:
        yield "a", None
        await self._hang()

    @asynccontextmanager
    async def _open(self, key: str, options: Any) -> AsyncIterator[Body]:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"0123"
            await self._hang()

        yield Body((await AsyncDictStore({key: b""})._get(key, options))[1], chunks())


for _hook in ("_get", "_put", "_head", "_exists", "_delete", "_copy", "_move"):
    setattr(StuckStore, _hook, StuckStore._hang)
for _hook in ("_get_ranges", "_list_with_delimiter"):
    setattr(StuckStore, _hook, StuckStore._hang)


async def _through(iterator: Any) -> None:
    async for _ in iterator:
        pass


VERBS: dict[str, Callable[[Any], Any]] = {
    "get": lambda store: store.get("a"),
    "get_ranges": lambda store: store.get_ranges("a", [(0, 1)]),
    "stream": lambda store: _through(store.stream("a")),
    "head": lambda store: store.head("a"),
    "exists": lambda store: store.exists("a"),
    "put": lambda store: store.put("a", b"1"),
    "put_stream": lambda store: store.put("a", iter([b"1"])),
    "delete": lambda store: store.delete("a"),
    "delete_many": lambda store: store.delete_many(["a"]),
    "copy": lambda store: store.copy("a", "b"),
    "move": lambda store: store.move("a", "b"),
    "keys": lambda store: _through(store.keys()),
    "list_with_delimiter": lambda store: store.list_with_delimiter(),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_no_verb_takes_longer(verb: str) -> None:
    child = StuckStore()
    async with asyncio.timeout(20):
        with pytest.raises(StoreTimeout):
            await VERBS[verb](AsyncTimeoutStore(child, 0.005))
    assert child.cancelled == 1


async def test_each_piece_has_its_time() -> None:
    store = AsyncTimeoutStore(AsyncDictStore(), 0.5)
    async with store.open_writer("a") as writer:
        for _ in range(4):
            await writer.write(b"12")
    assert await store.get("a") == b"12121212"


def test_a_blocking_caller_gets_its_answer_too() -> None:
    store = TimeoutStore(DictStore({"a": b"1"}), 5)
    assert store.get("a") == b"1"
    assert store._async.inline is False
    stuck = StuckStore()
    with pytest.raises(StoreTimeout):
        TimeoutStore.around(AsyncTimeoutStore(stuck, 0.005)).get("a")
    assert stuck.cancelled == 1


@pytest.mark.parametrize("seconds", [0, -1, None])
def test_seconds(seconds: Any) -> None:
    with pytest.raises(ConfigError):
        AsyncTimeoutStore(AsyncDictStore(), seconds)
