"""The base class of all stores of this package: the verbs of `verbs`, and those on many keys."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from typing import TypeAlias, cast

from .._core.closing import closing
from .._core.errors import BulkError, InvalidKey, StoreError
from .._core.info import ByteRange, ObjectInfo, ReadOptions
from .._core.ranges import MergedRange, merge_ranges
from .._core.values import Data
from .._core.window import in_order, pages
from .shortcuts import StoreShortcuts
from .verbs import AsyncStoreVerbs

Keys: TypeAlias = Iterable[str] | AsyncIterable[str]
Items: TypeAlias = Iterable[tuple[str, Data]] | AsyncIterable[tuple[str, Data]]

Outcome: TypeAlias = tuple[str, Exception | None]
"""A key, and what went wrong with it."""

BULK = 32
"""Calls that a verb on many keys has in flight."""


class AsyncBaseStore(AsyncStoreVerbs, StoreShortcuts):
    """The base of all stores of this package; `AsyncObjectStore` tells what they promise.

    Args:
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    async def get_ranges(
        self,
        key: str,
        ranges: Sequence[ByteRange | tuple[int, int | None]],
        *,
        if_match: str | None = None,
    ) -> Sequence[bytes]:
        """Several parts of one object; parts that lie close together are read as one.

        Args:
            key: The object's key.
            ranges: Each a `ByteRange` or a pair of its arguments.
            if_match: Only if the object still has this etag.

        Returns:
            The bytes of each range, in the order asked for.
        """
        parts = [part if isinstance(part, ByteRange) else ByteRange(*part) for part in ranges]
        self._reading("get_ranges", key, None, if_match, None)
        return await self._place("get_ranges", key, self._get_ranges(key, parts, if_match))

    async def get_many(
        self, keys: Keys, *, missing_ok: bool = False
    ) -> AsyncIterator[tuple[str, bytes]]:
        """Read many objects, a bounded number at once.

        Args:
            keys: Their keys; an iterable of either kind, as long as you like.
            missing_ok: Leave out what does not exist.

        Yields:
            Each key with its bytes, in the order of the keys.

        Raises:
            BulkError: After all others were given: the error of each key that failed.
        """
        self._check_open("get_many")
        errors: dict[str, Exception] = {}
        async with closing(in_order(self.get, keys, BULK)) as results:
            async for key, result in results:
                if not isinstance(result, Exception):
                    yield key, result
                elif not (missing_ok and _is_missing(result)):
                    errors[key] = result
        self._raise_bulk("get_many", errors)

    async def put_many(self, items: Items | Mapping[str, Data]) -> int:
        """Store many objects, a bounded number at once.

        Args:
            items: A mapping, or pairs of key and value as for `put`. If it raises, what it gave
                before is stored, and the error passes through.

        Returns:
            How many were stored.

        Raises:
            BulkError: After all others were stored: the error of each key that failed.
        """
        self._check_open("put_many")
        pairs = cast("Items", items.items() if isinstance(items, Mapping) else items)
        count, errors = 0, dict[str, Exception]()
        async with closing(self._put_many(pairs)) as outcomes:
            async for key, error in outcomes:
                if error is None:
                    count += 1
                else:
                    errors[key] = error
        self._raise_bulk("put_many", errors)
        return count

    async def delete_many(self, keys: Keys, *, missing_ok: bool = True) -> int:
        """Remove many objects, a bounded number at once.

        Args:
            keys: Their keys. If they raise, what they gave before is removed, and the error passes
                through.
            missing_ok: No error for a key without an object.

        Returns:
            How many keys are without an object now; with ``missing_ok`` whether or not they had
            one.

        Raises:
            BulkError: After all others were removed: the error of each key that failed.
        """
        self._check_open("delete_many")
        count, errors = 0, dict[str, Exception]()
        async with closing(self._delete_many(keys, missing_ok)) as results:
            async for key, error in results:
                if error is None:
                    count += 1
                else:
                    errors[key] = error
        self._raise_bulk("delete_many", errors)
        return count

    async def clear(self, prefix: str = "") -> int:
        """Remove all objects whose keys begin with ``prefix``; returns how many.

        The whole listing is read before the first object goes, so that an error in it removes
        nothing.

        Raises:
            BulkError: After all others were removed: the error of each key that failed.
        """
        self._check_open("clear")
        keys = [key async for key in self.keys(prefix)]
        return await self.delete_many(keys)

    async def _look(self, key: str) -> ObjectInfo:
        """`_head`, and the checksum, too, where the store has to be asked for it."""
        return await self._head(key)

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        """Read the merged ranges and cut them up."""
        size = 0
        if any(part.start < 0 or part.end is None for part in parts):
            size = (await self.head(key)).size or 0
        bounds = [
            part.resolve(size) if part.start < 0 or part.end is None else (part.start, part.end)
            for part in parts
        ]
        found = [b""] * len(parts)

        async def read(merged: MergedRange) -> None:
            options = ReadOptions(ByteRange(merged.start, merged.end), if_match)
            data, _ = await self._run("get_ranges", key, self._get(key, options))
            for index in merged.members:
                start, end = bounds[index]
                found[index] = data[start - merged.start : end - merged.start]

        async with closing(in_order(read, merge_ranges(bounds), BULK)) as results:
            async for _, error in results:
                if error is not None:
                    raise error
        return found

    async def _put_many(self, items: Items) -> AsyncGenerator[Outcome, None]:
        """Store objects; give each key with its error or None."""

        async def put(item: tuple[str, Data]) -> ObjectInfo:
            return await self.put(*item)

        async with closing(in_order(put, items, BULK)) as results:
            async for (key, _), result in results:
                yield key, result if isinstance(result, Exception) else None

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        """Remove objects; give each key with its error or None."""

        async def delete(key: str) -> None:
            await self.delete(key, missing_ok=missing_ok)

        async with closing(in_order(delete, keys, BULK)) as results:
            async for outcome in results:
                yield outcome

    async def _delete_by_pages(
        self,
        keys: Keys,
        size: int,
        remove: Callable[[list[str]], Awaitable[Iterable[Outcome]]],
    ) -> AsyncGenerator[Outcome, None]:
        """The same by `remove`, for ``size`` keys at once; what is no key here never reaches it."""
        async with closing(pages(keys, size)) as source:
            async for page in source:
                fine = []
                for key in page:
                    try:
                        self._check("delete_many", key)
                    except StoreError as error:
                        yield key, error
                    else:
                        fine.append(key)
                for outcome in await remove(fine):
                    yield outcome

    def _raise_bulk(self, operation: str, errors: dict[str, Exception]) -> None:
        if errors:
            count = f"{len(errors)} key{'s' if len(errors) > 1 else ''} failed"
            raise BulkError(count, errors).located(operation=operation, store=repr(self))


def _is_missing(error: Exception) -> bool:
    """Whether there is no object; a key that is refused is a ``KeyError``, too."""
    return isinstance(error, KeyError) and not isinstance(error, InvalidKey)
