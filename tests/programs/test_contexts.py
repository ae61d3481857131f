"""Programs as users of amplify-storage-utils 1.8 wrote them: children that are entered first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from storage.aioutils import (
    AsyncCachingStore,
    AsyncFanoutStore,
    AsyncGzipStore,
    AsyncIdentityStore,
    AsyncPrefixStore,
)
from storage.object import AsyncDictStore, AsyncObjectStore, DictStore, ObjectStore
from storage.utils import CachingStore, FanoutStore, IdentityStore, PrefixStore
from tests.stores import BlockingStore, ForeignStore


class Session:
    """Stands for a store that is there only while it is open; hears how that ended."""

    def __init__(self, opened: Any) -> None:
        self.opened = opened
        self.heard: list[Any] = []

    async def __aenter__(self) -> Any:
        return self.opened

    async def __aexit__(self, *exception: object) -> None:
        self.heard.append(exception[:2])

    async def get(self, key: str) -> bytes:
        raise RuntimeError("it is not open")

    async def put(self, key: str, data: Any) -> None:
        raise RuntimeError("it is not open")

    exists: Any = get
    delete: Any = get
    keys: Any = get


class BlockingSession:
    """The same, blocking."""

    def __init__(self, opened: Any) -> None:
        self.opened = opened
        self.heard: list[Any] = []

    def __enter__(self) -> Any:
        return self.opened

    def __exit__(self, *exception: object) -> None:
        self.heard.append(exception[:2])

    def get(self, key: str) -> bytes:
        raise RuntimeError("it is not open")

    def put(self, key: str, data: Any) -> None:
        raise RuntimeError("it is not open")

    exists: Any = get
    delete: Any = get
    keys: Any = get


ASYNC_WRAPPERS = [
    AsyncIdentityStore,
    lambda store: AsyncPrefixStore(AsyncGzipStore(store), "p/"),
    lambda store: AsyncFanoutStore([store, ForeignStore()]),
    lambda store: AsyncCachingStore(store, Session(ForeignStore())),
]
WRAPPERS = [
    IdentityStore,
    lambda store: PrefixStore(IdentityStore(store), "p/"),
    lambda store: FanoutStore([store, BlockingStore()]),
    lambda store: CachingStore(store, BlockingSession(BlockingStore())),
]


@pytest.mark.parametrize("wrap", ASYNC_WRAPPERS)
@pytest.mark.parametrize("opened", [ForeignStore, AsyncDictStore])
async def test_what_entering_gives_is_used(wrap: Any, opened: Any) -> None:
    session = Session(opened())
    async with wrap(session) as store:
        await store.put("a", b"1")
        assert await store.get("a") == b"1"
        assert [key async for key in store.keys()] == ["a"]
    assert len(session.opened.objects) == 1
    assert session.heard == [(None, None)]


@pytest.mark.parametrize("wrap", WRAPPERS)
@pytest.mark.parametrize("opened", [BlockingStore, DictStore])
def test_what_entering_gives_is_used_by_blocking_ones(wrap: Any, opened: Any) -> None:
    session = BlockingSession(opened())
    with wrap(session) as store:
        store.put("a", b"1")
        assert store.get("a") == b"1"
        assert list(store.keys()) == ["a"]
    assert len(session.opened.objects) == 1
    assert session.heard == [(None, None)]


async def test_what_users_see_of_it() -> None:
    session = Session(ForeignStore())
    store, fanout = AsyncIdentityStore(session), AsyncFanoutStore([session, ForeignStore()])
    assert store.store is session
    async with store, fanout:
        assert store.store is session.opened
        assert fanout.children[0] is session.opened


def test_what_blocking_users_see_of_it() -> None:
    session, main = BlockingSession(BlockingStore()), DictStore()
    store = CachingStore(main, session)
    assert store.cache_store is session
    with store:
        assert store.main_store is main
        assert store.cache_store is session.opened


@pytest.mark.parametrize("given", [None, "a name", 3])
async def test_what_is_no_store_is_not_used(given: Any) -> None:
    class Odd(ForeignStore):
        async def __aenter__(self) -> Any:
            return given

    async with AsyncIdentityStore(Odd(a=b"1")) as store:
        assert await store.get("a") == b"1"


@pytest.mark.parametrize("wrap", ASYNC_WRAPPERS)
async def test_children_hear_how_the_block_ended(wrap: Any) -> None:
    session, error = Session(ForeignStore()), ValueError("no")
    with pytest.raises(ValueError, match="no"):
        async with wrap(session):
            raise error
    assert session.heard == [(ValueError, error)]


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_blocking_children_hear_how_the_block_ended(wrap: Any) -> None:
    session, error = BlockingSession(BlockingStore()), ValueError("no")
    with pytest.raises(ValueError, match="no"), wrap(session):
        raise error
    assert session.heard == [(ValueError, error)]


async def test_tasks_that_enter_it_and_leave_it_at_once() -> None:
    session, leaving = Session(ForeignStore()), asyncio.Event()

    class Slow(AsyncIdentityStore):
        async def _teardown(self) -> None:
            leaving.set()
            await asyncio.sleep(0)
            await super()._teardown()

    async def use(error: Exception | None) -> None:
        async with store:
            if error is not None:
                raise error
            await leaving.wait()

    store = await Slow(session).__aenter__()
    error = ValueError("no")
    found: Any = await asyncio.gather(use(None), use(error), return_exceptions=True)
    assert found == [None, error]
    assert session.heard == [(ValueError, error)]


async def test_a_child_that_is_closed_but_was_never_entered_hears_nothing() -> None:
    session = Session(ForeignStore())
    await AsyncIdentityStore(session).aclose()
    assert session.heard == []


class Listed(BlockingStore):
    """Takes options, as the abstract class did."""

    asked: Any = None

    def keys(self, **options: Any) -> Iterator[str]:
        self.asked = options
        return (key for key in self.objects if key.startswith(options.get("prefix", "")))


class Around(BlockingStore):
    """Hands its options on, to what knows none."""

    def keys(self, **options: Any) -> Iterator[str]:
        return iter(list(BlockingStore.keys(self, **options)))


def test_a_prefix_reaches_those_who_take_one() -> None:
    child = Listed(a=b"", b=b"")
    store = IdentityStore(child)
    assert list(store.keys()) == ["a", "b"]
    assert child.asked == {}
    assert list(store.keys(prefix="a")) == ["a"]
    assert child.asked == {"prefix": "a"}
    assert list(PrefixStore(child, "b").keys()) == []
    assert list(IdentityStore(Around(a=b"", b=b"")).keys(prefix="b")) == ["b"]


def test_a_listing_that_goes_wrong_is_not_begun_again() -> None:
    class Wrong(BlockingStore):
        def keys(self, **options: Any) -> Iterator[str]:
            yield "a1"
            raise TypeError("no")

    with pytest.raises(TypeError, match="no"):
        list(IdentityStore(Wrong()).keys(prefix="a"))


def test_values_of_any_kind_reach_a_child_that_takes_them() -> None:
    class Anything:
        def __init__(self) -> None:
            self.objects: dict[str, Any] = {}

        def put(self, key: str, data: Any) -> None:
            self.objects[key] = data

        def get(self, key: str) -> Any:
            return self.objects[key]

        exists: Any = get
        delete: Any = get
        keys: Any = get

    store: Any = PrefixStore(Anything(), "p/")
    for value in ("text", None, {"a": 1}, [1, 2], ["a"], (b"a", 1)):
        store.put("a", value)
        assert store.get("a") == value
    store.put("a", [b"in ", b"pieces"])
    assert store.get("a") == b"in pieces"


def test_subclasses_of_the_abstract_class() -> None:
    class Reader(ObjectStore):
        def get(self, key: str, /) -> bytes:
            return b"1"

    with pytest.raises(TypeError, match="abstract"):
        Reader()  # type: ignore[abstract]

    class Unlisted(Reader):
        def put(self, key: str, data: Any, /) -> None: ...
        def exists(self, key: str, /) -> bool:
            return True

        def delete(self, key: str, /) -> None: ...

    unlisted: Any = Unlisted  # one type checker takes `keys` for abstract
    for store in (unlisted(), PrefixStore(unlisted(), "p/")):
        assert store.get("a") == b"1"
        with pytest.raises(NotImplementedError):
            list(store.keys())


async def test_subclasses_of_the_abstract_async_class() -> None:
    class Unlisted(AsyncObjectStore):
        async def get(self, key: str, /) -> bytes:
            return b"1"

        async def put(self, key: str, data: Any, /) -> None: ...
        async def exists(self, key: str, /) -> bool:
            return True

        async def delete(self, key: str, /) -> None: ...

    unlisted: Any = Unlisted
    keys: AsyncIterator[str] = AsyncPrefixStore(unlisted(), "p/").keys()
    with pytest.raises(NotImplementedError):
        [key async for key in keys]
