"""Values in buckets that a program has from boto3, under the names that such programs use."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import MissingExtra, NotSupported
from .buckets import BucketValues
from .keys import ExtendedKeyspaceMixin


@dataclass(frozen=True)
class Credentials:
    """Who asks; what stays secret is not shown.

    Args:
        access_key_id: The key's name; None to look where boto3 looks.
        secret_access_key: The key.
        session_token: The token of temporary credentials.
    """

    access_key_id: str | None = None
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)

    def as_boto3_params(self) -> dict[str, str | None]:
        """The same as arguments of boto3."""
        return {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }


class Boto3Store(BucketValues):
    """Values in a bucket of boto3's.

    Args:
        bucket: A ``boto3.resource("s3").Bucket(name)``, whose client is used; or a bucket's name.
        prefix: The old name of ``object_prefix``.
        object_prefix: What stands before each key in the bucket.
        url_valid_time: Seconds for which URLs are valid, up to 7 days; 0 for URLs that are not
            signed.
        reduced_redundancy: Whether values are stored in that class.
        public: Whether URLs are never signed. Who may read is the bucket's policy: no object gets
            permissions of its own.
        metadata: What is kept with each value.
        create_if_missing: Whether the first write creates the bucket.
    """

    def __init__(
        self,
        bucket: Any,
        prefix: str | None = None,
        object_prefix: str = "",
        url_valid_time: int = 0,
        reduced_redundancy: bool = False,
        public: bool = False,
        metadata: Mapping[str, str] | None = None,
        create_if_missing: bool = False,
    ) -> None:
        from .._sync.backends.s3.store import BucketStore

        if prefix is not None:
            warnings.warn("prefix is now object_prefix", DeprecationWarning, stacklevel=2)
        self.bucket = _bucket(bucket, {})
        self.reduced_redundancy = reduced_redundancy
        self.public = public
        client = self.bucket.meta.client
        kind: Any = {"storage_class": "REDUCED_REDUNDANCY"} if reduced_redundancy else {}
        super().__init__(
            BucketStore(client, self.bucket.name, create=create_if_missing, **kind),
            f"{client.meta.endpoint_url}/{self.bucket.name}",
            (object_prefix or prefix or "").strip().lstrip("/"),
            0 if public else url_valid_time,
            metadata,
        )


class S3FSStore(Boto3Store):
    """The same, by the name and with the arguments of those who had it on s3fs.

    Args:
        bucket: As for `Boto3Store`, and so are all others that are not named here.
        credentials: For a bucket that is given by its name.
        object_prefix: What stands before each key in the bucket.
        url_valid_time: Seconds for which URLs are valid.
        reduced_redundancy: Whether values are stored in that class.
        public: Whether URLs are never signed.
        metadata: What is kept with each value.
        verify: Whether certificates are checked, for a bucket that is given by its name.
        region_name: Where such a bucket is.
        is_sts_credentials: Has to be false: a role is assumed by a profile of AWS's, or by the
            client of the bucket that is given.
        sts_assume_role_params: As for ``is_sts_credentials``.
    """

    def __init__(
        self,
        bucket: Any,
        credentials: Credentials | None = None,
        object_prefix: str = "",
        url_valid_time: int = 0,
        reduced_redundancy: bool = False,
        public: bool = False,
        metadata: Mapping[str, str] | None = None,
        verify: bool = True,
        region_name: str | None = None,
        is_sts_credentials: bool = False,
        sts_assume_role_params: Mapping[str, Any] | None = None,
    ) -> None:
        if is_sts_credentials or sts_assume_role_params:
            raise NotSupported("roles are assumed by a profile of AWS's, or the bucket's client")
        options: dict[str, Any] = {"verify": verify, "region_name": region_name}
        options |= credentials.as_boto3_params() if credentials else {}
        super().__init__(
            _bucket(bucket, options),
            None,
            object_prefix,
            url_valid_time,
            reduced_redundancy,
            public,
            metadata,
        )
        self.credentials = credentials


class HBoto3Store(ExtendedKeyspaceMixin, Boto3Store):
    """A `Boto3Store` whose keys may have slashes and spaces."""


class HS3FSStore(ExtendedKeyspaceMixin, S3FSStore):
    """An `S3FSStore` whose keys may have slashes and spaces."""


def _bucket(bucket: Any, options: Mapping[str, Any]) -> Any:
    """A bucket of boto3's, by its name."""
    if not isinstance(bucket, str):
        return bucket
    try:
        import boto3
    except ImportError as error:
        raise MissingExtra("boto3 is not installed: pip install boto3") from error
    made: Any = boto3.resource("s3", **options)
    return made.Bucket(bucket)
