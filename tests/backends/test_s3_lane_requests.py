"""What the fast lane sends: the very requests that the client would send."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

pytest.importorskip("aiobotocore")

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from storage._async.backends.s3.lane import borrowed, plain, results
from storage._async.backends.s3.lane.operations import OPERATIONS, compose
from storage._async.backends.s3.lane.parameters import Unknown
from storage._async.backends.s3.lane.retries import Budget
from storage._async.backends.s3.lane.sending import Lane
from storage._async.backends.s3.lane.transport import Request, Response

BUCKET = "some-bucket"
SESSION = get_session()
# What differs by nature, or tells of the client itself.
OWN = {
    "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "authorization",
    "content-length", "expect", "user-agent", "x-amz-date", "x-amz-user-agent",
}  # fmt: skip


class Sent(Exception):
    """A request was caught before it left."""


def camel(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))


class Catcher:
    """A transport that only remembers."""

    def __init__(self) -> None:
        self.request: Request | None = None

    async def send(self, request: Request) -> Response:
        self.request = request
        raise Sent

    async def aclose(self) -> None:
        pass


Told = tuple[str, str, list[tuple[str, str]], dict[str, str], bytes]


def told(method: str, url: str, headers: Mapping[str, Any], body: bytes) -> Told:
    """A request as it can be compared."""
    parts = urlsplit(url)
    known = {
        # With awscrt, the client trims them.
        name.lower(): (value if isinstance(value, str) else value.decode()).strip()
        for name, value in headers.items()
    }
    for name in OWN:
        known.pop(name, None)
    usual = ":443" if parts.scheme == "https" else ":80"
    known["host"] = known.get("host", parts.netloc.lower()).removesuffix(usual)
    return method, parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True)), known, body


def client_of(**options: Any) -> Any:
    """A client that never sends anything."""
    defaults: dict[str, Any] = {
        "aws_access_key_id": "AKIA",
        "aws_secret_access_key": "secret",
        "region_name": "eu-west-1",
    }
    config = AioConfig(
        retries={"total_max_attempts": 1}, request_checksum_calculation="when_required"
    ).merge(options.pop("config", AioConfig()))
    return SESSION.create_client("s3", **{**defaults, **options}, config=config)


async def by_client(client: Any, operation: str, parameters: dict[str, Any]) -> Told:
    """What a client would send."""
    caught = []

    def catch(request: Any, **_: Any) -> None:
        caught.append(request)
        raise Sent

    event = f"before-send.s3.{camel(operation)}"
    client.meta.events.register(event, catch)
    try:
        with pytest.raises((Sent, Exception)):
            await getattr(client, operation)(Bucket=BUCKET, **parameters)
    finally:
        client.meta.events.unregister(event, catch)
    (request,) = caught
    body: Any = request.body or b""
    body = body.read() if hasattr(body, "read") else body
    return told(request.method, request.url, request.headers, body)


async def by_lane(client: Any, operation: str, parameters: dict[str, Any]) -> Told:
    """What the fast lane sends."""
    identity = borrowed.of_client(client, BUCKET)
    assert identity is not None
    catcher = Catcher()
    with pytest.raises(Sent):
        await Lane(identity, catcher, Budget()).send(compose(operation, parameters))
    request = catcher.request
    assert request is not None
    headers = dict((*request.common, *request.headers))
    host = headers["host"]
    scheme = "https" if identity.secure else "http"
    assert urlsplit(f"//{host}").hostname == identity.name
    url = f"{scheme}://{host}{request.target}"
    return told(request.method, url, headers, b"".join(request.body))


KEYS = ["plain", "a/b c", "a+b%20c", "ü/€\U0001f600", "~-._!*'()", "tab\there", "a//b/../c?x#y"]
UPLOAD = {"Key": "k", "UploadId": "up+load/id="}
CALLS: list[tuple[str, dict[str, Any]]] = [
    *(("get_object", {"Key": key}) for key in KEYS),
    ("get_object", {"Key": "k", "Range": "bytes=0-9", "IfMatch": '"e"', "VersionId": "v 1"}),
    ("get_object", {"Key": "k", "IfModifiedSince": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)}),
    ("get_object", {"Key": "k", "ResponseContentType": "text/plain; charset=x", "PartNumber": 3}),
    ("head_object", {"Key": "k", "IfNoneMatch": '"e"', "ChecksumMode": "ENABLED"}),
    ("put_object", {"Key": "k", "Body": b"data", "ChecksumCRC32": "rfPzYw=="}),
    (
        "put_object",
        {
            "Key": "k",
            "Body": b"",
            "ContentType": "text/plain",
            "Metadata": {"some-name": " two  spaces ", "Other": "x"},
            "IfNoneMatch": "*",
            "StorageClass": "STANDARD_IA",
            "Tagging": "a=b&c=d",
            "BucketKeyEnabled": True,
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": "key",
            "CacheControl": "max-age=1",
            "RequestPayer": "requester",
            "Expires": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        },
    ),
    (
        "put_object",
        {"Key": "k", "Body": b"x", "SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32},
    ),
    ("get_object", {"Key": "k", "SSECustomerAlgorithm": "AES256", "SSECustomerKey": "s" * 32}),
    ("delete_object", {"Key": "k", "IfMatch": '"e"'}),
    ("list_objects_v2", {"Prefix": "", "MaxKeys": 1000}),
    (
        "list_objects_v2",
        {"Prefix": "a b/", "Delimiter": "/", "StartAfter": "ü", "ContinuationToken": "t+/="},
    ),
    *(("copy_object", {"Key": "k", "CopySource": {"Bucket": BUCKET, "Key": key}}) for key in KEYS),
    (
        "copy_object",
        {
            "Key": "k",
            "CopySource": {"Bucket": BUCKET, "Key": "s", "VersionId": "v1"},
            "CopySourceIfMatch": '"e"',
            "MetadataDirective": "REPLACE",
            "Metadata": {"a": "b"},
            "IfNoneMatch": "*",
        },
    ),
    ("create_multipart_upload", {"Key": "k", "ChecksumAlgorithm": "CRC32", "Metadata": {"a": "b"}}),
    ("upload_part", {**UPLOAD, "PartNumber": 7, "Body": b"part", "ChecksumCRC32": "AAAAAA=="}),
    (
        "upload_part_copy",
        {
            **UPLOAD,
            "PartNumber": 7,
            "CopySource": {"Bucket": BUCKET, "Key": "s"},
            "CopySourceRange": "bytes=0-9",
        },
    ),
    (
        "complete_multipart_upload",
        {
            **UPLOAD,
            "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"a&b"'}]},
            "IfMatch": "x",
        },
    ),
    ("abort_multipart_upload", UPLOAD),
    ("head_bucket", {}),
    ("create_bucket", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
]


@pytest.mark.parametrize("server", ["http://some.host:9000", "https://storage.example.com/base"])
async def test_the_client_sends_the_same(server: str) -> None:
    async with client_of(endpoint_url=server) as client:
        for operation, parameters in CALLS:
            theirs = await by_client(client, operation, parameters)
            ours = await by_lane(client, operation, parameters)
            if server.startswith("https:"):  # where TLS keeps it, the body is not digested again
                assert ours[3]["x-amz-content-sha256"]
                for each in (theirs, ours):
                    del each[3]["x-amz-content-sha256"]
            theirs[3].pop("x-amz-sdk-checksum-algorithm", None)
            assert ours == theirs, (operation, parameters)


@pytest.mark.parametrize(
    ("server", "signed"),
    [
        ("http://some.host:9000", True),
        ("http://10.0.0.1:9000", True),
        ("http://[2001:db8::1]:9000", True),
        ("http://localhost.example.com", True),
        ("http://127.0.0.1.example", True),
        ("http://127.0.0.1:9000", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:9000", False),
        ("http://LocalHost", False),
        ("https://some.host", False),
    ],
)
async def test_bodies_are_signed_where_somebody_could_change_them(
    server: str, signed: bool
) -> None:
    put = ("put_object", {"Key": "k", "Body": b"data"})
    digest = sha256(b"data").hexdigest()
    async with client_of(endpoint_url=server) as client:
        sent = await by_lane(client, *put)
        assert sent[3]["x-amz-content-sha256"] == (digest if signed else "UNSIGNED-PAYLOAD")
    wanted = AioConfig(s3={"payload_signing_enabled": True})
    async with client_of(endpoint_url=server, config=wanted) as client:
        assert (await by_lane(client, *put))[3]["x-amz-content-sha256"] == digest


def test_so_are_those_of_a_store_without_a_client(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    given = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret"}
    for server, signed in (("http://127.0.0.1:9000", False), ("http://some.host", True)):
        identity = plain.of_options({**given, "endpoint_url": server}, None, BUCKET)
        assert identity is not None
        assert identity.signs_bodies is signed


async def test_a_bulk_delete_is_the_same_but_for_its_checksum() -> None:
    wanted = {
        "Objects": [{"Key": "a&<b>\"'"}, {"Key": "é", "VersionId": "v"}, {"Key": " x "}],
        "Quiet": False,
    }
    async with client_of(endpoint_url="http://localhost:9000") as client:
        theirs = await by_client(client, "delete_objects", {"Delete": wanted})
        ours = await by_lane(client, "delete_objects", {"Delete": wanted})
    assert ours[:3] == theirs[:3]
    assert len(ours[3]["content-md5"]) == 24
    from xml.etree import ElementTree as ET

    def objects(document: bytes) -> list[dict[str, str | None]]:
        root = ET.fromstring(document)
        return [{field.tag: field.text for field in each} for each in root if len(each)]

    assert objects(ours[4]) == objects(theirs[4])


@pytest.mark.parametrize("style", [None, "path", "virtual"])
@pytest.mark.parametrize(
    "server",
    [
        {"region_name": "eu-west-1"},
        {"region_name": "cn-north-1"},
        {"endpoint_url": "http://localhost:9000"},
        {"endpoint_url": "https://storage.example.com:443/under/"},
        {"endpoint_url": "http://127.0.0.1:9000"},
        {"endpoint_url": "http://s3.eu-west-1.amazonaws.com"},
        {"region_name": None, "endpoint_url": "http://LocalHost:80"},
    ],
)
async def test_the_client_sends_it_there(
    server: dict[str, Any], style: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"s3": {"addressing_style": style}} if style else {}
    async with client_of(**server, config=AioConfig(**settings)) as client:
        for bucket in (BUCKET, "dots.in.it", "Capital", "192.168.5.4"):
            monkeypatch.setattr(f"{__name__}.BUCKET", bucket)
            if "127.0.0.1" in server.get("endpoint_url", "") and bucket == "dots.in.it":
                continue  # of these the client makes the name of a host, which there cannot be
            for operation, parameters in (("get_object", {"Key": "a/b"}), ("list_objects_v2", {})):
                theirs = await by_client(client, operation, parameters)
                ours = await by_lane(client, operation, parameters)
                assert (ours[1], ours[3]["host"]) == (theirs[1], theirs[3]["host"])


# -- the tables -----------------------------------------------------------------------------------


def model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("s3")


VALUES: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "long": 1,
    "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
}
READERS = {"boolean": "_truth", "integer": "int", "long": "int", "string": "str"}


def test_the_parameters_are_the_models() -> None:
    service = model()
    for name, operation in OPERATIONS.items():
        theirs = service.operation_model(camel(name))
        assert operation.method == theirs.http["method"]
        fixed = parse_qsl(urlsplit(theirs.http["requestUri"]).query, keep_blank_values=True)
        assert [pair for pair in operation.query if pair[0] != "encoding-type"] == fixed
        assert operation.places.keys() <= theirs.input_shape.members.keys()
        for parameter in operation.places:
            shape = theirs.input_shape.members[parameter]
            where, place = shape.serialization.get("location"), shape.serialization.get("name")
            if where not in ("header", "querystring") or parameter == "CopySource":
                continue
            keyed = {"Key": "k"} if "Key" in operation.places else {}
            call = compose(name, {**keyed, parameter: VALUES.get(shape.type_name, "v")})
            if where == "header":
                assert place.lower() in dict(call.headers)
            else:
                assert place in dict(call.query)


def test_the_answers_are_the_models() -> None:
    service = model()
    for name, table in results.TABLES.items():
        theirs = service.operation_model(camel(name)).output_shape
        for header, (member, read) in table.items():
            shape = theirs.members[member]
            assert shape.serialization["location"] == "header", (name, member)
            assert shape.serialization["name"].lower() == header
            assert read.__name__ == READERS.get(shape.type_name, read.__name__)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("put_bucket_policy", {}),
        ("get_object", {}),
        ("get_object", {"Key": ""}),
        ("get_object", {"Key": "k", "ResponseExpires": datetime(2026, 1, 1, tzinfo=UTC)}),
        ("get_object", {"Key": "k", "IfModifiedSince": datetime(2026, 1, 1)}),  # noqa: DTZ001
        ("put_object", {"Key": "k", "Body": iter([b"x"])}),
        ("put_object", {"Key": "k", "ContentType": "text/plain\r\nx-amz-acl: public-read"}),
        ("put_object", {"Key": "k", "Metadata": {"a": "ü"}}),
        ("put_object", {"Key": "k", "ChecksumAlgorithm": "CRC32"}),
        ("copy_object", {"Key": "k", "CopySource": "bucket/key"}),
        ("copy_object", {"Key": "k", "CopySource": {"Bucket": "arn:aws:s3:::b", "Key": "s"}}),
        ("delete_objects", {"Delete": {"Objects": [{"Key": "k", "Size": 3}]}}),
        ("list_objects_v2", {"OptionalObjectAttributes": ["RestoreStatus"]}),
    ],
)
def test_what_only_the_client_knows(operation: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(Unknown):
        compose(operation, parameters)
