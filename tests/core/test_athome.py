"""Users' blocking stores that belong to the thread which made them, above the background loop."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from types import FrameType
from typing import Any, Self

import pytest

from storage._core import calls
from storage._core.adapt import is_of_another_thread, to_async
from storage._core.athome import attending, waiting_one
from storage._core.handover import Signal
from storage._core.runner import run
from storage.object import DictStore, FanoutError
from storage.utils import CachingStore, FanoutStore

pytestmark = pytest.mark.allow_blocking("a caller's own thread is looked into")

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="unset")


class Mine:
    """A store as users write them: a plain connection, which its own thread alone may use."""

    def __init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE TABLE objects (key TEXT PRIMARY KEY, data BLOB)")

    def get(self, key: str) -> bytes:
        row = self.db.execute("SELECT data FROM objects WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        data: bytes = row[0]
        return data

    def put(self, key: str, data: bytes) -> None:
        self.db.execute("REPLACE INTO objects VALUES (?, ?)", (key, bytes(data)))

    def exists(self, key: str) -> bool:
        return self.db.execute("SELECT 1 FROM objects WHERE key = ?", (key,)).fetchone() is not None

    def delete(self, key: str) -> None:
        self.get(key)
        self.db.execute("DELETE FROM objects WHERE key = ?", (key,))

    def keys(self) -> Iterator[str]:
        for (key,) in self.db.execute("SELECT key FROM objects ORDER BY key"):
            yield key


class Lazy(Mine):
    """Connects when it is needed."""

    def __init__(self) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name != "db":
            raise AttributeError(name)
        self.connect()
        return self.db


class Entered(Mine):
    """Connects when it is entered, and closes the connection when it is left."""

    def __init__(self) -> None:
        pass

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(self, *exception: object) -> None:
        self.db.close()


@pytest.mark.parametrize("kind", [Mine, Lazy, Entered])
@pytest.mark.parametrize("first", ["put", "keys", "exists"])
def test_a_store_with_a_connection_of_its_own(kind: type[Mine], first: str) -> None:
    with FanoutStore([kind(), kind()]) as store:
        if first == "keys":
            assert list(store.keys()) == []
        elif first == "exists":
            assert not store.exists("a")
        for key in "abc":
            store.put(key, key.encode())
        assert list(store.keys()) == ["a", "b", "c"]
        assert store.get("b") == b"b"
        assert store.exists("c")
        store.delete("c")
        with pytest.raises(KeyError):
            store.get("c")
        assert list(store.keys()) == ["a", "b"]
        assert store.put_many({f"{i}": b"x" for i in range(50)}) == 50
        assert len(dict(store.get_many([f"{i}" for i in range(50)]))) == 50


def test_behind_a_cache() -> None:
    main, cache = Mine(), Mine()
    with CachingStore(main, cache) as store:
        store.put("a", b"1")
        assert [store.get("a") for _ in range(3)] == [b"1"] * 3
        main.put("b", b"2")
        assert [store.get("b") for _ in range(3)] == [b"2"] * 3
        assert list(store.keys()) == ["a", "b"]
        store.delete("a")
        assert not store.exists("a")
    assert main.get("b") == b"2"


class Strict(DictStore):
    """Complains unless it is called in the thread whose number is the key."""

    def get(self, key: str, **options: Any) -> bytes:
        if key != str(get_ident()):
            raise sqlite3.ProgrammingError("it can only be used in that same thread")
        return key.encode()


def test_each_caller_is_served_in_its_own_thread() -> None:
    store = FanoutStore([Strict()])

    def use(_: int) -> bool:
        return all(store.get(str(get_ident())) == str(get_ident()).encode() for _ in range(20))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(16)))
    with pytest.raises(FanoutError, match="not all could say so"):
        store.get("0")


class Meeting(DictStore):
    """Its calls have to meet those of another one."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self.barrier = barrier

    def put(self, key: str, data: Any, **options: Any) -> Any:
        if key == "meet":
            self.barrier.wait(10)
        return super().put(key, data, **options)


def test_stores_that_do_not_complain_go_on_at_once() -> None:
    barrier = threading.Barrier(3)
    store = FanoutStore([Meeting(barrier) for _ in range(3)])
    store.put("first", b"x")
    store.put("meet", b"x")
    assert not barrier.broken


