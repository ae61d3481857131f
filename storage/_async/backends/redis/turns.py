"""What is asked on one event loop at the same time goes out together.

The calls of one turn of the loop share a pipeline, so that any number of callers needs few
connections. Callers who come while all connections are busy share the next one that is free.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from ...._core.errors import StoreClosed
from ...._core.window import finish_all
from .scripts import Command, Reply

Sender: TypeAlias = Callable[[Sequence[Command]], Coroutine[Any, Any, list[Reply]]]


class Turns:
    """The calls of one event loop.

    Args:
        send: Sends commands and gives a reply to each, errors among them; when it is cancelled, it
            gives its connection up.
        most: How often that is done at the same time.
    """

    def __init__(self, send: Sender, most: int) -> None:
        self.send = send
        self._most = most
        self._queue: list[_Call] = []
        self._batches: set[_Batch] = set()

    async def ask(self, commands: Sequence[Command]) -> list[Reply]:
        """Send commands with those of others.

        Returns:
            A reply to each; errors are among them.

        Raises:
            Exception: What the sender raised.
        """
        call = _Call(commands)
        if not self._queue:
            asyncio.get_running_loop().call_soon(self._flush)
        self._queue.append(call)
        try:
            return await call.future
        except asyncio.CancelledError:
            call.future.cancel()
            if call.batch is not None:
                await call.batch.leave()
            raise

    def _flush(self) -> None:
        """Send what has come together, if there may be one more batch."""
        if len(self._batches) < self._most:
            queue, self._queue = self._queue, []
            calls = [call for call in queue if not call.future.done()]
            if calls:
                self._batches.add(_Batch(self, calls))

    def ended(self, batch: _Batch) -> None:
        """A batch is over: the next one may go."""
        self._batches.discard(batch)
        self._flush()

    async def close(self) -> None:
        """Refuse the calls that wait."""
        queue, self._queue = self._queue, []
        batches = list(self._batches)
        for call in [*queue, *(call for batch in batches for call in batch.calls)]:
            if not call.future.done():
                call.future.set_exception(StoreClosed("the store was closed"))
        for batch in batches:
            await batch.leave()


class _Call:
    """Some commands whose answers somebody waits for."""

    __slots__ = ("batch", "commands", "future")

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.future: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self.batch: _Batch | None = None


class _Batch:
    """One pipeline for all who came in one turn; cancelled when the last of them is."""

    def __init__(self, turns: Turns, calls: list[_Call]) -> None:
        self.calls = calls
        self._turns = turns
        self._left = False
        for call in calls:
            call.batch = self
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            replies = iter(
                await self._turns.send([one for call in self.calls for one in call.commands])
            )
            for call in self.calls:
                found = [next(replies) for _ in call.commands]
                if not call.future.done():
                    call.future.set_result(found)
        except BaseException as error:
            cancelled = isinstance(error, asyncio.CancelledError)
            for call in self.calls:
                if cancelled:
                    call.future.cancel()
                elif not call.future.done():
                    call.future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            for call in self.calls:
                call.batch = None  # else they would keep each other, and the data, for a while
            self._turns.ended(self)

    async def leave(self) -> None:
        """A caller is gone: the pipeline goes on for the others, if there are any."""
        if all(call.future.done() for call in self.calls) and not self._task.done():
            if not self._left:  # a second cancellation could hit what the first one lets run
                self._left = True
                self._task.cancel()
            await finish_all([asyncio.wait([self._task])])
