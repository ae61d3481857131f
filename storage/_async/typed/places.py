"""Where a typed store's objects are, and how long that is open."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from ..._core import calls, runner
from ..._core.closing import closing
from ..._core.keys import check_key
from ..._core.protocol import AsyncObjectStore
from ..._formats.registry import Handlers
from ..base import AsyncBaseStore
from ..foreign import lift
from .wanted import Wanted, asked, dotted

T = TypeVar("T")


class TypedPlaces:
    """The ground of typed stores: their life, and what their keys mean.

    Args:
        store: Where the objects are.
        handlers: The forms that are known.
    """

    def __init__(self, store: AsyncObjectStore, handlers: Handlers) -> None:
        self._given = (store,)
        self._store = lift(store)
        self._handlers = handlers
        self._mine: dict[tuple[AsyncBaseStore, str], str] = {}
        self._entered = AsyncExitStack()
        self._closed = False

    @property
    def inline(self) -> bool:
        """Whether blocking callers need no loop."""
        return self._store.inline

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._passing}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._entered, self._mine = AsyncExitStack(), {}

    _passing: ClassVar[tuple[str, ...]] = ("_entered", "_mine")
    """What a pickled store leaves behind."""

    # -- life -------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close the store; may be called again."""
        if not self._closed:
            self._closed = True
            await self._close(self._stores())

    async def _close(self, stores: list[AsyncBaseStore]) -> None:
        """Close stores in their order, also where one cannot be closed well."""
        async with AsyncExitStack() as stack:
            for store in reversed(stores):
                stack.push_async_callback(self._shut, store)

    async def _shut(self, store: AsyncBaseStore) -> None:
        await self._on(store, store.aclose())

    def _stores(self) -> list[AsyncBaseStore]:
        """What is closed with this one."""
        return [self._store]

    async def __aenter__(self) -> Self:
        self._store._check_open("open")
        await self._entered.enter_async_context(self._store)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._entered.__aexit__(kind, error, traceback)
        finally:
            await self.aclose()

    # -- places -----------------------------------------------------------------------------

    def _placed(self, key: str, fresh: bool) -> tuple[AsyncBaseStore, str]:
        """The store that a key belongs to, and the key there.

        Args:
            fresh: Whether a cache is to be passed by.
        """
        return self._store, key

    def _listed(self, prefix: str) -> tuple[AsyncBaseStore, str, str]:
        """The store that a prefix belongs to, what stands before its keys, and the prefix there."""
        return self._store, "", prefix

    def _wanted(self, key: str, form: str | None = None, fresh: bool = False) -> Wanted:
        key, found, ignored = asked(check_key(key))
        store, key = self._placed(key, fresh or ignored)
        return Wanted(store, key, dotted(form or found))

    async def _on(self, store: AsyncBaseStore, work: Coroutine[Any, Any, T]) -> T:
        """Do work on a store that may need a loop, though this one needs none."""
        if calls.direct() and not store.inline:
            return runner.run(work)
        return await work

    async def _each(
        self, store: AsyncBaseStore, source: AsyncGenerator[T, None]
    ) -> AsyncGenerator[T, None]:
        """`_on` for what is iterated over."""
        if calls.direct() and not store.inline:
            for item in runner.iterate(source):
                yield item
            return
        async with closing(source) as items:
            async for item in items:
                yield item
