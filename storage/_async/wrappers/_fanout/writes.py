"""The writing half of the fan-out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, Literal, TypeVar

from ...._core.closing import closing
from ...._core.errors import NotSupported, ObjectNotFound, StoreError
from ...._core.info import ObjectInfo, WriteOptions
from ...._core.keylocks import KeyLocks
from ...._core.protocol import SupportsPresign
from ...base import Keys, Outcome
from ...pieces import Sink
from ...transfer.objects import copy_object
from .lanes import StreamedWrite
from .reads import FanoutReads
from .replicas import Answer

T = TypeVar("T")

PAGE = 1000
"""Keys that are handed to all children together by a bulk delete."""


class FanoutWrites(FanoutReads):
    """Every write goes to all children at once; see `AsyncFanoutStore`."""

    _locks: KeyLocks

    @asynccontextmanager
    async def _changing(self, *keys: str) -> AsyncIterator[None]:
        """Hold the keys while the children change, so that all end alike."""
        async with AsyncExitStack() as stack:
            for key in sorted(set(keys)):
                await stack.enter_async_context(self._locks(key))
                await stack.enter_async_context(self._repairs.changing(key))
            yield

    async def _settle(
        self, operation: str, key: str, answers: Sequence[Answer[T]]
    ) -> list[Answer[T]]:
        """The answers of those that did it; raises where these are too few."""
        errors = {answer.index: answer.error for answer in answers if answer.error is not None}
        good = [answer for answer in answers if answer.error is None]
        if len(good) < self._needed:
            count = f"{len(errors)} of {len(self._children)} children failed"
            raise self._replicas.failure(count, errors)
        await self._tell(operation, key, errors)
        return good

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        async with self._changing(key):
            answers = await self._replicas.all(
                lambda i: self._children[i]._write(key, data, options), writing=True
            )
        good = await self._settle("put", key, answers)
        return self._told([answer.value for answer in good])

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        stream = StreamedWrite(self._replicas, self._needed, key, options)
        try:
            await stream.open()
            yield stream
            async with self._changing(key):
                infos = await stream.publish()
        except BaseException:
            await stream.abort()
            raise
        stream.info = self._told(infos)
        await self._tell("put", key, stream.errors)

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`; only where one child that takes a write is enough.

        Raises:
            NotSupported: What is sent to a URL would reach one child alone, or no child gives
                out URLs.
        """
        self._check("presigned_put", key)
        for child in self._children if self._needed == 1 else ():
            if isinstance(child, SupportsPresign):
                try:
                    return await child.presigned_put(key, expiry)
                except NotSupported:
                    continue  # a wrapper around one that does not
        why = "no child gives out URLs" if self._needed == 1 else "a URL leads to one child alone"
        raise NotSupported(why, operation="presigned_put", store=repr(self), key=key)

    # -- removing ---------------------------------------------------------------------------

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        async def delete(index: int) -> None:
            await self._children[index].delete(key)

        async with self._changing(key):
            answers = await self._replicas.all(delete, writing=True)
        await self._deleted("delete", key, answers, missing_ok)

    async def _deleted(
        self, operation: str, key: str, answers: Sequence[Answer[None]], missing_ok: bool
    ) -> None:
        """Judge a delete: whoever has no object has done its part."""
        done = [Answer[None](a.index) if a.missing else a for a in answers]
        await self._settle(operation, key, done)
        if not missing_ok and all(answer.error is not None for answer in answers):
            raise self._nowhere(answers)

    def _nowhere(self, answers: Sequence[Answer[Any]]) -> StoreError:
        """The error where no child that answered has the object."""
        missing = [answer.index for answer in answers if answer.missing]
        if len(missing) >= self._inquiry.absence:
            return ObjectNotFound("no child has an object under this key")
        errors = {a.index: a.error for a in answers if a.error is not None and not a.missing}
        return self._replicas.failure("no child has the object, but not all could say so", errors)

    def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        remove = partial(self._delete_page, missing_ok=missing_ok)
        return self._delete_by_pages(keys, PAGE, remove)

    async def _delete_page(self, page: list[str], missing_ok: bool) -> list[Outcome]:
        """Have each child remove all these keys, as it does best."""

        async def delete(index: int) -> dict[str, Exception | None]:
            removing = self._children[index]._delete_many(page, missing_ok)
            async with closing(removing) as outcomes:
                return {key: error async for key, error in outcomes}

        async with self._changing(*page):
            answers = await self._replicas.all(delete, writing=True)
        outcomes: list[Outcome] = []
        for key in page:
            said = [Answer[None](a.index, error=a.error or a.value.get(key)) for a in answers]
            try:
                await self._deleted("delete_many", key, said, missing_ok)
            except StoreError as error:
                outcomes.append((key, error.located(operation="delete", store=repr(self), key=key)))
            else:
                outcomes.append((key, None))
        return outcomes

    # -- from key to key --------------------------------------------------------------------

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._transfer("copy", source, target)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await self._transfer("move", source, target)

    async def _transfer(
        self, verb: Literal["copy", "move"], source: str, target: str
    ) -> ObjectInfo:
        """Let each child copy or move its own; those that lack it are given it by another."""

        async def act(index: int) -> ObjectInfo:
            child = self._children[index]
            return await (child.copy if verb == "copy" else child.move)(source, target)

        async with self._changing(source, target):
            answers = await self._replicas.all(act, writing=True)
            missing = [answer.index for answer in answers if answer.missing]
            done = [answer for answer in answers if answer.error is None]
            if missing and (not done or len(missing) >= self._inquiry.absence):
                raise self._nowhere(answers)
            answers = [answer for answer in answers if not answer.missing]
            answers += await self._bring(done, missing, target)
        good = await self._settle(verb, source, answers)
        return self._told([answer.value for answer in good])

    async def _bring(
        self, done: list[Answer[ObjectInfo]], lacking: list[int], target: str
    ) -> list[Answer[ObjectInfo]]:
        """Give an object that some children have to those that lack it."""

        async def bring(index: int) -> ObjectInfo:
            child = self._children[index]
            await copy_object(self._children[done[0].index], child, done[0].value)
            return await child.head(target)

        return await self._replicas.all(bring, lacking, writing=True) if lacking else []
