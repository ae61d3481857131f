"""Async iterators for blocking callers: `iterate`."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import itertools
import threading
import time
import traceback
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager

import anyio
import pytest

from storage._core.runner import BlockingCallError, CallCancelled, iterate, run

pytestmark = pytest.mark.allow_blocking("blocking a loop is what some of them look into")

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="unset")


class Source:
    """Counts up, and notes what becomes of it."""

    def __init__(self, *, pause: float = 0.0, clean_up: float = 0.0) -> None:
        self.pause = pause
        self.clean_up = clean_up
        self.made = 0
        self.steps: list[str] = []
        self.cleaned = threading.Event()

    async def items(self, count: int = 10_000_000) -> AsyncGenerator[int, None]:
        self.steps.append("begun")
        try:
            for each in range(count):
                await asyncio.sleep(self.pause)
                self.made += 1
                yield each
        except asyncio.CancelledError:
            self.steps.append("cancelled")
            raise
        finally:
            await asyncio.sleep(self.clean_up)
            self.steps.append("clean")
            self.cleaned.set()


@pytest.mark.parametrize("max_batch", [1, 2, 3, 1024])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 3000])
def test_gives_every_item_in_order(count: int, max_batch: int) -> None:
    iterator = iterate(Source().items(count), max_batch=max_batch)
    assert list(iterator) == list(range(count))
    assert list(iterator) == []
    iterator.close()


def test_runs_nothing_before_the_first_item_is_asked_for() -> None:
    source = Source()
    with iterate(source.items()) as iterator:
        run(asyncio.sleep(0.01))
        assert source.steps == []
    assert list(iterator) == []
    assert source.steps == []


def test_batches_double_up_to_the_limit() -> None:
    async def fast() -> AsyncGenerator[int, None]:
        for each in itertools.count():
            made.append(each)
            yield each

    made: list[int] = []
    ahead = []
    with iterate(fast(), max_batch=8) as iterator:
        for each in iterator:
            ahead.append(len(made) - each)
            if each == 30:
                break
    assert [ahead[start] for start in (0, 1, 3, 7, 15, 23)] == [1, 2, 4, 8, 8, 8]
    assert max(ahead) == 8


def test_a_batch_of_one_runs_nothing_ahead() -> None:
    source = Source()
    with iterate(source.items(), max_batch=1) as iterator:
        for each in itertools.islice(iterator, 5):
            time.sleep(0.002)
            assert source.made == each + 1


@pytest.mark.parametrize("max_batch", [0, -1])
def test_refuses_a_batch_of_nothing(max_batch: int) -> None:
    with pytest.raises(ValueError, match="max_batch"):
        iterate(Source().items(), max_batch=max_batch)


def test_an_item_does_not_wait_for_the_slow_one_behind_it() -> None:
    async def slow() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        await asyncio.sleep(5)
        yield 3

    with iterate(slow()) as iterator:
        began = time.monotonic()
        assert [next(iterator), next(iterator)] == [1, 2]
        assert time.monotonic() - began < 2


def test_a_source_that_never_suspends_leaves_room_for_others() -> None:
    async def busy() -> AsyncGenerator[int, None]:
        for each in range(100):
            time.sleep(0.007)
            yield each

    with iterate(busy()) as iterator, ThreadPoolExecutor(1) as pool:
        consumed = pool.submit(list, iterator)
        waits = []
        while not consumed.done():
            began = time.monotonic()
            run(asyncio.sleep(0))
            waits.append(time.monotonic() - began)
    assert consumed.result() == list(range(100))
    assert max(waits) < 0.3


def test_items_before_an_error_come_before_it() -> None:
    async def breaks() -> AsyncGenerator[int, None]:
        for each in range(10):
            yield each
        raise ValueError("broken")

    got = []
    iterator = iterate(breaks())
    with pytest.raises(ValueError, match="broken") as caught:
        for each in iterator:
            got.append(each)
    assert got == list(range(10))
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[1:] == ["__next__", "fill", "breaks"]
    assert list(iterator) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_base_exceptions_reach_the_caller_and_leave_the_loop_running(
    kind: type[BaseException],
) -> None:
    async def breaks() -> AsyncGenerator[int, None]:
        yield 1
        raise kind

    iterator = iterate(breaks())
    assert next(iterator) == 1
    with pytest.raises(kind):
        next(iterator)
    run(asyncio.sleep(0))


def test_a_cancelled_source_is_an_error_and_never_a_short_listing() -> None:
    async def cancels() -> AsyncGenerator[int, None]:
        yield 1
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(5)

    iterator = iterate(cancels())
    assert next(iterator) == 1
    with pytest.raises(CallCancelled):
        next(iterator)


def test_a_source_that_is_cancelled_before_its_first_step_is_an_error() -> None:
    ready, go = threading.Event(), threading.Event()

    async def cancel_everything() -> None:
        ready.set()
        go.wait(5)
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    with ThreadPoolExecutor(2) as pool:
        killer = pool.submit(lambda: run(cancel_everything()))
        ready.wait(5)
        victim = pool.submit(lambda: list(iterate(Source(pause=30).items())))
        time.sleep(0.05)
        go.set()
        killer.result(5)
        with pytest.raises(CallCancelled):
            victim.result(5)


def test_close_waits_for_the_clean_up() -> None:
    source = Source(clean_up=0.05)
    iterator = iterate(source.items())
    assert next(iterator) == 0
    iterator.close()
    assert source.steps == ["begun", "clean"]
    assert list(iterator) == []
    iterator.close()


def test_close_drops_an_error_that_the_caller_never_came_to() -> None:
    async def breaks() -> AsyncGenerator[int, None]:
        for each in range(3):
            yield each
        raise ValueError

    with iterate(breaks()) as iterator:
        assert [next(iterator), next(iterator)] == [0, 1]
        run(asyncio.sleep(0.01))


def test_close_raises_what_the_clean_up_raises() -> None:
    async def breaks() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            raise ValueError("unclean")

    iterator = iterate(breaks())
    next(iterator)
    with pytest.raises(ValueError, match="unclean"):
        iterator.close()
    iterator.close()


def test_close_in_another_thread_ends_a_waiting_caller() -> None:
    source = Source(pause=30)
    iterator = iterate(source.items())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, iterator)
        while not source.steps:
            time.sleep(0.001)
        iterator.close()
        assert waiting.result(5) == []
    assert source.steps == ["begun", "cancelled", "clean"]


def test_close_ends_a_source_that_ignores_its_cancellation() -> None:
    async def stubborn() -> AsyncGenerator[int, None]:
        for each in itertools.count():
            try:
                await asyncio.sleep(30 if each else 0)
            except asyncio.CancelledError:
                ignored.set()
            yield each

    ignored = threading.Event()
    iterator = iterate(stubborn())
    next(iterator)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, iterator)
        time.sleep(0.05)
        iterator.close()
        waiting.result(5)
    assert ignored.is_set()


def test_an_abandoned_source_is_cleaned_up_and_the_collector_does_not_wait() -> None:
    source = Source(clean_up=0.3)
    iterator = iterate(source.items())
    next(iterator)
    began = time.monotonic()
    del iterator
    assert time.monotonic() - began < 0.2
    gc.collect()
    assert source.cleaned.wait(5)
    assert source.steps == ["begun", "clean"]


def test_an_abandoned_clean_up_that_nobody_knows_is_not_collected() -> None:
    known: list[weakref.ref[asyncio.Future[None]]] = []
    clean = threading.Event()

    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            future = asyncio.get_running_loop().create_future()
            known.append(weakref.ref(future))
            await future
            clean.set()

    next(iterate(source()))
    while not known:
        time.sleep(0.001)
    gc.collect()
    future = known[0]()
    assert future is not None
    future.get_loop().call_soon_threadsafe(future.set_result, None)
    assert clean.wait(5)


def test_abandoning_twice_does_not_cut_the_clean_up() -> None:
    source = Source(pause=0.1, clean_up=0.1)
    iterator = iterate(source.items())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, iterator)
        time.sleep(0.03)
        for _ in range(3):
            iterator.abandon()
            time.sleep(0.02)
        iterator.close()
        waiting.result(5)
    assert source.steps[-1] == "clean"


class Closeable(AsyncIterator[int]):
    """An async iterator that is no generator."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.closed = 0

    async def __anext__(self) -> int:
        if not self.left:
            raise StopAsyncIteration
        self.left -= 1
        return self.left

    async def aclose(self) -> None:
        self.closed += 1


