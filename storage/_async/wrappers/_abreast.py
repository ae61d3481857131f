"""Listings of several stores side by side, object by object."""

from __future__ import annotations

import heapq
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack

from ..._core.closing import closing
from ..._core.errors import MalformedResponse
from ..._core.info import ObjectInfo
from ..transfer.listing import in_pages
from ..transfer.sorting import sorted_pages


async def in_key_order(
    source: AsyncIterator[ObjectInfo], name: str
) -> AsyncGenerator[ObjectInfo, None]:
    """Hand a listing on, and make sure that its keys rise.

    Raises:
        MalformedResponse: A key does not come after the one before it.
    """
    last = ""
    async with closing(source) as listing:
        async for info in listing:
            if info.key <= last:
                raise MalformedResponse(
                    f"the listing of {name} is not in order: {info.key!r} after {last!r}"
                )
            last = info.key
            yield info


async def sorted_on_disk(
    source: AsyncIterator[ObjectInfo],
) -> AsyncGenerator[ObjectInfo, None]:
    """Sort a listing of any length in bounded memory; each key once."""
    last = None
    async with closing(sorted_pages(in_pages(source))) as pages:
        async for page in pages:
            for info in page:
                if info.key != last:
                    yield info
                last = info.key


async def merge(
    sources: Sequence[AsyncIterator[ObjectInfo]],
) -> AsyncGenerator[tuple[ObjectInfo | None, ...], None]:
    """Walk ordered listings side by side.

    Yields:
        For each key that is in any of them, in order: what each listing says of it, or None.
    """
    async with AsyncExitStack() as stack:
        for source in sources:
            await stack.enter_async_context(closing(source))
        heads: list[tuple[str, int]] = []
        current: list[ObjectInfo | None] = [None] * len(sources)

        async def advance(index: int) -> None:
            current[index] = info = await anext(sources[index], None)
            if info is not None:
                heapq.heappush(heads, (info.key, index))

        for index in range(len(sources)):
            await advance(index)
        while heads:
            key = heads[0][0]
            row: list[ObjectInfo | None] = [None] * len(sources)
            while heads and heads[0][0] == key:
                index = heapq.heappop(heads)[1]
                row[index] = current[index]
            yield tuple(row)
            for index, info in enumerate(row):
                if info is not None:
                    await advance(index)
