"""The SQLite store in several loops, threads and processes, without a loop, and at the exit."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import sqlite3
import subprocess
import threading
import warnings
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends.db import objects, uploads
from storage._async.backends.db.database import PLAIN
from storage._async.backends.db.objects import CHUNK
from storage._core import calls
from storage._core.info import WRITE_OVER
from storage.aiodb import AsyncSqliteStore
from storage.db import SqliteStore
from storage.object import (
    NoSpace,
    ObjectExists,
    ObjectInfo,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
)
from tests.backends.sqlite import leftovers, python, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


def connections(store: AsyncSqliteStore) -> Any:
    return store._database._connections


# -- one commit for many ---------------------------------------------------------------------


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commits of all writing connections that are opened from here on."""
    seen: list[str] = []
    connect = sqlite3.connect

    def traced(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(lambda text: seen.append(text) if text == "COMMIT" else None)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return seen


async def test_concurrent_puts_share_commits(path: Path, commits: list[str]) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("first", b"")
        commits.clear()
        await store.put_many((f"k{i}", b"x") for i in range(640))
        assert len(commits) <= 640 / 4
        assert len([key async for key in store.keys("k")]) == 640
        # Each is committed when its caller hears of it.
        commits.clear()
        for i in range(5):
            await store.put("alone", b"x")
            assert len(commits) == i + 1


async def test_each_of_a_group_has_its_own_error(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("there", b"old")

        def broken(connection: sqlite3.Connection) -> None:
            objects.put(connection, "broken", b"x", WRITE_OVER)
            raise LookupError("half done")

        def full(connection: sqlite3.Connection) -> None:
            objects.put(connection, "full", b"x", WRITE_OVER)
            raise NoSpace("half done, too")

        outcomes = await asyncio.gather(
            store.put("a", b"a"),
            store.put("there", b"x", if_absent=True),
            store._database.write(PLAIN, broken),
            store.put("b", b"b"),
            store._database.write(PLAIN, full),
            store.delete("missing"),
            store.put("c", b"c"),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [
            ObjectInfo, ObjectExists, LookupError, ObjectInfo, NoSpace, ObjectNotFound, ObjectInfo,
        ]  # fmt: skip
        assert [key async for key in store.keys()] == ["a", "b", "c", "there"]
        assert await store.get("there") == b"old"
    assert leftovers(path) == 0


async def test_the_chunks_of_a_stream_do_not_wait_for_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the commit that publishes does."""
    settings: list[Any] = []
    for name in ("add_chunk", "publish"):

        def spy(
            connection: sqlite3.Connection, *rest: Any, real: Callable[..., Any], name: str
        ) -> Any:
            (level,) = connection.execute("PRAGMA synchronous").fetchone()
            settings.append((name, level))
            return real(connection, *rest)

        monkeypatch.setattr(uploads, name, partial(spy, real=getattr(uploads, name), name=name))
    async with AsyncSqliteStore(path) as store:
        await store.put("key", iter([bytes(CHUNK)] * 3))
    assert settings == [("add_chunk", 1)] * 3 + [("publish", 2)]


# -- cancelling ------------------------------------------------------------------------------


async def pieces() -> AsyncIterator[bytes]:
    for i in range(6):
        yield bytes([i]) * CHUNK


NEW = b"".join(bytes([i]) * CHUNK for i in range(6))


async def test_a_put_can_be_cancelled_at_any_time(path: Path) -> None:
    """At each pass of the loop, for as long as the put takes."""
    async with AsyncSqliteStore(path) as store:
        for make in (lambda: NEW, pieces, lambda: b"small"):
            step = 0
            while True:
                await store.put("key", b"old")
                put = asyncio.create_task(store.put("key", make()))
                for _ in range(step):
                    await asyncio.sleep(0)
                if put.done():
                    break
                put.cancel()
                outcome = (await asyncio.gather(put, return_exceptions=True))[0]
                assert isinstance(outcome, asyncio.CancelledError | ObjectInfo)
                found = await asyncio.wait_for(store.get("key"), 5)
                assert found in {b"old", NEW, b"small"}
                count = (0,) if found == b"old" else (len(found) // CHUNK or 1,)
                assert leftovers(path) == 0, (step, count)
                assert query(path, "SELECT count(*) FROM uploads") == [(0,)]
                step += max(1, step // 3)
            assert step > 2
        assert not connections(store).lanes().writes._waiting


async def test_all_may_be_cancelled_at_once(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        for round_ in range(30):
            work: list[Any] = [store.put(f"{round_}-{i}", b"x") for i in range(20)]
            work += [store.get("key") for _ in range(20)]
            tasks = [asyncio.create_task(each) for each in work]
            for _ in range(round_):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
            stored = {i for i, outcome in enumerate(outcomes[:20]) if type(outcome) is ObjectInfo}
            for i in stored:
                assert await store.get(f"{round_}-{i}") == b"x"
        assert await asyncio.wait_for(store.get("key"), 5) == b"old"


async def test_whoever_is_cancelled_before_its_turn_writes_nothing(path: Path) -> None:
    async with AsyncSqliteStore(path) as store:
        await store.put("key", b"old")
        hold = threading.Event()
        blocker = asyncio.create_task(store._database.write(PLAIN, lambda _: hold.wait(5)))
        await asyncio.sleep(0.05)
        put = asyncio.create_task(store.put("key", b"never"))
        await asyncio.sleep(0.05)
        put.cancel()
        with pytest.raises(asyncio.CancelledError):
            await put  # although the thread is still busy with the other
        assert not blocker.done()
        hold.set()
        await blocker
        assert await store.get("key") == b"old"


def test_a_loop_that_ends_in_the_midst(path: Path) -> None:
    store = AsyncSqliteStore(path)

    async def leave() -> None:
        for i in range(20):
            _ = asyncio.create_task(store.put(f"k{i}", bytes(CHUNK)))
            _.add_done_callback(lambda task: task.cancelled() or task.exception())
        await asyncio.sleep(0.002)

    async def go_on() -> None:
        await store.put("key", b"x")
        assert await store.get("key") == b"x"

    for _ in range(10):
        asyncio.run(leave())
        asyncio.run(go_on())
    asyncio.run(store.aclose())
    assert leftovers(path) == 0


# -- loops and threads -----------------------------------------------------------------------


def test_one_loop_after_another(path: Path) -> None:
    store = AsyncSqliteStore(path)
    before = threading.active_count()
    for i in range(5):
        asyncio.run(store.put(f"k{i}", b"x"))
        assert asyncio.run(store.get(f"k{i}")) == b"x"
    # The connections of loops that are gone are closed.
    assert len(connections(store)._lanes) == 1
    asyncio.run(store.aclose())
    for thread in threading.enumerate():
        if "storage-worker" not in thread.name and thread is not threading.current_thread():
            thread.join(1)
    workers = sum("storage-worker" in thread.name for thread in threading.enumerate())
    assert threading.active_count() <= before + workers


def test_loops_and_blocking_callers_at_once(path: Path) -> None:
    store = AsyncSqliteStore(path)

    async def use(name: str) -> None:
        await asyncio.gather(*(store.put(f"{name}/{i}", name.encode()) for i in range(100)))
        values = await asyncio.gather(*(store.get(f"{name}/{i}") for i in range(100)))
        assert set(values) == {name.encode()}

    def block(name: str) -> None:
        twin = SqliteStore.around(store)
        for i in range(50):
            twin.put(f"{name}/{i}", name.encode())
            assert twin.get(f"{name}/{i}") == name.encode()

    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(asyncio.run, use(f"loop-{i}")) for i in range(3)]
        work += [threads.submit(block, f"thread-{i}") for i in range(3)]
        for future in work:
            future.result(60)
    assert len(list(calls.drive_iterator(store.keys()))) == 450
    calls.drive(store.aclose())
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert os.listdir(path.parent) == [path.name]


def test_threads_count_with_conditions(path: Path) -> None:
    """A counter that many threads increase by compare-and-swap loses nothing."""
    with SqliteStore(path, durable=False) as store, ThreadPoolExecutor(8) as threads:
        store.put("count", b"0")

        def increase(_: int) -> None:
            while True:
                data, info = store.get_with_info("count")
                try:
                    store.put("count", b"%d" % (int(data) + 1), if_match=info.etag)
                except PreconditionFailed:
                    continue
                return

        list(threads.map(increase, range(80)))
        assert store.get("count") == b"80"


# -- without a loop --------------------------------------------------------------------------


def test_no_verb_suspends(path: Path) -> None:
    store = AsyncSqliteStore(path, timeout=60)
    assert store.inline
    threads = threading.active_count()

    async def everything() -> list[ObjectInfo]:
        await store.put("a/b", b"bytes")
        await store.put("a/c", [b"a ", b"stream"])
        async with store.open_writer("a/d") as writer:
            await writer.write(b"x" * 2_000_000)
        with pytest.raises(LookupError):
            async with store.open_writer("a/e") as writer:
                await writer.write(b"x" * 2_000_000)
                raise LookupError
        async with store.open_reader("a/d") as reader:
            await reader.seek(1_999_999)
            assert await reader.read() == b"x"
        assert b"".join([chunk async for chunk in store.stream("a/d", start=5)]) == b"x" * 1_999_995
        assert await store.get("a/b") == b"bytes"
        assert await store.get_range("a/b", 1, 3) == b"yt"
        assert await store.get_ranges("a/b", [(0, 1), (3, None)]) == [b"b", b"es"]
        info = await store.head("a/b")
        await store.copy("a/b", "e", if_absent=True)
        await store.move("e", "f/g")
        await store.put("a/b", b"2", if_match=info.etag)
        assert await store.exists("f/g")
        await store.delete("f/g")
        assert await store.put_many({"m/1": b"1", "m/2": b"2"}) == 2
        many = [item async for item in store.get_many(["m/1", "m/2"])]
        assert many == [("m/1", b"1"), ("m/2", b"2")]
        assert await store.clear("m/") == 2
        level = await store.list_with_delimiter()
        assert (level.prefixes, level.objects) == (("a/",), ())
        infos = [info async for info in store.list()]
        await store.aclose()
        return infos

    assert [info.key for info in calls.drive(everything())] == ["a/b", "a/c", "a/d"]
    assert threading.active_count() == threads
    assert leftovers(path) == 0


def test_a_store_can_be_pickled(path: Path) -> None:
    with SqliteStore(path, durable=False, timeout=3) as store:
        store.put("key", b"value")
        with pickle.loads(pickle.dumps(store)) as twin:
            assert twin.get("key") == b"value"
            assert repr(twin) == repr(store) == f"SqliteStore({str(path)!r})"


# -- forks -----------------------------------------------------------------------------------

FORKS = """
    import asyncio, os, sys, threading, time, warnings
    from storage.aiodb import AsyncSqliteStore
    from storage.db import SqliteStore

    warnings.simplefilter("ignore", DeprecationWarning)  # of forks with threads

    store = AsyncSqliteStore(sys.argv[1])
    twin = SqliteStore.around(store)
    stop = False

    async def traffic():
        i = 0
        while not stop:
            await asyncio.gather(*(store.put(f"parent/{i}/{j}", b"x" * 3000) for j in range(10)))
            await store.get(f"parent/{i}/5")
            i += 1

    def child(number):
        try:
            twin.put(f"child/{number}/blocking", b"x")
            assert twin.get(f"child/{number}/blocking") == b"x"
            asyncio.run(store.put(f"child/{number}/async", b"x"))
            assert asyncio.run(store.get("first")) == b"x"
            twin.close()
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        # Half of them end as a script ends: with all clean-up that there is.
        sys.exit() if number % 2 else os._exit(0)

    twin.put("first", b"x")
    thread = threading.Thread(target=asyncio.run, args=(traffic(),), daemon=True)
    thread.start()
    for number in range(30):
        time.sleep(0.003)
        pid = os.fork()
        if not pid:
            stop = True
            child(number)
        end = time.monotonic() + 10
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                break
            if time.monotonic() > end:
                os.kill(pid, 9)
                sys.exit("a child hangs")
            time.sleep(0.002)
        if status:
            sys.exit("a child failed")
    stop = True
    thread.join(10)
    twin.put("last", b"x")
    twin.close()
    print("end")
"""


def test_forks_in_the_midst_of_traffic(path: Path) -> None:
    result = python(FORKS, path)
    assert (result.returncode, result.stdout) == (0, "end\n"), result.stderr
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert query(path, "SELECT count(*) FROM objects WHERE key LIKE 'child/%'") == [(60,)]


def test_a_child_of_multiprocessing(path: Path) -> None:
    with SqliteStore(path) as store:
        store.put("key", b"value")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # there are threads around
            with multiprocessing.get_context("fork").Pool(2) as pool:
                assert pool.map(store.get, ["key"] * 4) == [b"value"] * 4
        assert store.get("key") == b"value"


# -- the end ---------------------------------------------------------------------------------


async def test_closing(path: Path) -> None:
    store = AsyncSqliteStore(path)
    await store.put("key", b"x")
    stream = store.stream("key")
    puts = [asyncio.create_task(store.put(f"k{i}", b"x")) for i in range(10)]
    await asyncio.sleep(0)
    await store.aclose()
    await store.aclose()
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {ObjectInfo, StoreClosed}
    with pytest.raises(StoreClosed):
        await store.get("key")
    with pytest.raises(StoreClosed):
        await anext(stream)
    assert os.listdir(path.parent) == [path.name]


async def test_closing_in_the_midst_of_a_stream(path: Path) -> None:
    store = AsyncSqliteStore(path)
    await store.put("key", bytes(4 * CHUNK))
    stream = store.stream("key")
    await anext(stream)
    await store.aclose()
    with pytest.raises(StoreClosed):
        await anext(stream)
    with pytest.raises(StoreClosed):
        await store.put("key", pieces())


@pytest.mark.parametrize("how", ["async", "blocking", "loop"])
def test_a_store_that_is_not_closed_warns_and_leaves_nothing(path: Path, how: str) -> None:
    store = AsyncSqliteStore(path)
    if how == "async":
        asyncio.run(store.put("key", b"x"))
    elif how == "blocking":
        calls.drive(store.put("key", b"x"))
    else:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(store.put("key", b"x"))
    last = [store]
    del store
    with pytest.warns(ResourceWarning, match=r"x\.sqlite.*not closed"):
        last.clear()
    for _ in range(100):
        if os.listdir(path.parent) == [path.name]:
            break
        threading.Event().wait(0.02)
    assert os.listdir(path.parent) == [path.name]
    if how == "loop":
        loop.close()


def test_a_store_that_was_never_used_says_nothing(path: Path) -> None:
    store = AsyncSqliteStore(path)
    del store
    gc.collect()
    with SqliteStore(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize(
    "use",
    [
        "asyncio.run(store.put('key', b'x'))",
        "loop = asyncio.new_event_loop(); loop.run_until_complete(store.put('key', b'x'))",
        "SqliteStore.around(store).put('key', b'x')",
        "asyncio.run(late())",
        "threading.Thread(target=asyncio.run, args=[late()], daemon=True).start(); time.sleep(0.5)",
    ],
)
def test_the_interpreter_ends_without_a_close(path: Path, use: str) -> None:
    code = f"""
        import asyncio, sys, threading, time
        from storage.aiodb import AsyncSqliteStore
        from storage.db import SqliteStore

        store = AsyncSqliteStore(sys.argv[1])

        async def late():
            await store.put("key", b"x")
            for i in range(100):
                asyncio.ensure_future(store.put(f"k{{i}}", b"x"))

        {use}
        print("end")
    """
    try:
        result = python(code, path, timeout=15)
    except subprocess.TimeoutExpired:
        pytest.fail("the interpreter hangs")
    assert (result.returncode, result.stdout) == (0, "end\n"), result.stderr
    assert query(path, "SELECT count(*) FROM objects WHERE key = 'key'") == [(1,)]
