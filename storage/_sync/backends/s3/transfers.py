# Generated from storage/_async/backends/s3/transfers.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The verbs that bring large objects in and out, and those on unfinished uploads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from ...._async.backends.s3.transfers import AsyncBucketTransfers
from ...._core.info import ObjectInfo
from ...._core.values import Data
from .hooks import BucketHooks

if TYPE_CHECKING:
    from ...._async.backends.s3.pages import UnfinishedUpload
    from ...._async.backends.s3.states import UploadState


class BucketTransfers(BucketHooks):
    """What a bucket store does with files and with uploads."""

    _async: AsyncBucketTransfers
    _async_type: ClassVar[type[AsyncBucketTransfers]] = AsyncBucketTransfers

    def download(
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
        return self._run(self._async.download(key, path, if_match=if_match, durable=durable))

    def upload(
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
        return self._run(
            self._async.upload(
                key,
                source,
                if_absent=if_absent,
                if_match=if_match,
                content_type=content_type,
                metadata=metadata,
                resume=resume,
            )
        )

    def begin_upload(
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
        return self._run(
            self._async.begin_upload(key, size=size, content_type=content_type, metadata=metadata)
        )

    def abort_upload(self, upload: UploadState | UnfinishedUpload) -> None:
        """Give an upload up, and the parts that were sent; one that is gone is no error."""
        self._run(self._async.abort_upload(upload))

    def list_uploads(self, prefix: str = "") -> Iterator[UnfinishedUpload]:
        """The uploads that were begun, and neither completed nor aborted.

        Args:
            prefix: What their keys begin with.
        """
        return self._iterate(self._async.list_uploads(prefix))

    def abort_uploads(self, prefix: str = "", *, older_than: timedelta) -> int:
        """Abort the uploads that nobody will complete any more; their parts cost money.

        Args:
            prefix: What their keys begin with.
            older_than: Those begun earlier than that before now, by this machine's clock. An
                upload that is still going on is lost, so be generous.

        Returns:
            How many were aborted.
        """
        return self._run(self._async.abort_uploads(prefix, older_than=older_than))
