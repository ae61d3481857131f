"""The seam: direct for blocking callers, shared hops for async ones, and never a call lost."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time

import pytest

from storage._core import calls, workers
from storage._core.devoted import devoted
from storage._core.workers import Pool


async def test_a_call_runs_off_the_loop_and_gives_its_result() -> None:
    here = threading.get_ident()
    assert await calls.call(threading.get_ident) != here


async def test_the_error_of_a_call_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        await calls.call(divmod, 1, 0)


async def test_a_stop_iteration_does_not_end_the_caller() -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await calls.call(next, iter(()))


async def test_context_variables_are_seen() -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    assert await calls.call(variable.get) == "set"


async def test_a_slow_call_does_not_hold_up_the_others() -> None:
    gate = threading.Event()
    slow = [asyncio.create_task(calls.call(gate.wait, 10)) for _ in range(3)]
    await asyncio.sleep(0.01)
    results = await asyncio.wait_for(asyncio.gather(*[calls.call(int) for _ in range(100)]), 5)
    assert results == [0] * 100
    gate.set()
    assert await asyncio.gather(*slow) == [True] * 3


async def test_a_result_before_a_slow_call_is_not_held_back() -> None:
    gate = threading.Event()
    quick = asyncio.create_task(calls.call(int))
    slow = asyncio.create_task(calls.call(gate.wait, 10))
    assert await asyncio.wait_for(quick, 5) == 0
    gate.set()
    assert await slow


async def test_blocking_calls_overlap() -> None:
    start = time.perf_counter()
    await asyncio.gather(*[calls.call(time.sleep, 0.05) for _ in range(32)])
    assert time.perf_counter() - start < 32 * 0.05 / 3


@pytest.mark.parametrize("idle", [0, 10])
async def test_no_call_waits_for_a_worker_that_sleeps_or_ends(
    monkeypatch: pytest.MonkeyPatch, idle: float
) -> None:
    monkeypatch.setattr(workers, "IDLE", idle)
    monkeypatch.setattr(workers, "TICK", 60)  # else the loop would find it a little later
    pool = Pool(limit=2)

    async def one_after_the_other() -> int:
        return sum([await pool.submit(len, ("x",)) for _ in range(100)])

    threads = [asyncio.to_thread(asyncio.run, one_after_the_other()) for _ in range(3)]
    done = await asyncio.wait_for(asyncio.gather(one_after_the_other(), *threads), 20)
    assert done == [100] * 4


async def test_no_result_waits_behind_a_slow_call_of_another_loop() -> None:
    pool, go_on, end = Pool(limit=1), threading.Event(), threading.Event()
    first = asyncio.create_task(pool.submit(go_on.wait, (10,)))
    await asyncio.sleep(20 * workers.TICK)  # until nobody looks any more
    other = asyncio.create_task(asyncio.to_thread(asyncio.run, pool.submit(end.wait, (10,))))
    while not pool._queue:
        await asyncio.sleep(0.001)
    go_on.set()
    try:
        assert await asyncio.wait_for(first, 5)
    finally:
        end.set()
        await other


async def test_a_cancelled_call_that_has_not_begun_never_begins() -> None:
    pool, gate, begun = Pool(limit=1), threading.Event(), []
    first = asyncio.create_task(pool.submit(lambda: gate.wait(10)))
    second = asyncio.create_task(pool.submit(lambda: begun.append(1)))
    await asyncio.sleep(0.01)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.set()
    await first
    await pool.submit(int)
    assert not begun


async def test_a_cancelled_call_ends_before_the_cancellation_arrives() -> None:
    begun, ended = threading.Event(), []

    def work() -> None:
        begun.set()
        time.sleep(0.1)
        ended.append(1)

    task = asyncio.create_task(calls.call(work))
    await asyncio.to_thread(begun.wait)
    for _ in range(3):  # impatient, and still waited for
        task.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == [1]


@pytest.mark.parametrize("moment", range(8))
async def test_whatever_a_cancelled_call_opened_is_closed(moment: int) -> None:
    opened: list[int] = []
    closed: list[int] = []

    def opens() -> int:
        opened.append(1)
        return 1

    task = asyncio.create_task(calls.acquire(closed.append, opens))
    for _ in range(moment):
        await asyncio.sleep(0)
    await asyncio.sleep(0.0005 * moment)
    delivered = not task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        assert closed == opened
    else:
        assert delivered
        assert opened == [1]
        assert closed == []


def test_a_driven_coroutine_calls_directly() -> None:
    async def both() -> tuple[int, bool]:
        return await calls.call(threading.get_ident), calls.direct()

    assert calls.drive(both()) == (threading.get_ident(), True)
    assert not calls.direct()


def test_a_driven_coroutine_that_suspends_is_an_error() -> None:
    cleaned = []

    async def suspends() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            cleaned.append(1)

    with pytest.raises(RuntimeError, match="inline"):
        calls.drive(suspends())
    assert cleaned == [1]


def test_user_code_in_a_driven_call_may_start_a_loop() -> None:
    async def inner() -> bool:
        return calls.direct()

    async def outer() -> bool:
        return await calls.call(lambda: asyncio.run(inner()))

    assert calls.drive(outer()) is False


async def test_driving_under_a_running_loop_is_direct_too() -> None:
    async def ask() -> bool:
        return calls.direct()

    assert calls.drive(ask()) is True
    assert not calls.direct()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
async def test_a_forked_child_has_workers_of_its_own() -> None:
    assert await calls.call(int) == 0
    child = os.fork()
    if child == 0:
        try:
            os._exit(asyncio.Runner().run(calls.call(int)) if not _inherits_loop() else 3)
        finally:
            os._exit(9)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def _inherits_loop() -> bool:
    asyncio._set_running_loop(None)
    return False


class TestBrief:
    """Short calls, on a loop that is devoted to one job."""

    @pytest.fixture(autouse=True)
    def devoting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(devoted, "loop", None)
        monkeypatch.setattr(devoted, "_again", 0.0)
        monkeypatch.setattr(devoted, "_slow", 0)
        monkeypatch.setattr(devoted, "_lost", 0.0)
        monkeypatch.setattr("storage._core.devoted.ours", Pool(limit=1))

    async def test_takes_a_thread_on_any_other_loop(self) -> None:
        assert await calls.brief(threading.get_ident) != threading.get_ident()

    async def test_runs_in_place(self) -> None:
        devoted.loop = asyncio.get_running_loop()
        assert await calls.brief(threading.get_ident) == threading.get_ident()
        with pytest.raises(KeyError):
            await calls.brief(dict[int, int]().__getitem__, 1)

    async def test_leaves_for_a_while_where_some_in_a_row_are_slow(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devoted.loop = asyncio.get_running_loop()
        monkeypatch.setattr("storage._core.devoted.REST", 1e9)

        async def here(count: int, short: float) -> list[bool]:
            monkeypatch.setattr("storage._core.devoted.SHORT", short)
            ran = [await calls.brief(threading.get_ident) for _ in range(count)]
            return [each == threading.get_ident() for each in ran]

        assert all(await here(7, -1.0))  # whatever it takes is slow
        assert all(await here(1, 1e9))
        assert await here(9, -1.0) == [True] * 8 + [False]
        monkeypatch.setattr(devoted, "_again", 0.0)  # the while is over
        assert all(await here(1, 1e9))

    async def test_judges_nothing_while_threads_are_at_work(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        devoted.loop = asyncio.get_running_loop()
        monkeypatch.setattr("storage._core.devoted.SHORT", -1.0)
        pool, gate = Pool(limit=1), threading.Event()
        monkeypatch.setattr("storage._core.devoted.ours", pool)
        busy = asyncio.create_task(pool.submit(gate.wait, (10,)))
        while not pool.is_busy:
            await asyncio.sleep(0)
        for _ in range(20):
            assert await calls.brief(threading.get_ident) == threading.get_ident()
        gate.set()
        await busy
