"""All objects of a moment, written into another store; and all of another, taken over at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import NamedTuple

from ...._core.closing import closing
from ...._core.errors import BulkError, ObjectNotFound, StoreNotFound
from ...._core.info import READ_ALL, Capability, ObjectInfo, WriteOptions
from ...._core.window import in_order
from ...base import BULK, AsyncBaseStore


class Item(NamedTuple):
    """An object."""

    key: str
    data: bytes
    info: ObjectInfo
    ttl: float | None = None
    """Seconds that it has to live; None: for ever."""

    def options(self, *, attributes: bool = True) -> WriteOptions:
        """How to store it."""
        if not attributes:
            return WriteOptions()
        return WriteOptions(False, None, self.info.content_type, self.info.metadata)


async def write_items(items: Sequence[Item], target: AsyncBaseStore, delete: bool) -> None:
    """Put all items into a store, and then remove what else it has, if asked.

    Raises:
        BulkError: Some failed; all others are there, and nothing was removed.
    """
    attributes = Capability.ATTRIBUTES in target.capabilities

    async def put(item: Item) -> None:
        view = None if item.ttl is None else getattr(target, "with_ttl", None)
        store: AsyncBaseStore = target if view is None else view(item.ttl)
        await store._write(item.key, item.data, item.options(attributes=attributes))

    errors: dict[str, Exception] = {}
    async with closing(in_order(put, items, BULK)) as results:
        async for item, outcome in results:
            if isinstance(outcome, Exception):
                errors[item.key] = outcome
    _raise(errors)
    if delete:
        keys = {item.key for item in items}
        await target.delete_many([key async for key in _others(target, keys)])


async def _others(target: AsyncBaseStore, keys: Collection[str]) -> AsyncIterator[str]:
    try:
        async for key in target.keys():
            if key not in keys:
                yield key
    except StoreNotFound:  # it was not even written to
        return


async def read_items(source: AsyncBaseStore) -> list[Item]:
    """All objects of a store; those that go meanwhile are left out.

    Raises:
        BulkError: Some could not be read.
        StoreError: The listing failed.
    """

    async def read(key: str) -> Item:
        data, info = await source._read(key, READ_ALL)
        if not isinstance(data, bytes):
            raise TypeError(f"the values of {source!r} are not bytes")
        return Item(key, data, info)

    items: list[Item] = []
    errors: dict[str, Exception] = {}
    async with closing(in_order(read, source.keys(), BULK)) as results:
        async for key, outcome in results:
            if isinstance(outcome, Item):
                items.append(outcome)
            elif not isinstance(outcome, ObjectNotFound):
                errors[key] = outcome
    _raise(errors)
    return items


def _raise(errors: dict[str, Exception]) -> None:
    if errors:
        raise BulkError(f"{len(errors)} key{'s' if len(errors) > 1 else ''} failed", errors)
