"""A process that copies for a sync: ``python -m storage.cli.worker FD``, where FD is a socket.

It is told its stores, then steps, and answers with outcomes. It ends when the socket does.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections import deque
from contextlib import AsyncExitStack
from itertools import count
from typing import Any, NamedTuple

from .._async.base import AsyncBaseStore
from .._async.transfer.copying import Copier
from .._async.transfer.objects import same_bytes
from .._async.transfer.performing import Performer
from .._async.transfer.steps import Action, Outcome, Step, fingerprint
from .._async.transfer.tasks import Window
from .._core.budget import ByteBudget, Pace
from .._core.errors import ObjectNotFound, PreconditionFailed
from .._core.rate import RateLimit
from .._core.window import cancel_all
from .._registry import open_async_store
from .channel import Channel, portable

INTERVAL = 0.05
"""Seconds that an outcome waits for others to be made durable with it."""


class Setup(NamedTuple):
    """What a worker is told first."""

    source: str
    target: str
    backup: str | None
    transfers: int
    """Objects in flight, at most."""
    buffer: int
    """Bytes in flight, at most."""
    bandwidth: float | None
    """Bytes per second, at most."""
    has_journal: bool
    """Whether large uploads are remembered, by the process that gives the steps."""
    repeats: bool
    """Whether the same steps may have been done before."""


class Given(NamedTuple):
    """A step for a worker, and the number that its outcome comes back with."""

    number: int
    step: Step
    again: bool = False
    """Whether another worker had it, and died."""


class Worker:
    """Does steps as they come, and tells what became of them when that is durable.

    Args:
        channel: To whoever gives the steps.
        setup: What it was told first.
    """

    def __init__(self, channel: Channel, setup: Setup) -> None:
        self._channel = channel
        self._setup = setup
        self._source = open_async_store(setup.source)
        self._target = open_async_store(setup.target)
        self._pace = Pace(setup.transfers)
        self._window = Window(self._pace)
        self._waiting: deque[Given] = deque()
        self._done: list[tuple[int, Outcome]] = []
        self._more, self._news = asyncio.Event(), asyncio.Event()
        self._uploads = _Uploads(channel)

    async def run(self) -> None:
        """Work until the other end hangs up."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._source)
            await stack.enter_async_context(self._target)
            await self._prepare(stack)
            tasks = [asyncio.create_task(self._begin()), asyncio.create_task(self._tell())]
            try:
                while (message := await self._channel.receive()) is not None:
                    if isinstance(message, list):
                        self._waiting += message
                        self._more.set()
                    else:
                        self._uploads.told(*message)
            finally:
                await cancel_all(tasks)
                await self._window.cancel()

    async def _prepare(self, stack: AsyncExitStack) -> None:
        setup = self._setup
        budget = ByteBudget(setup.buffer)
        rate = None if setup.bandwidth is None else RateLimit(setup.bandwidth)
        uploads = self._uploads if setup.has_journal else None
        self._copier = await stack.enter_async_context(
            Copier(self._source, self._target, budget=budget, rate=rate, uploads=uploads)
        )
        backup: Copier | None = None
        if setup.backup is not None:
            store = await stack.enter_async_context(open_async_store(setup.backup))
            backup = Copier(self._target, store, budget=budget, rate=rate, at_once=True)
            await stack.enter_async_context(backup)
        self._performer = Performer(
            self._source, self._target, budget, self._copier, backup, repeats=setup.repeats
        )

    async def _begin(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            while self._waiting:
                await self._window.start(self._do(self._waiting.popleft()))

    async def _do(self, given: Given) -> None:
        if given.again:
            outcome = await perform_again(self._performer, self._source, self._target, given.step)
        else:
            outcome = await self._performer.perform(given.step)
        if outcome.error is None:
            self._pace.succeeded()
        else:
            self._pace.failed(outcome.error)
        self._done.append((given.number, outcome._replace(error=portable(outcome.error))))
        self._news.set()

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(INTERVAL)
            self._news.clear()
            done, self._done = self._done, []
            try:
                await self._copier.settle()
            except Exception as error:
                done = [(number, _undone(outcome, error)) for number, outcome in done]
            await self._channel.send(done)


async def perform_again(
    performer: Performer, source: AsyncBaseStore, target: AsyncBaseStore, step: Step
) -> Outcome:
    """Do a step that another worker may have done before it died."""
    try:
        now = await target.head(step.key)
    except ObjectNotFound:
        now = None
    except Exception as error:
        return Outcome(step, Action.FAILED, error=error)
    before = None if step.there is None else fingerprint(step.there)
    if step.here is None or now is None or fingerprint(now) == before:
        return await performer.perform(step)
    try:
        if await same_bytes(source, target, step.here):
            return Outcome(step, Action.COPIED, step.here.size or 0, now)
    except Exception as error:
        return Outcome(step, Action.FAILED, error=error)
    changed = PreconditionFailed("it changed after the target was listed", key=step.key)
    return Outcome(step, Action.CONFLICT, error=changed)


def _undone(outcome: Outcome, error: Exception) -> Outcome:
    if outcome.action is not Action.COPIED:
        return outcome
    return outcome._replace(action=Action.FAILED, error=portable(error), size=0)


class _Uploads:
    """The memory of large uploads, which is in the journal of the other process."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._numbers = count()
        self._asked: dict[int, asyncio.Future[Any]] = {}

    async def upload_state(self, key: str) -> tuple[str, str] | None:
        """See `Journal`."""
        found: tuple[str, str] | None = await self._ask("upload_state", key)
        return found

    async def keep_upload(self, key: str, state: str, fingerprint: str) -> None:
        """See `Journal`."""
        await self._ask("keep_upload", key, state, fingerprint)

    async def drop_upload(self, key: str) -> None:
        """See `Journal`."""
        await self._ask("drop_upload", key)

    def told(self, number: int, answer: Any) -> None:
        """Take an answer."""
        future = self._asked.pop(number, None)
        if future is not None and not future.done():
            future.set_result(answer)

    async def _ask(self, verb: str, *words: str) -> Any:
        number = next(self._numbers)
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._channel.send((number, verb, words))
        return await future


async def work(file: int) -> None:
    """Be a worker for whoever holds the other end of a socket."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=file))
    channel = Channel(reader, writer)
    try:
        setup = await channel.receive()
        if setup is not None:
            await Worker(channel, setup).run()
    finally:
        channel.close()


if __name__ == "__main__":
    asyncio.run(work(int(sys.argv[1])))
