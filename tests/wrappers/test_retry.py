"""Retries: what is tried again, how often and how soon, and what is never done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from storage._core.info import Capability, ReadOptions
from storage.aioutils import AsyncRetryStore
from storage.object import (
    AccessDenied,
    BulkError,
    ConfigError,
    ObjectExists,
    ObjectNotFound,
    StoreClosed,
    StoreTimeout,
    StoreUnavailable,
)
from storage.utils import RetryStore
from tests.stores import BlockingStore
from tests.wrappers.clocks import FakeClock
from tests.wrappers.faulty import ScriptedStore, down


def retrying(child: Any, **options: Any) -> tuple[AsyncRetryStore, FakeClock]:
    """A store whose pauses are as long as can be, and take no time."""
    clock = FakeClock()
    options = {"clock": clock, "sleep": clock.sleep, "rng": lambda: 1.0, **options}
    return AsyncRetryStore(child, **options), clock


async def collected(store: AsyncRetryStore, key: str, **options: Any) -> bytes:
    return b"".join([piece async for piece in store.stream(key, **options)])


VERBS: dict[str, Callable[[AsyncRetryStore], Any]] = {
    "get": lambda store: store.get("a"),
    "head": lambda store: store.head("a"),
    "exists": lambda store: store.exists("a"),
    "put": lambda store: store.put("b", b"1"),
    "copy": lambda store: store.copy("a", "b"),
    "delete": lambda store: store.delete("a"),
    "open": lambda store: collected(store, "a"),
    "create": lambda store: store.put("b", iter([b"1"])),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_what_fails_for_a_moment_is_tried_again(verb: str) -> None:
    child = ScriptedStore(a=b"1")
    child.before[verb] = [down, lambda: StoreTimeout("late")]
    store, clock = retrying(child, base=0.5)
    await VERBS[verb](store)
    assert child.calls[verb] == 3
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize("verb", VERBS)
async def test_attempts_are_counted(verb: str) -> None:
    child = ScriptedStore(a=b"1")
    child.before[verb] = [down] * 9
    store, _ = retrying(child, attempts=3)
    with pytest.raises(StoreUnavailable) as caught:
        await VERBS[verb](store)
    assert child.calls[verb] == 3
    assert "tried 3 times" in caught.value.__notes__


@pytest.mark.parametrize("verb", VERBS)
async def test_other_errors_are_not_tried_again(verb: str) -> None:
    child = ScriptedStore(a=b"1")
    child.before[verb] = [lambda: AccessDenied("no")]
    store, clock = retrying(child)
    with pytest.raises(AccessDenied):
        await VERBS[verb](store)
    assert (child.calls[verb], clock.slept) == (1, [])


async def test_pauses_grow_to_a_bound_and_are_a_matter_of_chance() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down] * 6
    chances = iter([1.0, 0.5, 0.0, 1.0, 0.25, 1.0])
    store, clock = retrying(child, attempts=7, base=1, cap=4, rng=lambda: next(chances))
    await store.get("a")
    assert clock.slept == [1.0, 1.0, 0.0, 4.0, 1.0, 4.0]


async def test_time_is_bounded() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down] * 9
    store, clock = retrying(child, attempts=9, base=1, seconds=5)
    with pytest.raises(StoreUnavailable):
        await store.get("a")
    assert clock.slept == [1.0, 2.0], "the next one would be too late"


async def test_an_error_may_say_when_to_come_back() -> None:
    def later(seconds: float) -> Callable[[], Exception]:
        def make() -> Exception:
            error = StoreUnavailable("slow down")
            error.retry_after = seconds
            return error

        return make

    child = ScriptedStore(a=b"1")
    child.before["get"] = [later(7), later(0.01)]
    store, clock = retrying(child, base=0.5, seconds=20)
    await store.get("a")
    assert clock.slept == [7, 1.0]
    child.before["get"] = [later(30)]
    with pytest.raises(StoreUnavailable):
        await store.get("a")
    assert len(clock.slept) == 2, "nobody waits longer than the bound"


async def test_an_outage_makes_no_storm() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down] * 1000
    store, _ = retrying(child, attempts=4, budget=50)
    for _ in range(100):
        with pytest.raises(StoreUnavailable):
            await store.get("a")
    assert child.calls["get"] == 100 + 10, "the budget pays for ten more"
    child.before.clear()
    for _ in range(4):
        await store.get("a")
    child.before["get"] = [down]
    with pytest.raises(StoreUnavailable):
        await store.get("a")
    await store.get("a")
    child.before["get"] = [down]
    await store.get("a")  # five successes pay for one more try
    child.before["get"] = [down]
    await store.get("a")  # and one that did it gives back what it took
    endless, _ = retrying(child, budget=None)
    child.before["get"] = [down] * 3
    await endless.get("a")


# -- answers that are lost ----------------------------------------------------------------------


async def test_a_lost_answer_to_a_put_is_no_harm() -> None:
    child = ScriptedStore()
    child.after["put"] = [down]
    store, _ = retrying(child)
    await store.put("a", b"1")
    assert child.calls["put"] == 2


async def test_a_create_that_is_refused_after_a_loss_is_not_taken_for_done() -> None:
    for same in (b"1", b"2"):
        child = ScriptedStore()
        child.after["put"] = [down]
        store, _ = retrying(child)
        with pytest.raises(StoreUnavailable) as caught:
            await store.put("a", same, if_absent=True)
        assert "not known" in caught.value.__notes__[-1]
    child = ScriptedStore(a=b"theirs")
    store, _ = retrying(child)
    with pytest.raises(ObjectExists):
        await store.put("a", b"1", if_absent=True)
    child.before["put"] = [down]
    await store.put("b", b"1", if_absent=True)
    assert child.objects["b"] == b"1"


async def test_where_no_two_write_the_same_the_bytes_tell_whose_it_is() -> None:
    child = ScriptedStore()
    child.after["put"] = [down, down]
    store, _ = retrying(child, same_is_own=True)
    created = await store.put("a", b"1", if_absent=True)
    assert created == await store.head("a")
    changed = await store.put("a", b"2", if_match=created.etag)
    assert changed == await store.head("a")
    child.before["put"] = [down]
    child.objects["b"] = b"theirs"
    with pytest.raises(StoreUnavailable):
        await store.put("b", b"1", if_absent=True)


async def test_a_delete_whose_answer_was_lost_has_succeeded() -> None:
    child = ScriptedStore(a=b"1", b=b"1")
    child.after["delete"] = [down]
    store, _ = retrying(child)
    await store.delete("a")
    with pytest.raises(ObjectNotFound):
        await store.delete("a")
    child.after["delete"] = [down]
    with pytest.raises(StoreUnavailable):
        await store.delete("b", if_match=(await store.head("b")).etag)


async def test_a_move_is_not_done_twice() -> None:
    child = ScriptedStore(a=b"1")
    child.after["move"] = [down]
    store, _ = retrying(child)
    with pytest.raises(StoreUnavailable):
        await store.move("a", "b")
    assert child.calls["move"] == 1


async def test_a_copy_that_was_refused_after_a_loss() -> None:
    child = ScriptedStore(a=b"1")
    child.after["copy"] = [down]
    store, _ = retrying(child)
    with pytest.raises(StoreUnavailable):
        await store.copy("a", "b", if_absent=True)
    with pytest.raises(ObjectExists):
        await store.copy("a", "b", if_absent=True)


async def test_of_many_deletes_those_that_failed_are_tried_again() -> None:
    child = ScriptedStore(**{f"{n}": b"" for n in range(5)})
    child.before["delete"] = [None, down, None, lambda: AccessDenied("no"), None, None]
    child.after["delete"] = [None, None, down]
    store, clock = retrying(child)
    with pytest.raises(BulkError) as caught:
        await store.delete_many([str(n) for n in range(5)], missing_ok=False)
    assert {key: type(error) for key, error in caught.value.errors.items()} == {"3": AccessDenied}
    assert list(child.objects) == ["3"]
    assert (child.calls["delete_many"], len(clock.slept)) == (2, 1)
    child.before["delete"] = [down] * 10
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["3", "gone"])
    assert {type(error) for error in caught.value.errors.values()} == {StoreUnavailable}
    assert await store.delete_many([]) == 0


# -- streams ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [(0, None), (3, 17), (-9, None)])
async def test_a_download_goes_on_where_it_broke(part: Any) -> None:
    data = bytes(range(20))
    child = ScriptedStore(a=data)
    child.before["piece"] = [None, down, None, down, down]
    store, _ = retrying(child)
    got = await collected(store, "a", start=part[0], end=part[1])
    assert got == data[part[0] : part[1]]
    assert child.calls["open"] == 4


async def test_a_download_is_resumed_a_bounded_number_of_times() -> None:
    child = ScriptedStore(a=bytes(100))
    child.before["piece"] = [None, down] * 50
    store, _ = retrying(child, attempts=5)
    with pytest.raises(StoreUnavailable):
        await collected(store, "a")
    assert child.calls["open"] == 5


async def test_a_download_is_never_resumed_with_another_version() -> None:
    child = ScriptedStore(a=bytes(20))

    def replaced() -> Exception:
        child.objects["a"] = b"x" * 20
        return down()

    child.before["piece"] = [None, replaced]
    store, _ = retrying(child)
    with pytest.raises(StoreUnavailable) as caught:
        await collected(store, "a")
    assert "another one by now" in caught.value.__notes__[-1]


async def test_without_conditions_a_broken_download_is_an_error() -> None:
    class Plain(ScriptedStore):
        capabilities = Capability.STREAMS | Capability.RANGES

    child = Plain(a=bytes(20))
    child.before["piece"] = [None, down]
    store, _ = retrying(child)
    with pytest.raises(StoreUnavailable):
        await collected(store, "a")
    assert child.calls["open"] == 1


async def test_a_long_download_has_its_time_anew_after_each_piece() -> None:
    child = ScriptedStore(a=bytes(20))

    def late() -> Exception:
        clock.now += 100
        return down()

    child.before["piece"] = [None, late, None, late]
    store, clock = retrying(child, seconds=30)
    assert await collected(store, "a") == bytes(20)


async def test_a_stream_is_taken_once() -> None:
    child = ScriptedStore()
    child.before["put"] = [down]
    store, _ = retrying(child)
    taken: list[bytes] = []

    def pieces() -> Any:
        for piece in (b"1", b"2"):
            taken.append(piece)
            yield piece

    with pytest.raises(StoreUnavailable):
        await store.put("a", pieces())
    assert (taken, child.calls["create"], child.objects) == ([b"1", b"2"], 1, {})


async def test_a_listing_goes_on_after_its_last_key() -> None:
    keys = [f"{n}" for n in range(6)]
    child = ScriptedStore(**dict.fromkeys(keys, b""))
    child.before["keys"] = [None, None, down, None, down]
    store, _ = retrying(child)
    assert [key async for key in store.keys()] == keys
    child.before["keys"] = [None, down]
    assert [info.key async for info in store.list()] == keys
    assert child.calls["keys"] == 5

    class Unordered(ScriptedStore):
        capabilities = ~Capability.ORDERED

    child = Unordered(**dict.fromkeys(keys, b""))
    child.before["keys"] = [down, None, down]
    store, _ = retrying(child)
    got = []
    with pytest.raises(StoreUnavailable):
        async for key in store.keys():
            got.append(key)
    assert got == keys[:1]


# -- life ---------------------------------------------------------------------------------------


async def test_closing_and_deadlines_end_the_waiting() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [down] * 99
    waiting = asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.sleep(0)

    store = AsyncRetryStore(child, sleep=sleep)
    reading = asyncio.create_task(store.get("a"))
    await waiting.wait()
    await store.aclose()
    with pytest.raises(StoreClosed):
        await reading
    hurried = AsyncRetryStore(ScriptedStore(), base=60, rng=lambda: 1.0, timeout=0.01)
    hurried._child.before["get"] = [down]  # type: ignore[attr-defined]
    with pytest.raises(StoreTimeout):
        await hurried.get("a")


async def test_the_errors_to_pass_are_the_users_choice() -> None:
    child = ScriptedStore(a=b"1")
    child.before["get"] = [lambda: AccessDenied("the token is not there yet")]
    store, _ = retrying(child, retry_on=(AccessDenied,))
    assert await store.get("a") == b"1"
    assert await store._child._get("a", ReadOptions()) is not None
    wrong: list[dict[str, Any]] = [{"attempts": 0}, {"base": -1}]
    for options in wrong:
        with pytest.raises(ConfigError):
            AsyncRetryStore(child, **options)


def test_blocking() -> None:
    slept: list[float] = []
    failing = [True, True]

    class Theirs(BlockingStore):
        def get(self, key: str) -> bytes:
            if failing:
                failing.pop()
                raise StoreUnavailable("down")
            return super().get(key)

    with RetryStore(Theirs(a=b"1"), sleep=slept.append, rng=lambda: 1.0, base=0.25) as store:
        assert store.get("a") == b"1"
    assert slept == [0.25, 0.5]
