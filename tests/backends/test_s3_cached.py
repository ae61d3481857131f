"""The S3 store behind a cache, and as one."""

from __future__ import annotations

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage._core.errors import AccessDenied, ObjectNotFound, StoreUnavailable
from storage.aioutils import AsyncCachingStore
from storage.object import AsyncDictStore
from tests.faults import fault
from tests.faults.proxy import FaultProxy

MIB = 1024 * 1024


async def test_what_has_not_changed_is_not_sent_again(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    await faulty.put("a", b"hello", content_type="text/x", metadata={"k": "v"})
    store = AsyncCachingStore(faulty, AsyncDictStore(), revalidate="always", stale_if_error=3600)
    first = await store.get_with_info("a")
    assert await store.get_with_info("a") == first
    assert (first[0], first[1].content_type, first[1].metadata) == (b"hello", "text/x", {"k": "v"})
    assert [request.headers.get("if-none-match") for request in between.sent("GET")] == [
        None,
        f'"{first[1].etag}"',
    ]
    await faulty.put("a", b"world")
    assert await store.get("a") == b"world"
    assert (store.stats.hits, store.stats.misses) == (1, 2)


async def test_a_server_that_is_down_is_stood_in_for(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    store = AsyncCachingStore(faulty, AsyncDictStore(), revalidate="always", stale_if_error=3600)
    await store.put("a", b"hello")
    for method in ("GET", "HEAD"):
        between.when(method, fault.answered(500), times=-1)
    assert (await store.get("a"), await store.get_range("a", 1, 3)) == (b"hello", b"el")
    with pytest.raises(StoreUnavailable):
        await store.get("b")
    assert store.stats.stale == 2


@pytest.mark.parametrize(("status", "error"), [(403, AccessDenied), (404, ObjectNotFound)])
async def test_a_server_that_refuses_is_not(
    faulty: AsyncBucketStore, between: FaultProxy, status: int, error: type[Exception]
) -> None:
    store = AsyncCachingStore(faulty, AsyncDictStore(), revalidate="always", stale_if_error=3600)
    await store.put("a", b"hello")
    code = "AccessDenied" if status == 403 else "NoSuchKey"
    between.when("GET", fault.refused(status, code), times=-1)
    with pytest.raises(error):
        await store.get("a")


async def test_a_bucket_as_the_cache(faulty: AsyncBucketStore, between: FaultProxy) -> None:
    data = b"x" * 6 * MIB
    main = AsyncDictStore({"a": b"hello", "large": data})
    for _ in range(2):
        store = AsyncCachingStore(main, faulty, revalidate="always", max_objects=5)
        assert b"".join([piece async for piece in store.stream("large")]) == data
        assert await store.get("large") == data
        assert await store.get_range("large", 5 * MIB, 5 * MIB + 3) == b"xxx"
        assert await store.get("a") == b"hello"
        await store._shelf.room.aclose()
    assert (store.stats.misses, store.stats.errors) == (0, 0)
    await faulty.put("a", (await faulty.get("a"))[:-1])
    assert await store.get("a") == b"hello"
    assert store.stats.corrupt == 1
