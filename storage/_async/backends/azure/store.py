"""The store: how it is made, shown and pickled, and the URLs that it signs."""

from __future__ import annotations

import re
from typing import Any, Self

from ...._core.errors import ConfigError
from ...._core.text import Secret
from ...._core.urls import StoreURL
from .._cloud.requests import Requests
from .._cloud.store import PART, TIMEOUT, AsyncCloudStore, bucket_options, check_expiry, wire
from .credentials import Account, Signer, connection_string, presigned
from .service import AzureContainer

_NAME = re.compile(r"\$root|\$web|\$logs|[a-z0-9](-?[a-z0-9]){2,62}")


class AsyncAzureBlobStore(AsyncCloudStore):
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
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", account) or not _NAME.fullmatch(container):
            raise ConfigError(f"no account and container: {account!r}, {container!r}")
        key = None if account_key is None else Secret(account_key)
        sas = None if sas_token is None else Secret(sas_token)
        signer = Signer(Account(account, key, sas, credential))
        endpoint = (endpoint_url or f"https://{account}.blob.core.windows.net").rstrip("/")
        if not re.match("https?://", endpoint):
            raise ConfigError("endpoint_url is a URL of http or https")
        send = Requests(signer, wire(connections, connect_timeout, read_timeout), retries)
        self._container = AzureContainer(send, signer, endpoint, container, public=public)
        super().__init__(
            self._container,
            prefix=prefix,
            create=create,
            part_size=part_size,
            timeout=timeout,
        )
        self._recipe: dict[str, Any] = {
            "endpoint_url": endpoint_url, "prefix": prefix, "create": create, "public": public,
            "part_size": part_size, "retries": retries, "connections": connections,
            "connect_timeout": connect_timeout, "read_timeout": read_timeout, "timeout": timeout,
        }  # fmt: skip

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
        known = connection_string(text)
        account = known.get("AccountName", "")
        suffix = known.get("EndpointSuffix", "core.windows.net")
        protocol = known.get("DefaultEndpointsProtocol", "https")
        endpoint = known.get("BlobEndpoint", f"{protocol}://{account}.blob.{suffix}")
        found = {
            "account_key": known.get("AccountKey"),
            "sas_token": known.get("SharedAccessSignature"),
            "endpoint_url": endpoint,
        }
        return cls(account, container, **{**found, **options})

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``az://account[:key]@container[/prefix]``; ``azure://`` means the same.

        The key is percent-encoded. Options: ``account_key``, ``sas_token``, ``endpoint_url``,
        ``create``, ``part_size``, ``retries``, ``connections``, ``connect_timeout``,
        ``read_timeout``, ``timeout``.
        """
        if url.user is None:
            raise ConfigError(f"a URL of azure is {url.scheme}://account:key@container/prefix")
        return cls(
            url.user,
            url.host,
            account_key=url.option("account_key", Secret, url.password),
            sas_token=url.option("sas_token", Secret, None),
            endpoint_url=url.option("endpoint_url", str),
            **bucket_options(url),
        )

    def _locations(self) -> tuple[tuple[str, str], ...]:
        return ((f"azure {self._container.url}", self._prefix),)

    def __repr__(self) -> str:
        prefix = f", prefix={self._prefix!r}" if self._prefix else ""
        account = self._container.signer.account.name
        return f"{type(self).__name__}({account!r}, {self._container.container!r}{prefix})"

    def __reduce__(self) -> tuple[Any, ...]:
        account = self._container.signer.account
        if account.secret:
            raise TypeError("a store that was told a secret is not picklable")
        return _again, (type(self), account.name, self._container.container, self._recipe)

    # -- presigned URLs ---------------------------------------------------------------------

    async def presigned_get(
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
        told = {"rsct": content_type, "rscd": content_disposition}
        answer = {name: text for name, text in told.items() if text is not None}
        return self._presigned("presigned_get", key, "r", expiry, answer)

    async def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """A URL that writes the object by a PUT of its bytes, with ``x-ms-blob-type: BlockBlob``.

        Args:
            key: The object's key.
            expiry: Seconds for which the URL works, from 1 to 604,800 (7 days).
        """
        return self._presigned("presigned_put", key, "cw", expiry, {})

    async def presigned_delete(self, key: str, expiry: int = 3600) -> str:
        """A URL that removes the object by a DELETE; arguments as for `presigned_put`."""
        return self._presigned("presigned_delete", key, "d", expiry, {})

    def _presigned(
        self, operation: str, key: str, permissions: str, expiry: int, answer: dict[str, str]
    ) -> str:
        self._check(operation, key)
        check_expiry(expiry)
        service, name = self._container, self._prefix + key
        path = f"{service.container}/{name}"
        account = service.signer.account
        return presigned(account, path, service.at(name), permissions, expiry, answer)


def _again(
    kind: type[AsyncAzureBlobStore], account: str, container: str, options: dict[str, Any]
) -> AsyncAzureBlobStore:
    return kind(account, container, **options)
