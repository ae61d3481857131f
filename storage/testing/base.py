"""What a store under test provides, and the tools that all checks share."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
import pytest_asyncio

from .._async.base import AsyncBaseStore
from .._async.foreign import AsyncForeignStore
from .._core.adapt import ThreadedStore, is_async
from .._core.errors import InvalidKey, NotSupported
from .._core.info import Capability
from .asasync import AsAsync, clean_up_in_thread, in_thread
from .attempts import Attempt, tried
from .harness import descriptors

T = TypeVar("T")

_FULL = (
    "get", "put", "exists", "delete", "keys", "head", "list", "list_with_delimiter", "get_range",
    "get_ranges", "stream", "open_reader", "open_writer", "copy", "move", "get_many", "put_many",
    "delete_many", "clear",
)  # fmt: skip


class Conformance:
    """The ground of all checks. Subclasses provide `make_store`; everything else is optional."""

    pytestmark = pytest.mark.asyncio

    tmp_path: Path
    """A fresh directory for each test."""

    capabilities: Capability | None = None
    """What the store has to declare; None: whatever it does declare."""
    legal_keys: Iterable[str] = ()
    """Keys that it must not refuse."""
    refused_keys: Iterable[str] = ()
    """Keys that it must refuse."""
    secrets: Iterable[str] = ()
    """Texts that must not be in any message or ``repr``."""
    tells_sizes: bool = True
    """Whether `head` tells every object's length."""
    own_keys: bool = True
    """Whether keys are this store's own affair; else, as where it hands them to another store that
    is tested by itself, every fifth of the hostile ones is enough."""
    creates: bool = True
    """Whether the first write makes a store that is missing."""
    picklable: bool = False
    """Whether the store can be pickled."""
    in_memory: bool = False
    """Whether the medium is this process's memory, which an object then takes in any case."""
    remote: bool = False
    """Whether another process does the work, and may still do what was cancelled just now."""
    idle_descriptors: int = 0
    """How many more descriptors an open store may keep after a cancelled call (pools)."""
    idle_tasks: int = 0
    """How many more tasks an open store may keep after a cancelled call (pools)."""
    stream_size: int = 1_000_000
    """Bytes of the streams that are interrupted: more than one part of a multipart upload."""
    memory_limit: int = 32 * 1024 * 1024
    """Bytes that a stream of a quarter more may take."""
    many: int = 1_100
    """How many objects are more than one page of a listing."""
    thorough: bool = True
    """Whether each of a long list of cases is tried alone, and races have many runners; else every
    fourth, and few (slow servers)."""
    examples: int = 100
    """How many examples Hypothesis tries in each check."""
    shrinks: bool = True
    """Whether Hypothesis makes an example that it has found smaller; takes long on slow stores."""
    steps: int = 30
    """How many steps each run against the model has; it makes a third as many runs as examples."""
    seconds: float = 0.25
    """How long each check of cancelling may take, about: of the processor's time, or, if `remote`,
    of the clock's."""

    async def make_store(self) -> Any:
        """A fresh and empty store, each time: async or blocking, or a context manager of one."""
        raise NotImplementedError("a subclass of StoreConformance provides make_store()")

    async def reopen(self, store: Any) -> Any:
        """Another store on the same medium as ``store``, which `make_store` gave."""
        pytest.skip("reopen() is not provided")

    async def missing_store(self) -> Any:
        """A store whose directory, file or bucket does not exist."""
        pytest.skip("missing_store() is not provided")

    async def hurried(self, store: Any, timeout: float) -> Any:
        """Another store on the same medium, with a deadline in seconds for each operation."""
        pytest.skip("hurried() is not provided")

    async def litter(self, store: Any) -> Iterable[str]:
        """What is on the medium besides objects: temporary files, unfinished uploads."""
        return ()

    async def outside(self, store: Any) -> Iterable[str]:
        """What is around the store, where a key that escapes would show: files of a parent."""
        return ()

    # -- fixtures ---------------------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def _own_directory(self, tmp_path: Path) -> Iterator[None]:
        self.tmp_path = tmp_path
        yield
        vars(self).clear()  # the runner keeps this object, but need not keep all stores and bytes

    @pytest_asyncio.fixture
    async def store(self) -> AsyncIterator[AsyncBaseStore]:
        """An open, empty store."""
        async with self.opened() as store:
            yield store

    def tried_alone(self, cases: Sequence[T]) -> Sequence[T]:
        """The cases of a long list, or every fourth of them; see `thorough`."""
        return cases if self.thorough else cases[::4]

    # -- tools ------------------------------------------------------------------------------

    @asynccontextmanager
    async def opened(
        self, make: Callable[..., Awaitable[Any]] | None = None, *arguments: Any
    ) -> AsyncIterator[AsyncBaseStore]:
        """An open store with the whole async API, whatever kind it is.

        Args:
            make: The method that makes it; `make_store` unless told otherwise.
            arguments: For that method.
        """
        made = await self._made(make or self.make_store, *arguments)
        async with AsyncExitStack() as stack:
            if hasattr(made, "get"):
                store = self.presented(made)
                if hasattr(store, "__aenter__"):
                    await stack.enter_async_context(store)
            elif hasattr(made, "__aenter__"):
                store = self.presented(await stack.enter_async_context(made))
            else:
                store = self.presented(await in_thread(made.__enter__))
                stack.push_async_exit(partial(clean_up_in_thread, made.__exit__))
            yield store

    async def unopened(self) -> AsyncBaseStore:
        """A fresh store that was not entered; skips where it can only be had by entering."""
        made = await self._made(self.make_store)
        if not hasattr(made, "get"):
            pytest.skip("it has to be entered first")
        return self.presented(made)

    async def _made(self, make: Callable[..., Any], *arguments: Any) -> Any:
        made = make(*arguments)
        return await made if inspect.isawaitable(made) else made

    def presented(self, store: Any) -> AsyncBaseStore:
        """A store of any kind as one with the whole async API."""
        full = all(hasattr(store, verb) for verb in _FULL)
        if is_async(store):
            shown = store if full else AsyncForeignStore(store)
        else:
            shown = AsAsync(store) if full else AsyncForeignStore(ThreadedStore(store))
        self._origins = [*self._origins, (shown, store)]
        return cast("AsyncBaseStore", shown)

    _origins: list[tuple[Any, Any]] = []  # noqa: RUF012 - replaced, not changed

    def _origin(self, store: AsyncBaseStore) -> Any:
        """What `make_store` gave for a store that is tested."""
        return next((origin for shown, origin in self._origins if shown is store), store)

    @asynccontextmanager
    async def reopened(self, store: AsyncBaseStore) -> AsyncIterator[AsyncBaseStore]:
        """A second store on the same medium."""
        async with self.opened(self.reopen, self._origin(store)) as other:
            yield other

    async def clean(self, store: AsyncBaseStore) -> None:
        """Raise where anything but objects is on the medium."""
        litter = list(await self._made(self.litter, self._origin(store)))
        assert not litter, "something was left on the medium"

    async def contents(self, store: AsyncBaseStore) -> dict[str, bytes]:
        """All objects, by key."""
        return {key: await store.get(key) async for key in store.keys()}

    async def accepted(self, store: AsyncBaseStore, keys: Iterable[str]) -> list[str]:
        """Put an object under each key, its value the key itself; leave out what is refused."""
        kept = []
        for key in dict.fromkeys(keys):
            try:
                await store.put(key, key.encode())
            except InvalidKey:
                continue
            kept.append(key)
        return kept

    async def promises(
        self, store: AsyncBaseStore, capability: Capability, *attempts: Attempt
    ) -> bool:
        """Whether the store declares a capability; if it does not, each attempt must be refused.

        Args:
            store: The store.
            capability: What the attempts need.
            attempts: Each gives an awaitable or an async context manager; all have to raise
                `NotSupported` and to change nothing.
        """
        if capability in store.capabilities:
            return True
        before = await self.contents(store)
        for attempt in attempts:
            with pytest.raises(NotSupported):
                await tried(attempt)
        assert await self.contents(store) == before, "a refused call has changed something"
        return False

    @asynccontextmanager
    async def no_descriptors_left(self) -> AsyncIterator[None]:
        """Raise where the block leaves descriptors open, but for those of idle pools."""
        before = await in_thread(descriptors)
        yield
        after = await in_thread(descriptors)
        left = {number: place for number, place in after.items() if before.get(number) != place}
        assert len(left) <= self.idle_descriptors, f"descriptors were left open: {left}"
