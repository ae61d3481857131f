"""A sync whose objects other processes copy; this one lists, decides, deletes and remembers."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import Any, NamedTuple, Self

from .._async.transfer.applying import Applier, Performs
from .._async.transfer.journal import Journal
from .._async.transfer.ledger import Ledger
from .._async.transfer.running import Run
from .._async.transfer.steps import Action, Outcome, Step
from .._core import calls
from .._core.budget import Pace
from .._core.errors import StoreUnavailable
from .._core.window import cancel_all
from .channel import Channel
from .worker import Given, Setup

AHEAD = 4
"""Steps that a worker is given, for each that it may have in flight."""
PATIENCE = 10.0
"""Seconds that a worker has to end by itself."""


class Urls(NamedTuple):
    """What other processes open the stores by."""

    source: str
    target: str
    backup: str | None


class FleetRun(Run):
    """Makes one target what a source is, with the help of other processes.

    Args:
        ends: The arguments of `Run`.
        urls: Those of the same stores.
        workers: How many processes.
    """

    def __init__(self, *ends: Any, urls: Urls, workers: int) -> None:
        super().__init__(*ends)
        self._urls = urls
        self._workers = workers

    @asynccontextmanager
    async def _applier(self) -> AsyncIterator[Applier]:
        options = self._options
        if options.dry_run:
            async with super()._applier() as applier:
                yield applier
            return
        share = -(-options.transfers // self._workers)
        async with AsyncExitStack() as stack:
            copier = await stack.enter_async_context(self._copier())
            local = await self._performer(copier, stack)
            fleet = Fleet(local, self._setup(share), self._workers, self._journal)
            applier = Applier(
                await stack.enter_async_context(fleet),
                Ledger(self.report, copier.settle, self._journal, self._tell),
                Pace(share * self._workers * AHEAD),
                delete=options.delete,
                fail_fast=options.fail_fast,
            )
            stack.push_async_callback(applier.aclose)
            try:
                yield applier
            finally:
                self.report.warnings.extend(fleet.warnings)

    def _setup(self, share: int) -> Setup:
        options, workers = self._options, self._workers
        return Setup(
            *self._urls,
            share,
            max(1, options.buffer // workers),
            None if options.bandwidth is None else options.bandwidth / workers,
            self._journal is not None,
            self._repeats,
        )


class _Work(NamedTuple):
    step: Step
    future: asyncio.Future[Outcome]
    again: bool = False


class _Member:
    """One process, and what it is at."""

    def __init__(self, process: subprocess.Popen[bytes], channel: Channel) -> None:
        self.process = process
        self.channel = channel
        self.given: dict[int, _Work] = {}


class Fleet:
    """Has steps done by other processes; deletes are done here.

    They are started when there is something to do. One that dies is done without: what it was at
    is given to another one, once.

    Args:
        local: Does the deletes.
        setup: What each process is told first.
        workers: How many there are.
        journal: Answers what they ask of it.
    """

    def __init__(
        self, local: Performs, setup: Setup, workers: int, journal: Journal | None = None
    ) -> None:
        self.warnings: list[str] = []
        self._local = local
        self._setup = setup
        self._count = workers
        self._journal = journal
        self._members: list[_Member] = []
        self._waiting: deque[_Work] = deque()
        self._numbers = count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_giving = False
        self._starting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await cancel_all(self._tasks)
        members, self._members = self._members, []
        for member in members:
            member.channel.close()
        await asyncio.gather(*(calls.call(_wait, member.process) for member in members))

    async def perform(self, step: Step) -> Outcome:
        """Have a step done."""
        if step.here is None:
            return await self._local.perform(step)
        work = _Work(step, asyncio.get_running_loop().create_future())
        self._waiting.append(work)
        if self._starting is None:
            self._starting = self._spawn(self._start())
        self._give_soon()
        return await work.future

    async def _start(self) -> None:
        try:
            for _ in range(self._count):
                member = await self._started()
                self._members.append(member)
                self._spawn(self._listen(member))
        except Exception as error:
            self.warnings.append(f"a worker could not be started: {error}")
        finally:
            self._give_soon()

    async def _started(self) -> _Member:
        process, ours = await calls.acquire(_dispose, _launch)
        channel = Channel(*await asyncio.open_connection(sock=ours))
        channel.post(self._setup)
        return _Member(process, channel)

    # -- giving -----------------------------------------------------------------------------

    def _give_soon(self) -> None:
        """Give when all that can be asked for now has been asked for, many steps at once."""
        if not self._is_giving:
            self._is_giving = True
            asyncio.get_running_loop().call_soon(self._give)

    def _give(self) -> None:
        self._is_giving = False
        share = self._setup.transfers
        while self._waiting and self._members:
            member = min(self._members, key=lambda member: len(member.given))
            if len(member.given) > share * (AHEAD - 1):
                return
            batch = [self._waiting.popleft() for _ in range(min(share, len(self._waiting)))]
            numbered = [(next(self._numbers), work) for work in batch if not work.future.done()]
            member.given.update(numbered)
            member.channel.post([Given(n, work.step, work.again) for n, work in numbered])
        if not self._members and (self._starting is None or self._starting.done()):
            _fail(self._waiting)
            self._waiting.clear()

    # -- listening --------------------------------------------------------------------------

    async def _listen(self, member: _Member) -> None:
        while (message := await member.channel.receive()) is not None:
            if isinstance(message, list):
                for number, outcome in message:
                    _settle(member.given.pop(number), outcome)
                self._give_soon()
            else:
                self._spawn(self._answer(member, *message))
        await self._lose(member)

    async def _answer(self, member: _Member, number: int, verb: str, words: list[str]) -> None:
        assert self._journal is not None
        member.channel.post((number, await getattr(self._journal, verb)(*words)))

    async def _lose(self, member: _Member) -> None:
        """Go on without a process."""
        self._members.remove(member)
        member.channel.close()
        await calls.call(_wait, member.process)
        left = list(member.given.values())
        self.warnings.append(
            f"a worker ended with code {member.process.returncode} while it was at "
            f"{len(left)} objects"
        )
        _fail(work for work in left if work.again)
        self._waiting.extendleft(
            work._replace(again=True) for work in reversed(left) if not work.again
        )
        self._give_soon()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _settle(work: _Work, outcome: Outcome) -> None:
    if not work.future.done():
        work.future.set_result(outcome)


def _fail(works: Iterable[_Work]) -> None:
    for work in works:
        error = StoreUnavailable("the process that was to copy it has ended", key=work.step.key)
        _settle(work, Outcome(work.step, Action.FAILED, error=error))


def _launch() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a process; gives our end of the socket to it."""
    ours, theirs = socket.socketpair()
    with theirs:
        # A session of its own: Ctrl-C is for this process, which then hangs up.
        options = [f"-W{option}" for option in sys.warnoptions]
        command = [sys.executable, *options, "-m", "storage.cli.worker", str(theirs.fileno())]
        path = os.pathsep.join(os.path.abspath(place) for place in sys.path)
        try:
            process = subprocess.Popen(  # noqa: S603 - this very interpreter, no words of users
                command,
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
    ours.setblocking(False)
    return process, ours


def _dispose(started: tuple[subprocess.Popen[bytes], socket.socket]) -> None:
    process, ours = started
    ours.close()
    _wait(process)


def _wait(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended, which it does when its socket is closed, or else kill it."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
