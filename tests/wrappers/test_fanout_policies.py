"""One of three replicas is down, slow or corrupt: what each policy makes of it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from storage._core import calls
from storage._core.info import ObjectInfo, WriteOptions
from storage.aioutils import AsyncFanoutStore
from storage.object import (
    AsyncDictStore,
    ConfigError,
    FanoutError,
    IntegrityError,
    NotSupported,
    ObjectNotFound,
    QuorumError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)
from tests.wrappers.replicas import Replica, three

LATE = 0.03
WRITES = ("all", "quorum", "any")
READS = ("first", "fastest", "quorum")
FAULTS: dict[str, type[Exception]] = {"down": StoreUnavailable, "slow": StoreTimeout}


def fanout(children: list[Any], **options: Any) -> tuple[AsyncFanoutStore, list[FanoutError]]:
    """A fan-out, and the failures that it tells of."""
    failures: list[FanoutError] = []
    options = {"child_timeout": LATE, "on_failure": failures.append, **options}
    return AsyncFanoutStore(children, **options), failures


def told(failures: list[FanoutError]) -> list[tuple[str | None, dict[str, type[Exception]]]]:
    return [
        (failure.operation, {name[:1]: type(error) for name, error in failure.errors.items()})
        for failure in failures
    ]


CHANGES: dict[str, Callable[[AsyncFanoutStore], Any]] = {
    "put": lambda store: store.put("new", b"12345"),
    "put stream": lambda store: store.put("new", iter([b"123", b"45"])),
    "copy": lambda store: store.copy("old", "new"),
    "delete": lambda store: store.delete("old"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("policy", WRITES)
@pytest.mark.parametrize("faulty", [(1,), (0, 1), (0, 1, 2)])
async def test_writes(policy: str, fault: Any, change: str, faulty: tuple[int, ...]) -> None:
    children = three(old=b"12345")
    for index in faulty:
        children[index].state = fault
    store, failures = fanout(children, write=policy)
    needed = {"all": 3, "quorum": 2, "any": 1}[policy]
    names = {str(index): FAULTS[fault] for index in faulty}
    if 3 - len(faulty) >= needed:
        await CHANGES[change](store)
        assert told(failures) == [(change.split(maxsplit=1)[0], names)]
    else:
        with pytest.raises(FanoutError) as caught:
            await CHANGES[change](store)
        assert told([caught.value]) == [(change.split(maxsplit=1)[0], names)]
        assert not failures
    await store.aclose()
    done = {"old": b"12345", "new": b"12345"} if change != "delete" else {}
    streamed_in_vain = change == "put stream" and 3 - len(faulty) < needed
    for index, child in enumerate(children):
        untouched = index in faulty or streamed_in_vain
        assert child.objects == ({"old": b"12345"} if untouched else done)
        assert child.running == 0


async def collected(store: AsyncFanoutStore, key: str) -> bytes:
    return b"".join([piece async for piece in store.stream(key)])


READ: dict[str, Callable[[AsyncFanoutStore, str], Any]] = {
    "get": lambda store, key: store.get(key),
    "get_range": lambda store, key: store.get_range(key, 0, 5),
    "head": lambda store, key: store.head(key),
    "exists": lambda store, key: store.exists(key),
    "stream": collected,
}


@pytest.mark.parametrize("verb", READ)
@pytest.mark.parametrize("fault", [*FAULTS, "corrupt"])
@pytest.mark.parametrize("policy", READS)
async def test_reads_with_one_replica_out(policy: str, fault: Any, verb: str) -> None:
    children = three(old=b"12345")
    children[0].state = fault
    store, failures = fanout(children, read=policy)
    result = await READ[verb](store, "old")
    assert result in (b"12345", True) or result.size == 5
    errors = {**FAULTS, "corrupt": IntegrityError}
    if policy == "first" and (fault != "corrupt" or verb not in ("head", "exists")):
        assert [names for _, names in told(failures)] == [{"0": errors[fault]}]
    await store.aclose()
    assert all(child.running == 0 for child in children)


@pytest.mark.parametrize("verb", READ)
@pytest.mark.parametrize("policy", READS)
async def test_a_key_is_missing_only_if_enough_replicas_say_so(policy: str, verb: str) -> None:
    children = three()
    store, _ = fanout(children, read=policy)

    async def missing() -> bool:
        try:
            return (await READ[verb](store, "gone")) is False
        except ObjectNotFound:
            return True

    assert await missing()
    children[1].state = "down"
    if policy == "quorum":
        assert await missing()
        children[2].state = "down"
    with pytest.raises(FanoutError) as caught:
        await missing()
    assert {name[:1] for name in caught.value.errors} <= {"1", "2"}
    assert not isinstance(caught.value, QuorumError)


async def test_a_quorum_waits_for_no_more_than_a_majority() -> None:
    children = three(old=b"1")
    children[1].state = "slow"
    store = AsyncFanoutStore(children, read="quorum", timeout=5)
    assert await store.get("old") == b"1"
    assert await store.exists("old")
    assert not await store.exists("gone")


@pytest.mark.parametrize("verb", ["get", "get_range", "stream"])
async def test_a_corrupt_replica_is_outvoted_and_never_believed(verb: str) -> None:
    children = three(old=b"12345")
    children[0].objects["old"] = b"1234x"
    store, _ = fanout(children, read="quorum")
    assert await READ[verb](store, "old") == b"12345"
    large = b"x" * 2_000_000
    for child in children:
        child.objects["large"] = large
    children[0].objects["large"] = b"y" + large[1:]
    assert await store.get_range("large", 0, 2) == b"xx"
    children[1].objects["old"] = b"1y345"
    with pytest.raises(QuorumError) as caught:
        await READ[verb](store, "old")
    assert isinstance(caught.value, IntegrityError)
    assert len(caught.value.errors) == 3
    children[1].state = children[2].state = "down"
    with pytest.raises(FanoutError) as lonely:
        await READ[verb](store, "old")
    assert not isinstance(lonely.value, QuorumError)


async def test_what_is_told_is_what_the_majority_says() -> None:
    children = three(old=b"12345")
    children[2].objects["old"] = b"123"
    store, _ = fanout(children, read="quorum")
    info = await store.head("old")
    assert (info.size, info.etag) == (5, None)
    children[1].objects["old"] = b"1"
    with pytest.raises(QuorumError):
        await store.head("old")


async def test_a_failure_is_logged_and_a_callback_that_fails_is_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(error: FanoutError) -> None:
        raise ZeroDivisionError

    children = three(old=b"1")
    children[0].state = "down"
    store = AsyncFanoutStore(children, on_failure=fail)
    with caplog.at_level(logging.WARNING, "storage.fanout"):
        assert await store.get("old") == b"1"
    assert "0: Replica(1 objects)" in caplog.text
    assert "on_failure has failed" in caplog.text


async def test_the_fastest_answers_and_the_others_are_cancelled() -> None:
    children = three(old=b"1")
    children[0].state = children[2].state = "slow"
    store = AsyncFanoutStore(children, read="fastest")
    assert await store.get("old") == b"1"
    assert await collected(store, "old") == b"1"
    await store.aclose()
    assert [child.cancelled for child in children] == [2, 0, 2]


async def test_all_replicas_are_asked_at_once() -> None:
    class Meeting(Replica):
        async def _may(self, call: str) -> None:
            await barrier.wait()

    children = [Meeting(old=b"1") for _ in range(3)]
    store = AsyncFanoutStore(children, read="quorum", timeout=5)
    barrier = asyncio.Barrier(3)
    await store.put("a", b"1")
    await store.put("b", iter([b"1", b"2"]))
    assert await store.get("a") == b"1"
    await store.copy("a", "c")
    await store.delete("a")
    assert [key async for key in store.keys()] == ["b", "c", "old"]
    assert len([info async for info in store.list()]) == 3
    assert len((await store.list_with_delimiter()).objects) == 3


class Hung(AsyncDictStore):
    """Its writes hang in a thread, where nobody can cancel them."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        data = bytes(data)
        if data == b"hangs":
            await calls.call(self.free.wait, 10)
            return await super()._put(key, data, options)
        return await super()._put(key, data, options)


