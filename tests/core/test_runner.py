"""One coroutine for a blocking caller: `run`, and the loop thread behind it."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import os
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import NoReturn

import pytest

from storage._core import loopthread
from storage._core.runner import (
    BlockingCallError,
    CallCancelled,
    at_exit,
    on_runner_loop,
    run,
    set_loop_factory,
)

pytestmark = pytest.mark.allow_blocking("blocking a loop is what some of them look into")

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="unset")


async def give(value: object) -> object:
    return value


async def give_later(value: object, seconds: float = 0.0) -> object:
    await asyncio.sleep(seconds)
    return value


async def fail(error: BaseException, *, suspend: bool = False) -> NoReturn:
    if suspend:
        await asyncio.sleep(0)
    raise error


def test_gives_what_the_coroutine_returns() -> None:
    assert run(give(1)) == 1
    assert run(give(None)) is None
    assert run(give_later("x")) == "x"


@pytest.mark.parametrize("suspend", [False, True])
def test_raises_what_the_coroutine_raises(suspend: bool) -> None:
    error = ValueError("no")
    with pytest.raises(ValueError, match="no") as caught:
        run(fail(error, suspend=suspend))
    assert caught.value is error


class Unusual(BaseException):
    pass


@pytest.mark.parametrize("suspend", [False, True])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, Unusual])
def test_base_exceptions_reach_the_caller_and_leave_the_loop_running(
    kind: type[BaseException], suspend: bool
) -> None:
    with pytest.raises(kind):
        run(fail(kind(), suspend=suspend))
    assert run(give_later(1)) == 1


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_a_task_in_the_background_cannot_stop_the_loop(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def start() -> asyncio.Task[NoReturn]:
        return asyncio.create_task(fail(kind()))

    with caplog.at_level(logging.CRITICAL, "asyncio"):
        task = run(start())
        assert run(give_later(1, 0.01)) == 1
    assert isinstance(task.exception(), kind)


def test_sixteen_threads_at_once() -> None:
    def calls(start: int) -> list[object]:
        return [run(give_later(start + each, 0.001)) for each in range(25)]

    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(calls, range(0, 1600, 100)))
    assert results == [list(range(start, start + 25)) for start in range(0, 1600, 100)]
    assert time.monotonic() - began < 16 * 25 * 0.001 * 5


def test_waiting_calls_overlap() -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda each: run(give_later(each, 0.2)), range(16)))
    assert time.monotonic() - began < 1.5


async def test_works_where_another_loop_runs() -> None:
    assert run(give_later(1)) == 1
    assert await asyncio.to_thread(run, give_later(2)) == 2


def test_works_in_a_worker_thread_of_the_loop() -> None:
    async def in_a_worker() -> object:
        return await asyncio.to_thread(lambda: run(give_later(3)))

    assert run(in_a_worker()) == 3


def test_refuses_on_the_loop_itself_and_names_the_way_out() -> None:
    async def callback() -> object:
        return run(give(1))

    with pytest.raises(BlockingCallError, match=r"(?s)^give was called.*Await the async class"):
        run(callback())
    gc.collect()  # a coroutine never awaited would be a warning, and so an error, now
    assert run(give_later(1)) == 1


def test_refuses_in_a_plain_callback_of_the_loop() -> None:
    caught: list[BaseException] = []

    def callback(done: asyncio.Future[None]) -> None:
        try:
            run(give(1))
        except RuntimeError as error:
            caught.append(error)
        done.set_result(None)

    async def schedule() -> None:
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(callback, done)
        await done

    run(schedule())
    assert [type(error) for error in caught] == [BlockingCallError]


def test_tells_where_the_code_runs() -> None:
    async def ask() -> bool:
        return on_runner_loop()

    assert run(ask())
    assert not on_runner_loop()
    assert not asyncio.run(ask())


def test_context_variables_are_seen_and_stay_the_callers() -> None:
    async def look() -> str:
        seen = word.get()
        word.set("theirs")
        await asyncio.sleep(0)
        return seen + " " + word.get()

    def calls() -> tuple[str, str]:
        word.set("mine")
        return run(look()), word.get()

    assert contextvars.copy_context().run(calls) == ("mine theirs", "mine")


def test_a_cancelled_coroutine_is_an_error_and_never_none() -> None:
    async def cancel_me() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    with pytest.raises(CallCancelled) as caught:
        run(cancel_me())
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    with pytest.raises(CallCancelled):
        run(fail(asyncio.CancelledError()))


def test_a_call_that_is_cancelled_before_its_first_step_ends() -> None:
    ready, go = threading.Event(), threading.Event()

    async def cancel_everything() -> None:
        ready.set()
        go.wait(5)  # blocks the loop, so that the other call is queued but not begun
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    with ThreadPoolExecutor(2) as pool:
        killer = pool.submit(lambda: run(cancel_everything()))
        ready.wait(5)
        victim = pool.submit(lambda: run(give_later(1, 30)))
        time.sleep(0.05)
        go.set()
        killer.result(5)
        with pytest.raises(CallCancelled):
            victim.result(5)
    gc.collect()


def test_background_tasks_progress_while_the_caller_idles() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        for _ in range(20):
            await asyncio.sleep(0.005)
            ticks += 1

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(tick())

    task = run(start())
    time.sleep(0.3)
    assert ticks == 20
    assert task.done()


def test_the_first_step_has_a_whole_environment() -> None:
    async def probe() -> list[object]:
        async with asyncio.timeout(5):
            first = asyncio.current_task()
            async with asyncio.TaskGroup() as group:
                child = group.create_task(give(1))
            return [first is asyncio.current_task(), child.result(), await asyncio.to_thread(int)]

    assert run(probe()) == [True, 1, 0]


def test_the_traceback_shows_the_users_lines_and_little_else() -> None:
    async def inner() -> None:
        raise ValueError

    async def outer() -> None:
        await inner()

    with pytest.raises(ValueError) as caught:  # noqa: PT011
        run(outer())
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == [sys._getframe().f_code.co_name, "run", "outer", "inner"]


class Thing:
    """Something that can be referred to weakly."""


@pytest.fixture
def without_gc() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_gc")
@pytest.mark.parametrize("broken", [False, True])
def test_locals_go_without_the_garbage_collector(broken: bool) -> None:
    things: list[weakref.ref[Thing]] = []

    def thing() -> Thing:
        made = Thing()
        things.append(weakref.ref(made))
        return made

    async def use(given: Thing) -> Thing:
        mine = thing()
        await asyncio.sleep(0)
        if broken:
            raise ValueError
        return mine

    def call() -> None:
        outer = thing()
        try:
            run(use(outer))
        except ValueError:
            pass

    call()
    run(give_later(1))  # the loop's last handle has gone by then
    assert [ref() for ref in things] == [None, None]


def test_thirty_two_workers() -> None:
    together = threading.Barrier(loopthread.WORKERS)

    async def crowd() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(loopthread.WORKERS):
                group.create_task(asyncio.to_thread(together.wait, 5))

    run(crowd())


def test_threads_that_the_loop_starts_do_not_hold_up_the_exit() -> None:
    async def start() -> bool:
        thread = threading.Thread(target=int)  # as aiosqlite does
        thread.start()
        return thread.daemon

    assert run(start())


class Alarm(Exception):
    pass


@pytest.fixture
def alarm() -> Iterator[threading.Event]:
    """A signal handler's exception falls into the main thread every 0.1 s until this is set."""
    quiet = threading.Event()

    def ring(number: int, frame: FrameType | None) -> None:
        if not quiet.is_set():
            raise Alarm

    def send() -> None:
        while not quiet.wait(0.1):
            os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, ring)
    sender = threading.Thread(target=send)
    sender.start()
    yield quiet
    quiet.set()
    sender.join()
    signal.signal(signal.SIGUSR1, before)