def test_what_runs_at_home_sees_the_context_and_may_wait_for_more() -> None:
    inner = FanoutStore([Mine()])
    seen: list[str] = []

    class Outer(Mine):
        def get(self, key: str) -> bytes:
            seen.append(word.get())
            inner.put(key, b"from within")
            return super().get(key) + inner.get(key)

    store = FanoutStore([Outer()])
    store.put("a", b"x, ")

    def use() -> bytes:
        word.set("mine")
        return store.get("a")

    assert contextvars.copy_context().run(use) == b"x, from within"
    assert set(seen) == {"mine"}


def test_a_loop_that_runs_at_home() -> None:
    """While it does, the thread takes no calls, though its caller waits for it."""

    class Outer(Mine):
        def get(self, key: str) -> bytes:
            found: bool = asyncio.run(to_async(Lazy()).exists(key))
            return found.to_bytes() + super().get(key)

    store = FanoutStore([Outer()])
    store.put("a", b"x")
    assert store.get("a") == b"\0x"


def test_what_an_interrupted_wait_left_behind() -> None:
    left = attending(Signal())
    left.__enter__()
    try:
        assert asyncio.run(calls.call_at_home(get_ident)) != get_ident()
    finally:
        left.__exit__()
        left.__exit__()  # nothing to leave any more
    assert waiting_one() is None


def test_works_where_another_loop_runs() -> None:
    async def main() -> bytes:
        store = FanoutStore([Mine()])
        store.put("a", b"x")
        return store.get("a")

    assert asyncio.run(main()) == b"x"


# -- the desk --------------------------------------------------------------------------------


def test_whoever_nobody_waits_for_runs_in_a_worker() -> None:
    async def start() -> asyncio.Task[int]:
        async def later() -> int:
            await left.wait()
            return await calls.call_at_home(get_ident)

        left = asyncio.Event()
        asyncio.get_running_loop().call_later(0.02, left.set)
        return asyncio.create_task(later())

    async def end(task: asyncio.Task[int]) -> int:
        return await task

    task = run(start())
    threading.Event().wait(0.05)
    assert run(end(task)) != get_ident()


def test_a_call_that_waits_its_turn_is_taken_back() -> None:
    ran: list[str] = []

    async def main() -> None:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()

        def first() -> None:
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(10)
            ran.append("first")

        go_on = threading.Event()
        tasks = [asyncio.create_task(calls.call_at_home(first)) for _ in range(1)]
        await begun.wait()
        tasks.append(asyncio.create_task(calls.call_at_home(ran.append, "second")))
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait([tasks[1]])
        assert not tasks[0].done()  # it has begun, and is waited for
        go_on.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2

    run(main())
    assert ran == ["first"]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_interrupts_a_call_reaches_the_caller(kind: type[BaseException]) -> None:
    class Interrupted(Mine):
        def get(self, key: str) -> bytes:
            data = super().get(key)  # complains first
            raise kind if data == b"x" else LookupError

    store = FanoutStore([Interrupted()])
    store.put("a", b"x")
    for _ in range(3):
        with pytest.raises(kind):
            store.get("a")
    store.put("a", b"y")
    assert store.exists("a")


class Interrupt(BaseException):
    """What the signal handler raises."""


# Before a coroutine is handed over, nobody can close it.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers")
def test_interrupts_at_any_time() -> None:
    """Nothing hangs, and the store goes on."""

    def handler(_: int, __: FrameType | None) -> None:
        raise Interrupt

    store = FanoutStore([Mine(), Mine()])
    store.put("a", b"x")
    previous = signal.signal(signal.SIGALRM, handler)
    interrupted = 0
    try:
        for number in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00001 + 0.000005 * number)
                for _ in range(20):
                    store.get("a")
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupt:
                interrupted += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert interrupted > 10
    assert store.get("a") == b"x"
    assert store.exists("a")


def test_what_counts_as_a_complaint() -> None:
    db = Mine().db
    with ThreadPoolExecutor(1) as threads:
        complaint = threads.submit(db.execute, "SELECT 1").exception(5)
    assert is_of_another_thread(complaint)
    wrapped = KeyError("not found")
    wrapped.__cause__ = complaint
    assert is_of_another_thread(wrapped)
    db.close()
    with pytest.raises(sqlite3.ProgrammingError) as caught:
        db.execute("SELECT 1")
    assert not is_of_another_thread(caught.value)
    assert not is_of_another_thread(None)
