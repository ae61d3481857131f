"""Checksums on the S3 store: sent, compared, and seen to fail, on a server that verifies them."""

from __future__ import annotations

import base64
import hashlib
import random
import sys
import zlib
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore, checksums, parallel, uploads
from storage._core.errors import BulkError, ConfigError, IntegrityError, MissingExtra
from tests.backends.s3 import MIB, collected, own_corner
from tests.faults import fault
from tests.faults.proxy import Exchange, Fault, FaultProxy
from tests.faults.wire import Response
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

DATA = random.Random(3).randbytes(11 * MIB)
PART = 5 * MIB
with_crt = pytest.param(
    "crc64nvme",
    marks=pytest.mark.skipif(not find_spec("awscrt"), reason="awscrt computes crc64nvme"),
)


def damaged(place: int = 0) -> Fault:
    """One bit of the request's body changes on its way."""

    async def fault_(exchange: Exchange) -> None:
        head, _, body = exchange.request.raw.partition(b"\r\n\r\n")
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        exchange.request.raw = head + b"\r\n\r\n" + changed
        await fault.passed(exchange)

    return fault_


def flipped(answer: Response) -> None:
    answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])


def stored(store: AsyncBucketStore, service: S3Service, key: str) -> dict[str, Any]:
    """What another client is told of an object."""
    found: dict[str, Any] = buckets.client(service).head_object(
        Bucket=store.bucket_name, Key=store._prefix + key, ChecksumMode="ENABLED"
    )
    return found


# -- what is sent -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["crc32", "sha256", with_crt, None])
async def test_the_checksum_is_sent_with_all_that_is_stored(
    seaweedfs: S3Service, shared_bucket: NewBucket, name: str | None, tmp_path: Path
) -> None:
    async with own_corner(seaweedfs, shared_bucket, part_size=PART, checksum=name) as store:
        await store.put("small", DATA[:1000])
        await store.put("stream", iter([DATA]))
        await store.upload("whole", DATA[: 6 * MIB])
        for key, data in (("small", DATA[:1000]), ("stream", DATA), ("whole", DATA[: 6 * MIB])):
            told = {n: v for n, v in stored(store, seaweedfs, key).items() if "Checksum" in n}
            parts = -(-len(data) // PART) if key == "stream" else 1
            if name is None:
                assert told == {}
            elif parts == 1 or checksums.kind(name) == "FULL_OBJECT":
                expected = base64.b64encode(checksums.digest_of(name, data)).decode()
                assert told[checksums.parameter(name)] == expected
            else:
                assert told[checksums.parameter(name)].endswith(f"-{parts}")
            assert await store.get(key) == data
            await store.download(key, tmp_path / "file")
            assert (tmp_path / "file").read_bytes() == data


async def test_a_checksum_for_some_objects_only(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    async with own_corner(seaweedfs, shared_bucket) as store:
        info = await store.with_options(checksum="sha256").put("key", b"data")
        assert info.checksum == f"sha256:{hashlib.sha256(b'data').hexdigest()}"
        info = await store.put("key", b"data")
        assert info.checksum == f"crc32:{zlib.crc32(b'data'):08x}"


async def test_the_server_is_asked_to_compare_the_whole(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", iter([DATA]))
    [complete] = between.sent("POST", "?uploadId=")
    expected = base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
    assert complete.headers["x-amz-checksum-crc32"] == expected
    assert complete.headers["x-amz-mp-object-size"] == str(len(DATA))


@pytest.mark.parametrize("name", ["md5", "CRC32", ""])
def test_unknown_checksums(name: str) -> None:
    with pytest.raises(ConfigError, match="crc32, crc64nvme, sha256"):
        AsyncBucketStore.connect("bucket", checksum=name)


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "awscrt.checksums", None)
    monkeypatch.setitem(sys.modules, "awscrt", None)
    with pytest.raises(MissingExtra, match=r"storage\[crc64\]"):
        AsyncBucketStore.connect("bucket", checksum="crc64nvme")


# -- joined checksums -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["crc32", with_crt])
def test_checksums_of_parts_are_joined(name: str) -> None:
    chance = random.Random(4)
    for _ in range(20):
        data = chance.randbytes(chance.randrange(5000))
        cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(6)))
        parts = [data[a:b] for a, b in pairwise([0, *cuts, len(data)])]
        digests = [(checksums.digest_of(name, part), len(part)) for part in parts]
        assert checksums.joined(name, digests) == checksums.digest_of(name, data)
    assert checksums.joined("sha256", [(b"", 0)]) is None


def test_known_values() -> None:
    assert checksums.digest_of("crc32", b"123456789").hex() == "cbf43926"
    joined = checksums.joined("crc32", [(zlib.crc32(b"a").to_bytes(4, "big"), 1)] * 2)
    assert joined == zlib.crc32(b"aa").to_bytes(4, "big")


