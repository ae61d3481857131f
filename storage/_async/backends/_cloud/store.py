"""The store: its hooks by what a service can do, and how it is shown, pickled and given up."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Hashable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from ...._core.errors import (
    ConfigError,
    InvalidKey,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    SourceChanged,
    StoreNotFound,
)
from ...._core.info import Capability, ListResult, ObjectInfo, ReadOptions, WriteOptions
from ...._core.keys import check_key, check_prefix
from ...._core.urls import StoreURL
from ...base import AsyncBaseStore
from ...pieces import Body, Sink
from .._web.sessions import Wire, options_of
from .reading import download
from .service import Origin, Service
from .sink import CloudSink, token_of

T = TypeVar("T")

TIMEOUT = 300.0
PART = 8 * 1024 * 1024
"""Bytes that a stream sends at once, and that it takes of memory."""
WEEK = 7 * 24 * 3600


def wire(connections: int, connect_timeout: float, read_timeout: float) -> Wire:
    """How connections are made, if the numbers make sense.

    Raises:
        ConfigError: They make none.
    """
    if connections < 1:
        raise ConfigError("connections is at least 1")
    if not (connect_timeout > 0 and read_timeout > 0):
        raise ConfigError("connect_timeout and read_timeout are seconds above 0")
    return Wire(connections, connect_timeout, read_timeout, allow_private=True, tls=None)


def bucket_options(url: StoreURL) -> dict[str, Any]:
    """The options that the URL of a store in a bucket may have, whatever the service."""
    return {
        "prefix": url.path.removeprefix("/"),
        "create": url.option("create", bool, False),
        "part_size": url.option("part_size", int, PART),
        **options_of(url, TIMEOUT),
    }


def check_expiry(expiry: int) -> None:
    """Refuse what is no time for a presigned URL.

    Raises:
        ConfigError: It is not from a second to a week.
    """
    if type(expiry) is not int or not 1 <= expiry <= WEEK:
        raise ConfigError(f"expiry is a number of seconds from 1 to {WEEK}, not {expiry!r}")


class AsyncCloudStore(AsyncBaseStore):
    """Objects in a bucket or container of a cloud service.

    Args:
        service: What the service can do.
        prefix: What all names begin with there, exactly as given.
        create: Whether the first write makes the bucket.
        part_size: Bytes that a stream sends at once; an object of more is sent in parts.
        timeout: As for every store.
    """

    _medium: Service
    _reads_one_version = True
    _copies_remotely = True

    def __init__(
        self,
        service: Service,
        *,
        prefix: str = "",
        create: bool = False,
        part_size: int = PART,
        timeout: float | None = TIMEOUT,
    ) -> None:
        super().__init__(timeout=timeout)
        if part_size < 256 * 1024 or part_size % (256 * 1024):
            raise ConfigError("part_size is a multiple of 256 KiB")
        check_prefix(prefix)
        self._medium = service
        self._prefix = prefix
        self._create_bucket = create
        self._part_size = part_size
        self._stream_bytes = 2 * part_size
        self.capabilities: Capability = service.capabilities

    async def _teardown(self) -> None:
        await self._medium.send.sessions.aclose()

    def __del__(self) -> None:
        # An error in the constructor leaves none.
        service: Service | None = self.__dict__.get("_medium")
        if service is not None and not self._closed and service.send.sessions.held:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)

    def _check_key(self, key: str) -> None:
        self._medium.check(self._prefix + key)

    def _own(self, info: ObjectInfo) -> ObjectInfo:
        """What the service tells of an object, under the key that the user knows."""
        return replace(info, key=info.key[len(self._prefix) :])

    # -- reading ----------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        async with self._open(key, options) as body:
            return b"".join([piece async for piece in body.chunks]), body.info

    async def _get_data(self, key: str, options: ReadOptions) -> bytes:
        source = download(self._medium, self._prefix + key, options, attributes=False)
        async with source as body:
            return b"".join([piece async for piece in body.chunks])

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with download(self._medium, self._prefix + key, options) as body:
            yield Body(self._own(body.info), body.chunks)

    async def _head(self, key: str) -> ObjectInfo:
        return self._own(await self._medium.head(self._prefix + key))

    # -- writing ----------------------------------------------------------------------------

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        token, name = token_of(options), self._prefix + key
        work = lambda: self._medium.put(name, data, options, token)  # noqa: E731
        return self._own(await self._won(name, token, lambda: self._made(work)))

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        sink = CloudSink(self, key, options)
        try:
            yield sink
            sink.info = await sink.finish()
        except BaseException:
            await sink.abort()
            raise

    async def _made(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do what writes; make the bucket if that is what is missing."""
        try:
            return await work()
        except StoreNotFound:
            if not self._create_bucket:
                raise
        await self._medium.create()
        return await work()

    async def _won(
        self, name: str, token: str | None, work: Callable[[], Coroutine[Any, Any, ObjectInfo]]
    ) -> ObjectInfo:
        """Do what stores an object; a race that it lost to itself, by a lost answer, is won."""
        try:
            return await work()
        except (ObjectExists, PreconditionFailed) as error:
            if token is not None:
                try:
                    info, found = await self._medium.owner(name)
                except ObjectNotFound:
                    found = None
                if found == token:
                    return info
            raise error from None

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await self._medium.delete(self._prefix + key, missing_ok, if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        if source == target and not if_absent:
            return await self._step(self._head(source))
        origin = Origin(self._medium, self._prefix + source)
        options = WriteOptions(if_absent=if_absent)
        return self._own(
            await self._medium.copy(origin, self._prefix + target, options, self._step)
        )

    def _service(self) -> Hashable:
        return self._medium.identity

    async def _copy_from(
        self, source: AsyncBaseStore, listed: ObjectInfo, key: str, options: WriteOptions
    ) -> ObjectInfo:
        if not isinstance(source, AsyncCloudStore) or source._service() != self._service():
            raise NotSupported("the service cannot read the source for this store")
        if listed.etag is None:
            raise NotSupported("a copy has to be of one version")
        if options.conditional and Capability.COPY_IF_ABSENT not in self.capabilities:
            raise NotSupported("this server's copies hold no conditions")
        origin = Origin(source._medium, source._prefix + listed.key, listed.etag)
        work = lambda: self._medium.copy(origin, self._prefix + key, options, self._step)  # noqa: E731
        try:
            return self._own(await self._made(work))
        except (ObjectExists, ObjectNotFound, PreconditionFailed):
            # The services do not always tell which of the conditions does not hold.
            await self._step(_still(origin))
            raise

    def _step(self, work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """Wait for one of the requests of a copy, which may be many, and each has its time."""
        return work if self._timeout is None else self._within(self._timeout, work)

    # -- listing ----------------------------------------------------------------------------

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        after = self._prefix + start_after if start_after and self._possible(start_after) else ""
        async with aclosing(self._infos(prefix, after)) as pages:
            async for page in pages:
                for info in page:
                    if info.key > start_after:
                        yield info

    def _info_pages(self, prefix: str) -> AsyncGenerator[list[ObjectInfo], None]:
        return self._infos(prefix, "")

    async def _infos(self, prefix: str, after: str) -> AsyncGenerator[list[ObjectInfo], None]:
        possible = self._possible(prefix)
        full = self._prefix + (prefix if possible else "")
        async with aclosing(self._medium.pages(full, after, "")) as pages:
            async for page in pages:
                if not possible:
                    return  # the bucket is there, and nothing else was to be found out
                yield [own for own in map(self._own, page.objects) if own.key]

    def _possible(self, prefix: str) -> bool:
        """Whether a key may begin like that; what cannot be need not, and may not, be asked for."""
        return not prefix or self._is_key(prefix) or self._is_key(prefix + "x")

    def _is_key(self, key: str) -> bool:
        try:
            check_key(key)
            self._check_key(key)
        except InvalidKey:
            return False
        return True

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        if not (self._possible(prefix) and self._possible(delimiter)):
            return await super()._list_with_delimiter(prefix, delimiter)
        objects: list[ObjectInfo] = []
        prefixes: set[str] = set()
        source = self._medium.pages(self._prefix + prefix, "", delimiter)
        async with aclosing(source) as pages:
            async for page in pages:
                objects += [own for own in map(self._own, page.objects) if own.key]
                prefixes.update(found[len(self._prefix) :] for found in page.prefixes)
        return ListResult(
            tuple(sorted(prefixes)), tuple(sorted(objects, key=lambda info: info.key))
        )


async def _still(origin: Origin) -> None:
    """Raise if the origin of a copy is no longer what it was."""
    try:
        info = await origin.service.head(origin.name)
    except ObjectNotFound as error:
        raise SourceChanged("the object is gone") from error
    if info.etag != origin.etag:
        raise SourceChanged("the object is another one by now")