async def test_a_hung_replica_holds_nobody_up_and_lands_no_old_write_on_a_newer_one() -> None:
    hung, other = Hung(), AsyncDictStore()
    store, failures = fanout([hung, other], write="any")
    try:
        await store.put("a", b"hangs")
        await store.put("a", b"newer")
        assert other.objects == {"a": b"newer"}
        assert [names for _, names in told(failures)] == [{"0": StoreTimeout}] * 2
        assert hung.objects == {}, "the newer write has to wait for the end of the older one"
    finally:
        hung.free.set()
    await store.aclose()
    again, _ = fanout([hung, other])
    await again.put("a", b"newest")
    assert hung.objects == other.objects == {"a": b"newest"}


async def test_writers_of_one_key_leave_all_replicas_alike() -> None:
    class Shuffled(Replica):
        async def _may(self, call: str) -> None:
            self.calls.append(call)
            for _ in range(len(self.calls) * self.step % 7):
                await asyncio.sleep(0)

        step = 1

    children = [Shuffled() for _ in range(3)]
    for step, child in enumerate(children, 1):
        child.step = step
    store = AsyncFanoutStore(children)
    await asyncio.gather(*[store.put("a", b"%d" % n) for n in range(20)])
    await asyncio.gather(*[store.put("b", iter([b"%d" % n])) for n in range(20)])
    assert children[0].objects == children[1].objects == children[2].objects


