"""The short ways from bucket to bucket, and of large objects into buckets and out of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from ...._core import bulk
from ...._core.errors import NotSupported, StoreError
from ...._core.info import ObjectInfo, ReadOptions, WriteOptions
from ...base import AsyncBaseStore
from ...shortcuts import Content, Fetch, Place
from . import attributes, checksums, reading
from .clients import Clients
from .errors import failure
from .filling import PIECE, Filling
from .flights import Budget, Room
from .multipart import LARGE_PUT, MIN_PART_SIZE, even_size
from .parallel import Steps
from .settings import ObjectRequests


class BucketPassing(AsyncBaseStore):
    """See `StoreShortcuts`."""

    _copies_remotely = True
    _send: ObjectRequests
    _clients: Clients
    _prefix: str
    """What all keys begin with on the server."""
    _part_size: int
    _budget: Budget
    _begun: set[str]
    """The uploads of which nothing was sent yet, by their ids."""

    def _room(self) -> Room:
        """The memory for parts: that of the job which is worked for, or our own."""
        job = bulk.current.get()
        return self._budget if job is None else job.budget

    @property
    def _stream_bytes(self) -> int:  # type: ignore[override]
        return 2 * self._part_size

    # -- from bucket to bucket ------------------------------------------------------------------

    _reads_one_version = True

    def _service(self) -> Hashable | None:
        return self._clients.service

    async def _copy_from(
        self, source: AsyncBaseStore, listed: ObjectInfo, key: str, options: WriteOptions
    ) -> ObjectInfo:
        if not isinstance(source, BucketPassing) or not _may_read(self._send, source._send):
            raise NotSupported("the server cannot read the source for this store")
        if listed.etag is None or listed.size is None:
            raise NotSupported("a copy has to be of one version")
        if options.if_match is not None and listed.size < MIN_PART_SIZE:
            raise NotSupported("a small copy cannot depend on the etag of what it replaces")
        from .copying import Copy

        copy = Copy(
            self._send,
            source._prefix + listed.key,
            self._prefix + key,
            if_absent=options.if_absent,
            if_match=options.if_match,
            origin=source._send,
        )
        return await copy.of_version(listed, key)

    # -- large contents in ----------------------------------------------------------------------

    def _takes_contents(self, size: int) -> int | None:
        return size if size <= LARGE_PUT else even_size(self._part_size, size)

    async def _take(
        self, key: str, content: Content, options: WriteOptions, state: str | None
    ) -> ObjectInfo:
        from . import sources, uploads
        from .states import UploadState

        send, full_key, source = self._send, self._prefix + key, sources.Lent(content)
        size, room = self._part_size, self._room()
        if state is None:
            return await uploads.upload(send, full_key, key, source, options, size, room)
        known = UploadState.from_json(state)
        fresh = known.upload_id in self._begun
        self._begun.discard(known.upload_id)
        return await uploads.resume(send, full_key, known, source, options, size, room, fresh=fresh)

    async def _begin_take(self, key: str, options: WriteOptions, size: int) -> str:
        from . import uploads

        part_size = even_size(self._part_size, size)
        state = await uploads.begin(self._send, self._prefix + key, key, options, part_size)
        self._begun.add(state.upload_id)
        return state.to_json()

    async def _drop_take(self, key: str, state: str) -> None:
        from .states import UploadState

        upload = UploadState.from_json(state).upload_id
        self._begun.discard(upload)
        try:
            await self._send("abort_multipart_upload", Key=self._prefix + key, UploadId=upload)
        except StoreError as error:
            if failure(error).code != "NoSuchUpload":
                raise

    async def _look(self, key: str) -> ObjectInfo:
        head = await self._send("head_object", Key=self._prefix + key, ChecksumMode="ENABLED")
        return attributes.info_of(key, head)

    # -- large objects out ----------------------------------------------------------------------

    def _fetch(self, key: str, options: ReadOptions) -> AbstractAsyncContextManager[Fetch]:
        return self._fetching(key, options)

    @asynccontextmanager
    async def _fetching(self, key: str, options: ReadOptions) -> AsyncIterator[Fetch]:
        download = reading.Download(self._send, self._prefix + key, key, options)
        with download.crowd.one():
            try:
                await self._run("get", key, download.open())
                yield _Fetch(download, partial(self._steps, "get"))
            finally:
                download.close()


def _may_read(send: ObjectRequests, other: ObjectRequests) -> bool:
    """Whether requests on one bucket can tell the server how to read objects of another."""
    ours, theirs = send.settings, other.settings
    secret = ours.secret or theirs.secret
    return theirs.version is None and (not secret or ours.encryption == theirs.encryption)


class _Fetch:
    """An opened object, to be brought to a place of another store."""

    def __init__(self, download: reading.Download, steps: Steps) -> None:
        self.info = download.info
        self._download = download
        self._steps = steps

    async def into(self, place: Place) -> None:
        """See `Fetch`."""
        await Filling(self._download, _Elsewhere(place), self._steps).run()


class _Elsewhere:
    """A place of another store, as `Filling` knows one."""

    piece = PIECE
    aside = True

    def __init__(self, place: Place) -> None:
        self.write, self.file = place.write, place.file
        self._place = place

    def digest(self, name: str) -> bytes:
        """See `filling.Place`."""
        digest = checksums.running(name)
        for block in self._blocks():
            digest.update(block)
        return digest.digest()

    def _blocks(self) -> Iterator[bytes]:
        return self._place.blocks()
