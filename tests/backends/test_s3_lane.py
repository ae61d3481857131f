"""The fast lane against real servers: answers and errors as the client tells them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._async.backends.s3.errors import failure, translate
from storage._async.backends.s3.lane.borrowed import of_client
from storage._async.backends.s3.lane.rows import Table
from storage._core.errors import ConfigError, StoreError
from tests.backends.s3 import (
    LANES,
    aiobotocore_client,
    connected,
    own_corner,
    session,
    without_pauses,
)
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

FAST = ("fast", "aiohttp")
# What the client tells, and nobody here reads.
UNREAD = {"ExpiresString", "Owner", "RequestCharged", "ServerSideEncryption"}


class Script:
    """A story of raw operations, each told as its answer or its error."""

    def __init__(self, store: AsyncBucketStore) -> None:
        self.send = store._send.lanes.send
        self.told: list[Any] = []

    async def __call__(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            answer = dict(await self.send(operation, parameters))
        except Exception as error:
            ours = translate(error)
            if ours is None:
                raise
            ours.__cause__ = error
            self.told.append((operation, type(ours), str(ours), failure(ours)))
            return {}
        about = answer.pop("ResponseMetadata")
        if "Body" in answer:
            body = answer["Body"]
            answer["Body"] = await body.read()
            body.close()
        self.told.append((operation, about["HTTPStatusCode"], self._plain(answer)))
        return answer

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                name: self._plain(each)
                for name, each in value.items()
                if name not in UNREAD and (each or each == 0 or name == "Metadata")
            }
        if isinstance(value, list | Table):
            return [self._plain(each) for each in value]
        if isinstance(value, datetime):
            return "a time"
        return "an id" if isinstance(value, str) and len(value) > 40 else value


async def story(send: Script) -> None:
    """Everything that the lane knows, and how it goes wrong."""
    key = "t/a +%/ü&<"
    made = await send(
        "put_object",
        Key=key,
        Body=b"0123456789",
        ChecksumCRC32="poTHxg==",
        ContentType="text/plain",
        CacheControl="max-age=3",
        Metadata={"a-name": "some  value", "b": "=?UTF-8?B?w7w=?="},
    )
    await send("put_object", Key=key, Body=b"x", IfNoneMatch="*")
    await send("put_object", Key="t/sum", Body=b"x", ChecksumCRC32="AAAAAA==")
    for more in (
        {},
        {"Range": "bytes=2-4"},
        {"Range": "bytes=-3"},
        {"Range": "bytes=99-"},
        {"IfMatch": made["ETag"]},
        {"IfMatch": '"other"'},
        {"IfNoneMatch": made["ETag"]},
        {"ResponseContentType": "text/html"},
    ):
        await send("get_object", Key=key, **more)
    for name in (key, "t/none"):
        await send("head_object", Key=name)
        await send("get_object", Key=name)
    await send("put_object", Key="t/empty", Body=b"")
    await send("get_object", Key="t/empty")
    await send("copy_object", Key="t/copy", CopySource={"Bucket": BUCKET[0], "Key": key})
    await send("copy_object", Key="t/copy", CopySource={"Bucket": BUCKET[0], "Key": "t/none"})
    for more in ({}, {"Delimiter": "/"}, {"MaxKeys": 1}, {"Prefix": "nothing"}):
        await send("list_objects_v2", **{"Prefix": "t/", **more})
    await send("upload_part", Key=key, UploadId="none", PartNumber=1, Body=b"x")
    begun = await send("create_multipart_upload", Key="t/parts", Metadata={"m": "n"})
    here = {"Key": "t/parts", "UploadId": begun["UploadId"]}
    part = await send("upload_part", **here, PartNumber=1, Body=b"part")
    source = {"Bucket": BUCKET[0], "Key": key}
    await send("upload_part_copy", **here, PartNumber=2, CopySource=source)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    await send("complete_multipart_upload", **here, MultipartUpload=parts)
    await send("head_object", Key="t/parts")
    begun = await send("create_multipart_upload", Key="t/parts")
    await send("abort_multipart_upload", Key="t/parts", UploadId=begun["UploadId"])
    await send("delete_object", Key="t/none")
    await send("delete_object", Key=key, IfMatch='"other"')
    await send("delete_object", Key=key, IfMatch=made["ETag"])
    wanted = {"Objects": [{"Key": name} for name in ("t/copy", "t/parts", "t/&<>'\"")]}
    await send("delete_objects", Delete={**wanted, "Quiet": False})
    await send("head_bucket")
    await send("create_bucket")
    await send("list_objects_v2", Prefix="t/")


BUCKET = [""]


async def test_answers_and_errors_are_the_clients(
    s3_service: S3Service, new_bucket: NewBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_pauses(monkeypatch)
    told: dict[str, list[Any]] = {}
    for lane in LANES:
        BUCKET[0] = new_bucket(s3_service)
        async with connected(s3_service, BUCKET[0], lane=lane) as store:
            script = Script(store)
            await story(script)
            assert list(store.lanes) == [lane]
            told[lane] = json.loads(json.dumps(script.told, default=repr).replace(BUCKET[0], "B"))
        async with connected(s3_service, "no-such-bucket-at-all", lane=lane) as store:
            script = Script(store)
            for operation in ("head_bucket", "list_objects_v2"):
                await script(operation)
            for operation in ("get_object", "head_object", "delete_object"):
                await script(operation, Key="k")
            await script("put_object", Key="k", Body=b"x")
            told[lane] += json.loads(json.dumps(script.told, default=repr))
    for lane in FAST:
        assert len(told[lane]) == len(told["client"])
        for ours, theirs in zip(told[lane], told["client"], strict=True):
            assert ours == theirs


# -- what goes through the client ------------------------------------------------------------------


def test_a_lane_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="lane is one of auto, fast, aiohttp, client"):
        AsyncBucketStore.connect("bucket", lane="slow")


async def test_what_the_lane_does_not_know(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    async with own_corner(seaweedfs, shared_bucket) as store:
        await store.put("key", b"data")
        await store._send("get_object_tagging", Key=store._prefix + "key")
        assert store.lanes == {"client": {"get_object_tagging": 1}, "fast": {"put_object": 1}}


async def uses(store: AsyncBucketStore) -> str:
    """Over which lane a store sends."""
    before = store.lanes
    await store.put("key", b"data")
    assert await store.get("key") == b"data"
    (used,) = (lane for lane, counts in store.lanes.items() if counts != before.get(lane, {}))
    return used


async def test_clients_that_are_understood_and_others(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    from aiobotocore.config import AioConfig
    from aiobotocore.httpsession import AIOHTTPSession
    from botocore import UNSIGNED

    class OwnSession(AIOHTTPSession):  # type: ignore[misc]
        pass

    bucket = shared_bucket(seaweedfs)
    for config, lane in (
        ({}, "fast"),
        ({"s3": {"addressing_style": "path"}, "retries": {"mode": "standard"}}, "fast"),
        ({"user_agent_extra": "x", "read_timeout": 3, "max_pool_connections": 3}, "fast"),
        ({"signature_version": "s3"}, "client"),
        ({"http_session_cls": OwnSession}, "client"),
        ({"connector_args": {"use_dns_cache": False}}, "client"),
        ({"proxies": {"http": seaweedfs.endpoint_url}}, "client"),
    ):
        async with (
            aiobotocore_client(seaweedfs, config=AioConfig(**config)) as client,
            AsyncBucketStore(client, bucket, prefix="understood") as store,
        ):
            assert await uses(store) == lane, config
    unsigned = AioConfig(signature_version=UNSIGNED)
    async with (
        aiobotocore_client(seaweedfs, config=unsigned) as client,
        AsyncBucketStore(client, bucket, prefix="understood") as store,
    ):
        with pytest.raises(StoreError, match="AccessDenied"):
            await store.get("key")
        assert list(store.lanes) == ["fast"]


async def test_hooks_are_called(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    heard: list[str] = []

    def hear(event_name: str, **_: Any) -> None:
        heard.append(event_name)

    bucket = shared_bucket(seaweedfs)
    async with aiobotocore_client(seaweedfs) as client:
        client.meta.events.register("before-call.s3.GetObject", hear)
        async with AsyncBucketStore(client, bucket, prefix="hooks") as store:
            assert await uses(store) == "client"
            assert heard == ["before-call.s3.GetObject"]
    async with (
        aiobotocore_client(seaweedfs) as client,
        AsyncBucketStore(client, bucket, prefix="hooks") as store,
    ):
        assert await uses(store) == "fast"
        client.meta.events.register("request-created.s3", hear)
        assert await uses(store) == "client"
    async with aiobotocore_client(seaweedfs) as client:
        client.put_object = client.put_object  # as those do who trace calls
        async with AsyncBucketStore(client, bucket, prefix="hooks") as store:
            assert await uses(store) == "client"


async def test_an_idiom_for_anonymous_access(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    from botocore.handlers import disable_signing

    async with aiobotocore_client(seaweedfs) as client:
        client.meta.events.register("choose-signer.s3.*", disable_signing)
        async with AsyncBucketStore(client, shared_bucket(seaweedfs)) as store:
            with pytest.raises(StoreError, match="AccessDenied"):
                await store.get("key")
            assert list(store.lanes) == ["client"]


@pytest.mark.parametrize(
    "variable", ["AWS_PROFILE", "AWS_USE_FIPS_ENDPOINT", "AWS_SOMETHING_NEW", "http_proxy"]
)
def test_an_environment_that_is_not_plain(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage._async.backends.s3.lane.plain import of_options

    known = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    here = {**known, "endpoint_url": "http://localhost:9000"}
    assert of_options(here, None, "bucket") is not None
    assert of_options(known, None, "bucket") is not None
    monkeypatch.setenv(variable, "http://localhost:1")
    assert of_options(here, None, "bucket") is None


def test_a_configuration_file_is_the_clients(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from storage._async.backends.s3.lane.plain import of_options

    known = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    (tmp_path / "config").write_text("")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert of_options(known, None, "bucket") is not None
    (tmp_path / "config").write_text("[default]\n")
    assert of_options(known, None, "bucket") is None
    assert of_options(known, None, "express--use1-az4--x-s3") is None


@pytest.mark.parametrize(
    "bucket",
    [
        "arn:aws:s3:eu-west-1:123456789012:accesspoint/here",
        "express--use1-az4--x-s3",
        "point-abc-s3alias",
        "a b",
        "..",
    ],
)
async def test_what_is_no_plain_bucket(bucket: str) -> None:
    known = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
    async with session().create_client("s3", **known) as client:
        assert of_client(client, "bucket") is not None
        assert of_client(client, bucket) is None
    assert of_client(object(), "bucket") is None


PROGRAM = """
import asyncio, sys
from storage import open_async_store

