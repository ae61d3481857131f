# Generated from storage/_async/backends/gcs/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made, shown and pickled, and the URLs that it signs."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ...._async.backends._cloud.store import PART, TIMEOUT
from ...._async.backends.gcs.store import AsyncGoogleCloudStore
from ...._core.info import Capability
from ...._core.urls import StoreURL
from .._cloud.store import CloudStore


class GoogleCloudStore(CloudStore):
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

    _async: AsyncGoogleCloudStore
    _async_type: ClassVar[type[AsyncGoogleCloudStore]] = AsyncGoogleCloudStore

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
        self._hold(
            self._async_type(
                bucket,
                credentials=credentials,
                token=token,
                anonymous=anonymous,
                endpoint_url=endpoint_url,
                prefix=prefix,
                create=create,
                project=project,
                location=location,
                part_size=part_size,
                retries=retries,
                connections=connections,
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                timeout=timeout,
                lacking=lacking,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``gs://bucket[/prefix]``; ``gcs://`` means the same.

        Options: ``credentials`` (the path of a file), ``token``, ``anonymous``, ``endpoint_url``,
        ``create``, ``project``, ``location``, ``part_size``, ``retries``, ``connections``,
        ``connect_timeout``, ``read_timeout``, ``timeout``.
        """
        return cls.around(cls._async_type.from_url(url))

    def presigned_get(
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
        return self._run(
            self._async.presigned_get(
                key, expiry, content_type=content_type, content_disposition=content_disposition
            )
        )

    def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """A URL that writes the object without credentials, by an HTTP PUT of its bytes.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
        """
        return self._run(self._async.presigned_put(key, expiry))

    def presigned_delete(self, key: str, expiry: int = 3600) -> str:
        """A URL that removes the object by a DELETE; arguments as for `presigned_put`."""
        return self._run(self._async.presigned_delete(key, expiry))
