"""From a blocking store to an async one: our own twins are unwrapped, all others run in threads."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, Self, TypeVar

from . import calls
from .closing import closing
from .values import batches

K = TypeVar("K")
P = ParamSpec("P")
T = TypeVar("T")

VERBS = ("get", "put", "exists", "delete", "keys")

TWINS: dict[type[Any], Any] = {}
"""The class of the twin, by the async class."""
_known: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
"""The twin that was handed over last for an async store, by that one's identity."""


def is_async(store: object) -> bool:
    """Whether a store's verbs are coroutine functions.

    Raises:
        TypeError: It is no store: one of the five verbs is missing.
    """
    if missing := _missing(store):
        raise TypeError(f"{type(store).__name__} is no store: it has no {', '.join(missing)}")
    return inspect.iscoroutinefunction(store.get)  # type: ignore[attr-defined]


def is_store(thing: object) -> bool:
    """Whether it has the five verbs."""
    return not _missing(thing)


def _missing(store: object) -> list[str]:
    return [verb for verb in VERBS if not callable(getattr(store, verb, None))]


def takes_prefix(store: Any) -> bool:
    """Whether a store's ``keys`` may be given a prefix."""
    if isinstance(store, ThreadedStore):
        store = store.store
    try:
        arguments = inspect.signature(store.keys).parameters.values()
    except ValueError:  # it is not written in Python
        return False
    return any(each.name == "prefix" or each.kind is each.VAR_KEYWORD for each in arguments)


def to_async(store: Any) -> Any:
    """The async store behind a blocking one.

    A twin of ours gives the store that it wraps, so that a whole tree of them costs one crossing.
    A subclass of a twin is a store of its own: its overrides must be heard, so it runs in threads.

    Raises:
        TypeError: It is no store, or an async one.
    """
    if is_async(store):
        raise TypeError(f"{type(store).__name__} is async: use it with the Async classes")
    if type(store).__module__.startswith("storage._sync."):
        _known[id(store._async)] = store
        return store._async
    return ThreadedStore(store)


def known_twin(store: object) -> Any:
    """The twin that somebody passed for this async store and still holds; None without one."""
    return _known.get(id(store))


def to_blocking(value: Any) -> Any:
    """The way back of `to_async`: the blocking store behind an async one.

    That is the very object that was passed, as long as anybody holds it, or else a new twin. What
    is no async store of ours is given back as it is.
    """
    if isinstance(value, ThreadedStore):
        return value.store
    twin = known_twin(value)
    if twin is not None:
        return twin
    kind = next((TWINS[each] for each in type(value).__mro__ if each in TWINS), None)
    return value if kind is None else kind.around(value)


class ThreadedStore:
    """The five verbs of a user's blocking store, each run in a thread.

    That is a worker thread, so that several calls go on at once, unless the store says that it
    belongs to the thread that made it, as a connection of ``sqlite3`` does. It is then called in
    the thread of the blocking caller, and so is the first call of all, since many a store connects
    itself then; see `calls.call_at_home`.

    Args:
        store: Any object with the five blocking verbs; its context is entered and left with ours.
            Where entering it gives another store, that one is used from then on.
    """

    inline = True
    _at_home = True
    """Whether it is called in its caller's thread: at first, and from its first complaint on."""
    _bound = False
    """Whether it has complained."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self._context: Any = None

    async def get(self, key: str) -> bytes:
        """See `AsyncObjectStore`."""
        return await self._call("get", key)  # type: ignore[no-any-return]

    async def put(self, key: str, data: Any) -> Any:
        """See `AsyncObjectStore`."""
        return await self._call("put", key, data)

    async def exists(self, key: str) -> bool:
        """See `AsyncObjectStore`."""
        return await self._call("exists", key)  # type: ignore[no-any-return]

    async def delete(self, key: str) -> Any:
        """See `AsyncObjectStore`."""
        return await self._call("delete", key)

    async def _call(self, verb: str, *args: Any) -> Any:
        function = getattr(self.store, verb)
        if not self._at_home:
            try:
                return await calls.call_user(function, *args)
            except Exception as error:
                if not self._is_bound(error):
                    raise
        result = await calls.call_at_home(function, *args)
        self._at_home = self._bound
        return result

    def _is_bound(self, error: Exception) -> bool:
        """Whether the store has complained of the thread; then it is tried again at home."""
        if is_of_another_thread(error):
            self._at_home = self._bound = True
        return self._at_home

    async def keys(self, **options: Any) -> AsyncGenerator[str, None]:
        """See `AsyncObjectStore`; the options are handed on."""
        lists, first = await self._listed(**options)
        self._at_home = self._bound
        async with closing(lists):
            for key in first:
                yield key
            async for batch in lists:
                for key in batch:
                    yield key

    async def _listed(
        self, **options: Any
    ) -> tuple[AsyncGenerator[list[str], None], Sequence[str]]:
        """The keys in lists, and the first of these: only then is it known where they come from."""
        call: Any = calls.call_at_home if self._at_home else calls.call_user
        try:
            source = iter(await call(self.store.keys, **options))
            lists = batches(source, lambda _: 1, 1024, call)
            return lists, await anext(lists, [])
        except Exception as error:
            if call is calls.call_at_home or not self._is_bound(error):
                raise
        return await self._listed(**options)

    async def __aenter__(self) -> Self:
        enter = getattr(self.store, "__enter__", None)
        if enter is not None:
            entered = await calls.call_at_home(enter)
            self._context = self.store
            if is_store(entered):
                self.store = entered
        return self

    async def __aexit__(self, *exception: object) -> None:
        context, self._context = self._context, None
        if context is not None:
            await calls.call_at_home(context.__exit__, *exception)

    def __repr__(self) -> str:
        return repr(self.store)


def is_of_another_thread(error: BaseException | None) -> bool:
    """Whether ``sqlite3`` refuses a call because its connection belongs to another thread."""
    if error is None:
        return False
    # By name: the module is not loaded for this.
    if type(error).__name__ == "ProgrammingError" and "same thread" in str(error):
        return True
    others = getattr(error, "exceptions", ())
    return any(map(is_of_another_thread, (*others, error.__cause__ or error.__context__)))


def to_async_all(stores: Iterable[Any]) -> list[Any]:
    """`to_async` of each."""
    return [to_async(store) for store in stores]


def to_async_rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """`to_async` of each store in rows that hold texts and flags, too."""
    return [
        tuple(item if isinstance(item, str | bool) else to_async(item) for item in row)
        for row in rows
    ]


def to_async_values(stores: Mapping[K, Any]) -> dict[K, Any]:
    """`to_async` of each value."""
    return {name: to_async(store) for name, store in stores.items()}


def to_async_function(function: Callable[P, T]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A user's function as an async one; it runs in a worker thread, where it may block."""

    @functools.wraps(function)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return await calls.call_user(function, *args, **kwargs)

    return run


def to_async_handler(function: Callable[..., T]) -> Callable[..., Coroutine[Any, Any, T]]:
    """Like `to_async_function`; the stores among the arguments come as blocking ones."""

    @functools.wraps(function)
    async def run(*args: Any) -> T:
        return await calls.call_user(function, *map(to_blocking, args))

    run.inline = True  # type: ignore[attr-defined]  # it awaits nothing but the seam
    return run
