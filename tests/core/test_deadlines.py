"""Deadlines that share a timer."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest

from storage._core import deadlines
from storage._core.deadlines import Deadline

SHORT = 0.01


async def test_a_deadline_ends_what_takes_longer() -> None:
    deadline = Deadline(SHORT)
    with pytest.raises(TimeoutError) as caught, deadline:
        await asyncio.Event().wait()
    assert deadline.expired
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_what_ends_in_time_is_left_alone() -> None:
    with Deadline(SHORT) as deadline:
        await asyncio.sleep(0)
    await asyncio.sleep(2 * SHORT)
    assert not deadline.expired
    with pytest.raises(KeyError), Deadline(SHORT):
        raise KeyError
    with pytest.raises(TimeoutError, match="own"), Deadline(SHORT) as deadline:
        raise TimeoutError("own")
    assert not deadline.expired


async def test_many_share_one_timer_and_end_in_their_order() -> None:
    loop, ended = asyncio.get_running_loop(), list[int]()

    async def wait(number: int) -> None:
        try:
            with Deadline(SHORT):
                await asyncio.Event().wait()
        except TimeoutError:
            ended.append(number)

    async def pass_by() -> None:
        with Deadline(SHORT):
            await asyncio.sleep(0)

    with mock.patch.object(loop, "call_at", wraps=loop.call_at) as timers:
        await asyncio.gather(*(wait(n) if n % 10 else pass_by() for n in range(300)))
        assert ended == [n for n in range(300) if n % 10]
        # One at the beginning; the others when it was not yet time for the next.
        assert len(timers.mock_calls) < 30
    assert SHORT not in deadlines._queues.get()


async def test_the_inner_one_and_the_outer_one() -> None:
    with pytest.raises(TimeoutError), Deadline(SHORT) as outer, Deadline(60) as inner:
        await asyncio.Event().wait()
    assert (outer.expired, inner.expired) == (True, False)
    with Deadline(60) as outer:
        with pytest.raises(TimeoutError), Deadline(SHORT) as inner:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
    assert (outer.expired, inner.expired) == (False, True)


async def test_somebody_elses_cancellation_goes_first() -> None:
    async def work() -> None:
        with Deadline(SHORT) as deadline:
            try:
                await asyncio.Event().wait()
            finally:
                assert deadline.expired
                other.cancel()

    other = asyncio.create_task(work())
    with pytest.raises(asyncio.CancelledError):
        await other

    async def long() -> None:
        with Deadline(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(long())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_it_needs_a_task() -> None:
    async def main() -> None:
        failed = asyncio.get_running_loop().create_future()

        def callback() -> None:
            try:
                Deadline(1).__enter__()
            except RuntimeError as error:
                failed.set_result(str(error))

        asyncio.get_running_loop().call_soon(callback)
        assert "a task" in await failed

    asyncio.run(main())
