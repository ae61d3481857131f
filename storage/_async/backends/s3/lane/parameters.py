"""Where each parameter of the client's goes in a request."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from . import documents
from .sign import encoded

Buffer: TypeAlias = bytes | bytearray | memoryview


class Unknown(Exception):
    """An operation, a parameter or a value that only the client knows how to send."""


@dataclass(slots=True, repr=False, eq=False)
class Call:
    """An operation, ready to be addressed and signed.

    Args:
        operation: What is known of its kind.
        key: The object's, or None where it is about the bucket.
        query: The parameters that are part of the URL.
        headers: Those that are headers; names in small letters.
        body: What is sent.
    """

    operation: Operation
    key: str | None = None
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: Buffer = b""


Place: TypeAlias = Callable[[Call, Any], None]


class Operation(NamedTuple):
    """One kind of operation.

    Args:
        name: The client's method.
        method: Of HTTP.
        places: For each parameter that is known, what puts its value into a call.
        query: What is always part of the URL.
    """

    name: str
    method: str
    places: Mapping[str, Place]
    query: tuple[tuple[str, str], ...] = ()


def _header(name: str) -> Place:
    def place(call: Call, value: Any) -> None:
        call.headers.append((name, _text(value)))

    return place


def _query(name: str) -> Place:
    def place(call: Call, value: Any) -> None:
        call.query.append((name, _text(value, plain=False)))

    return place


def _text(value: Any, *, plain: bool = True) -> str:
    if isinstance(value, str):
        if plain and not (value.isascii() and value.isprintable()):
            raise Unknown("a header that is not printable ASCII")
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        from email.utils import format_datetime  # takes a while to import, and is rare

        return format_datetime(value.astimezone(UTC), usegmt=True)
    raise Unknown(f"a value of the type {type(value).__name__}")


def _key(call: Call, value: Any) -> None:
    if not isinstance(value, str) or not value:
        raise Unknown("a key that is none")
    call.key = value


def _metadata(call: Call, value: Any) -> None:
    call.headers += [
        (f"x-amz-meta-{_text(name)}".lower(), _text(text)) for name, text in value.items()
    ]


def _body(call: Call, value: Any) -> None:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Unknown("a body that is not in memory")
    call.body = value


def _source(call: Call, value: Any) -> None:
    if not isinstance(value, Mapping) or not value.keys() <= {"Bucket", "Key", "VersionId"}:
        raise Unknown("a source that is not told by its parts")
    if not value["Bucket"] or ":" in value["Bucket"]:
        raise Unknown("a source at an access point")
    source = encoded(f"{value['Bucket']}/{value['Key']}", safe="/~")
    if value.get("VersionId") is not None:
        source += f"?versionId={value['VersionId']}"
    call.headers.append(("x-amz-copy-source", source))


def _customer_key(name: str) -> Place:
    """The key of a customer's own encryption, and its digest."""

    def place(call: Call, value: Any) -> None:
        if not isinstance(value, str | bytes):
            raise Unknown("a key that is neither text nor bytes")
        raw = value.encode() if isinstance(value, str) else value
        call.headers.append((name, base64.b64encode(raw).decode()))
        call.headers.append((f"{name}-md5", documents.md5(raw)))

    return place


def _document(write: Callable[[Mapping[str, Any]], bytes | None]) -> Place:
    def place(call: Call, value: Any) -> None:
        content = write(value)
        if content is None:
            raise Unknown("a document with more in it")
        call.body = content
        if call.operation.name == "delete_objects":
            call.headers.append(("content-md5", documents.md5(content)))

    return place


_CUSTOMER = "server-side-encryption-customer"
_OWN: Mapping[str, Place] = {
    "Key": _key,
    "Metadata": _metadata,
    "Body": _body,
    "CopySource": _source,
    "CopySourceSSECustomerKey": _customer_key(f"x-amz-copy-source-{_CUSTOMER}-key"),
    "SSECustomerKey": _customer_key(f"x-amz-{_CUSTOMER}-key"),
    "Delete": _document(documents.delete),
    "MultipartUpload": _document(documents.complete),
    "CreateBucketConfiguration": _document(documents.create_bucket),
}

# Where a parameter's name says how its header or its query is called; the others are below.
_QUERIES = {
    "ContinuationToken": "continuation-token",
    "Delimiter": "delimiter",
    "FetchOwner": "fetch-owner",
    "MaxKeys": "max-keys",
    "PartNumber": "partNumber",
    "Prefix": "prefix",
    "ResponseCacheControl": "response-cache-control",
    "ResponseContentDisposition": "response-content-disposition",
    "ResponseContentEncoding": "response-content-encoding",
    "ResponseContentLanguage": "response-content-language",
    "ResponseContentType": "response-content-type",
    "StartAfter": "start-after",
    "UploadId": "uploadId",
    "VersionId": "versionId",
}
_HEADERS = {
    "ACL": "x-amz-acl",
    "BucketKeyEnabled": "x-amz-server-side-encryption-bucket-key-enabled",
    "BypassGovernanceRetention": "x-amz-bypass-governance-retention",
    "CacheControl": "cache-control",
    "ChecksumAlgorithm": "x-amz-checksum-algorithm",
    "ChecksumCRC32": "x-amz-checksum-crc32",
    "ChecksumCRC32C": "x-amz-checksum-crc32c",
    "ChecksumCRC64NVME": "x-amz-checksum-crc64nvme",
    "ChecksumMode": "x-amz-checksum-mode",
    "ChecksumSHA1": "x-amz-checksum-sha1",
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "ChecksumType": "x-amz-checksum-type",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "ContentMD5": "content-md5",
    "ContentType": "content-type",
    "CopySourceIfMatch": "x-amz-copy-source-if-match",
    "CopySourceIfNoneMatch": "x-amz-copy-source-if-none-match",
    "CopySourceRange": "x-amz-copy-source-range",
    "CopySourceSSECustomerAlgorithm": f"x-amz-copy-source-{_CUSTOMER}-algorithm",
    "ExpectedBucketOwner": "x-amz-expected-bucket-owner",
    "ExpectedSourceBucketOwner": "x-amz-source-expected-bucket-owner",
    "Expires": "expires",
    "GrantFullControl": "x-amz-grant-full-control",
    "GrantRead": "x-amz-grant-read",
    "GrantReadACP": "x-amz-grant-read-acp",
    "GrantWriteACP": "x-amz-grant-write-acp",
    "IfMatch": "if-match",
    "IfModifiedSince": "if-modified-since",
    "IfNoneMatch": "if-none-match",
    "IfUnmodifiedSince": "if-unmodified-since",
    "MetadataDirective": "x-amz-metadata-directive",
    "MpuObjectSize": "x-amz-mp-object-size",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "ObjectLockMode": "x-amz-object-lock-mode",
    "Range": "range",
    "RequestPayer": "x-amz-request-payer",
    "SSECustomerAlgorithm": f"x-amz-{_CUSTOMER}-algorithm",
    "SSEKMSEncryptionContext": "x-amz-server-side-encryption-context",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "StorageClass": "x-amz-storage-class",
    "Tagging": "x-amz-tagging",
    "TaggingDirective": "x-amz-tagging-directive",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}
PLACES: Mapping[str, Place] = {
    **{name: _header(header) for name, header in _HEADERS.items()},
    **{name: _query(query) for name, query in _QUERIES.items()},
    **_OWN,
}
