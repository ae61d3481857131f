"""A store that tries again what failed for a moment."""

from __future__ import annotations

import random
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
)
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import (
    ConfigError,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreTimeout,
    StoreUnavailable,
)
from ..._core.info import (
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from ..._core.protocol import AsyncObjectStore
from ..base import Keys, Outcome
from ..pieces import Sink
from ..streams import AsyncWriter, WriterSink
from ._retrying import RetryingReads
from ._tries import Patience, Tokens, Tries

T = TypeVar("T")

PAGE = 1000
"""Keys of a bulk delete that are tried together."""


class AsyncRetryStore(RetryingReads):
    """Tries again what a store could not do for a moment, where to do it twice does no harm.

    Reads, listings, writes of whole objects, copies and deletes are tried again; moves are not,
    since a second one could move something else. A broken download goes on where it broke off, if
    the store can hold the version fast; a listing does, if it is ordered. A stream that is written
    is tried again only before its first piece was taken, for it cannot be read twice.

    A delete whose answer was lost has succeeded if nothing is there any more. A conditional write
    that is refused after such a loss raises the error of the loss: whether the object that is
    there is this write's own is not known.

    Args:
        store: A store of ours, or any object with the five async verbs.
        attempts: How often one operation is tried in all.
        budget: Tokens for further tries, shared by all operations: each takes 5, a success gives
            back 1, or the 5 that it took. An outage so makes no storm. None: no such limit.
        base: Seconds that the first pause takes at most; each further one, twice as many. How many
            it takes is a matter of chance, unless the error says when to come back.
        cap: Seconds that any pause takes at most, unless the error says more.
        seconds: No try begins so long after the first one. None: no such limit.
        retry_on: The errors that pass.
        same_is_own: Take an object for a conditional write's own if it has the same bytes. Only
            right where no two writers ever write the same.
        clock: Gives the time in seconds.
        sleep: Waits so many seconds; None: ``asyncio.sleep``.
        rng: Gives a number from 0 to 1 by chance.
        timeout: Seconds that one operation may take, all its tries included.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        *,
        attempts: int = 4,
        budget: int | None = 500,
        base: float = 0.1,
        cap: float = 20.0,
        seconds: float | None = 60.0,
        retry_on: tuple[type[Exception], ...] = (StoreUnavailable, StoreTimeout),
        same_is_own: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        rng: Callable[[], float] = random.random,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        if attempts < 1 or base < 0 or cap < 0:
            raise ConfigError("attempts is at least 1, base and cap are numbers of seconds")
        self._patience = Patience(attempts, seconds, base, cap, Tokens(budget), clock, sleep, rng)
        self._retry_on = retry_on
        self._same_is_own = same_is_own
        self.inline = False  # it sleeps

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        tries = Tries(self._patience)
        try:
            return await self._again(partial(super()._put, key, data, options), tries)
        except (ObjectExists, PreconditionFailed):
            if tries.first is None:
                raise
            own = await self._own(key, data) if self._same_is_own else None
            if own is None:
                raise self._unknown(tries.first) from None
            return own

    async def _own(self, key: str, data: Any) -> ObjectInfo | None:
        """What is known of the object that is there, if it has these bytes."""
        try:
            found, info = await self._get(key, ReadOptions())
        except ObjectNotFound:
            return None
        return info if found == data else None

    def _unknown(self, first: Exception) -> Exception:
        """The error of a conditional call whose answer was lost, and that was refused then."""
        first.add_note("tried again it was refused: whether it was done at first is not known")
        return first

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        async with AsyncExitStack() as stack:

            async def opened() -> AsyncWriter:
                return await stack.enter_async_context(self._child._writer(key, options))

            writer = await self._again(opened)
            sink = WriterSink(writer)
            yield sink
        sink.info = writer.info

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        tries = Tries(self._patience)
        try:
            return await self._again(partial(super()._copy, source, target, if_absent), tries)
        except ObjectExists:
            if tries.first is None:
                raise
            raise self._unknown(tries.first) from None

    # -- removing ---------------------------------------------------------------------------

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        tries = Tries(self._patience)
        try:
            await self._again(partial(super()._delete, key, missing_ok, if_match), tries)
        except (ObjectNotFound, PreconditionFailed):
            if tries.first is None:
                raise
            if if_match is not None:
                raise self._unknown(tries.first) from None

    def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        remove = partial(self._delete_page, missing_ok=missing_ok)
        return self._delete_by_pages(keys, PAGE, remove)

    async def _delete_page(self, page: list[str], missing_ok: bool) -> list[Outcome]:
        """Delete some keys; those that the store could not do for a moment, again."""
        said: dict[str, Exception | None] = {}
        passing: dict[str, Exception] = {}
        tries = Tries(self._patience)

        async def delete() -> None:
            passing.clear()
            waiting = [key for key in page if key not in said]
            async with closing(self._child._delete_many(waiting, missing_ok)) as outcomes:
                async for key, error in outcomes:
                    lost = tries.first is not None and isinstance(error, ObjectNotFound)
                    if isinstance(error, self._retry_on):
                        passing[key] = error
                    else:
                        said[key] = None if lost else error
            for error in passing.values():
                raise error

        try:
            if page:
                await self._again(delete, tries)
        except self._retry_on as error:
            return [(key, said[key] if key in said else passing.get(key, error)) for key in page]
        return [(key, said[key]) for key in page]
