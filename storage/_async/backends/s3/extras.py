"""The verbs that S3 has beyond those of every store: versions, tags, presigned URLs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from ...._core.closing import closing
from ...._core.errors import ConfigError, ObjectNotFound, StoreError
from ...._core.info import READ_ALL, ObjectInfo
from . import headers, whole
from .errors import failure
from .transfers import AsyncBucketTransfers

if TYPE_CHECKING:
    from .pages import ObjectVersion
    from .presigning import AnswerHeaders, PresignedPost

T = TypeVar("T")


class AsyncBucketExtras(AsyncBucketTransfers):
    """What a bucket store does beyond other stores."""

    # -- versions -------------------------------------------------------------------------------

    async def list_versions(self, prefix: str = "") -> AsyncIterator[ObjectVersion]:
        """The versions of objects, of each key the newest first, and the marks of deletions.

        Args:
            prefix: What their keys begin with.
        """
        from . import pages

        self._check_listing("list_versions", prefix, "")
        source = pages.versions(self._send, self._prefix, prefix)
        async with closing(self._steps("list_versions", source)) as versions:
            async for version in versions:
                yield version

    async def get_version(self, key: str, version: str) -> bytes:
        """The bytes of one version of an object.

        Args:
            key: The object's key.
            version: The version, as `list_versions` tells it.

        Raises:
            ObjectNotFound: There is no such version, or it marks a deletion.
        """
        self._check("get_version", key)
        send = self._send.having(version=version)
        work = whole.read(send, self._prefix + key, key, READ_ALL)
        return (await self._run("get_version", key, _versioned(work)))[0]

    async def head_version(self, key: str, version: str) -> ObjectInfo:
        """What is known of one version of an object; arguments and errors as `get_version`."""
        self._check("head_version", key)
        work = headers.head(self._send.having(version=version), self._prefix + key, key)
        return await self._run("head_version", key, _versioned(work))

    async def delete_version(self, key: str, version: str) -> None:
        """Remove one version for good, or the mark of a deletion; one that is gone is no error.

        Args:
            key: The object's key.
            version: The version, as `list_versions` tells it.
        """
        self._check("delete_version", key)
        work = self._send("delete_object", Key=self._prefix + key, VersionId=version)
        await self._run("delete_version", key, work)

    # -- tags -----------------------------------------------------------------------------------

    async def get_tags(self, key: str) -> dict[str, str]:
        """The tags of an object."""
        from . import tagging

        self._check("get_tags", key)
        return await self._run("get_tags", key, tagging.read(self._send, self._prefix + key))

    async def put_tags(self, key: str, tags: Mapping[str, str]) -> None:
        """Give an object these tags and no others; the object itself stays as it is.

        Args:
            key: Its key.
            tags: At most 10 pairs; none removes them all.
        """
        from . import tagging

        self._check("put_tags", key)
        work = tagging.write(self._send, self._prefix + key, tags)
        await self._run("put_tags", key, work)

    # -- presigned URLs -------------------------------------------------------------------------

    async def presigned_get(
        self, key: str, expiry: int = 3600, **headers: Unpack[AnswerHeaders]
    ) -> str:
        """A URL that reads the object without credentials.

        With ``request_payer`` every presigned request has to carry that header, too.

        Args:
            key: The object's key; it need not exist.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
            headers: Headers of the answer in place of the object's own, such as
                ``content_disposition="attachment"``.
        """
        from . import presigning

        return await self._presigned(
            "presigned_get", "get_object", key, expiry, **presigning.overrides(headers)
        )

    async def presigned_put(
        self, key: str, expiry: int = 3600, *, content_type: str | None = None
    ) -> str:
        """A URL that writes the object without credentials, by an HTTP PUT of its bytes.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
            content_type: The media type that the request has to say.
        """
        told = {} if content_type is None else {"ContentType": content_type}
        return await self._presigned("presigned_put", "put_object", key, expiry, **told)

    async def presigned_delete(self, key: str, expiry: int = 3600) -> str:
        """A URL that removes the object without credentials, by an HTTP DELETE.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
        """
        return await self._presigned("presigned_delete", "delete_object", key, expiry)

    async def presigned_post(
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
        from . import presigning

        self._check("presigned_post", key)
        presigning.check_expiry(expiry)
        if sizes is not None and not 0 <= sizes[0] <= sizes[1]:
            raise ConfigError(f"sizes are the fewest bytes and the most, not {sizes!r}")
        work = presigning.post(
            self._send, self._prefix + key, expiry, sizes=sizes, content_type=content_type
        )
        return await self._run("presigned_post", key, work)

    async def _presigned(
        self, verb: str, operation: str, key: str, expiry: int, **parameters: str
    ) -> str:
        from . import presigning

        self._check(verb, key)
        presigning.check_expiry(expiry)
        work = presigning.url(self._send, operation, self._prefix + key, expiry, **parameters)
        return await self._run(verb, key, work)


async def _versioned(work: Coroutine[Any, Any, T]) -> T:
    """Read a version; the mark of a deletion is none that could be read."""
    try:
        return await work
    except StoreError as error:
        if failure(error).status == 405:
            raise ObjectNotFound("this version marks a deletion") from error
        raise
