"""The verbs that bring large objects in and out, and those on unfinished uploads."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...._core.closing import closing
from ...._core.errors import ConfigError, StoreError
from ...._core.info import ObjectInfo
from ...._core.values import Data
from . import reading
from .errors import failure
from .hooks import AsyncBucketHooks
from .multipart import even_size

if TYPE_CHECKING:
    from .pages import UnfinishedUpload
    from .states import UploadState


class AsyncBucketTransfers(AsyncBucketHooks):
    """What a bucket store does with files and with uploads."""

    async def download(
        self,
        key: str,
        path: str | os.PathLike[str],
        *,
        if_match: str | None = None,
        durable: bool = False,
    ) -> ObjectInfo:
        """Bring an object into a file, over several connections if it is large.

        The file appears, or is replaced, when all of it is there and has the length and the
        checksum that the server tells; otherwise nothing is left. All its bytes are of one
        version: where the object is replaced meanwhile, it is brought again, once.

        Args:
            key: The object's key.
            path: The file; its directory must exist.
            if_match: Only if the object has this etag.
            durable: Whether the file is to survive a power cut, too.

        Returns:
            What is known of the object.

        Raises:
            ObjectNotFound: There is no such object.
            PreconditionFailed: ``if_match`` does not hold, or the object is replaced too often.
            IntegrityError: The bytes came damaged, twice.
            NoSpace: The disk is full; known before anything is fetched, where the disk can tell.
            OSError: The file cannot be written.
        """
        from . import downloads

        options = self._reading("download", key, None, if_match, None)

        async def begin() -> reading.Download:
            download = reading.Download(self._send, self._prefix + key, key, options)
            await self._run("download", key, download.open())
            return download

        steps = partial(self._steps, "download")
        work = downloads.download(begin, Path(path), steps, durable=durable)
        return await self._place("download", key, work)

    async def upload(
        self,
        key: str,
        source: str | os.PathLike[str] | Data,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
        resume: UploadState | str | None = None,
    ) -> ObjectInfo:
        """Store an object from a file, from bytes, or from a stream; in parallel parts if large.

        Memory is bounded: all large transfers of a store share 64 MiB for parts, beyond one part
        each. The store's ``timeout`` is not that of an upload, which may be long; the client's
        timeouts hold for each part.

        Args:
            key: Its key.
            source: The path of a file, an open file (from its position on), bytes-like, or a
                stream as for `put`.
            if_absent: Only if there is no object.
            if_match: Only if the object still has this etag.
            content_type: Its media type. With ``resume`` it is that of the upload's beginning.
            metadata: Pairs of the user's own; likewise.
            resume: An upload from `begin_upload`, or the id of any: only the parts that the
                server does not have, or has with other bytes, are sent. What fails or is
                cancelled then leaves the upload as it is, to be resumed again or aborted. Not
                for streams.

        Returns:
            What is known of the stored object.

        Raises:
            ObjectExists: ``if_absent`` does not hold.
            PreconditionFailed: ``if_match`` does not hold.
            ObjectNotFound: There is no such upload to be resumed.
            StoreError: The file was changed meanwhile; nothing is stored.
        """
        from . import sources, uploads
        from .states import UploadState

        options = self._writing("upload", key, if_absent, if_match, content_type, metadata)
        state = UploadState(key, resume) if isinstance(resume, str) else resume
        if state is not None and state.key != key:
            raise ConfigError(f"the upload to be resumed is of the key {state.key!r}")
        full_key = self._prefix + key
        async with sources.opened(source) as opened:
            if opened is not None:
                work = (
                    uploads.upload(
                        self._send, full_key, key, opened, options, self._part_size, self._room()
                    )
                    if state is None
                    else uploads.resume(
                        self._send, full_key, state, opened, options, self._part_size, self._room()
                    )
                )
                return await self._place("upload", key, work)
        if state is not None or isinstance(source, str | os.PathLike):
            raise ConfigError("a stream cannot be resumed: give a file or bytes")
        return await self.put(
            key, source, if_absent=if_absent, if_match=if_match,
            content_type=content_type, metadata=metadata,
        )  # fmt: skip

    async def begin_upload(
        self,
        key: str,
        *,
        size: int = 0,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> UploadState:
        """Begin an upload that can be resumed, by ``upload(key, source, resume=state)``.

        It stays on the server, and is paid for, until it is completed or aborted.

        Args:
            key: The object's key.
            size: Bytes that it will have, if known: above 78 GiB the parts have to be larger.
            content_type: Its media type.
            metadata: Pairs of the user's own.
        """
        from . import uploads

        options = self._writing("begin_upload", key, False, None, content_type, metadata)
        part_size = even_size(self._part_size, size)
        work = uploads.begin(self._send, self._prefix + key, key, options, part_size)
        return await self._run("begin_upload", key, work)

    async def abort_upload(self, upload: UploadState | UnfinishedUpload) -> None:
        """Give an upload up, and the parts that were sent; one that is gone is no error."""
        self._check("abort_upload", upload.key)
        await self._run("abort_upload", upload.key, self._abort(upload))

    async def _abort(self, upload: UploadState | UnfinishedUpload) -> None:
        try:
            await self._send(
                "abort_multipart_upload",
                Key=self._prefix + upload.key,
                UploadId=upload.upload_id,
            )
        except StoreError as error:
            if failure(error).code != "NoSuchUpload":
                raise

    async def list_uploads(self, prefix: str = "") -> AsyncIterator[UnfinishedUpload]:
        """The uploads that were begun, and neither completed nor aborted.

        Args:
            prefix: What their keys begin with.
        """
        from . import pages

        self._check_listing("list_uploads", prefix, "")
        source = pages.uploads(self._send, self._prefix, prefix)
        async with closing(self._steps("list_uploads", source)) as found:
            async for upload in found:
                yield upload

    async def abort_uploads(self, prefix: str = "", *, older_than: timedelta) -> int:
        """Abort the uploads that nobody will complete any more; their parts cost money.

        Args:
            prefix: What their keys begin with.
            older_than: Those begun earlier than that before now, by this machine's clock. An
                upload that is still going on is lost, so be generous.

        Returns:
            How many were aborted.
        """
        if older_than < timedelta():
            raise ConfigError("older_than is a time in the past, so not negative")
        latest = datetime.now(UTC) - older_than
        stale = [each async for each in self.list_uploads(prefix) if each.started <= latest]
        for upload in stale:
            await self._run("abort_uploads", upload.key, self._abort(upload))
        return len(stale)
