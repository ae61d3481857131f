"""Objects read at any place, by ranges of one version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from ...._core.errors import IntegrityError
from ...._core.info import ByteRange, ObjectInfo, ReadOptions
from ...shortcuts import Content
from .errand import Errand


def content_of(errand: Errand) -> AbstractAsyncContextManager[Content] | None:
    """The source's object, to be read at any place; None where it cannot be."""
    source, key = errand.here
    found = source._content(key, errand.pinned())
    if found is not None:
        return found
    if errand.ends.ranges and errand.listed.etag is not None:
        return _ranged(errand)
    return None


@asynccontextmanager
async def _ranged(errand: Errand) -> AsyncIterator[Content]:
    with errand.reading():
        errand.ends.source._check_reading("get", errand.listed.key, errand.pinned())
        source, key = errand.here
        info = await source._run("head", key, source._look(key))
    yield _Ranged(errand, info)


class _Ranged:
    """An object that is read by ranges, each pinned to its etag."""

    def __init__(self, errand: Errand, info: ObjectInfo) -> None:
        self.info = info
        self._errand = errand

    async def fill(self, view: memoryview, start: int) -> None:
        """See `Content`."""
        errand, at = self._errand, 0
        options = ReadOptions(ByteRange(start, start + len(view)), errand.listed.etag)
        with errand.reading():
            async with errand.ends.source._reader(errand.listed.key, options) as reader:
                async for chunk in reader:
                    view[at : at + len(chunk)] = chunk
                    at += len(chunk)
        if at != len(view):
            raise IntegrityError(f"{at} bytes came of a range of {len(view)}")

    async def verify(self) -> None:
        """See `Content`; each read has been checked by the store."""


class Rated:
    """A content that is read no faster than it may be."""

    def __init__(self, content: Content, errand: Errand) -> None:
        self.info = content.info
        self._content = content
        self._errand = errand

    async def fill(self, view: memoryview, start: int) -> None:
        """See `Content`."""
        if self._errand.ends.rate is not None:
            await self._errand.ends.rate.take(len(view))
        await self._content.fill(view, start)

    async def verify(self) -> None:
        """See `Content`."""
        with self._errand.reading():
            await self._content.verify()
