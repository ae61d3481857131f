"""Where the S3 store's clients come from, on which loops they live, and how they end."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import threading
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._core import runner
from storage._core.errors import AccessDenied, ConfigError, InvalidKey, StoreClosed
from storage._core.info import Capability
from tests.backends.s3 import aiobotocore_client, connected, own_corner
from tests.services import buckets
from tests.services.plugin import NewBucket
from tests.services.process import S3Service


async def works(store: AsyncBucketStore, key: str = "key") -> None:
    await store.put(key, b"data")
    assert await store.get(key) == b"data"


# -- construction -----------------------------------------------------------------------------


async def test_client_and_name_in_either_order(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    bucket = shared_bucket(seaweedfs)
    async with aiobotocore_client(seaweedfs) as client:
        for store in (
            AsyncBucketStore(client, bucket),
            AsyncBucketStore(bucket, client),
            AsyncBucketStore(client=client, bucket_name=bucket),
            AsyncBucketStore(client, bucket_name=bucket),
            AsyncBucketStore(bucket, client=client),
        ):
            assert store.bucket_name == bucket
            await works(store)
            await store.aclose()
        assert await store._clients.get() is client  # used as it is, and not closed
        assert (await client.list_buckets())["Buckets"]


def test_what_is_no_client_and_name() -> None:
    for arguments in ((), ("a",), (object(),), ("a", "b"), (object(), object(), "a"), (None, "a")):
        with pytest.raises(TypeError, match="one client and the name of one bucket"):
            AsyncBucketStore(*arguments)  # pyright: ignore[reportCallIssue, reportArgumentType]
    for name in ("", "a/b"):
        with pytest.raises(ConfigError):
            AsyncBucketStore(object(), name)  # type: ignore[call-overload]
    with pytest.raises(ConfigError, match="part_size"):
        AsyncBucketStore.connect("bucket", part_size=1000)


async def test_wrong_configuration_is_told(seaweedfs: S3Service) -> None:
    for url in ("localhost:9000", "https://user:pass@example.com"):
        with pytest.raises(ConfigError):
            AsyncBucketStore.connect("bucket", endpoint_url=url)
    store = AsyncBucketStore.connect("bucket", profile="no-such-profile")
    with pytest.raises(ConfigError, match="no-such-profile"):
        await store.get("key")
    async with connected(seaweedfs, "Not_A_Bucket!") as store:
        with pytest.raises(ConfigError, match="bucket name"):
            await store.get("key")
    async with AsyncBucketStore.connect("bucket", endpoint_url=seaweedfs.endpoint_url) as store:
        with pytest.raises(AccessDenied, match="credentials"):
            await store.get("key")


# -- other people's clients ---------------------------------------------------------------------


async def test_a_blocking_client_is_read_and_not_used(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    client = buckets.client(seaweedfs)
    async with AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="b") as store:
        assert repr(store) == (
            f"AsyncBucketStore({store.bucket_name!r}, prefix='b/', "
            f"endpoint={seaweedfs.endpoint_url.removeprefix('http://')!r})"
        )
        await works(store)
        config = (await store._clients.get()).meta.config
        assert config.max_pool_connections == 64
        assert config.s3 == {"addressing_style": "path"}
        assert (await store.presigned_get("key")).count("X-Amz-Signature=") == 1
    assert client.list_buckets()["Buckets"]


async def test_a_boto3_client(s3_service: S3Service, shared_bucket: NewBucket) -> None:
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=s3_service.endpoint_url,
        aws_access_key_id=s3_service.access_key,
        aws_secret_access_key=s3_service.secret_key,
        region_name="eu-west-3",
        verify=False,
        config=Config(retries={"mode": "adaptive", "max_attempts": 7}, read_timeout=3),
    )
    async with AsyncBucketStore(client, shared_bucket(s3_service), prefix="b3") as store:
        derived = await store._clients.get()
        assert derived.meta.region_name == "eu-west-3"
        assert derived.meta.config.retries == client.meta.config.retries
        assert derived.meta.config.read_timeout == 3
        assert derived._endpoint.http_session._verify is False
        if s3_service.name == "moto":  # SeaweedFS has a region of its own
            await works(store)
    assert (
        AsyncBucketStore(boto3.client("s3", region_name="eu-west-1"), "b")._clients.endpoint is None
    )


async def test_credentials_go_on_being_refreshed(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    from botocore.credentials import RefreshableCredentials
    from botocore.session import Session

    asked = []

    def soon() -> datetime:
        # Good for now, but near enough to its end for each request to ask again.
        return datetime.now(UTC) + timedelta(seconds=60)

    def fresh() -> dict[str, Any]:
        asked.append(threading.get_ident())
        return {
            "access_key": seaweedfs.access_key,
            "secret_key": seaweedfs.secret_key,
            "token": None,
            "expiry_time": (
                soon() if len(asked) < 5 else datetime(2020, 1, 1, tzinfo=UTC)
            ).isoformat(),
        }

    session = Session()
    session._credentials = RefreshableCredentials("old", "old", "", soon(), fresh, "test")
    client = session.create_client(
        "s3", endpoint_url=seaweedfs.endpoint_url, region_name=seaweedfs.region
    )
    async with AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="fresh") as store:
        await works(store)
        await works(store)
        assert len(asked) == 4
        assert threading.get_ident() not in asked  # it may block, so not on the loop
        with pytest.raises(AccessDenied, match="expired"):
            await store.get("key")


async def test_an_asyncio_client_on_other_loops(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    async with aiobotocore_client(seaweedfs) as client:
        store = AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="other")
        await works(store)

        def elsewhere() -> None:
            asyncio.run(works(store, "thread"))
            asyncio.run(works(store, "again"))
            runner.run(works(store, "runner"))
            runner.run(store.aclose())

        await asyncio.to_thread(elsewhere)
        assert (await client.list_buckets())["Buckets"]


async def test_an_asyncio_client_first_used_on_the_background_loop(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    async with aiobotocore_client(seaweedfs) as client:
        store = AsyncBucketStore(client, shared_bucket(seaweedfs), prefix="runner")
        await asyncio.to_thread(runner.run, works(store))
        await works(store)
        assert await store._clients.get() is client
        await store.aclose()  # on this loop, and the derived one on its own


# -- loops --------------------------------------------------------------------------------------


def test_one_store_on_many_loops(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    store = own_corner(seaweedfs, shared_bucket)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(2):
            asyncio.run(works(store, f"{number}"))
        errors: list[Exception] = []

        def thread(number: int) -> None:
            try:
                asyncio.run(works(store, f"thread-{number}"))
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=thread, args=[number]) for number in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert errors == []
        assert not store._send.lanes.held  # each went with its loop
        asyncio.run(store.aclose())
        gc.collect()


@pytest.mark.parametrize("lane", ["fast", "client"])
async def test_closing_reaches_the_clients_of_other_loops(
    seaweedfs: S3Service, shared_bucket: NewBucket, lane: str
) -> None:
    store = own_corner(seaweedfs, shared_bucket, lane=lane)
    await works(store)
    await asyncio.to_thread(runner.run, works(store))
    kept: Any = store._clients if lane == "client" else store._send.lanes
    assert len(kept._loops._loops.all()) == 2
    await store.aclose()
    await store.aclose()
    assert not store._send.lanes.held
    with pytest.raises(StoreClosed):
        await store.get("key")


async def test_an_unclosed_store_warns(seaweedfs: S3Service, shared_bucket: NewBucket) -> None:
    store = own_corner(seaweedfs, shared_bucket)
    del store  # nothing was opened
    store = own_corner(seaweedfs, shared_bucket)
    await works(store)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del store
    assert [str(warning.message).split("(")[0] for warning in caught] == [
        "unclosed AsyncBucketStore"
    ]
    # Its client is closed all the same, on its own loop: no warning of aiohttp's follows.
    await asyncio.sleep(0.05)
    gc.collect()


@pytest.mark.allow_blocking("waits for a child process")
async def test_a_fork_has_clients_of_its_own(
    seaweedfs: S3Service, shared_bucket: NewBucket
) -> None:
    store = own_corner(seaweedfs, shared_bucket)
    await works(store)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forks beside threads, since 3.12
        child = os.fork()
    if child == 0:
        asyncio.events._set_running_loop(None)
        try:
            asyncio.run(works(store, "child"))
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert await asyncio.to_thread(os.waitpid, child, 0) == (child, 0)
    await works(store)
    await store.aclose()


# -- what a store shows --------------------------------------------------------------------------

SECRET = "canary+Secret/Key"


def test_no_secret_is_shown() -> None:
    store = AsyncBucketStore.connect(
        "bucket",
        aws_access_key_id="AKIA",
        aws_secret_access_key=SECRET,
        aws_session_token=SECRET,
        endpoint_url="https://storage.example.com",
    )
    assert repr(store) == "AsyncBucketStore('bucket', endpoint='storage.example.com')"
    assert SECRET not in f"{store!r} {vars(store)} {store._recipe} {vars(store._clients)}"
    with pytest.raises(TypeError, match="secret"):
        pickle.dumps(store)


async def test_wrong_secrets_are_not_told_on(
    seaweedfs: S3Service, shared_bucket: NewBucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "storage")
    for options in ({"aws_secret_access_key": SECRET}, {"aws_access_key_id": "AKIANOBODY"}):
        async with own_corner(seaweedfs, shared_bucket, **options) as store:
            for call in (store.get, store.head, store.exists, store.delete):
                with pytest.raises(AccessDenied) as caught:
                    await call("key")
                assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    assert SECRET not in caplog.text


def test_a_connected_store_is_pickled_as_its_configuration(
    seaweedfs: S3Service, shared_bucket: NewBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", seaweedfs.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", seaweedfs.secret_key)
    store = AsyncBucketStore.connect(
        shared_bucket(seaweedfs),
        prefix="pickled",
        endpoint_url=seaweedfs.endpoint_url,
        lacking=Capability.DELETE_IF_MATCH,
    )
    again = pickle.loads(pickle.dumps(store))
    assert repr(again) == repr(store)
    assert again.capabilities == store.capabilities
    asyncio.run(works(again))
    with pytest.raises(TypeError, match="connect"):
        pickle.dumps(AsyncBucketStore(buckets.client(seaweedfs), "bucket"))


async def test_a_server_that_a_profile_names(
    seaweedfs: S3Service,
    shared_bucket: NewBucket,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    (tmp_path / "config").write_text(
        f"[profile mine]\nendpoint_url = {seaweedfs.endpoint_url}\nregion = us-east-1\n"
        f"aws_access_key_id = {seaweedfs.access_key}\n"
        f"aws_secret_access_key = {seaweedfs.secret_key}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    store = AsyncBucketStore.connect(shared_bucket(seaweedfs), prefix="p", profile="mine")
    assert Capability.ORDERED in store.capabilities  # as far as is known yet
    async with store:
        assert Capability.ORDERED not in store.capabilities
        with pytest.raises(InvalidKey):
            await store.put("a//b", b"")
        await works(store)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", seaweedfs.endpoint_url)
    assert Capability.ORDERED not in AsyncBucketStore.connect("bucket").capabilities
