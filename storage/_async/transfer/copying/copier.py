"""Chooses the way of each copy, and makes it."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ...._core import bulk, calls
from ...._core.budget import ByteBudget
from ...._core.errors import AccessDenied, NotSupported, SourceChanged
from ...._core.info import WRITE_OVER, ObjectInfo, WriteOptions
from ...._core.window import surely
from ...base import AsyncBaseStore
from ..steps import Copied
from .errand import Ends, Errand, Rate
from .serverside import copy_in_service
from .whole import copy_whole

if TYPE_CHECKING:
    from .resumable import UploadMemory

MIB = 1024 * 1024
WHOLE = 8 * MIB
"""Objects of at most so many bytes travel in one piece."""
BUDGET = 64 * MIB


class Copier:
    """Copies objects of one store into another, any number at once, each on the cheapest way.

    A copy is verified: its length always, and a digest where the ends tell comparable ones. It is
    of the version that was listed. It survives a power cut once `settle` has returned.

    Args:
        source: Where the objects are.
        target: Where they go.
        budget: Of the memory for all that is on its way; None: one of 64 MiB.
        rate: Of all that is on its way.
        uploads: Remembers large uploads between runs; None: what fails leaves nothing behind.
        at_once: Whether a copy survives a power cut already when it returns.
    """

    def __init__(
        self,
        source: AsyncBaseStore,
        target: AsyncBaseStore,
        *,
        budget: ByteBudget | None = None,
        rate: Rate | None = None,
        uploads: UploadMemory | None = None,
        at_once: bool = False,
    ) -> None:
        budget = ByteBudget(BUDGET) if budget is None else budget
        self._ends = Ends(source, target, budget, rate)
        self._uploads = uploads
        self._job = bulk.BulkJob(budget, at_once=at_once)
        self._refused = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await surely(self._job.release)

    async def settle(self) -> None:
        """Make all copies durable that had returned before this was called."""
        await calls.call(self._job.settle)

    async def copy(
        self, listed: ObjectInfo, condition: WriteOptions = WRITE_OVER, key: str | None = None
    ) -> Copied:
        """Bring an object over, with its attributes and its time where both ends keep them.

        Args:
            listed: What the source's listing says of it.
            condition: What has to be true at the target; only ``if_absent`` and ``if_match``.
            key: Its key there; None for the same.

        Raises:
            SourceChanged: It is not what was listed, or did not stay so; nothing is published.
            ObjectExists: ``if_absent`` does not hold at the target.
            PreconditionFailed: ``if_match`` does not.
            IntegrityError: What arrived is not what was sent.
        """
        token = bulk.current.set(self._job)
        try:
            try:
                return await self._copy(self._errand(listed, condition, key))
            except SourceChanged:
                again = await self._told_anew(listed)
                if again is None:
                    raise
            return await self._copy(self._errand(again, condition, key))
        finally:
            bulk.current.reset(token)

    async def forget(self, key: str) -> None:
        """Give up a large upload that an earlier run has begun, if there is one."""
        if self._uploads is not None:
            from .resumable import drop

            await drop(self._ends.target, key, self._uploads)

    def _errand(self, listed: ObjectInfo, condition: WriteOptions, key: str | None) -> Errand:
        ends, key = self._ends, listed.key if key is None else key
        here, there = ends.source._behind(listed.key), ends.target._behind(key)
        return Errand(ends, listed, key, condition, here, there)

    async def _copy(self, errand: Errand) -> Copied:
        if not self._refused and _share_service(errand):
            try:
                return await copy_in_service(errand)
            except AccessDenied:
                self._refused = True  # the bytes may still go through here
            except NotSupported:
                pass
        size = errand.listed.size
        if not self._ends.streams or (size is not None and size <= WHOLE):
            return await copy_whole(errand, WHOLE)
        return await self._copy_large(errand, size)

    async def _copy_large(self, errand: Errand, size: int | None) -> Copied:
        from .contents import content_of
        from .parallel import copy_in_parts, copy_to_place
        from .streamed import copy_streamed

        if size is None:
            return await copy_streamed(errand)
        (source, inner), target = errand.here, errand.there[0]
        least = target._takes_contents(size)
        if least is not None:
            content = content_of(errand)
            if content is not None:
                return await copy_in_parts(errand, content, least, self._uploads)
        if target._has_places:
            fetch = source._fetch(inner, errand.pinned())
            if fetch is not None:
                return await copy_to_place(errand, fetch, size)
        return await copy_streamed(errand)

    async def _told_anew(self, listed: ObjectInfo) -> ObjectInfo | None:
        """The same object under another etag: there are servers whose listings tell others."""
        if listed.etag is None or listed.modified is None:
            return None
        try:
            head = await self._ends.source.head(listed.key)
        except Exception:
            return None
        same = (head.size, head.modified) == (listed.size, listed.modified)
        return replace(listed, etag=head.etag) if same and head.etag != listed.etag else None


def _share_service(errand: Errand) -> bool:
    service = errand.there[0]._service()
    return service is not None and service == errand.here[0]._service()
