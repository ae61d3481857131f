"""The children, asked at once, each within its deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, cast

from ...._core.closing import closing
from ...._core.errors import (
    FanoutError,
    InvalidKey,
    NotSupported,
    ObjectNotFound,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)
from ...._core.leftovers import Leftovers
from ...base import AsyncBaseStore

T = TypeVar("T")
Call: TypeAlias = Callable[[int], Coroutine[Any, Any, T]]
"""Makes the request to the child of that index."""

VERDICTS = (StoreNotFound, InvalidKey, NotSupported)
"""Errors that are the fan-out's own where all children agree on them."""
READS = -1
"""Where late calls are kept that no later write has to wait for."""


@dataclass(slots=True)
class Answer(Generic[T]):
    """What one child said: a value, or an error."""

    index: int
    given: T | None = None
    error: Exception | None = None

    @property
    def value(self) -> T:
        """What it gave; only where there is no error."""
        return cast("T", self.given)

    @property
    def missing(self) -> bool:
        """Whether it says for sure that it has no such object."""
        return isinstance(self.error, ObjectNotFound)


class Replicas:
    """The children of a fan-out.

    Args:
        children: The stores.
        timeout: Seconds that a child may take for one call, or for one piece of a stream.
    """

    def __init__(self, children: Sequence[AsyncBaseStore], timeout: float | None) -> None:
        self.children = children
        self.timeout = timeout
        self._late = [Leftovers() for _ in (*children, READS)]

    # -- asking -----------------------------------------------------------------------------

    async def answers(
        self, call: Call[T], indexes: Iterable[int] | None = None, *, writing: bool = False
    ) -> AsyncGenerator[Answer[T], None]:
        """Ask children at once; answers as they come, a late child's is `StoreTimeout`.

        What has not answered when the iteration ends is cancelled, and not waited for. Only a
        cancelled caller waits, so that nothing goes on behind its back.
        """
        loop = asyncio.get_running_loop()
        chosen = range(len(self.children)) if indexes is None else indexes
        work = {loop.create_task(self._ask(i, call, writing)): i for i in chosen}
        waiting = set(work)
        end = None if self.timeout is None else loop.time() + self.timeout
        try:
            while waiting:
                left = None if end is None else max(0.0, end - loop.time())
                done, _ = await asyncio.wait(waiting, timeout=left, return_when="FIRST_COMPLETED")
                waiting -= done
                for task in sorted(done, key=work.__getitem__):
                    yield _answer(work[task], task)
                if not done:
                    break
            late, waiting = waiting, set()
            for task in sorted(late, key=work.__getitem__):
                self.drop(task, work[task] if writing else READS)
                yield Answer(work[task], error=self.too_late())
        except asyncio.CancelledError:
            for task in waiting:
                self.drop(task, work[task] if writing else READS)
            await self.leave(waiting)
            raise
        finally:
            for task in waiting:
                self.drop(task, work[task] if writing else READS)

    async def all(
        self, call: Call[T], indexes: Iterable[int] | None = None, *, writing: bool = False
    ) -> list[Answer[T]]:
        """The answers of all that are asked, by index."""
        async with closing(self.answers(call, indexes, writing=writing)) as answers:
            return sorted([answer async for answer in answers], key=lambda answer: answer.index)

    async def one(self, index: int, call: Call[T]) -> Answer[T]:
        """The answer of one child."""
        if self.timeout is None:
            return await self._ask(index, call, writing=False)
        return (await self.all(call, [index]))[0]

    async def _ask(self, index: int, call: Call[T], writing: bool) -> Answer[T]:
        if writing:
            await self.settled(index)
        try:
            return Answer(index, await call(index))
        except Exception as error:
            return Answer(index, error=error)

    # -- what comes too late ----------------------------------------------------------------

    def drop(self, task: asyncio.Task[Any], index: int = READS) -> None:
        """Cancel a task and go on; a write's own child is given no other before it has ended."""
        self._late[index].drop(task)

    async def leave(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Cancel tasks and wait for their ends, no longer than a child may take."""
        await self._late[READS].leave(tasks, self.timeout)

    async def settled(self, index: int) -> None:
        """Wait until the child's writes that were given up have ended."""
        # Else a write that was given up could land after a newer one.
        await self._late[index].settled()

    async def aclose(self) -> None:
        """Wait for what was given up, but not for ever."""
        await asyncio.gather(*[late.aclose(self.timeout) for late in self._late])

    # -- what is said of it -----------------------------------------------------------------

    def too_late(self) -> StoreTimeout:
        """The error of a child that took too long."""
        return StoreTimeout(f"it took longer than {self.timeout:g} s")

    def named(self, errors: Mapping[int, Exception]) -> dict[str, Exception]:
        """Errors by the names of the children: their number and what they are."""
        return {f"{i}: {self.children[i]!r}": errors[i] for i in sorted(errors)}

    def failure(
        self,
        message: str,
        errors: Mapping[int, Exception],
        kind: type[FanoutError] = FanoutError,
    ) -> StoreError:
        """The error of a call that too many children could not answer."""
        found = list(errors.values())
        for verdict in VERDICTS:
            if len(found) == len(self.children) and all(isinstance(e, verdict) for e in found):
                return cast("StoreError", found[0])
        return kind(message, self.named(errors))


def _answer(index: int, task: asyncio.Task[Answer[T]]) -> Answer[T]:
    if task.cancelled():  # by itself: we have cancelled none of those that we still wait for
        return Answer(index, error=StoreUnavailable("it has cancelled the call"))
    return task.result()
