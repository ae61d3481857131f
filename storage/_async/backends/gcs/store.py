"""The store: how it is made, shown and pickled, and the URLs that it signs."""

from __future__ import annotations

import re
from typing import Any, Self
from urllib.parse import quote

from ...._core.errors import ConfigError
from ...._core.info import Capability
from ...._core.text import Secret
from ...._core.urls import StoreURL
from .._cloud.requests import Requests
from .._cloud.store import PART, TIMEOUT, AsyncCloudStore, bucket_options, check_expiry, wire
from .credentials import Signer
from .service import GoogleBucket

ENDPOINT = "https://storage.googleapis.com"


class AsyncGoogleCloudStore(AsyncCloudStore):
    """Objects in a bucket of Google Cloud Storage.

    Who asks is what ``google-auth`` finds (``GOOGLE_APPLICATION_CREDENTIALS``, ``gcloud``, the
    machine itself), unless told otherwise. An etag is the object's generation.

    A call that is cancelled closes its connection; what the service had read of it in full may
    still be done.

    Args:
        bucket: The bucket.
        credentials: The path of a JSON file of Google's, its contents (a dict, or text that begins
            with ``{``), or an object of ``google.auth.credentials``.
        token: An access token in their place, which is not renewed.
        anonymous: Whether nobody in particular asks.
        endpoint_url: The URL of the service, if it is not Google's.
        prefix: What all names begin with, exactly as given.
        create: Whether the first write makes the bucket.
        project: The project in which it is made.
        location: Where it is made, such as ``EUROPE-WEST3``.
        part_size: Bytes of a part, a multiple of 256 KiB; an object in memory is sent at once, a
            stream in parts if it is longer.
        retries: How often a request is sent again that the service could not answer.
        connections: How many there may be at once on each event loop.
        connect_timeout: Seconds that a connection may take to be made.
        read_timeout: Seconds that the service may be silent.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
        lacking: What a server that is not Google's does not do, though it does not say so; it is
            refused here then.

    Raises:
        ConfigError: Some of these make no sense.
    """

    def __init__(
        self,
        bucket: str,
        *,
        credentials: Any = None,
        token: str | None = None,
        anonymous: bool = False,
        endpoint_url: str | None = None,
        prefix: str = "",
        create: bool = False,
        project: str | None = None,
        location: str | None = None,
        part_size: int = PART,
        retries: int = 4,
        connections: int = 64,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        timeout: float | None = TIMEOUT,
        lacking: Capability = Capability.NONE,
    ) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]+", bucket):
            raise ConfigError(f"no name of a bucket: {bucket!r}")
        endpoint = (endpoint_url or ENDPOINT).rstrip("/")
        if not re.match("https?://", endpoint):
            raise ConfigError("endpoint_url is a URL of http or https")
        self._signer = Signer(credentials, token, anonymous)
        send = Requests(self._signer, wire(connections, connect_timeout, read_timeout), retries)
        self._bucket = GoogleBucket(
            send,
            self._signer,
            endpoint,
            bucket,
            project=project,
            location=location,
            lacking=lacking,
        )
        super().__init__(
            self._bucket, prefix=prefix, create=create, part_size=part_size, timeout=timeout
        )
        self._recipe: dict[str, Any] = {
            "anonymous": anonymous, "endpoint_url": endpoint_url, "prefix": prefix,
            "create": create, "project": project, "location": location, "part_size": part_size,
            "retries": retries, "connections": connections, "connect_timeout": connect_timeout,
            "read_timeout": read_timeout, "timeout": timeout, "lacking": lacking,
        }  # fmt: skip

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``gs://bucket[/prefix]``; ``gcs://`` means the same.

        Options: ``credentials`` (the path of a file), ``token``, ``anonymous``, ``endpoint_url``,
        ``create``, ``project``, ``location``, ``part_size``, ``retries``, ``connections``,
        ``connect_timeout``, ``read_timeout``, ``timeout``.
        """
        if url.user is not None:
            raise ConfigError(f"a URL of Google is {url.scheme}://bucket/prefix, without a user")
        return cls(
            url.host,
            credentials=url.option("credentials", str),
            token=url.option("token", Secret, None),
            anonymous=url.option("anonymous", bool, False),
            endpoint_url=url.option("endpoint_url", str),
            project=url.option("project", str),
            location=url.option("location", str),
            **bucket_options(url),
        )

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return ((f"gcs {self._bucket.url}", self._prefix),)

    def __repr__(self) -> str:
        prefix = f", prefix={self._prefix!r}" if self._prefix else ""
        return f"{type(self).__name__}({self._bucket.bucket!r}{prefix})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._signer.secret:
            raise TypeError("a store that was told a secret is not picklable")
        return _again, (type(self), self._bucket.bucket, self._recipe)

    # -- presigned URLs ---------------------------------------------------------------------

    async def presigned_get(
        self,
        key: str,
        expiry: int = 3600,
        *,
        content_type: str | None = None,
        content_disposition: str | None = None,
    ) -> str:
        """A URL that reads the object without credentials; only a service account signs one.

        Args:
            key: The object's key; it need not exist.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
            content_type: The answer's, in place of the object's own.
            content_disposition: The answer's, such as ``attachment``.
        """
        told = {
            "response-content-disposition": content_disposition,
            "response-content-type": content_type,
        }
        query = {name: text for name, text in told.items() if text is not None}
        return await self._presigned("presigned_get", key, "GET", expiry, query)

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """A URL that writes the object without credentials, by an HTTP PUT of its bytes.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
        """
        return await self._presigned("presigned_put", key, "PUT", expiry, {})

    async def presigned_delete(self, key: str, expiry: int = 3600) -> str:
        """A URL that removes the object by a DELETE; arguments as for `presigned_put`."""
        return await self._presigned("presigned_delete", key, "DELETE", expiry, {})

    async def _presigned(
        self, operation: str, key: str, method: str, expiry: int, query: dict[str, str]
    ) -> str:
        self._check(operation, key)
        check_expiry(expiry)
        service = self._bucket
        url = f"{service.endpoint}/{service.bucket}/{quote(self._prefix + key)}"
        work = self._signer.signed_url(method, url, query, expiry)
        return await self._run(operation, key, work)


def _again(
    kind: type[AsyncGoogleCloudStore], bucket: str, options: dict[str, Any]
) -> AsyncGoogleCloudStore:
    return kind(bucket, **options)
