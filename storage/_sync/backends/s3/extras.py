# Generated from storage/_async/backends/s3/extras.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The verbs that S3 has beyond those of every store: versions, tags, presigned URLs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, Unpack

from ...._async.backends.s3.extras import AsyncBucketExtras
from ...._core.info import ObjectInfo
from .transfers import BucketTransfers

if TYPE_CHECKING:
    from ...._async.backends.s3.pages import ObjectVersion
    from ...._async.backends.s3.presigning import AnswerHeaders, PresignedPost


class BucketExtras(BucketTransfers):
    """What a bucket store does beyond other stores."""

    _async: AsyncBucketExtras
    _async_type: ClassVar[type[AsyncBucketExtras]] = AsyncBucketExtras

    def list_versions(self, prefix: str = "") -> Iterator[ObjectVersion]:
        """The versions of objects, of each key the newest first, and the marks of deletions.

        Args:
            prefix: What their keys begin with.
        """
        return self._iterate(self._async.list_versions(prefix))

    def get_version(self, key: str, version: str) -> bytes:
        """The bytes of one version of an object.

        Args:
            key: The object's key.
            version: The version, as `list_versions` tells it.

        Raises:
            ObjectNotFound: There is no such version, or it marks a deletion.
        """
        return self._run(self._async.get_version(key, version))

    def head_version(self, key: str, version: str) -> ObjectInfo:
        """What is known of one version of an object; arguments and errors as `get_version`."""
        return self._run(self._async.head_version(key, version))

    def delete_version(self, key: str, version: str) -> None:
        """Remove one version for good, or the mark of a deletion; one that is gone is no error.

        Args:
            key: The object's key.
            version: The version, as `list_versions` tells it.
        """
        self._run(self._async.delete_version(key, version))

    def get_tags(self, key: str) -> dict[str, str]:
        """The tags of an object."""
        return self._run(self._async.get_tags(key))

    def put_tags(self, key: str, tags: Mapping[str, str]) -> None:
        """Give an object these tags and no others; the object itself stays as it is.

        Args:
            key: Its key.
            tags: At most 10 pairs; none removes them all.
        """
        self._run(self._async.put_tags(key, tags))

    def presigned_get(self, key: str, expiry: int = 3600, **headers: Unpack[AnswerHeaders]) -> str:
        """A URL that reads the object without credentials.

        With ``request_payer`` every presigned request has to carry that header, too.

        Args:
            key: The object's key; it need not exist.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
            headers: Headers of the answer in place of the object's own, such as
                ``content_disposition="attachment"``.
        """
        return self._run(self._async.presigned_get(key, expiry, **headers))

    def presigned_put(
        self, key: str, expiry: int = 3600, *, content_type: str | None = None
    ) -> str:
        """A URL that writes the object without credentials, by an HTTP PUT of its bytes.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
            content_type: The media type that the request has to say.
        """
        return self._run(self._async.presigned_put(key, expiry, content_type=content_type))

    def presigned_delete(self, key: str, expiry: int = 3600) -> str:
        """A URL that removes the object without credentials, by an HTTP DELETE.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
        """
        return self._run(self._async.presigned_delete(key, expiry))

    def presigned_post(
        self,
        key: str,
        expiry: int = 3600,
        *,
        sizes: tuple[int, int] | None = None,
        content_type: str | None = None,
    ) -> PresignedPost:
        """A form by which a browser stores the object without credentials.

        Args:
            key: The object's key.
            expiry: Seconds for which the form works, from 1 to 604,800 (7 days).
            sizes: The fewest and the most bytes that it may have.
            content_type: The media type that it has to have.
        """
        return self._run(
            self._async.presigned_post(key, expiry, sizes=sizes, content_type=content_type)
        )
