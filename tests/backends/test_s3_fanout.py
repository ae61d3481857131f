"""Three replicas, a bucket, a directory and a database; the way to the bucket goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.s3 import AsyncBucketStore
from storage.aiodb import AsyncSqliteStore
from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncFanoutStore, AsyncRetryStore
from storage.object import FanoutError, StoreTimeout, StoreUnavailable
from tests.faults import fault
from tests.faults.proxy import FaultProxy
from tests.faults.wire import Response

DATA = b"0123456789" * 1000
FAULTS = {"down": fault.refused(503, "SlowDown"), "slow": fault.hang}
ERRORS = {"down": StoreUnavailable, "slow": StoreTimeout}


def replicas(bucket: AsyncBucketStore, place: Path) -> list[Any]:
    return [
        bucket,
        AsyncFilesystemStore(place / "files", durable=False),
        AsyncSqliteStore(place / "objects.db", durable=False),
    ]


@pytest.mark.parametrize("state", FAULTS)
@pytest.mark.parametrize("policy", ["all", "quorum", "any"])
async def test_a_bucket_out_of_reach(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path, policy: Any, state: str
) -> None:
    failures: list[FanoutError] = []
    options: dict[str, Any] = {
        "write": policy,
        "child_timeout": 0.5 if state == "slow" else 30,
        "on_failure": failures.append,
    }
    children = replicas(faulty, tmp_path)
    await AsyncFanoutStore(children).put("old", DATA)
    if state == "slow":
        faulty._timeout = 1  # as long as a repair waits for what hangs
    async with AsyncFanoutStore(children, read="quorum", repair=True, **options) as store:
        between.when("PUT", FAULTS[state], times=-1)
        between.when("GET", FAULTS[state], times=-1)
        if policy == "all":
            with pytest.raises(FanoutError) as caught:
                await store.put("new", DATA)
            failures.append(caught.value)
        else:
            await store.put("new", DATA)
        assert [type(error) for error in failures[0].errors.values()] == [ERRORS[state]]
        assert next(iter(failures[0].errors)).startswith("0: AsyncBucketStore(")
        assert await store.get("new") == await store.get("old") == DATA
        await store._repairs.aclose()
        between._rules.clear()
        assert not await faulty.exists("new")
        assert await store.get("new") == DATA
        await store._repairs.aclose()
        assert await faulty.get("new") == DATA, "back again, it is given what it has missed"


async def test_a_corrupt_answer_is_outvoted_and_harms_nothing(
    faulty: AsyncBucketStore, between: FaultProxy, tmp_path: Path
) -> None:
    def spoil(response: Response) -> None:
        response.body = b"x" + response.body[1:]

    async with AsyncFanoutStore(replicas(faulty, tmp_path), read="quorum", repair=True) as store:
        await store.put("a", DATA)
        await faulty.put("b", b"stale")
        await store._children[1].put("b", DATA)
        await store._children[2].put("b", DATA)
        between.when("GET", fault.changed(spoil), times=1)
        assert await store.get("a") == DATA
        await store._repairs.aclose()
        between._rules.clear()
        assert await store.get("b") == DATA
        await store._repairs.aclose()
        assert [await child.get("a") for child in store._children] == [DATA] * 3
        assert await faulty.get("b") == DATA


async def test_retries_hide_a_server_that_fails_for_a_moment(
    faulty: AsyncBucketStore, between: FaultProxy
) -> None:
    store = AsyncRetryStore(faulty, base=0.01)
    between.when("PUT", fault.refused(503, "SlowDown"), times=7)
    await store.put("a", DATA)
    between.when("GET", fault.cut(1000, by_reset=True), times=2)
    assert b"".join([piece async for piece in store.stream("a")]) == DATA