def test_takes_any_async_iterator_and_closes_it() -> None:
    source = Closeable(3)
    assert list(iterate(source)) == [2, 1, 0]
    assert source.closed == 1
    unread = Closeable(3)
    iterate(unread).close()
    assert unread.closed == 1
    half_read = Closeable(3)
    with iterate(half_read, max_batch=1) as iterator:
        assert next(iterator) == 2
    assert (half_read.closed, half_read.left) == (1, 2)


def test_one_task_owns_the_whole_source() -> None:
    tasks = set()

    async def source() -> AsyncGenerator[str, None]:
        try:
            for each in "abc":
                tasks.add(asyncio.current_task())
                word.set(word.get() + each)
                yield word.get()
        finally:
            tasks.add(asyncio.current_task())

    with iterate(source(), max_batch=1) as iterator:
        assert [next(iterator), next(iterator)] == ["unseta", "unsetab"]
    assert len(tasks) == 1
    assert word.get() == "unset"


def test_context_variables_of_the_caller_are_seen() -> None:
    async def source() -> AsyncGenerator[str, None]:
        yield word.get()

    def calls() -> list[str]:
        word.set("mine")
        return list(iterate(source()))

    assert contextvars.copy_context().run(calls) == ["mine"]


class AsyncFailAfter:
    """anyio.fail_after as an async context manager."""

    def __init__(self, seconds: float) -> None:
        self.scope = anyio.fail_after(seconds)

    async def __aenter__(self) -> None:
        self.scope.__enter__()

    async def __aexit__(self, *exc_info: object) -> bool | None:
        return self.scope.__exit__(*exc_info)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [asyncio.timeout, AsyncFailAfter])
