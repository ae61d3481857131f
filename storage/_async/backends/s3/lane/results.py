"""What the server's answers say, in the shape of the client's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from ....._core.errors import MalformedResponse
from . import rows, xml

Answer = dict[str, Any]
_Read = Callable[[str], Any]

_NAMES = "JanFebMarAprMayJunJulAugSepOctNovDec"
_MONTHS = {_NAMES[start : start + 3]: start // 3 + 1 for start in range(0, 36, 3)}


@lru_cache(4096)
def http_date(text: str) -> datetime:
    """A time such as ``Sun, 06 Nov 1994 08:49:37 GMT``."""
    try:
        if len(text) == 29 and text.endswith(" GMT"):
            month = _MONTHS[text[8:11]]
            clock = int(text[17:19]), int(text[20:22]), int(text[23:25])
            return datetime(int(text[12:16]), month, int(text[5:7]), *clock, tzinfo=UTC)
        from email.utils import parsedate_to_datetime  # takes a while to import, and is rare

        moment = parsedate_to_datetime(text)
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError(text) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


@lru_cache(4096)
def iso_date(text: str) -> datetime:
    """A time such as ``1994-11-06T08:49:37.000Z``."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


_Table = dict[str, tuple[str, _Read]]

_OBJECT: _Table = {
    "etag": ("ETag", str),
    "x-amz-checksum-crc32": ("ChecksumCRC32", str),
    "x-amz-checksum-crc32c": ("ChecksumCRC32C", str),
    "x-amz-checksum-crc64nvme": ("ChecksumCRC64NVME", str),
    "x-amz-checksum-sha1": ("ChecksumSHA1", str),
    "x-amz-checksum-sha256": ("ChecksumSHA256", str),
    "x-amz-request-charged": ("RequestCharged", str),
    "x-amz-server-side-encryption": ("ServerSideEncryption", str),
    "x-amz-server-side-encryption-aws-kms-key-id": ("SSEKMSKeyId", str),
    "x-amz-server-side-encryption-bucket-key-enabled": ("BucketKeyEnabled", _truth),
    "x-amz-server-side-encryption-customer-algorithm": ("SSECustomerAlgorithm", str),
    "x-amz-server-side-encryption-customer-key-md5": ("SSECustomerKeyMD5", str),
}
"""What is told of a part as well as of an object."""
_WRITTEN: _Table = {
    **_OBJECT,
    "x-amz-checksum-type": ("ChecksumType", str),
    "x-amz-expiration": ("Expiration", str),
    "x-amz-version-id": ("VersionId", str),
}
_READ: _Table = {
    **_WRITTEN,
    "accept-ranges": ("AcceptRanges", str),
    "cache-control": ("CacheControl", str),
    "content-disposition": ("ContentDisposition", str),
    "content-encoding": ("ContentEncoding", str),
    "content-language": ("ContentLanguage", str),
    "content-length": ("ContentLength", int),
    "content-range": ("ContentRange", str),
    "content-type": ("ContentType", str),
    "last-modified": ("LastModified", http_date),
    "x-amz-delete-marker": ("DeleteMarker", _truth),
    "x-amz-missing-meta": ("MissingMeta", int),
    "x-amz-mp-parts-count": ("PartsCount", int),
    "x-amz-object-lock-legal-hold": ("ObjectLockLegalHoldStatus", str),
    "x-amz-object-lock-mode": ("ObjectLockMode", str),
    "x-amz-object-lock-retain-until-date": ("ObjectLockRetainUntilDate", iso_date),
    "x-amz-replication-status": ("ReplicationStatus", str),
    "x-amz-restore": ("Restore", str),
    "x-amz-storage-class": ("StorageClass", str),
    "x-amz-tagging-count": ("TagCount", int),
    "x-amz-website-redirect-location": ("WebsiteRedirectLocation", str),
}


def _chosen(*names: str) -> _Table:
    return {name: _READ[name] for name in names}


_CHARGED = _chosen("x-amz-request-charged")
_ENCRYPTED = _CHARGED | {
    name: place for name, place in _OBJECT.items() if name.startswith("x-amz-server-side")
}
_NEW = _CHARGED | _chosen(
    "x-amz-expiration",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-version-id",
)
_SOURCE: _Table = {"x-amz-copy-source-version-id": ("CopySourceVersionId", str)}

TABLES: Mapping[str, _Table] = {
    "abort_multipart_upload": _CHARGED,
    "complete_multipart_upload": _NEW,
    "copy_object": {**_ENCRYPTED, **_NEW, **_SOURCE},
    "create_bucket": {"location": ("Location", str)},
    "create_multipart_upload": _ENCRYPTED,
    "delete_object": _chosen("x-amz-delete-marker", "x-amz-request-charged", "x-amz-version-id"),
    "delete_objects": _CHARGED,
    "get_object": _READ,
    "head_bucket": {"x-amz-bucket-region": ("BucketRegion", str)},
    "head_object": _READ,
    "list_objects_v2": _CHARGED,
    "put_object": {**_WRITTEN, "x-amz-object-size": ("Size", int)},
    "upload_part": _OBJECT,
    "upload_part_copy": {**_ENCRYPTED, **_SOURCE},
}
_META = "x-amz-meta-"


