"""Large objects whose parts are on their way together."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from ...._core.info import ObjectInfo
from ...shortcuts import Content, Digest, Fetch, Place
from ..steps import Copied
from .contents import Rated
from .errand import Errand
from .resumable import UploadMemory, resumed


async def copy_in_parts(
    errand: Errand,
    opened: AbstractAsyncContextManager[Content],
    least: int,
    uploads: UploadMemory | None,
) -> Copied:
    """Have the target take a content in parts, in any order.

    Args:
        errand: What is to be copied.
        opened: The source's object.
        least: Bytes that the target holds at least.
        uploads: Remembers what was begun.
    """
    target, key = errand.there
    held = await errand.ends.budget.acquire(least)
    try:
        with errand.reading():
            found = await opened.__aenter__()
        try:
            info = found.info
            errand.check_source(info)
            content, options = Rated(found, errand), errand.options(info)
            errand.ends.target._check_writing("put", errand.key, options)
            if uploads is not None and least < (info.size or 0):
                stored = await resumed(errand, content, options, uploads)
            else:
                stored = await target._place("put", key, target._take(key, content, options, None))
        finally:
            await opened.__aexit__(None, None, None)
    finally:
        errand.ends.budget.give(held)
    return errand.done(info, _named(stored, errand.key), info.size or 0)


async def copy_to_place(
    errand: Errand, opened: AbstractAsyncContextManager[Fetch], size: int
) -> Copied:
    """Have the source bring an object to a place, by several connections if need be."""
    target, key = errand.there
    held = await errand.ends.budget.acquire(min(size, errand.ends.source._stream_bytes))
    try:
        with errand.reading():
            fetch = await opened.__aenter__()
        try:
            info = fetch.info
            errand.check_source(info)
            options = errand.options(info)
            errand.ends.target._check_writing("put", errand.key, options)
            async with target._placing(key, size, options) as place:
                with errand.reading():
                    await fetch.into(_Rated(place, errand))
        finally:
            await opened.__aexit__(None, None, None)
    finally:
        errand.ends.budget.give(held)
    assert place.info is not None
    return errand.done(info, _named(place.info, errand.key), size)


class _Rated:
    """A place that takes bytes no faster than they may come."""

    def __init__(self, place: Place, errand: Errand) -> None:
        self._place = place
        self._errand = errand
        self.file = place.file if errand.ends.rate is None else None
        self.blocks = place.blocks

    async def write(self, at: int, data: memoryview, digest: Digest | None) -> None:
        """See `Place`."""
        if self._errand.ends.rate is not None:
            await self._errand.ends.rate.take(len(data))
        await self._place.write(at, data, digest)


def _named(info: ObjectInfo, key: str) -> ObjectInfo:
    return info if info.key == key else replace(info, key=key)
