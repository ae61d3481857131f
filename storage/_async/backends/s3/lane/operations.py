"""The operations that this lane knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .parameters import PLACES, Call, Operation, Unknown


def compose(operation: str, parameters: Mapping[str, Any]) -> Call:
    """The call for an operation with the client's parameters.

    Raises:
        Unknown: It is one for the client.
    """
    known = OPERATIONS.get(operation)
    if known is None:
        raise Unknown(operation)
    call = Call(known, None, list(known.query))
    places = known.places
    for name, value in parameters.items():
        place = places.get(name)
        if place is None:
            raise Unknown(f"{operation} with {name}")
        place(call, value)
    if ("Key" in places) is (call.key is None):
        raise Unknown(f"{operation} without a key")
    return call


_ANY = "RequestPayer ExpectedBucketOwner "
_SECRET = "SSECustomerAlgorithm SSECustomerKey "  # noqa: S105 - names
_READ = (
    _ANY
    + _SECRET
    + (
        "Key IfMatch IfNoneMatch IfModifiedSince IfUnmodifiedSince Range VersionId PartNumber "
        "ChecksumMode ResponseCacheControl ResponseContentDisposition ResponseContentEncoding "
        "ResponseContentLanguage ResponseContentType "
    )
)
_SUMS = "ChecksumCRC32 ChecksumCRC32C ChecksumCRC64NVME ChecksumSHA1 ChecksumSHA256 "
_NEW = (
    _ANY
    + _SECRET
    + (
        "Key ACL BucketKeyEnabled CacheControl ContentDisposition ContentEncoding ContentLanguage "
        "ContentType Expires GrantFullControl GrantRead GrantReadACP GrantWriteACP Metadata "
        "ObjectLockLegalHoldStatus ObjectLockMode SSEKMSEncryptionContext SSEKMSKeyId "
        "ServerSideEncryption StorageClass Tagging WebsiteRedirectLocation "
    )
)
_FROM = (
    "CopySource CopySourceIfMatch CopySourceIfNoneMatch CopySourceSSECustomerAlgorithm "
    "CopySourceSSECustomerKey ExpectedSourceBucketOwner "
)
_PART = _ANY + _SECRET + "Key PartNumber UploadId "


def _operation(name: str, method: str, takes: str, *query: str) -> Operation:
    places = {parameter: PLACES[parameter] for parameter in takes.split()}
    fixed = tuple((key, value) for key, _, value in (each.partition("=") for each in query))
    return Operation(name, method, places, fixed)


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        _operation("abort_multipart_upload", "DELETE", _ANY + "Key UploadId"),
        _operation(
            "complete_multipart_upload",
            "POST",
            _ANY
            + _SECRET
            + _SUMS
            + "Key UploadId MultipartUpload IfMatch IfNoneMatch ChecksumType "
            "MpuObjectSize",
        ),
        _operation(
            "copy_object",
            "PUT",
            _NEW + _FROM + "ChecksumAlgorithm IfMatch IfNoneMatch MetadataDirective "
            "TaggingDirective",
        ),
        _operation("create_bucket", "PUT", "CreateBucketConfiguration"),
        _operation(
            "create_multipart_upload", "POST", _NEW + "ChecksumAlgorithm ChecksumType", "uploads"
        ),
        _operation(
            "delete_object", "DELETE", _ANY + "Key IfMatch VersionId BypassGovernanceRetention"
        ),
        _operation(
            "delete_objects",
            "POST",
            _ANY + "Delete BypassGovernanceRetention",
            "delete",
        ),
        _operation("get_object", "GET", _READ),
        _operation("head_bucket", "HEAD", "ExpectedBucketOwner"),
        _operation("head_object", "HEAD", _READ),
        _operation(
            "list_objects_v2",
            "GET",
            _ANY + "ContinuationToken Delimiter FetchOwner MaxKeys Prefix StartAfter",
            "list-type=2",
            "encoding-type=url",
        ),
        _operation("put_object", "PUT", _NEW + _SUMS + "Body ContentMD5 IfMatch IfNoneMatch"),
        _operation("upload_part", "PUT", _PART + _SUMS + "Body ContentMD5"),
        _operation("upload_part_copy", "PUT", _PART + _FROM + "CopySourceRange"),
    )
}
