"""The root of the blocking twins: how their calls reach the async store behind them.

A store that is ``inline`` is driven to the end of each call in the caller's own thread; every
other one runs on the background loop of `runner`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, ClassVar, Self, TypeVar, cast

from . import inline, runner
from .adapt import TWINS, known_twin, to_blocking
from .calls import drive
from .files import Reader, Writer
from .openfile import Opened
from .protocol import ObjectStore

T = TypeVar("T")


class Twin:
    """The ground of all twins: holds the async object and runs its coroutines.

    Twins are compared by identity, are picklable where the async object is, and take part in a
    ``with`` block with the methods generated from ``__aenter__`` and ``__aexit__``.
    """

    _async: Any
    _async_type: ClassVar[Any]
    _passed: list[Any]
    """The twins that it was made of: who made it may hold them no longer."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.startswith("storage._sync."):
            TWINS[cls._async_type] = cls

    def _hold(self, source: Any) -> None:
        """Be the twin of ``source``."""
        self._async = source
        given = map(known_twin, getattr(source, "_given", ()))
        self._passed = [twin for twin in given if twin is not None]
        hear = getattr(source, "_hear", None)
        if hear is not None:  # it asks its twin for what a subclass of it may say otherwise
            hear(self)
        if not self._inline() and hasattr(source, "aclose"):
            runner.at_exit(source)

    def _inline(self) -> bool:
        # Asked each time: a store made of others may get another kind of them later.
        return getattr(self._async, "inline", False)

    @classmethod
    def around(cls, source: Any) -> Self:
        """The blocking twin of an async object that exists already.

        Raises:
            TypeError: It is not of the class that this one is the twin of.
        """
        if not isinstance(source, cls._async_type):
            wanted = f"{cls.__name__} is the twin of {cls._async_type.__name__}"
            raise TypeError(f"{wanted} and cannot stand for {type(source).__name__}")
        twin = cls.__new__(cls)
        twin._hold(source)
        return twin

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._hold(state["_async"])
        self.__dict__.update(state)

    def __repr__(self) -> str:
        own, _, rest = repr(self._async).partition("(")
        if own == type(self._async).__name__:
            own = type(self).__name__
        # The stores inside are shown as what a blocking caller knows them by, too.
        return f"{own}({_ASYNC_CALL.sub('', rest)}" if rest else own

    def _blocking(self, store: Any) -> ObjectStore:
        """What a blocking caller knows an async store by that this one is made of."""
        for twin in self._passed:
            if twin._async is store:
                return cast("ObjectStore", twin)
        made: ObjectStore = to_blocking(store)
        if isinstance(made, Twin):
            self._passed.append(made)
        return made

    def _run(self, coro: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; its errors pass through."""
        if getattr(self._async, "inline", False):
            return drive(coro)
        return runner.run(coro)

    def _step(self, coro: Coroutine[Any, Any, T]) -> T:
        """Like `_run`, for ``__anext__``."""
        try:
            return self._run(coro)
        except StopAsyncIteration:
            raise StopIteration from None

    def _iterate(self, source: AsyncIterator[T], max_batch: int = 1024) -> Iterator[T]:
        """The items of an async iterator; from the loop they come in growing batches."""
        if self._inline():
            return inline.DrivenIterator(source)
        return runner.iterate(source, max_batch=max_batch)

    @contextmanager
    def _enter(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """The async context manager as a blocking one, entered and left in one task."""
        opened = self._open(manager)
        try:
            yield opened.value
        except BaseException as error:
            if not opened.exit(type(error), error, error.__traceback__):
                raise
        else:
            opened.exit(None, None, None)

    def _open(self, manager: AbstractAsyncContextManager[Any]) -> Opened:
        return inline.Driven(manager) if self._inline() else runner.enter(manager)

    def _reader(self, source: Any) -> Reader:
        return Reader(self._open(source))

    def _writer(self, source: Any) -> Writer:
        return Writer(self._open(source))


_ASYNC_CALL = re.compile(r"\bAsync(?=[A-Z]\w*\()")
