"""How a PostgreSQL store is made, what is in its tables, and what it says to the server."""

from __future__ import annotations

import asyncio
import gc
import pickle
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("asyncpg")

import asyncpg

from storage import open_async_store, open_store
from storage._async.backends.postgres.listing import Span, above
from storage._core.errors import BulkError, ConfigError, ObjectNotFound, StoreNotFound
from storage.postgres import AsyncPostgresStore, PostgresStore
from tests.backends.postgreses import connected, raw
from tests.services.process import DatabaseService

LARGE = 1024 * 1024 + 1

# -- how it is made -------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
async def test_urls(postgres: DatabaseService, scheme: str) -> None:
    url = postgres.url.replace("postgresql", scheme, 1)
    async with open_async_store(f"{url}?table=by_url&schema=public&sslmode=disable") as store:
        assert isinstance(store, AsyncPostgresStore)
        await store.put("a/b", b"1")
        assert postgres.password not in repr(store)
        assert "table='public.by_url'" in repr(store)
        await asyncio.to_thread(_by_blocking_url, f"{url}?table=by_url")
        assert await store.clear() == 2


def _by_blocking_url(url: str) -> None:
    with open_store(url) as twin:
        assert isinstance(twin, PostgresStore)
        assert twin.get("a/b") == b"1"
        twin.put("large", iter([bytes(LARGE)]))
        assert list(twin.keys()) == ["a/b", "large"]
        with twin.open_reader("large") as reader:
            reader.seek(-5, 2)
            assert reader.read() == bytes(5)


@pytest.mark.parametrize(
    "name", ['a"; DROP TABLE x; --', "", "1a", "a-b", "a.b", "a" * 49, "ä", "a\n", "a b"]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="letters, digits and underscores"):
        AsyncPostgresStore("postgresql:///app", table=name)
    with pytest.raises(ConfigError, match="letters, digits and underscores"):
        AsyncPostgresStore("postgresql:///app", schema=name)


@pytest.mark.parametrize(
    "url",
    ["mysql://host/db", "postgresql://h:x/db", "postgresql://h:0/db", "postgresql://a,b/db",
     "postgresql://h/db?sslmode=maybe", "postgresql://h/db?colour=red"],
)  # fmt: skip
def test_urls_that_make_no_sense(url: str) -> None:
    with pytest.raises(ConfigError):
        AsyncPostgresStore(url)


async def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(ConfigError, match="max_connections"):
        AsyncPostgresStore("postgresql:///app", max_connections=0)
    nothing: Any = 5
    with pytest.raises(ConfigError, match="a pool of asyncpg"):
        AsyncPostgresStore(nothing)
    wrong = AsyncPostgresStore("postgresql://h/x?sslmode=verify-ca&sslrootcert=/missing.pem")
    with pytest.raises(ConfigError, match="certificates"):
        await wrong.get("key")


async def test_a_pool_is_borrowed(postgres: DatabaseService) -> None:
    async with asyncpg.create_pool(postgres.url, ssl=False, min_size=0, max_size=2) as pool:
        async with AsyncPostgresStore(pool, table="borrowed") as store:
            await store.put("key", b"x" * LARGE)
            assert await store.get("key") == b"x" * LARGE

            def elsewhere() -> None:
                with pytest.raises(ConfigError, match="another event loop"):
                    asyncio.run(store.get("key"))

            await asyncio.to_thread(elsewhere)
            await store.clear()
            assert "a pool" in repr(store)
            # Nobody knows where they lead: they are not taken for one place.
            async with AsyncPostgresStore(asyncpg.create_pool(postgres.url, min_size=0)) as other:
                assert store._locations()[0][0] != other._locations()[0][0]
        with pytest.raises(TypeError):
            pickle.dumps(store)
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_function_that_connects(postgres: DatabaseService) -> None:
    made = []

    async def connect() -> Any:
        made.append(1)
        return await asyncpg.connect(postgres.url, ssl=False)

    async with AsyncPostgresStore(connect, table="by_factory", max_connections=2) as store:
        await asyncio.gather(*(store.put(f"key{n}", b"x") for n in range(8)))
        assert len(made) == 2
        await store.clear()


def test_pickles_without_a_password() -> None:
    store = AsyncPostgresStore("postgresql://me@h:1/db?sslmode=disable", table="t", timeout=3)
    again = pickle.loads(pickle.dumps(store))
    assert repr(again) == repr(store)
    assert again._timeout == 3
    with pytest.raises(TypeError, match="password"):
        pickle.dumps(AsyncPostgresStore("postgresql://me:secret@h/db"))