def test_a_timeout_held_over_a_yield(
    limit: Callable[[float], AbstractAsyncContextManager[object]],
) -> None:
    async def source(seconds: float) -> AsyncGenerator[int, None]:
        async with limit(seconds):
            for each in range(5):
                await asyncio.sleep(0)
                yield each

    assert list(iterate(source(30), max_batch=1)) == [0, 1, 2, 3, 4]
    with iterate(source(0.05), max_batch=1) as iterator:
        next(iterator)
        time.sleep(0.2)
        with pytest.raises(TimeoutError):
            list(iterator)
    with iterate(source(0.05), max_batch=1) as iterator:
        next(iterator)
    run(asyncio.sleep(0.1))  # a scope that outlived its generator would cancel a stranger now


def test_shared_by_threads_gives_each_item_once() -> None:
    iterator = iterate(Source().items(5000))
    with ThreadPoolExecutor(6) as pool:
        parts = [pool.submit(list, iterator) for _ in range(6)]
        got = [each for part in parts for each in part.result(10)]
    assert sorted(got) == list(range(5000))


async def test_works_where_another_loop_runs() -> None:
    assert list(iterate(Source().items(3))) == [0, 1, 2]


def test_refuses_on_the_loop_itself() -> None:
    source = Source()

    async def callback() -> None:
        for _ in iterate(source.items()):
            pass

    with pytest.raises(BlockingCallError, match=r"Source\.items"):
        run(callback())
    assert source.steps == []


def test_a_source_that_is_done_goes_without_the_garbage_collector() -> None:
    class Thing:
        pass

    things: list[weakref.ref[Thing]] = []

    async def source() -> AsyncGenerator[int, None]:
        thing = Thing()
        things.append(weakref.ref(thing))
        yield 1
        await asyncio.sleep(0)
        raise ValueError

    gc.collect()
    gc.disable()
    try:
        with iterate(source()) as iterator:
            try:
                list(iterator)
            except ValueError:
                pass
        run(asyncio.sleep(0))
        assert things[0]() is None
    finally:
        gc.enable()


def test_many_threads_many_iterators_nothing_left() -> None:
    opened, closed = itertools.count(), itertools.count()

    async def source(count: int) -> AsyncGenerator[int, None]:
        next(opened)
        try:
            for each in range(count):
                if each % 7 == 3:
                    await asyncio.sleep(0)
                yield each
            if count % 5 == 4:
                raise ValueError
        finally:
            await asyncio.sleep(0)
            next(closed)

    def work(seed: int) -> int:
        done = 0
        until = time.monotonic() + 0.6
        while time.monotonic() < until:
            seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
            count = (seed >> 8) % 60
            iterator = iterate(source(count))
            try:
                if seed >> 4 & 1:
                    assert list(iterator) == list(range(count))
                elif seed >> 5 & 1:
                    list(itertools.islice(iterator, count // 2))  # abandoned
                else:
                    with iterator:
                        list(itertools.islice(iterator, count // 2))
                run(asyncio.sleep(0))
            except ValueError:
                assert count % 5 == 4
            done += 1
        return done

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(work, range(12))) > 100
    gc.collect()
    run(asyncio.sleep(0.05))
    assert next(opened) == next(closed)

    async def others() -> int:
        return len(asyncio.all_tasks()) - 1

    assert run(others()) == 0
