"""Async context managers for blocking callers: `enter`."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import weakref
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import pytest

from storage._core.runner import BlockingCallError, CallCancelled, enter, run


class Manager:
    """Notes how it was entered and left."""

    def __init__(self, *, suppress: bool = False, clean_up: float = 0.0) -> None:
        self.suppress = suppress
        self.clean_up = clean_up
        self.tasks: list[object] = []
        self.left_with: Any = "not left"
        self.left = threading.Event()

    async def __aenter__(self) -> str:
        self.tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        return "value"

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> bool:
        self.tasks.append(asyncio.current_task())
        await asyncio.sleep(self.clean_up)
        self.left_with = exc
        self.left.set()
        return self.suppress


NOTHING = (None, None, None)


def test_enters_and_leaves_in_one_task() -> None:
    manager = Manager(clean_up=0.02)
    entered = enter(manager)
    assert entered.value == "value"
    assert manager.left_with == "not left"
    assert entered.exit(*NOTHING) is False
    assert manager.left_with is None
    assert len(set(manager.tasks)) == 1
    assert entered.exit(*NOTHING) is False
    assert len(manager.tasks) == 2


@pytest.mark.parametrize("suppress", [False, True])
def test_passes_the_blocks_exception_and_the_answer(suppress: bool) -> None:
    manager = Manager(suppress=suppress)
    entered = enter(manager)
    error = ValueError("block")
    assert entered.exit(type(error), error, None) is suppress
    assert manager.left_with is error


def test_raises_what_enter_and_exit_raise() -> None:
    @asynccontextmanager
    async def broken(where: str) -> AsyncGenerator[None, None]:
        if where == "enter":
            raise ValueError("enter")
        yield
        raise ValueError("exit")

    with pytest.raises(ValueError, match="enter"):
        enter(broken("enter"))
    entered = enter(broken("exit"))
    with pytest.raises(ValueError, match="exit"):
        entered.exit(*NOTHING)
    assert entered.exit(*NOTHING) is False


def test_an_exception_of_exit_has_the_blocks_as_its_context() -> None:
    @asynccontextmanager
    async def broken() -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            raise KeyError("exit")

    entered = enter(broken())
    with pytest.raises(KeyError) as caught:
        try:
            raise ValueError("block")
        except ValueError:
            entered.exit(*sys.exc_info())
    assert isinstance(caught.value.__context__, ValueError)


@pytest.mark.parametrize("collected", [False, True])
def test_abandoned_it_is_left_with_a_cancellation_and_nobody_waits(collected: bool) -> None:
    manager = Manager(clean_up=0.3)
    gc.collect()  # what others left takes its time
    entered = enter(manager)
    began = time.monotonic()
    if not collected:
        entered.abandon()
    del entered  # nothing else holds it: it goes at once
    assert time.monotonic() - began < 0.25
    assert manager.left.wait(5)
    assert isinstance(manager.left_with, asyncio.CancelledError)


def test_a_timeout_over_the_whole_block() -> None:
    @asynccontextmanager
    async def limited(seconds: float) -> AsyncGenerator[None, None]:
        async with asyncio.timeout(seconds):
            yield

    entered = enter(limited(0.02))
    time.sleep(0.1)
    with pytest.raises(TimeoutError):
        entered.exit(*NOTHING)
    entered = enter(limited(30))
    assert entered.exit(*NOTHING) is False


def test_a_task_group_over_the_whole_block() -> None:
    entered = enter(asyncio.TaskGroup())

    async def start() -> asyncio.Task[int]:
        return entered.value.create_task(asyncio.sleep(0.02, 5))

    task = run(start())
    entered.exit(*NOTHING)
    assert task.result() == 5


def test_a_cancelled_enter_is_an_error() -> None:
    @asynccontextmanager
    async def cancels() -> AsyncGenerator[None, None]:
        if asyncio.current_task():
            raise asyncio.CancelledError
        yield

    with pytest.raises(CallCancelled):
        enter(cancels())


def test_refuses_on_the_loop_itself() -> None:
    async def callback() -> None:
        enter(Manager())

    with pytest.raises(BlockingCallError):
        run(callback())


def test_keeps_no_frame_alive() -> None:
    class Thing:
        pass

    def block() -> weakref.ref[Thing]:
        thing = Thing()
        entered = enter(Manager(suppress=True))
        try:
            raise ValueError
        except ValueError:
            assert entered.exit(*sys.exc_info())
        return weakref.ref(thing)

    gc.collect()
    gc.disable()
    try:
        gone = block()
        run(asyncio.sleep(0))
        assert gone() is None
    finally:
        gc.enable()