async def test_unclosed(postgres: DatabaseService) -> None:
    store = connected(postgres)
    await store.put("key", b"x")
    await store.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        name = repr(store)
        del store
        gc.collect()
        await asyncio.sleep(0.05)
    assert f"unclosed {name}" in [str(each.message) for each in caught]


# -- tables ---------------------------------------------------------------------------------------


async def test_the_first_writers_make_the_tables_together(postgres: DatabaseService) -> None:
    first = connected(postgres, schema="public")
    stores = [first, *(connected(postgres, table=first._recipe["table"]) for _ in range(3))]
    with pytest.raises(StoreNotFound, match="the first write makes it"):
        await first.get("key")
    with pytest.raises(StoreNotFound):
        await first.delete("key")
    await asyncio.gather(*(store.put(f"key{n}", b"x") for n, store in enumerate(stores)))
    assert [key async for key in first.keys()] == [f"key{n}" for n in range(4)]
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_tables_that_have_to_be_there(postgres: DatabaseService) -> None:
    async with connected(postgres, create=False) as store:
        for value in (b"x", iter([bytes(LARGE)])):
            with pytest.raises(StoreNotFound, match="does not exist"):
                await store.put("key", value)


async def test_chunks_go_with_their_object(postgres: DatabaseService) -> None:
    """However it goes: by our verbs, or by anybody's SQL."""
    async with connected(postgres) as store, raw(postgres) as sql:
        table = store._recipe["table"]

        async def chunks() -> int:
            found: int = await sql.fetchval(f"SELECT count(*) FROM {table}_chunks")
            return found

        await store.put("key", bytes(LARGE))
        assert await chunks() == 5
        await store.put("key", bytes(2 * LARGE))
        assert await chunks() == 9
        await store.move("key", "moved")
        await store.copy("moved", "copy")
        assert await store.get_range("copy", -3) == bytes(3)
        assert await chunks() == 18
        await store.put("copy", b"short")
        assert await chunks() == 9
        await store.copy("copy", "moved")
        assert await chunks() == 0
        await store.put_many({"a": bytes(LARGE), "b": bytes(LARGE)})
        await store.delete("a")
        assert await chunks() == 5
        await sql.execute(f"DELETE FROM {table} WHERE key = 'b'")
        assert await chunks() == 0


async def test_what_a_killed_writer_leaves(postgres: DatabaseService) -> None:
    async with connected(postgres) as store, raw(postgres) as sql:
        uploads = f"{store._recipe['table']}_uploads"
        async with store.open_writer("key") as writer:
            await writer.write(bytes(2 * LARGE))
            assert await store.sweep() == 0
            await sql.execute(f"UPDATE {uploads} SET touched = now() - interval '1 day'")
            assert await store.sweep(100_000) == 0
            await writer.write(bytes(LARGE))  # so it lives
            assert await store.sweep() == 0
        assert (await store.head("key")).size == 3 * LARGE
        writer = store.open_writer("other")
        with pytest.raises(StoreNotFound):  # or whatever else ends the block
            async with writer:
                await writer.write(bytes(2 * LARGE))
                await sql.execute(f"UPDATE {uploads} SET touched = now() - interval '2 day'")
                assert await store.sweep() == 1
                raise StoreNotFound
        with pytest.raises(OSError, match="gone"):
            async with store.open_writer("other") as writer:
                await writer.write(bytes(2 * LARGE))
                assert await store.sweep(0) == 1
        assert [key async for key in store.keys()] == ["key"]


async def test_a_database_that_cannot_hold_all_keys(postgres: DatabaseService) -> None:
    async with raw(postgres) as sql:
        await sql.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'")
    async with AsyncPostgresStore(postgres.url.replace("/postgres", "/latin")) as store:
        with pytest.raises(ConfigError, match="LATIN1"):
            await store.put("key", b"x")


# -- what is said to the server -------------------------------------------------------------------


