"""A store in memory that notes which of its hooks were reached."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from storage._async.base import AsyncBaseStore
from storage._async.hooks import AsyncStoreHooks
from storage._async.verbs import AsyncStoreVerbs
from storage.object import AsyncDictStore

HOOKS = (
    *("_get", "_get_ranges", "_head", "_exists", "_open", "_put", "_create", "_delete"),
    *("_copy", "_move", "_delete_many", "_keys", "_list", "_list_with_delimiter"),
)
NOT_HANDED_ON = {
    *("_read", "_write", "_run", "_place", "_within", "_steps"),  # what surrounds the hooks
    *("_setup", "_teardown"),  # a child's own life
    *("_delete_by_pages", "_get_data", "_look"),  # what hooks are made of, or made of them
    "_put_many",  # made of puts, each of which a wrapper is to see
}


class RecordingStore(AsyncDictStore):
    """Has every hook natively: none of them is made of another."""

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        super().__init__(objects)
        self.reached: list[str] = []
        self._plain = AsyncDictStore(self.objects)

    async def presigned_get(self, key: str, expiry: int = 3600) -> str:
        self.reached.append("presigned_get")
        return f"https://objects.example/{key}?for={expiry}"

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        self.reached.append("presigned_put")
        return f"https://objects.example/{key}?for={expiry}"


def _recording(name: str) -> Callable[..., Any]:
    hook = getattr(AsyncDictStore, name)
    if inspect.isasyncgenfunction(hook):

        async def iterate(self: RecordingStore, *args: Any) -> AsyncIterator[Any]:
            self.reached.append(name)
            async for item in getattr(self._plain, name)(*args):
                yield item

        return iterate
    if inspect.iscoroutinefunction(hook):

        async def call(self: RecordingStore, *args: Any) -> Any:
            self.reached.append(name)
            return await getattr(self._plain, name)(*args)

        return call

    @asynccontextmanager
    async def enter(self: RecordingStore, *args: Any) -> AsyncIterator[Any]:
        self.reached.append(name)
        async with getattr(self._plain, name)(*args) as value:
            yield value

    return enter


for _name in HOOKS:
    setattr(RecordingStore, _name, _recording(_name))


def hooks_of_the_base() -> set[str]:
    """What a store may do natively, found by its shape."""
    return {
        name
        for kind in (AsyncStoreHooks, AsyncStoreVerbs, AsyncBaseStore)
        for name, member in vars(kind).items()
        if name.startswith("_")
        and not name.startswith("__")
        and (
            inspect.iscoroutinefunction(member)
            or inspect.isasyncgenfunction(member)
            or inspect.isasyncgenfunction(inspect.unwrap(member))
        )
    }