async def main():
    async with open_async_store(sys.argv[1]) as store:
        await store.put("a", b"data", metadata={"b": "c"})
        assert await store.get("a") == b"data"
        assert (await store.head("a")).metadata == {"b": "c"}
        await store.copy("a", "b")
        assert [key async for key in store.keys()] == ["a", "b"]
        await store.delete_many(["a", "b"])
        assert not await store.exists("a")
        assert list(store.lanes) == ["fast"], store.lanes

asyncio.run(main())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"aiobotocore", "botocore"}))
"""


@pytest.mark.parametrize("where", ["url", "environment"])
def test_the_client_is_not_even_loaded(
    seaweedfs: S3Service, shared_bucket: NewBucket, where: str
) -> None:
    user = f"{seaweedfs.access_key}:{seaweedfs.secret_key}@" if where == "url" else ""
    url = f"s3://{user}{shared_bucket(seaweedfs)}/unloaded-{where}"
    url += f"?endpoint_url={seaweedfs.endpoint_url}&region=us-east-1&addressing_style=path"
    environment = {} if where == "url" else {
        "AWS_ACCESS_KEY_ID": seaweedfs.access_key,
        "AWS_SECRET_ACCESS_KEY": seaweedfs.secret_key,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, url],
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path), "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


async def test_virtual_addressing(
    moto: S3Service, new_bucket: NewBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    known = socket.getaddrinfo

    def found(host: Any, *rest: Any, **more: Any) -> Any:  # what a wildcard in DNS would do
        return known("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    bucket = new_bucket(moto)
    port = moto.endpoint_url.rpartition(":")[2]
    async with AsyncExitStack() as stack:
        for lane in FAST:
            store = await stack.enter_async_context(
                connected(
                    moto,
                    bucket,
                    endpoint_url=f"http://localhost:{port}",
                    config={"addressing_style": "virtual"},
                    lane=lane,
                    prefix=lane,
                )
            )
            assert await uses(store) == lane
            opened = store._send.lanes._loops.peek()
            assert opened is not None
            assert opened.lane is not None
            assert opened.lane._identity.host == f"{bucket}.localhost:{port}"
            assert [key async for key in store.keys()] == ["key"]
    async with connected(moto, bucket, prefix="fast") as store:
        assert await store.get("key") == b"data"
