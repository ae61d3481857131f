"""The SQLite store in forked processes."""

from __future__ import annotations

import multiprocessing
import warnings
from pathlib import Path

import pytest

from storage.db import SqliteStore
from tests.backends.sqlite import python, query


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.sqlite"


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