def test_an_interrupt_cancels_and_waits_for_the_clean_up(alarm: threading.Event) -> None:
    steps: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            alarm.set()
            steps.append("cancelled")
            await asyncio.sleep(0.05)
            steps.append("clean")
            raise

    with pytest.raises(Alarm):
        run(work())
    assert steps == ["cancelled", "clean"]
    assert run(give_later(1)) == 1


def test_an_interrupt_wins_over_a_coroutine_that_ends_well_all_the_same(
    alarm: threading.Event,
) -> None:
    async def stubborn() -> int:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            alarm.set()
        return 1

    with pytest.raises(Alarm):
        run(stubborn())


def test_a_second_interrupt_leaves_at_once_and_the_clean_up_goes_on(
    alarm: threading.Event,
) -> None:
    known: list[weakref.ref[asyncio.Future[None]]] = []
    clean = threading.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            future = asyncio.get_running_loop().create_future()
            known.append(weakref.ref(future))
            await future
            clean.set()

    with pytest.raises(Alarm):
        run(work())
    alarm.set()
    gc.collect()  # nobody but the runner knows the task now
    assert not clean.is_set()
    future = known[0]()
    assert future is not None
    future.get_loop().call_soon_threadsafe(future.set_result, None)
    assert clean.wait(5)


def test_the_factory_of_a_running_loop_cannot_be_changed() -> None:
    run(give(1))
    with pytest.raises(RuntimeError, match="runs already"):
        set_loop_factory(asyncio.new_event_loop)


def test_registering_for_the_exit_keeps_nothing_alive() -> None:
    class Store:
        async def aclose(self) -> None:
            pass

    store = Store()
    at_exit(store)
    gone = weakref.ref(store)
    del store
    gc.collect()
    assert gone() is None


def test_the_public_names_are_there() -> None:
    from storage._core import runner

    for name in runner.__all__:
        assert getattr(runner, name).__doc__
