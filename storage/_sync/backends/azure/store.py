# Generated from storage/_async/backends/azure/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made, shown and pickled, and the URLs that it signs."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from ...._async.backends._cloud.store import PART, TIMEOUT
from ...._async.backends.azure.store import AsyncAzureBlobStore
from ...._core.urls import StoreURL
from .._cloud.store import CloudStore


class AzureBlobStore(CloudStore):
    """Objects in a container of Azure Blob Storage, as block blobs.

    With neither a key, a SAS token nor a credential, it reads what everybody may read. A blob's
    name has neither a backslash nor control characters, and no part of it ends with a dot: Azure
    would make another name of it. Of two streams in parts that are sent to one key at once, the
    one that ends later may fail with `PreconditionFailed`, as Azure drops its parts.

    A call that is cancelled closes its connection; what the service had read of it in full may
    still be done.

    Args:
        account: The name of the storage account.
        container: The container.
        account_key: The account's key.
        sas_token: The query of a URL with a shared access signature.
        credential: An object with ``get_token``, such as ``azure.identity.DefaultAzureCredential``
            (of either kind); it is not closed.
        endpoint_url: The URL of the account's blobs, if it is not
            ``https://ACCOUNT.blob.core.windows.net``.
        prefix: What all names begin with, exactly as given.
        create: Whether the first write makes the container.
        public: Whether a container that is made lets everybody read.
        part_size: Bytes of a block, a multiple of 256 KiB; an object in memory is sent at once,
            a stream in blocks if it is longer. A blob has 50,000 blocks at most.
        retries: How often a request is sent again that the service could not answer.
        connections: How many there may be at once on each event loop.
        connect_timeout: Seconds that a connection may take to be made.
        read_timeout: Seconds that the service may be silent.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.

    Raises:
        ConfigError: Some of these make no sense.
    """

    _async: AsyncAzureBlobStore
    _async_type: ClassVar[type[AsyncAzureBlobStore]] = AsyncAzureBlobStore

    def __init__(
        self,
        account: str,
        container: str,
        *,
        account_key: str | None = None,
        sas_token: str | None = None,
        credential: Any = None,
        endpoint_url: str | None = None,
        prefix: str = "",
        create: bool = False,
        public: bool = False,
        part_size: int = PART,
        retries: int = 4,
        connections: int = 64,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        timeout: float | None = TIMEOUT,
    ) -> None:
        self._hold(
            self._async_type(
                account,
                container,
                account_key=account_key,
                sas_token=sas_token,
                credential=credential,
                endpoint_url=endpoint_url,
                prefix=prefix,
                create=create,
                public=public,
                part_size=part_size,
                retries=retries,
                connections=connections,
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                timeout=timeout,
            )
        )

    @classmethod
    def from_connection_string(cls, text: str, container: str, **options: Any) -> Self:
        """The store that a connection string of Azure's portal leads to.

        Args:
            text: ``AccountName=...;AccountKey=...`` and so on.
            container: The container.
            options: As for the class.

        Raises:
            ConfigError: It is none.
        """
        return cls.around(cls._async_type.from_connection_string(text, container, **options))

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``az://account[:key]@container[/prefix]``; ``azure://`` means the same.

        The key is percent-encoded. Options: ``account_key``, ``sas_token``, ``endpoint_url``,
        ``create``, ``part_size``, ``retries``, ``connections``, ``connect_timeout``,
        ``read_timeout``, ``timeout``.
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
        """A URL that reads the object without credentials; only an account key signs one.

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
        """A URL that writes the object by a PUT of its bytes, with ``x-ms-blob-type: BlockBlob``.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
        """
        return self._run(self._async.presigned_put(key, expiry))

    def presigned_delete(self, key: str, expiry: int = 3600) -> str:
        """A URL that removes the object by a DELETE; arguments as for `presigned_put`."""
        return self._run(self._async.presigned_delete(key, expiry))
