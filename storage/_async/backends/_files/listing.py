"""Listings of files, some steps at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from itertools import islice
from typing import TypeVar

from ...._core.closing import closing
from ...._core.errors import StoreError, from_oserror
from ...._core.info import ObjectInfo
from ...._core.values import batches
from .layout import Layout
from .passing import FilePassing
from .places import describe
from .walk import Listed, Walk

T = TypeVar("T")

PAGE = 512
"""Keys that a listing fetches at a time."""
STEPS = 32
"""Steps of a listing between two looks at the clock."""


class FileListing(FilePassing):
    """What is under a root, as it is met on a walk."""

    _layout = Layout()

    def _walk(self, prefix: str, start_after: str, *, facts: bool) -> Walk:
        # What is no text orders as its code points do, and begins no key.
        begin, after = (text.encode(errors="surrogatepass") for text in (prefix, start_after))
        return Walk(self._objects.tree, self._layout, begin, after, facts)

    def _listed(self, prefix: str, start_after: str, facts: bool) -> Iterator[Listed | None]:
        return iter(self._walk(prefix, start_after, facts=facts))

    async def _pulled(
        self, steps: Iterator[T], weigh: Callable[[T], int]
    ) -> AsyncGenerator[T, None]:
        """The results of steps that block, as `batches` pulls them."""
        try:
            async with closing(batches(steps, weigh, PAGE)) as pages:
                async for page in pages:
                    for result in page:
                        yield result
        except StoreError:
            raise
        except OSError as error:
            raise from_oserror(error) from error

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        steps = _several(self._listed(prefix, start_after, False))
        async with closing(self._pulled(steps, len)) as pages:
            async for page in pages:
                for found in page:
                    if found is not None:
                        yield found[0]

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        async with closing(self._infos(prefix, start_after)) as pages:
            async for page in pages:
                for info in page:
                    yield info

    def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        return self._infos(prefix, "")

    def _infos(self, prefix: str, start_after: str) -> AsyncGenerator[list[ObjectInfo], None]:
        return self._pulled(_described(self._listed(prefix, start_after, True)), len)

    async def _total(self, steps: Iterator[int]) -> int:
        total = 0
        async with closing(self._pulled(steps, lambda _: 1)) as counts:
            async for count in counts:
                total += count
        return total


def _several(steps: Iterator[T]) -> Iterator[list[T]]:
    """Steps of a listing, some at a time; to look at the clock after each would take longer."""
    while some := list(islice(steps, STEPS)):
        yield some


def _described(steps: Iterator[Listed | None]) -> Iterator[list[ObjectInfo]]:
    """What a listing finds, some at a time."""
    for some in _several(steps):
        yield [describe(found[0], found[1]) for found in some if found and found[1] is not None]
