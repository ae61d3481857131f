"""Cancelled calls, lost answers, servers that hang, restart, are full, refuse or lie."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import traceback
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("asyncpg")

from storage._core.errors import (
    AccessDenied,
    BulkError,
    CorruptStore,
    NoSpace,
    ObjectExists,
    PreconditionFailed,
    StoreClosed,
    StoreError,
    StoreNotFound,
    StoreTimeout,
    StoreUnavailable,
)
from storage.postgres import AsyncPostgresStore, PostgresStore
from tests.backends.postgreses import connected, encrypting, failing, raw
from tests.faults.relay import Relay, Wire
from tests.services.postgres import Postgres
from tests.services.process import DatabaseService

LARGE = 1024 * 1024 + 1


@pytest.fixture
async def relay(postgres: DatabaseService) -> AsyncIterator[Relay]:
    async with Relay(postgres.host, postgres.port) as made:
        yield made


def through(relay: Relay, service: DatabaseService, **options: Any) -> Any:
    """A store behind the relay."""
    return connected(service, port=relay.port, **{"max_connections": 1, **options})


def losing(relay: Relay, commit: bool = False) -> None:
    """The next statement is done, or the next commit; its answer and the connection are lost."""
    left = [1]

    async def change(data: bytes, wire: Wire) -> bytes:
        done = data.endswith(b"Z\0\0\0\5I") and (b"COMMIT" in data if commit else data[:1] == b"2")
        if done and left[0]:
            left[0] = 0
            wire.reset()
            return b""
        return data

    relay.answered = change


# -- cancelling -----------------------------------------------------------------------------------


async def test_a_cancelled_write_does_not_happen(postgres: DatabaseService) -> None:
    """It waits for a lock; when that goes, nobody writes any more, and its connection is gone."""
    async with connected(postgres, max_connections=1) as store, raw(postgres) as sql:
        await store.put("key", b"old")
        async with sql.transaction():
            await sql.execute(f"SELECT * FROM {store._recipe['table']} FOR UPDATE")
            for _ in range(3):
                pid = await _session(store)
                waiting = asyncio.create_task(store.put("key", b"new"))
                await _blocked(sql, pid)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert await _session(store) != pid
                assert not await sql.fetchval("SELECT pg_blocking_pids($1)", pid)
            assert await store.get("key") == b"old"
        assert await store.get("key") == b"old"


async def _session(store: Any) -> int:
    found: int = await store._database.run(lambda it: it.fetchval("SELECT pg_backend_pid()"))
    return found


async def _blocked(sql: Any, pid: int) -> None:
    while not await sql.fetchval("SELECT cardinality(pg_blocking_pids($1))", pid):
        await asyncio.sleep(0.005)


async def test_the_wait_for_a_connection_counts(postgres: DatabaseService) -> None:
    async with connected(postgres, max_connections=1, timeout=0.1) as store:
        pool = await store._database.source.pool()
        async with pool.acquire():
            with pytest.raises(StoreTimeout, match=r"0\.1 s"):
                await store.get("key")
            errors = [pair async for pair in store._delete_many(["a"], missing_ok=True)]
            assert isinstance(errors[0][1], StoreTimeout)
        with pytest.raises(StoreNotFound):
            await store.get("key")


async def test_a_server_that_hangs(postgres: DatabaseService, relay: Relay) -> None:
    """The deadline holds, and the connection that hangs is not used again."""
    hold = asyncio.Event()

    async def hang(data: bytes, wire: Wire) -> bytes:
        await hold.wait()
        return data

    async with through(relay, postgres, timeout=0.3) as store:
        await store.put("key", b"x")
        relay.answered = hang
        begin = time.monotonic()
        with pytest.raises(StoreTimeout, match=r"0\.3 s"):
            await store.get("key")
        assert time.monotonic() - begin < 5
        relay.answered = None
        assert await store.get("key") == b"x"
        hold.set()


async def test_closed_in_flight(postgres: DatabaseService) -> None:
    async with connected(postgres) as store, raw(postgres) as sql:
        await store.put("key", b"x")
        pid = await _session(store)
        async with sql.transaction():
            await sql.execute(f"SELECT * FROM {store._recipe['table']} FOR UPDATE")
            waiting = asyncio.create_task(store.put("key", b"new"))
            await _blocked(sql, pid)
            await store.aclose()
            with pytest.raises(StoreClosed):
                await waiting
        with pytest.raises(StoreClosed):
            await store.get("key")


# -- lost connections -----------------------------------------------------------------------------


async def test_lost_answers(postgres: DatabaseService, relay: Relay) -> None:
    """Reads are done again; a write that was done is known again by its etag."""
    async with through(relay, postgres) as store:
        first = await store.put("key", b"old")
        losing(relay)
        assert await store.get("key") == b"old"
        losing(relay)
        info = await store.put("key", b"new", if_match=first.etag)
        assert relay.connections == 4  # the first one asked for TLS
        losing(relay)
        assert (await store.put("other", b"1", if_absent=True)).size == 1
        losing(relay)
        assert (await store.copy("key", "copy", if_absent=True)).size == 3
        losing(relay, commit=True)
        await store.put("long", bytes(LARGE), if_absent=True)
        losing(relay)
        assert await store.delete_many(["other", "copy"]) == 2
        assert relay.connections == 8
        assert await store.get("long") == bytes(LARGE)
        assert (await store.head("key")).etag == info.etag
        with pytest.raises(ObjectExists):
            await store.put("long", b"", if_absent=True)


async def test_what_is_not_known_is_not_claimed(postgres: DatabaseService, relay: Relay) -> None:
    """A delete or a move whose answer is lost is not done again, which would find nothing."""
    async with through(relay, postgres) as store:
        etag = (await store.put("key", b"x")).etag
        losing(relay, commit=True)
        with pytest.raises(StoreUnavailable):
            await store.move("key", "moved")
        assert await store.get("moved") == b"x"
        losing(relay)
        with pytest.raises(StoreUnavailable):
            await store.delete("moved", if_match=etag)
        assert not await store.exists("moved")
        await store.put("key", b"x")
        losing(relay)
        await store.delete("key", missing_ok=True)
        assert not await store.exists("key")


async def test_a_connection_that_breaks_amid_a_value(
    postgres: DatabaseService, relay: Relay
) -> None:
    left = [3]

    async def cut(data: bytes, wire: Wire) -> bytes:
        if left[0] and len(data) > 20_000:
            left[0] -= 1
            wire.send(data[:10_000])
            wire.reset()
            return b""
        return data

    async with through(relay, postgres) as store:
        await store.put("key", bytes(2 * LARGE))
        relay.answered = cut
        assert await store.get("key") == bytes(2 * LARGE)
        left[0] = 3
        assert b"".join([piece async for piece in store.stream("key")]) == bytes(2 * LARGE)
        assert left[0] == 0


async def test_garbage(postgres: DatabaseService, relay: Relay) -> None:
    async def lie(data: bytes, wire: Wire) -> bytes:
        return b"HTTP/1.1 200 OK\r\n\r\n" * 3

    async with through(relay, postgres, patience=0.05, timeout=0.5) as store:
        relay.answered = lie
        with pytest.raises(StoreError) as caught:
            await store.get("key")
        assert type(caught.value).__module__ == "storage._core.errors"
        relay.answered = None
        with pytest.raises(StoreNotFound):
            await store.get("key")


async def test_nobody_listens() -> None:
    async with AsyncPostgresStore("postgresql://127.0.0.1:1/db", patience=0.05) as store:
        with pytest.raises(StoreUnavailable):
            await store.get("key")
        with pytest.raises(BulkError) as caught:
            await store.put_many({"a": b"", "b": b""})
        assert {type(each) for each in caught.value.errors.values()} == {StoreUnavailable}
    async with AsyncPostgresStore("postgresql://127.0.0.1:1/db", timeout=0.05) as store:
        with pytest.raises(StoreTimeout):
            await store.get("key")


async def test_a_restart_and_too_many_connections(own_postgres: Postgres) -> None:
    """Operations ride through both; what was acknowledged is there."""
    async with connected(own_postgres.service, max_connections=20) as store:
        await store.put("key", bytes(LARGE), metadata={"k": "v"})
        reader = store.open_reader("key")
        async with reader:
            begun = await reader.read(300_000)
            own_postgres.kill()
            waiting = [asyncio.create_task(store.put(f"key{n}", b"1")) for n in range(20)]
            await asyncio.sleep(0.01)
            await asyncio.to_thread(own_postgres.start)
            await asyncio.gather(*waiting)
            assert begun + await reader.read() == bytes(LARGE)
        assert (await store.head("key")).metadata == {"k": "v"}
        assert len([key async for key in store.keys()]) == 21


# -- what servers say -----------------------------------------------------------------------------


async def test_conflicts_are_tried_again(postgres: DatabaseService) -> None:
    async with connected(postgres) as store, raw(postgres) as sql:
        await store.put("key", b"x")
        for code in ("40001", "40P01"):
            await failing(sql, store._recipe["table"], code, 2)
            await store.put("key", b"y", if_match=(await store.put("key", b"z")).etag)
            await store.put("long", bytes(LARGE))
            assert await store.copy("key", "copy")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("53100", NoSpace),
        ("53200", NoSpace),
        ("42501", AccessDenied),
        ("25006", AccessDenied),
        ("57014", StoreTimeout),
        ("XX001", CorruptStore),
        ("58030", StoreUnavailable),
        ("22012", StoreError),
    ],
)
async def test_what_a_server_says(
    postgres: DatabaseService, code: str, kind: type[StoreError]
) -> None:
    """It is not tried again, and leaves nothing behind."""
    async with connected(postgres) as store, raw(postgres) as sql:
        await store.put("key", b"old")
        table = store._recipe["table"]
        await failing(sql, table, code, 100)
        for value in (b"new", bytes(LARGE), iter([bytes(LARGE)])):
            with pytest.raises(kind, match="on purpose") as caught:
                await store.put("key", value)
            assert type(caught.value) is kind
            assert caught.value.__cause__ is not None
        with pytest.raises(BulkError) as many:
            await store.put_many({"a": b"", "b": b""})
        assert {type(each) for each in many.value.errors.values()} == {kind}
        assert await store.get("key") == b"old"
        for beside in ("chunks", "uploads"):
            assert await sql.fetchval(f"SELECT count(*) FROM {table}_{beside}") == 0


async def test_doors_that_are_closed(
    postgres: DatabaseService, caplog: pytest.LogCaptureFixture
) -> None:
    """Each has an error of its own, and none of them tells the password."""
    caplog.set_level(logging.DEBUG)
    told = []
    wrong = postgres.url.replace("test-secret", "test-secret-wrong")
    cases = {
        wrong: AccessDenied,
        postgres.url.replace("/postgres", "/missing"): StoreNotFound,
        f"{postgres.url}?sslmode=require": StoreUnavailable,
        f"{postgres.url}?sslmode=verify-full": StoreUnavailable,
    }
    for url, kind in cases.items():
        async with AsyncPostgresStore(url, patience=0.05) as store:
            for verb in (store.get("key"), store.put("key", b""), store.exists("key")):
                with pytest.raises(kind) as caught:
                    await verb
                told += [repr(store), repr(caught.value), *traceback.format_exception(caught.value)]
    assert "test-secret" not in "".join(told) + caplog.text


async def test_somebody_with_few_rights(postgres: DatabaseService) -> None:
    async with connected(postgres) as store, raw(postgres) as sql:
        table = store._recipe["table"]
        await store.put("key", bytes(LARGE))
        await sql.execute("CREATE ROLE reader LOGIN PASSWORD 'test-secret-reader'")
        await sql.execute(f"GRANT SELECT ON {table}, {table}_chunks TO reader")
        url = postgres.url.replace(f"tester:{postgres.password}", "reader:test-secret-reader")
        async with AsyncPostgresStore(url, table=table) as theirs:
            assert await theirs.get("key") == bytes(LARGE)
            for verb in (theirs.put("key", b""), theirs.delete("key"), theirs.move("key", "new")):
                with pytest.raises(AccessDenied):
                    await verb
        async with AsyncPostgresStore(url, table="new") as theirs:
            with pytest.raises(AccessDenied):
                await theirs.put("key", b"")


async def test_a_table_of_somebody_else(postgres: DatabaseService) -> None:
    async with connected(postgres) as store, raw(postgres) as sql:
        await sql.execute(f"CREATE TABLE {store._recipe['table']} (key int, value int)")
        with pytest.raises(StoreError) as caught:
            await store.put("key", b"x")
        assert isinstance(caught.value, CorruptStore)


async def test_an_object_that_is_replaced_while_it_is_read(postgres: DatabaseService) -> None:
    """A stream ends with an error, and a whole get never does."""
    async with connected(postgres) as store:
        await store.put("key", bytes(2 * LARGE))
        async with store.open_reader("key") as reader:
            assert await reader.read(10) == bytes(10)
            await store.put("key", b"1" * 2 * LARGE)
            with pytest.raises(PreconditionFailed):
                await reader.read()
        done = asyncio.Event()

        async def write() -> None:
            for number in range(12):
                await store.put("key", b"%x" % number * LARGE)
            done.set()

        writing = asyncio.create_task(write())
        while not done.is_set():
            found = await store.get("key")
            assert found == found[:1] * len(found)
        await writing


# -- TLS, forks -----------------------------------------------------------------------------------


async def test_tls(tmp_path: Path, postgres: DatabaseService) -> None:
    pytest.importorskip("cryptography")
    from tests.backends.certificates import Authority

    authority, other = Authority(tmp_path), Authority(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.pem())
    (tmp_path / "other.pem").write_bytes(other.pem())
    cases: list[tuple[str, str, bool | None]] = [
        ("127.0.0.1", "prefer", True),
        ("127.0.0.1", "disable", False),
        ("127.0.0.1", "require", True),
        ("localhost", "verify-ca&sslrootcert=ca.pem", True),
        ("127.0.0.1", "verify-full&sslrootcert=ca.pem", True),
        ("localhost", "verify-full&sslrootcert=ca.pem", None),
        ("127.0.0.1", "verify-full&sslrootcert=other.pem", None),
        ("127.0.0.1", "verify-ca", None),
    ]
    async with encrypting(postgres, authority.server("127.0.0.1")) as front:
        for host, mode, encrypted in cases:
            place = f"tester:{postgres.password}@{host}:{front.port}/postgres"
            mode = mode.replace("sslrootcert=", f"sslrootcert={tmp_path}/")
            url = f"postgresql://{place}?sslmode={mode}"
            before = front.encrypted
            async with AsyncPostgresStore(url, patience=0.01, table="tls") as store:
                with pytest.raises(StoreNotFound if encrypted is not None else StoreUnavailable):
                    await store.get("key")
            assert front.encrypted - before == int(encrypted or 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork(postgres: DatabaseService) -> None:
    """The child has connections of its own; the parent's go on."""
    with connected(postgres, PostgresStore) as store:
        store.put("key", b"x")
        ears, mouth = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.write(mouth, store.get("key"))
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert os.read(ears, 10) == b"x"
        assert store.get("key") == b"x"
        os.close(ears)
        os.close(mouth)