# -- bytes that change on their way up --------------------------------------------------------


async def test_a_byte_changed_on_its_way_up(
    faulty: AsyncBucketStore, between: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGE_PUT", PART)
    for size, target in ((1000, ""), (len(DATA), "partNumber=2")):
        between.when("PUT", damaged(900), target=target)
        await faulty.upload("key", DATA[:size])  # sent again
        assert await faulty.get("key") == DATA[:size]
        between.when("PUT", damaged(900), target=target, times=2)
        with pytest.raises(IntegrityError, match="upload 'other'"):
            await faulty.upload("other", DATA[:size])
        assert not await faulty.exists("other")
    assert [upload async for upload in faulty.list_uploads()] == []


async def test_a_server_that_stores_other_bytes(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    # It says so itself, by another checksum than was sent.
    def other(answer: Response) -> None:
        answer.headers["x-amz-checksum-crc32"] = "AAAAAA=="

    between.when("PUT", fault.changed(other), times=2)
    with pytest.raises(IntegrityError, match="other bytes than were sent"):
        await faulty.put("key", b"data")


async def test_a_damaged_bulk_delete_is_seen(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    await faulty.put_many({"key-1": b"", "key-2": b"", "key-3": b""})

    async def other(exchange: Exchange) -> None:
        exchange.request.raw = exchange.request.raw.replace(b"key-1<", b"key-3<")
        await fault.passed(exchange)

    between.when("POST", other, target="?delete")
    with pytest.raises(BulkError) as caught:
        await faulty.delete_many(["key-1", "key-2"])
    # This server compares no checksum here; others answer with an error for all keys.
    assert isinstance(caught.value.errors["key-1"], IntegrityError)
    [request] = between.sent("POST", "?delete")
    assert {"content-md5", "x-amz-checksum-crc32"} & request.headers.keys()


# -- bytes that change on their way down ------------------------------------------------------


async def test_a_resumed_stream_is_checked_too(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("key", DATA[:MIB])
    between.when("GET", fault.cut(100_000))
    between.when("GET", fault.changed(flipped))
    with pytest.raises(IntegrityError):
        await collected(faulty, "key")


async def test_etags_stand_in_for_checksums(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    plain = faulty.with_options(checksum=None)
    await plain.put("key", DATA[:1000])
    between.when("GET", fault.changed(flipped))
    assert await faulty.get("key") == DATA[:1000]
    assert len(between.sent("GET")) == 2
    numbers = iter(range(1, 9))

    def differently(answer: Response) -> None:
        answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ next(numbers)])

    between.when("GET", fault.changed(differently), times=2)
    with pytest.raises(IntegrityError, match="MD5"):
        await faulty.get("key")
    assert await faulty.get("key") == DATA[:1000]


async def test_etags_that_are_no_digests_are_believed_once(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.with_options(checksum=None).put("key", DATA[:1000])

    def opaque(answer: Response) -> None:
        answer.headers["etag"] = '"' + "0" * 32 + '"'

    between.when("GET", fault.changed(opaque), times=-1)
    assert await faulty.get("key") == DATA[:1000]
    assert len(between.sent("GET")) == 2
    assert await faulty.get("key") == DATA[:1000]
    assert len(between.sent("GET")) == 3  # known by now


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-checksum-crc32": "AAAAAA==-3"},
        {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-type": "COMPOSITE"},
        {"x-amz-checksum-crc32": "nonsense"},
        {"x-amz-checksum-crc64nvme": "AAAAAA=="},
        {"x-amz-checksum-unheard-of": "AAAAAA=="},
    ],
)
def test_what_says_nothing_of_the_whole(headers: dict[str, str]) -> None:
    names = {"x-amz-checksum-type": "ChecksumType"}
    answer = {
        names.get(name, "Checksum" + name.rpartition("-")[2].upper()): value
        for name, value in headers.items()
    }
    assert checksums.told(answer) is None


async def test_sha256_of_a_large_object_is_checked(
    faulty: AsyncBucketStore,
    between: FaultProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parallel, "LARGE", MIB)
    monkeypatch.setattr(parallel, "FAST", float("inf"))
    monkeypatch.setattr(parallel, "STEP", MIB // 2)
    await faulty.with_options(checksum="sha256").put("key", DATA[: 3 * MIB])
    for read in (faulty.get, lambda key: faulty.download(key, tmp_path / "file")):
        between.when("GET", fault.changed(flipped), skip=2)
        await read("key")
        between.when("GET", fault.changed(flipped), times=-1)
        with pytest.raises(IntegrityError):
            await read("key")
        between._rules.clear()
    assert (tmp_path / "file").read_bytes() == DATA[: 3 * MIB]
