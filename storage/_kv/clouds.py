"""Values in Azure Blob Storage and in Google Cloud Storage."""

from __future__ import annotations

from typing import Any

from .._core.errors import ConfigError
from .keys import ExtendedKeyspaceMixin
from .objects import ObjectKeyValueStore

_STEP = 256 * 1024
BLOCK = 4 * 1024 * 1024
SINGLE = 64 * 1024 * 1024


class AzureBlockBlobStore(ObjectKeyValueStore):
    """Values in block blobs of a container.

    Args:
        conn_string: The connection string of the account, as Azure's portal shows it.
        container: The container.
        public: Whether a container that is made lets everybody read.
        create_if_missing: Whether the first write makes the container.
        max_connections: How many connections there may be at once, if more than 64: an open file
            takes one.
        max_block_size: Bytes of the blocks of which a long value is made, rounded down to a
            multiple of 256 KiB; None for 4 MiB.
        max_single_put_size: Bytes above which a value is long; None for 64 MiB.
        checksum: Nothing: what is sent and what comes is always compared with its digest.
        socket_timeout: Seconds that the service may be silent, or a pair: seconds that a
            connection may take, and those.
    """

    def __init__(
        self,
        conn_string: str | None = None,
        container: str | None = None,
        public: bool = False,
        create_if_missing: bool = True,
        max_connections: int = 2,
        max_block_size: int | None = None,
        max_single_put_size: int | None = None,
        checksum: bool = False,
        socket_timeout: float | tuple[float, float] | None = None,
    ) -> None:
        from .._sync.backends.azure.store import AzureBlobStore  # brings a client along

        if not conn_string or not container:
            raise ConfigError("a connection string and a container have to be told")
        made = AzureBlobStore.from_connection_string(
            conn_string,
            container,
            public=public,
            create=create_if_missing,
            connections=max(64, max_connections),
            part_size=max(_STEP, (max_block_size or BLOCK) // _STEP * _STEP),
            **_timeouts(socket_timeout),
        )
        super().__init__(made)
        self.container = container
        self.max_single_put_size = max_single_put_size or SINGLE

    def _put(self, key: str, data: bytes) -> str:
        if len(data) <= self.max_single_put_size:
            return super()._put(key, data)
        with self._failures():
            self.store.put(key, iter([data]))
        return key


class GoogleCloudStore(ObjectKeyValueStore):
    """Values in a bucket of Google Cloud Storage.

    Args:
        credentials: The path of a JSON file of Google's, its contents, or an object of
            ``google.auth.credentials``; None for those of this machine or its user.
        bucket_name: The bucket.
        create_if_missing: Whether the first write makes the bucket.
        bucket_creation_location: Where it is made.
        project: The project in which it is made; None for that of the credentials.
        options: More arguments of ``storage.gcs.GoogleCloudStore``.
    """

    def __init__(
        self,
        credentials: Any = None,
        bucket_name: str = "",
        create_if_missing: bool = True,
        bucket_creation_location: str = "EUROPE-WEST3",
        project: str | None = None,
        **options: Any,
    ) -> None:
        from .._sync.backends.gcs import store as backend  # brings a client along

        made = backend.GoogleCloudStore(
            bucket_name,
            credentials=credentials,
            create=create_if_missing,
            location=bucket_creation_location,
            project=project,
            **options,
        )
        super().__init__(made)
        self.bucket_name = bucket_name


class HAzureBlockBlobStore(ExtendedKeyspaceMixin, AzureBlockBlobStore):
    """An `AzureBlockBlobStore` whose keys may have slashes and spaces."""


class HGoogleCloudStore(ExtendedKeyspaceMixin, GoogleCloudStore):
    """A `GoogleCloudStore` whose keys may have slashes and spaces."""


def in_container(
    kind: type[AzureBlockBlobStore],
    *,
    container: str,
    create_if_missing: bool,
    account_name: str = "",
    account_key: str = "",
    connection_string: str | None = None,
    use_sas: bool = False,
    **options: Any,
) -> AzureBlockBlobStore:
    """The store of a URL of Azure; what opens the account is its key or a SAS token."""
    if use_sas and create_if_missing:
        raise ConfigError("a SAS token makes no container: say create_if_missing=false")
    if connection_string is None:
        secret = getattr(account_key, "reveal", lambda: account_key)()
        what = "SharedAccessSignature" if use_sas else "AccountKey"
        connection_string = f"AccountName={account_name};{what}={secret}"
    return kind(connection_string, container, create_if_missing=create_if_missing, **options)


def _timeouts(told: float | tuple[float, float] | None) -> dict[str, float]:
    if told is None:
        return {}
    if isinstance(told, tuple):
        return {"connect_timeout": told[0], "read_timeout": told[1]}
    return {"read_timeout": told}
