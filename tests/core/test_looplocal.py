"""State by event loop."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from storage._core.runner import LoopLocal, run


class Session:
    """As bound to its loop as an aiohttp session: it refers to it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.lock = asyncio.Lock()


@pytest.mark.allow_blocking("a call from within a loop blocks it")
async def test_one_value_per_loop() -> None:
    sessions = LoopLocal(Session)

    async def get() -> Session:
        return sessions.get()

    mine = sessions.get()
    other = run(get())
    assert sessions.get() is mine
    assert run(get()) is other
    assert mine is not other
    assert mine.loop is asyncio.get_running_loop()
    assert {id(value): loop for loop, value in sessions.all()} == {
        id(mine): mine.loop,
        id(other): other.loop,
    }


async def test_peek_makes_nothing_and_pop_takes_out() -> None:
    numbers = LoopLocal(itertools.count().__next__)
    assert numbers.peek() is None
    assert numbers.pop() is None
    assert [numbers.get(), numbers.get(), numbers.peek()] == [0, 0, 0]
    assert numbers.pop() == 0
    assert numbers.all() == []
    assert numbers.get() == 1


async def test_none_is_a_value_and_an_error_is_not_kept() -> None:
    made: list[None] = []
    assert LoopLocal(lambda: made.append(None)).get() is None

    answers = iter([ValueError("not yet"), None])

    def factory() -> int:
        if error := next(answers):
            raise error
        return 5

    local = LoopLocal(factory)
    with pytest.raises(ValueError, match="not yet"):
        local.get()
    assert local.get() == 5


def test_needs_a_running_loop() -> None:
    for method in (LoopLocal(int).get, LoopLocal(int).peek, LoopLocal(int).pop):
        with pytest.raises(RuntimeError, match="no running event loop"):
            method()


def test_values_of_closed_loops_do_not_pile_up() -> None:
    sessions = LoopLocal(Session)
    seen: list[weakref.ref[Session]] = []

    async def use() -> None:
        seen.append(weakref.ref(sessions.get()))

    for _ in range(5):
        asyncio.run(use())
    gc.collect()
    assert len(sessions.all()) == 1
    assert [ref() is None for ref in seen] == [True] * 4 + [False]


def test_itself_is_held_weakly() -> None:
    local = LoopLocal(int)
    gone = weakref.ref(local)
    del local
    gc.collect()
    assert gone() is None


def test_many_threads_with_loops_of_their_own() -> None:
    sessions = LoopLocal(Session)
    together = threading.Barrier(8)

    async def use() -> bool:
        same = True
        for _ in range(50):
            session = sessions.get()
            same = same and session is sessions.get() and session.loop is asyncio.get_running_loop()
            sessions.all()
            async with session.lock:
                await asyncio.sleep(0)
            sessions.pop()
        return same

    def thread() -> bool:
        together.wait(5)
        return asyncio.run(use())

    with ThreadPoolExecutor(8) as pool:
        assert all(future.result(10) for future in [pool.submit(thread) for _ in range(8)])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
async def test_a_forked_child_starts_without_values_and_keeps_the_parents() -> None:
    sessions = LoopLocal(Session)
    mine = weakref.ref(sessions.get())
    child = os.fork()
    if child == 0:
        gc.collect()
        fresh = asyncio.run(_get(sessions))
        values = [value for _, value in sessions.all()]
        os._exit(42 if mine() and fresh is not mine() and values == [fresh] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    assert sessions.get() is mine()


async def _get(sessions: LoopLocal[Session]) -> Session:
    return sessions.get()
