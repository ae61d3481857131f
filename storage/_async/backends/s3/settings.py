"""What objects are stored and asked for with, beyond their bytes and their attributes."""

from __future__ import annotations

import copy
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypedDict

from ...._core.errors import ConfigError
from . import checksums
from .requests import Requests

_WRITES = frozenset({"put_object", "create_multipart_upload", "copy_object"})
_KEYED = frozenset({
    "get_object", "head_object", "put_object", "create_multipart_upload", "upload_part",
    "upload_part_copy", "complete_multipart_upload", "copy_object",
})  # fmt: skip
"""What needs the customer's key."""
_COPIES = frozenset({"copy_object", "upload_part_copy"})
_VERSIONED = frozenset({"get_object", "head_object", "get_object_tagging"})
_PAID = _KEYED | {
    "abort_multipart_upload", "delete_object", "delete_objects", "get_object_tagging",
    "list_multipart_uploads", "list_object_versions", "list_objects_v2", "list_parts",
    "put_object_tagging",
}  # fmt: skip


@dataclass(frozen=True)
class Encryption:
    """How the server encrypts what it stores. Without arguments: with keys of its own (SSE-S3).

    Args:
        kms_key: A key of the key service, by its id or ARN (SSE-KMS); ``"aws/s3"`` for the
            account's own.
        kms_context: What the key service is told beside, as base64 of a JSON object.
        bucket_key: Whether a key of the bucket spares calls of the key service.
        customer_key: 32 bytes that the server uses and forgets (SSE-C); who reads has to give
            them, too.

    Raises:
        ConfigError: These do not go together.
    """

    kms_key: str | None = None
    kms_context: str | None = None
    bucket_key: bool | None = None
    customer_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.customer_key is not None and len(self.customer_key) != 32:
            raise ConfigError("a customer's key has 32 bytes")
        if self.kms_key is None and (self.kms_context is not None or self.bucket_key is not None):
            raise ConfigError("kms_context and bucket_key belong to a kms_key")
        if self.kms_key is not None and self.customer_key is not None:
            raise ConfigError("kms_key and customer_key exclude each other")

    def of_write(self) -> dict[str, Any]:
        """The parameters of what begins an object."""
        if self.customer_key is not None:
            return {}
        if self.kms_key is None:
            return {"ServerSideEncryption": "AES256"}
        known = {
            "SSEKMSKeyId": None if self.kms_key == "aws/s3" else self.kms_key,
            "SSEKMSEncryptionContext": self.kms_context,
            "BucketKeyEnabled": self.bucket_key,
        }
        given = {name: value for name, value in known.items() if value is not None}
        return {"ServerSideEncryption": "aws:kms", **given}

    def of_content(self, *, copied: bool) -> dict[str, Any]:
        """The parameters of what touches an object's bytes."""
        if self.customer_key is None:
            return {}
        own = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": self.customer_key}
        if copied:
            own |= {f"CopySource{name}": value for name, value in own.items()}
        return own


class ObjectOptions(TypedDict, total=False):
    """What objects are stored and asked for with; `AsyncBucketStore` says what they mean."""

    checksum: str | None
    storage_class: str | None
    encryption: Encryption | None
    tags: Mapping[str, str] | None
    request_payer: bool


@dataclass(frozen=True, repr=False)
class Settings:
    """The same, complete and checked."""

    checksum: str | None = "crc32"
    storage_class: str | None = None
    encryption: Encryption | None = None
    tags: Mapping[str, str] | None = None
    request_payer: bool = False
    version: str | None = None
    """The version of the objects that are read; None: the latest."""

    def __post_init__(self) -> None:
        checksums.check_name(self.checksum)
        object.__setattr__(self, "_known", {})

    def parameters(self, operation: str) -> Mapping[str, Any]:
        """What every request of an operation carries."""
        known: dict[str, Mapping[str, Any]] = self.__dict__["_known"]
        if operation not in known:
            known[operation] = self._parameters(operation)
        return known[operation]

    def _parameters(self, operation: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if operation in _WRITES:
            found |= self._of_write(operation)
        if self.encryption is not None and operation in _KEYED:
            found |= self.encryption.of_content(copied=operation in _COPIES)
        if self.version is not None and operation in _VERSIONED:
            found["VersionId"] = self.version
        if self.request_payer and operation in _PAID:
            found["RequestPayer"] = "requester"
        return found

    def _of_write(self, operation: str) -> dict[str, Any]:
        found = self.encryption.of_write() if self.encryption is not None else {}
        if self.storage_class is not None:
            found["StorageClass"] = self.storage_class
        if self.tags is not None:
            from . import tagging

            found["Tagging"] = tagging.header(self.tags)
            if operation == "copy_object":
                found["TaggingDirective"] = "REPLACE"
        return found

    def options(self) -> dict[str, Any]:
        """All that can be chosen."""
        return {name: getattr(self, name) for name in NAMES}

    @property
    def secret(self) -> bool:
        """Whether there is something in it that must not be written down."""
        return self.encryption is not None and self.encryption.customer_key is not None


NAMES = frozenset(ObjectOptions.__annotations__)


class ObjectRequests(Requests):
    """Requests with the settings of the objects."""

    settings = Settings()
    etags_are_md5 = True
    """Whether an etag that looks like an MD5 digest is taken for one; found out by reading."""

    # No coroutine of its own: there is one for each request already.
    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, operation: str, **parameters: Any
    ) -> Coroutine[Any, Any, Mapping[str, Any]]:
        """See `Requests`."""
        own = self.settings.parameters(operation)
        return super().__call__(operation, **{**own, **parameters} if own else parameters)

    def having(self, **changes: Any) -> Self:
        """The same with other settings."""
        other = copy.copy(self)
        other.settings = replace(self.settings, **changes)
        return other

    async def find(self, full_key: str, token: str) -> Mapping[str, Any] | None:
        """What a HEAD tells of the object, if it is the one that the writer of a mark stored."""
        return await self._find(full_key, token)
