"""Values in buckets of S3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO
from urllib.parse import quote

from .._core.errors import ConfigError
from .._sync.wrappers.keys import PrefixStore
from .keys import ExtendedKeyspaceMixin
from .mixins import UrlMixin
from .objects import ObjectKeyValueStore


class BucketValues(UrlMixin, ObjectKeyValueStore):
    """Values in a bucket.

    Args:
        bucket: The store of the bucket's objects.
        base: The bucket's own URL.
        object_prefix: What stands before each key in the bucket, exactly so.
        url_valid_time: Seconds for which URLs are valid; 0 for URLs that are not signed.
        metadata: What is kept with each value that is put.
    """

    def __init__(
        self,
        bucket: Any,
        base: str,
        object_prefix: str,
        url_valid_time: int,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(PrefixStore(bucket, object_prefix) if object_prefix else bucket)
        self._objects = bucket
        self._base = base
        self.object_prefix = object_prefix
        self.url_valid_time = url_valid_time
        self.metadata = dict(metadata or {})

    def close(self) -> None:
        """Close the store of the bucket's objects."""
        super().close()
        self._objects.close()

    def _put(self, key: str, data: bytes) -> str:
        with self._failures():
            self.store.put(key, data, metadata=self.metadata)
        return key

    def _put_file(self, key: str, file: BinaryIO) -> str:
        with self._failures():
            self.store.put(key, file, metadata=self.metadata)
        return key

    def _url_for(self, key: str) -> str:
        name = self.object_prefix + key
        if not self.url_valid_time:
            return f"{self._base}/{quote(name)}"
        with self._failures():
            return self._objects.presigned_get(name, self.url_valid_time)  # type: ignore[no-any-return]


class S3Store(BucketValues):
    """Values in a bucket, on AWS or on a server that speaks the same protocol.

    Args:
        bucket: Its name.
        host: Host and port of the server; empty for AWS.
        access_key: The key's name; None to look where AWS's own tools look.
        secret_key: The key.
        session_token: The token of temporary credentials.
        is_secure: Whether it is reached by TLS.
        verify: Whether certificates are checked, or the path of those that are trusted.
        region_name: Where the bucket is.
        create_if_missing: Whether the first write creates the bucket.
        object_prefix: What stands before each key in the bucket.
        url_valid_time: Seconds for which URLs are valid, up to 7 days; 0 for URLs that are not
            signed, and so only of use where everybody may read.
        public: Whether URLs are never signed.
    """

    def __init__(
        self,
        bucket: str,
        *,
        host: str = "",
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        is_secure: bool = True,
        verify: bool | str = True,
        region_name: str | None = None,
        create_if_missing: bool = True,
        object_prefix: str = "",
        url_valid_time: int = 0,
        public: bool = False,
    ) -> None:
        from .._sync.backends.s3.store import BucketStore  # brings a client along

        if not bucket:
            raise ConfigError("a URL of s3 is s3://key:secret@host/bucket")
        scheme = "https" if is_secure else "http"
        base = f"{scheme}://{host}/{bucket}" if host else f"https://{bucket}.s3.amazonaws.com"
        options: dict[str, Any] = {
            "endpoint_url": f"{scheme}://{host}" if host else None,
            "aws_access_key_id": access_key,
            "aws_secret_access_key": secret_key,
            "aws_session_token": session_token,
            "region_name": region_name,
            "verify": None if verify is True else verify,
        }
        known = {name: value for name, value in options.items() if value is not None}
        made = BucketStore.connect(bucket, create=create_if_missing, **known)
        super().__init__(made, base, object_prefix, 0 if public else url_valid_time)
        self.bucket = bucket


class HS3Store(ExtendedKeyspaceMixin, S3Store):
    """An `S3Store` whose keys may have slashes and spaces."""
