"""What a retrying store does when it reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import ObjectNotFound, PreconditionFailed
from ..._core.info import ByteRange, Capability, ListResult, ObjectInfo, ReadOptions
from ..pieces import Body
from ..streams import AsyncReader
from ._tries import Patience, Tries
from .identity import AsyncIdentityStore

T = TypeVar("T")


class RetryingReads(AsyncIdentityStore):
    """The reading half of `AsyncRetryStore`."""

    _patience: Patience
    _retry_on: tuple[type[Exception], ...]

    async def _again(
        self, work: Callable[[], Coroutine[Any, Any, T]], tries: Tries | None = None
    ) -> T:
        """Do some work until it is done or there is no point in it."""
        tries = tries or Tries(self._patience)
        while True:
            try:
                result = await work()
            except self._retry_on as error:
                await tries.after(error)
                self._check_open("retry")
            else:
                tries.won()
                return result

    # -- reading ----------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        return await self._again(partial(super()._get, key, options))

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        return await self._again(partial(super()._get_ranges, key, parts, if_match))

    async def _head(self, key: str) -> ObjectInfo:
        return await self._again(partial(super()._head, key))

    async def _exists(self, key: str) -> bool:
        return await self._again(partial(super()._exists, key))

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        return await self._again(partial(super()._list_with_delimiter, prefix, delimiter))

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        tries = Tries(self._patience)
        async with AsyncExitStack() as stack:

            async def opened(wanted: ReadOptions) -> AsyncReader:
                await stack.aclose()
                return await stack.enter_async_context(self._child._reader(key, wanted))

            reader = await self._again(partial(opened, options), tries)
            yield Body(reader.info, self._resumed(reader, options, opened, tries))

    async def _resumed(
        self,
        reader: AsyncReader,
        options: ReadOptions,
        opened: Callable[[ReadOptions], Coroutine[Any, Any, AsyncReader]],
        tries: Tries,
    ) -> AsyncIterator[bytes]:
        """A download's bytes; where it breaks, the rest of the same version is asked for."""
        info = reader.info
        while True:
            try:
                async for chunk in reader:
                    yield chunk
                return
            except self._retry_on as error:
                rest = self._rest(options, info, reader.tell())
                if rest is None:
                    raise
                if reader.tell():
                    tries.went_on()
                await tries.after(error)
                options = rest
                try:
                    reader = await self._again(partial(opened, rest), tries)
                except (PreconditionFailed, ObjectNotFound):
                    error.add_note("the object is another one by now")
                    raise error from None

    def _rest(self, options: ReadOptions, info: ObjectInfo, done: int) -> ReadOptions | None:
        """What is left to be read of that version; None where nothing holds it fast."""
        needed = Capability.READ_CONDITIONS | Capability.RANGES
        if needed not in self._child.capabilities or info.size is None or info.etag is None:
            return None
        start, end = (options.byte_range or ByteRange()).resolve(info.size)
        return ReadOptions(ByteRange(start + done, end), info.etag)

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        listing = self._listed(partial(super()._keys, prefix), start_after, str)
        async with closing(listing) as keys:
            async for key in keys:
                yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        listing = self._listed(partial(super()._list, prefix), start_after, lambda info: info.key)
        async with closing(listing) as infos:
            async for info in infos:
                yield info

    async def _listed(
        self,
        listing: Callable[[str], AsyncIterator[T]],
        start_after: str,
        key_of: Callable[[T], str],
    ) -> AsyncIterator[T]:
        """A listing that goes on after its last key where it broke off."""
        tries, last = Tries(self._patience), start_after
        while True:
            try:
                async with closing(listing(last)) as items:
                    async for item in items:
                        last = key_of(item)
                        tries.went_on()
                        yield item
                tries.won()
                return
            except self._retry_on as error:
                if last != start_after and Capability.ORDERED not in self._child.capabilities:
                    raise  # what was given already would come again
                await tries.after(error)
