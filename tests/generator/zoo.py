"""A module of the async side with everything in it that can be translated."""

from __future__ import annotations

ZOO = '''
    """Things of every shape; `AsyncZoo` is one, an `AsyncIterator` is not.

    They are used in ``async with`` and ended by ``await zoo.aclose()``.
    """

    from __future__ import annotations

    import asyncio
    import datetime as dt
    import threading
    from collections.abc import (
        AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping,
        Sequence
    )
    from contextlib import asynccontextmanager
    from types import TracebackType
    from typing import Any, ClassVar, Self, TypeAlias, overload

    from .._core.protocol import AsyncObjectStore

    LIMIT = 1_000
    Handler: TypeAlias = Callable[[str], Awaitable[None] | None]


    class AsyncKeeper:
        """The ground of them."""

        inline = False
        kind: str = "keeper"
        """What it is."""
        count: ClassVar[int] = 7

        def __init__(self, name: str = "zoo", *, limit: int = LIMIT, **more: Any) -> None:
            """Make one; see `AsyncKeeper`."""
            self.name: str = name
            self.limit = limit
            self._more = more

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            await self.aclose()

        async def aclose(self) -> None:
            """Close it; see `AsyncKeeper.aclose`."""
            self._more["closed"] = True


    class _Walking:
        """What some share; it has no twin."""

        async def walk(self, steps: int = 2, /) -> int:
            """Walk."""
            await asyncio.sleep(0)
            return steps


    class AsyncZoo(_Walking, AsyncKeeper):
        """A zoo; not the `AsyncKeeper`. Used in ``async with``."""

        kind = "zoo"

        @classmethod
        def named(cls, name: str) -> Self:
            """One of that name."""
            return cls(name)

        @classmethod
        async def opened(cls, name: str) -> Self:
            await asyncio.sleep(0)
            return cls(name)

        @classmethod
        def places(cls) -> int:
            return 3

        @staticmethod
        def double(number: int) -> int:
            """Twice."""
            return 2 * number

        @property
        def length(self) -> int:
            """Of the name."""
            return len(self.name)

        @length.setter
        def length(self, value: int) -> None:
            self.name = self.name[:value]

        def plain(self, word: str = "a") -> str:
            return word + self.name

        async def late(self, *words: str, after: dt.timedelta | None = None) -> str:
            await asyncio.sleep(0)
            return " ".join(words) + threading.current_thread().name

        late_too = late

        def other(self) -> AsyncZoo:
            return AsyncZoo("other")

        async def count_up(self, end: int) -> AsyncIterator[int]:
            """Numbers."""
            for number in range(end):
                yield number

        async def listing(self, end: int) -> AsyncIterator[int]:
            return self.count_up(end)

        def bytes_of(self, data: bytes) -> AsyncGenerator[bytes, None]:
            async def give() -> AsyncGenerator[bytes, None]:
                for byte in data:
                    yield bytes([byte])

            return give()

        async def total(self, numbers: AsyncIterable[int]) -> int:
            return sum([number async for number in numbers])

        @asynccontextmanager
        async def cage(self, name: str) -> AsyncIterator[str]:
            """A cage; entered with ``async with``."""
            yield name
            self._more["left"] = name

        @overload
        async def pick(self, what: int) -> int: ...
        @overload
        async def pick(self, what: str) -> str: ...
        async def pick(self, what: int | str) -> int | str:
            return what

        async def tell(self, handler: Callable[[str], Awaitable[int]] | None = None) -> Any:
            return None if handler is None else await handler("news")

        async def tell_all(self, handler: Handler) -> None:
            result = handler("all")
            if result is not None:
                await result

        async def feed(
            self,
            store: AsyncObjectStore,
            more: Sequence[AsyncObjectStore] = (),
            named: Mapping[str, AsyncObjectStore] = {},
            maybe: AsyncObjectStore | None = None,
            *rest: AsyncObjectStore,
            rows: Iterable[tuple[str, AsyncObjectStore] | tuple[str, AsyncObjectStore, bool]] = (),
        ) -> list[Any]:
            stores = [store, *more, *named.values(), *([maybe] if maybe else []), *rest]
            stores += [row[1] for row in rows]
            return [await each.get("key") for each in stores]

        def __len__(self) -> int:
            return 5

        def __aiter__(self) -> AsyncIterator[int]:
            return self.count_up(3)

        async def _hidden(self) -> None: ...


    class AsyncTicker(AsyncKeeper):
        """An iterator itself."""

        left = 2

        def __aiter__(self) -> Self:
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left


    AsyncMenagerie = AsyncZoo


    async def async_visit(store: AsyncObjectStore, times: int = LIMIT // 500) -> list[Any]:
        """Visit; unlike `async_visit_all`, once."""
        return [await store.get("key") for _ in range(times)]


    @overload
    async def async_choose(what: int) -> int: ...
    @overload
    async def async_choose(what: str) -> str: ...
    async def async_choose(what: Any) -> Any:
        return what


    async def async_numbers(end: int) -> AsyncIterator[int]:
        for number in range(end):
            yield number


    async def helper() -> None:
        """Nobody's business."""


    class Value:
        """The same on both sides."""
'''.replace("left = 2", "left: int = 2")