async def test_statements(postgres: DatabaseService) -> None:
    """Many keys take few statements, and small objects one each."""
    said: list[str] = []

    async def listen(connection: Any) -> None:
        connection.add_query_logger(lambda record: said.append(record.query))

    def count() -> int:
        found = [query for query in said if "UNLISTEN" not in query]
        said.clear()
        return len(found)

    pool = asyncpg.create_pool(postgres.url, ssl=False, min_size=0, max_size=1, init=listen)
    async with pool, AsyncPostgresStore(pool, table="statements") as store:
        etag = (await store.put("key", b"x")).etag
        count()
        for verb in (
            store.put("key", b"x", if_match=etag), store.get("key"), store.head("key"),
            store.exists("key"), store.put("new", b"x", if_absent=True),
            store.get_range("key", -1), store.delete("key"), store.delete("key", missing_ok=True),
        ):  # fmt: skip
            await verb
            assert count() == 1
        await store.put_many({"key": b""})  # asyncpg looks once what an array is
        assert [key async for key, _ in store.get_many(["key"])] == ["key"]
        count()
        await store.put_many({f"key{n:03}": b"%d" % n for n in range(300)})
        assert count() == 1
        keys = [f"key{n:03}" for n in range(63, -1, -1)]
        assert [key async for key, _ in store.get_many(keys)] == keys
        assert count() == 1
        assert (await store.list_with_delimiter("key0")).objects[5].key == "key005"
        assert count() == 1
        assert await store.delete_many(f"key{n:03}" for n in range(300)) == 300
        assert count() == 1
        await store.put("key", bytes(LARGE))
        count()
        assert await store.get("key") == bytes(LARGE)
        assert count() == 1
        await store.clear()


async def test_a_stream_holds_no_connection(postgres: DatabaseService) -> None:
    async with connected(postgres, max_connections=1) as store:
        await store.put("key", iter([bytes(LARGE)] * 3))
        async with store.open_reader("key") as reader, store.open_writer("copy") as writer:
            async for chunk in reader:
                await writer.write(chunk)
                assert await store.exists("key")
        assert (await store.head("copy")).size == 3 * LARGE
        await store.clear()


async def test_many_with_errors(postgres: DatabaseService) -> None:
    async with connected(postgres) as store:
        pairs = [("a", b"1"), ("", b"2"), ("a", b"3"), ("b", bytes(LARGE)), ("c", iter([b"4"]))]
        with pytest.raises(BulkError) as caught:
            await store.put_many(pairs)
        assert set(caught.value.errors) == {""}
        wanted = ["c", "missing", "a", "a", "b"]
        found = [pair async for pair in store.get_many(wanted, missing_ok=True)]
        assert found == [("c", b"4"), ("a", b"3"), ("a", b"3"), ("b", bytes(LARGE))]
        with pytest.raises(BulkError) as caught:
            await store.delete_many(["a", "a", "b", "c", "d"], missing_ok=False)
        assert {key: type(each) for key, each in caught.value.errors.items()} == {
            "a": ObjectNotFound, "d": ObjectNotFound,
        }  # fmt: skip


# -- listing --------------------------------------------------------------------------------------


async def test_listing_is_no_pattern(postgres: DatabaseService) -> None:
    keys = ["%", "%a", "_", "_x/1", "_x/2", "a", "a%b", "aXb", "é", "\ud7ff", "\ue000"]
    keys += ["\U00010000", "\U0010ffff"]
    async with connected(postgres) as store:
        await store.put_many(dict.fromkeys(keys, b""))
        assert [key async for key in store.keys()] == sorted(keys, key=str.encode)
        assert [key async for key in store.keys("a%")] == ["a%b"]
        assert [key async for key in store.keys("_")] == ["_", "_x/1", "_x/2"]
        assert [key async for key in store.keys("\U0010ffff")] == ["\U0010ffff"]
        assert [key async for key in store.keys("a\0")] == []
        beyond = [key async for key in store.keys(start_after="\ud800")]
        assert beyond == ["\ue000", "\U00010000", "\U0010ffff"]
        found = await store.list_with_delimiter()
        assert found.prefixes == ("_x/",)
        await store.clear()


TEXT = st.text(st.sampled_from("\0\x01aé\ud7ff\ud800\udfff\ue000𐀀\U0010ffff"), max_size=4)


@given(TEXT, TEXT, TEXT.filter(lambda key: key and "\0" not in key))
@settings(max_examples=300, deadline=None)
def test_spans(prefix: str, after: str, key: str) -> None:
    """A span has exactly the keys that begin so, in the order of bytes, surrogates in theirs."""
    try:
        name = key.encode()
    except UnicodeEncodeError:
        return
    wanted = key.startswith(prefix) and name > after.encode(errors="surrogatepass")
    span = Span.of(prefix, after)
    within = (
        span is not None
        and name >= span.start.encode()
        and (span.end is None or name < span.end.encode())
    )
    assert within == wanted


def test_above() -> None:
    assert above("a") == "b"
    assert above("a\U0010ffff") == "b"
    assert above("\ud7ff") == "\ue000"
    assert above("\U0010ffff") is None
