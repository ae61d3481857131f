"""What the layers cost: every store here is a dict, and all else is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.harness import Limit, Race
from storage.aioutils import AsyncCachingStore, AsyncFanoutStore, AsyncIdentityStore
from storage.object import AsyncDictStore, AsyncObjectStore, DictStore
from storage.utils import FanoutStore, IdentityStore

GETS = 1000


def races(folder: Path) -> Iterator[Race]:
    """All races; nothing is written into the folder."""
    yield from in_place()
    yield background()
    with asyncio.Runner() as runner:
        yield asynchronous(runner)
        yield wrappers(runner)
        yield from passing(runner)


def in_place() -> Iterator[Race]:
    """The blocking twin of a store that needs no event loop."""
    objects = {"key": b"value"}
    store = DictStore({"key": b"value"})
    limit = Limit("DictStore", extra=5e-6)
    yield Race(
        "get, in memory",
        {"dict": lambda: objects["key"], "DictStore": lambda: store.get("key")},
        clock=process_time,
        limit=limit,
    )
    yield Race(
        "put, in memory",
        {
            "dict": lambda: objects.__setitem__("key", b"value"),
            "DictStore": lambda: store.put("key", b"value"),
        },
        clock=process_time,
        limit=limit,
    )


def background() -> Race:
    """The blocking twin of a store that runs on the background loop."""
    store = DictStore({"key": b"value"})
    fanout = FanoutStore([store])
    return Race(
        "get, in memory, by the background loop",
        {"DictStore": lambda: store.get("key"), "FanoutStore of it": lambda: fanout.get("key")},
    )


def asynchronous(runner: asyncio.Runner) -> Race:
    """The async store itself."""
    objects = {"key": b"value"}

    async def get(key: str) -> bytes:
        return objects[key]

    return Race(
        "async get, in memory",
        {
            "a coroutine function and a dict": _many(runner, get),
            "AsyncDictStore": _many(runner, AsyncDictStore(objects).get),
        },
        operations=GETS,
        clock=process_time,
    )


def wrappers(runner: asyncio.Runner) -> Race:
    """What it costs that one store hands a call to another."""
    store = AsyncDictStore({"key": b"value"})
    stores: dict[str, AsyncObjectStore] = {
        "AsyncDictStore": store,
        "AsyncFanoutStore of it": AsyncFanoutStore([store]),
        "AsyncCachingStore with it as the cache": AsyncCachingStore(AsyncDictStore(), store),
    }
    contenders = {name: _many(runner, store.get) for name, store in stores.items()}
    return Race("async get, through wrappers", contenders, operations=GETS, clock=process_time)


def passing(runner: asyncio.Runner) -> Iterator[Race]:
    """What a wrapper costs that changes nothing, which every other one is built on."""
    for verb, arguments in (("get", ()), ("put", (b"value",)), ("exists", ())):
        store = AsyncDictStore({"key": b"value"})
        yield Race(
            f"async {verb}, handed on",
            {
                "AsyncDictStore": _many(runner, getattr(store, verb), *arguments),
                "AsyncIdentityStore of it": _many(
                    runner, getattr(AsyncIdentityStore(store), verb), *arguments
                ),
            },
            operations=GETS,
            clock=process_time,
            limit=Limit("AsyncIdentityStore of it", extra=2e-6),
        )
        twin = DictStore({"key": b"value"})
        yield Race(
            f"{verb}, handed on",
            {
                "DictStore": partial(getattr(twin, verb), "key", *arguments),
                "IdentityStore of it": partial(
                    getattr(IdentityStore(twin), verb), "key", *arguments
                ),
            },
            clock=process_time,
            limit=Limit("IdentityStore of it", extra=2e-6),
        )


def _many(
    runner: asyncio.Runner, verb: Callable[..., Coroutine[Any, Any, Any]], *arguments: Any
) -> Callable[[], None]:
    async def run() -> None:
        for _ in range(GETS):
            await verb("key", *arguments)

    return lambda: runner.run(run())