async def test_conditions_and_lonely_urls_are_refused() -> None:
    class Signing(AsyncDictStore):
        async def presigned_get(self, key: str, expiry: int = 3600) -> str:
            return f"get:{key}:{expiry}"

        async def presigned_put(self, key: str, expiry: int = 3600) -> str:
            return f"put:{key}:{expiry}"

    store = AsyncFanoutStore([AsyncDictStore(), Signing()])
    with pytest.raises(NotSupported):
        await store.put("a", b"", if_absent=True)
    with pytest.raises(NotSupported):
        await store.get("a", if_match="x")
    assert await store.presigned_get("a", 5) == "get:a:5"
    with pytest.raises(NotSupported, match="one child alone"):
        await store.presigned_put("a")
    any_is_enough = AsyncFanoutStore([Signing(), AsyncDictStore()], write="any")
    assert await any_is_enough.presigned_put("a") == "put:a:3600"
    with pytest.raises(NotSupported, match="no child gives out"):
        await AsyncFanoutStore([AsyncDictStore()]).presigned_get("a")


async def test_what_all_replicas_say_of_the_call_is_said_by_the_store() -> None:
    class Lost(AsyncDictStore):
        async def _head(self, key: str) -> ObjectInfo:
            raise StoreNotFound("the root is missing")

    with pytest.raises(StoreNotFound):
        await AsyncFanoutStore([Lost(), Lost()]).head("a")
    with pytest.raises(FanoutError):
        await AsyncFanoutStore([Lost(), AsyncDictStore()]).head("a")


async def test_a_replica_that_cancels_itself_has_failed() -> None:
    class Gone(AsyncDictStore):
        async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
            raise asyncio.CancelledError

    store, failures = fanout([Gone(), AsyncDictStore()], write="any")
    await store.put("a", b"1")
    assert told(failures) == [("put", {"0": StoreUnavailable})]


def test_settings_that_make_no_sense() -> None:
    wrong: list[dict[str, Any]] = [{"write": "most"}, {"read": "last"}, {"child_timeout": 0}]
    for options in wrong:
        with pytest.raises(ConfigError):
            AsyncFanoutStore([AsyncDictStore()], **options)
