"""From what is known of the keys to what is to be done about them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from ..._core.closing import closing
from ..._core.info import ObjectInfo
from .comparing import Judge
from .steps import Row, Step

Forget: TypeAlias = Callable[[Sequence[str]], Awaitable[None]]


class Choice(Protocol):
    """What deciding asks of a selection."""

    def selects_key(self, key: str) -> bool:
        """Whether the key is wanted."""
        ...

    @property
    def by_info(self) -> bool:
        """Whether it asks for more than keys at all."""
        ...

    def selects(self, info: ObjectInfo, *, unknown: bool = True) -> bool:
        """Whether an object's size and age are what is wanted, or ``unknown``."""
        ...


class Decider:
    """Decides about pages of rows, without any reading.

    Args:
        judge: Decides where both ends have a key.
        choice: What is wanted. None: all.
        forget: Takes keys that only the journal has any more. None: nobody minds.
    """

    def __init__(
        self, judge: Judge, choice: Choice | None = None, forget: Forget | None = None
    ) -> None:
        self._judge = judge
        self._choice = choice
        self._forget = forget
        self._stale: list[str] = []
        self._selects = choice.selects if choice is not None and choice.by_info else None

    async def steps(self, pages: AsyncIterator[list[Row]]) -> AsyncGenerator[list[Step], None]:
        """A step for each row that is wanted."""
        async with closing(pages) as source:
            async for page in source:
                steps = self._decided(page)
                if self._stale and self._forget is not None:
                    await self._forget(self._stale)
                self._stale = []
                if steps:
                    yield steps

    def _decided(self, page: list[Row]) -> list[Step]:
        judge, selects = self._judge, self._selects
        steps: list[Step] = []
        for key, here, there, known in page:
            if here is not None:
                if selects is not None and not selects(here):
                    continue
                if there is None:
                    steps.append(Step("copy", key, here, None, "new"))
                else:
                    action, reason = judge(here, there, known)
                    steps.append(Step(action, key, here, there, reason))
            elif there is None:
                if self._choice is None or self._choice.selects_key(key):  # or it was not listed
                    self._stale.append(key)
            elif selects is None or selects(there, unknown=False):
                steps.append(Step("delete", key, None, there, "surplus"))
        return steps
