"""Broken in how they list, and in the verbs on many keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from storage._core.errors import BulkError, ObjectNotFound, StoreError, StoreNotFound
from storage._core.info import ListResult, ObjectInfo

from .healthy import HealthyStore, caught_by


class Listed(HealthyStore):
    """Lists by a list of its own."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        keys = sorted(self.objects)
        return [key for key in keys if key.startswith(prefix) and key > start_after]

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        self._must_exist()
        for key in self._all(prefix, start_after):
            await asyncio.sleep(0)
            yield key


@caught_by("test_order", "test_prefixes", "test_start_after", "test_more_than_one_page")
class Unordered(Listed):
    """Declares an order, and has another one."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        return super()._all(prefix, start_after)[::-1]


@caught_by("test_order")
class OrderOfUtf16(Listed):
    """The order of many languages' strings, which differs beyond the basic plane."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        keys = super()._all(prefix, start_after)
        return sorted(keys, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


@caught_by("test_order", "test_prefixes")
class OrderOfDirectories(Listed):
    """The order of a walk: ``a/b`` before ``a-b``."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        return sorted(super()._all(prefix, start_after), key=lambda key: key.split("/"))


@caught_by("test_more_than_one_page")
class OnePage(Listed):
    """Gives the first page for the whole."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        return super()._all(prefix, start_after)[:100]


@caught_by("test_start_after", "test_hostile_keys_one_by_one")
class StartsAt(Listed):
    """``start_after`` includes the key itself."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        keys = super()._all(prefix, "")
        return [key for key in keys if key >= start_after]


@caught_by("test_empty_store", "test_bulk_of_nothing", "test_hostile_keys")
class ListsItself(Listed):
    """Lists something of its own."""

    def _all(self, prefix: str, start_after: str) -> list[str]:
        return [*super()._all(prefix, start_after), ".index"]

    async def list(self, prefix: str = "", *, start_after: str = "") -> AsyncIterator[ObjectInfo]:
        for key in self._all(prefix, start_after):
            yield ObjectInfo(key)


@caught_by("test_listing_while_it_changes")
class BreaksOffWhenChanged(Listed):
    """A listing fails when the store changes."""

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        for key in dict(self.objects) if len(self.objects) < 50 else self.objects:
            if key.startswith(prefix) and key > start_after:
                await asyncio.sleep(0)
                yield key


@caught_by("test_listing_while_it_changes")
class ListsByNumber(Listed):
    """Pages by number: what is removed in between hides something else."""

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        self._must_exist()
        index = 0
        while index < len(keys := self._all(prefix, start_after)):
            yield keys[index]
            index += 1


@caught_by("test_missing_store")
class MissingIsEmpty(HealthyStore):
    """A listing that fails ends quietly: a missing store looks like an empty one."""

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        try:
            async for key in super()._keys(prefix, start_after):
                yield key
        except StoreNotFound:
            return


@caught_by("test_missing_store")
class MissingIsMissingKey(HealthyStore):
    """A missing store says that the key is missing."""

    def _must_exist(self) -> None:
        try:
            super()._must_exist()
        except StoreNotFound:
            raise ObjectNotFound("there is no object under this key") from None


@caught_by("test_listing_is_left_early", "test_two_listings_at_once")
class OneListingAtATime(Listed):
    """A listing that was left keeps all others out."""

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        if self._listing:
            raise StoreError("there is a listing already")
        self._listing = True
        async for key in super()._keys(prefix, start_after):
            yield key
        self._listing = False

    _listing = False


@caught_by("test_list_with_delimiter", "test_many_prefixes", "test_empty_store")
class NoLevels(HealthyStore):
    """Cuts at the first slash of the key, and gives prefixes as often as they come."""

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        infos = [info async for info in self._list(prefix, "")]
        prefixes = tuple(info.key.split("/")[0] + "/" for info in infos if "/" in info.key)
        level = tuple(info for info in infos if "/" not in info.key)
        return ListResult(prefixes, level or (ObjectInfo("."),))


@caught_by("test_prefix_is_text")
class AnyPrefix(HealthyStore):
    """Takes anything for a prefix."""

    def _check_listing(self, operation: str, prefix: Any, start_after: Any) -> None:
        self._check_open(operation)

    async def _keys(self, prefix: Any, start_after: Any) -> AsyncIterator[str]:
        prefix = prefix if isinstance(prefix, str) else ""
        start_after = start_after if isinstance(start_after, str) else ""
        async for key in super()._keys(prefix, start_after):
            yield key


@caught_by("test_bulk", "test_get_many_with_missing")
class GetsInAnyOrder(HealthyStore):
    """Gives objects as they come, and stops at the first error."""

    async def get_many(
        self, keys: Any, *, missing_ok: bool = False
    ) -> AsyncIterator[tuple[str, bytes]]:
        wanted = [key async for key in keys] if hasattr(keys, "__aiter__") else list(keys)
        for key in sorted(wanted):
            yield key, await self.get(key)


@caught_by(
    "test_put_many_of_a_mapping", "test_put_many_with_bad_ones", "test_bulk",
    "test_put_many_of_a_source_that_fails",
)  # fmt: skip
class PutsAllOrNothing(HealthyStore):
    """Takes pairs of bytes only, and stops at the first that is bad."""

    async def put_many(self, items: Any) -> int:
        pairs = [pair async for pair in items] if hasattr(items, "__aiter__") else list(items)
        for count, (key, data) in enumerate(pairs):
            if count and count % 7 == 0:
                continue
            await self.put(key, data)
        return len(pairs)


@caught_by("test_delete_many_with_missing", "test_errors_travel")
class DeletesQuietly(HealthyStore):
    """Says that all were deleted."""

    async def delete_many(self, keys: Any, *, missing_ok: bool = True) -> int:
        count = 0
        try:
            count = await super().delete_many(keys, missing_ok=missing_ok)
        except BulkError:
            pass
        return count


@caught_by("test_delete_many_of_the_same", "test_delete_many_with_missing", "test_bulk_of_nothing")
class DeletesOnce(HealthyStore):
    """Minds a key that comes twice, and an empty request."""

    async def delete_many(self, keys: Any, *, missing_ok: bool = True) -> int:
        keys = [key async for key in keys] if hasattr(keys, "__aiter__") else list(keys)
        if not keys:
            raise StoreError("400 MalformedXML")
        return await super().delete_many(keys, missing_ok=len(keys) > 40)


@caught_by("test_clear", "test_more_than_one_page")
class ClearsTooMuch(HealthyStore):
    """Takes the prefix for that of a name: ``a/`` clears ``a`` too."""

    async def clear(self, prefix: str = "") -> int:
        return await super().clear(prefix.rstrip("/"))


@caught_by("test_get_many_is_left_early")
class ReadsAhead(HealthyStore):
    """Begins all reads at once, and leaves those running that nobody waits for."""

    async def get_many(
        self, keys: Any, *, missing_ok: bool = False
    ) -> AsyncIterator[tuple[str, bytes]]:
        reads = [(key, asyncio.create_task(self._slowly(key))) for key in keys]
        TASKS.extend(task for _, task in reads)
        for key, task in reads:
            yield key, await task

    async def _slowly(self, key: str) -> bytes:
        data = await self.get(key)
        while key != "key00":
            await asyncio.sleep(0.01)
        return data


TASKS: list[asyncio.Task[bytes]] = []
"""Tasks that broken stores have left running."""