def of_headers(operation: str, headers: Mapping[str, str]) -> Answer:
    """What the headers of an answer say.

    Raises:
        MalformedResponse: A number or a time is none.
    """
    table, answer = TABLES[operation], Answer()
    pairs: dict[str, str] | None = {} if table is _READ else None
    for name, value in headers.items():
        place = table.get(name)
        if place is not None:
            answer[place[0]] = value if place[1] is str else _read(name, place[1], value)
        elif pairs is not None and name.startswith(_META):
            pairs[name[len(_META) :]] = value
    if pairs is not None:
        if "expires" in headers:
            _expires(answer, headers["expires"])
        answer["Metadata"] = pairs
    return answer


def _read(name: str, read: _Read, value: str) -> Any:
    try:
        return read(value)
    except ValueError:
        raise MalformedResponse(f"the server's answer has {name}: {value[:100]!r}") from None


def _expires(answer: Answer, text: str) -> None:
    # Whatever the writer said, which need be no time.
    answer["ExpiresString"] = text
    try:
        answer["Expires"] = http_date(text)
    except ValueError:
        pass


# -- documents ----------------------------------------------------------------------------------


def of_document(operation: str, document: xml.Document) -> Answer:
    """What the document of an answer says.

    Raises:
        MalformedResponse: It is not the one that belongs to the operation.
    """
    known = DOCUMENTS.get(operation)
    if known is None:
        return {}
    root, read = known
    if document.root != root:
        raise MalformedResponse(f"the server's answer is a {document.root!r}, and no {root}")
    try:
        return read(document)
    except (KeyError, TypeError, ValueError) as error:
        raise _malformed(root, error) from None


def of_listing(content: bytes) -> Answer:
    """What the document of a listing says: the same as its parser and `of_document` find in it."""
    found = rows.split(content)
    if found is None:
        return of_document("list_objects_v2", xml.parse(content))
    answer = of_document("list_objects_v2", found.rest)
    try:
        answer["Contents"] = found.table(_row_reads(found.rest))
    except ValueError as error:
        raise _malformed("ListBucketResult", error) from None
    return answer


def _malformed(root: str, error: Exception) -> MalformedResponse:
    return MalformedResponse(f"the server's answer is no {root}: {error!r}")


def _listing(document: xml.Document) -> Answer:
    fields, reads = document.fields, _row_reads(document)
    answer: Answer = {
        "Contents": [
            {name: reads[name](text) for name, text in each.items() if name in reads}
            for each in document.entries.get("Contents", ())
        ]
    }
    plain = _plain(document)
    answer["CommonPrefixes"] = [
        {"Prefix": plain(each["Prefix"])} for each in document.entries.get("CommonPrefixes", ())
    ]
    for name, read in _LISTING:
        if name in fields:
            answer[name] = read(fields[name])
    for name in ("Delimiter", "Prefix", "StartAfter"):
        if name in fields:
            answer[name] = plain(fields[name])
    return answer


_LISTING: tuple[tuple[str, _Read], ...] = (
    ("ContinuationToken", str),
    ("EncodingType", str),
    ("IsTruncated", _truth),
    ("KeyCount", int),
    ("MaxKeys", int),
    ("Name", str),
    ("NextContinuationToken", str),
)


def _plain(document: xml.Document) -> _Read:
    """What takes the encoding off of names."""
    return unquote_plus if document.fields.get("EncodingType") == "url" else str


def _row_reads(document: xml.Document) -> dict[str, _Read]:
    """What of a row is read, and how."""
    plain = _plain(document)

    def key(text: str) -> str:
        return plain(text) if "%" in text or "+" in text else text

    return {"Key": key, **_ROW}


_ROW: dict[str, _Read] = {
    "ChecksumType": str,
    "ETag": str,
    "LastModified": iso_date,
    "Size": int,
    "StorageClass": str,
}


def _deleted(document: xml.Document) -> Answer:
    entries = document.entries
    return {"Deleted": entries.get("Deleted", []), "Errors": entries.get("Error", [])}


def _copied(name: str) -> Callable[[xml.Document], Answer]:
    def read(document: xml.Document) -> Answer:
        fields = dict(document.fields)
        if "LastModified" in fields:
            fields["LastModified"] = iso_date(fields["LastModified"])
        return {name: fields}

    return read


def _fields(*needed: str) -> Callable[[xml.Document], Answer]:
    def read(document: xml.Document) -> Answer:
        for name in needed:
            if not document.fields.get(name):
                raise KeyError(name)
        return dict(document.fields)

    return read


DOCUMENTS: Mapping[str, tuple[str, Callable[[xml.Document], Answer]]] = {
    "complete_multipart_upload": ("CompleteMultipartUploadResult", _fields()),
    "copy_object": ("CopyObjectResult", _copied("CopyObjectResult")),
    "create_multipart_upload": ("InitiateMultipartUploadResult", _fields("UploadId")),
    "delete_objects": ("DeleteResult", _deleted),
    "list_objects_v2": ("ListBucketResult", _listing),
    "upload_part_copy": ("CopyPartResult", _copied("CopyPartResult")),
}
