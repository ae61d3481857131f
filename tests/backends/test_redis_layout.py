"""What lies on the server: plain values for everybody, and what stands beside them."""

from __future__ import annotations

import asyncio
import random

import pytest

pytest.importorskip("redis")

from storage._async.backends.redis.companions import mark_of
from storage._async.backends.redis.hooks import Seen
from storage._async.backends.redis.scripts import LOOK
from storage._core.errors import (
    ConfigError,
    CorruptStore,
    NoSpace,
    ObjectNotFound,
    PreconditionFailed,
)
from tests.backends.redises import below, connected, raw
from tests.services.process import RedisService

LONG = bytes(range(256)) * 40


async def test_values_are_plain_strings(valkey: RedisService) -> None:
    async with connected(valkey) as store:
        prefix = store._prefix.decode()
        with raw(valkey) as client:
            for value in (b"", b"short", LONG, LONG * 1_000):
                await store.put("ours", value)
                assert client.get(f"{prefix}ours") == value
                client.set(f"{prefix}theirs", value)
                assert await store.get("theirs") == value
                assert (await store.head("theirs")).size == len(value)
            client.set(f"{prefix}passing", b"x", ex=100)
            assert sorted([key async for key in store.keys()]) == ["ours", "passing", "theirs"]
            await store.delete("theirs")
            assert client.get(f"{prefix}theirs") is None


async def test_short_plain_values_have_nothing_beside_them(valkey: RedisService) -> None:
    async with connected(valkey) as store:
        prefix = store._prefix.decode()
        await store.put("key", b"short")
        assert below(valkey, prefix) == {b"key"}
        assert (await store.head("key")).modified is None
        await store.put("key", b"short", content_type="text/plain")
        assert below(valkey, prefix) == {b"key", b"key\0about"}
        assert (await store.head("key")).modified is not None
        await store.put("key", b"short")
        assert below(valkey, prefix) == {b"key"}
        await store.put("key", LONG)
        await store.move("key", "other")
        await store.copy("other", "copy")
        assert below(valkey, prefix) == {b"other", b"other\0about", b"copy", b"copy\0about"}
        await store.clear()
        assert below(valkey, prefix) == set()


@pytest.mark.parametrize("size", [10, 1024, 1025, 5_000_000])
async def test_what_others_write_is_another_object(valkey: RedisService, size: int) -> None:
    """Attributes do not pass to it, and the etag is another one."""
    async with connected(valkey) as store:
        mine = await store.put("key", b"a" * size, metadata={"whose": "mine"})
        with raw(valkey) as client:
            client.set(store._prefix + b"key", b"b" * size)
        found = await store.head("key")
        assert found.etag != mine.etag
        assert found.metadata is None
        assert (await store.get_with_info("key"))[1] == found
        assert [info async for info in store.list()] == [found]
        with pytest.raises(PreconditionFailed):
            await store.put("key", b"c", if_match=mine.etag)
        await store.put("key", b"c", if_match=found.etag)


async def test_both_sides_mark_alike(valkey: RedisService) -> None:
    rng = random.Random(7)
    sizes = [0, 1, 63, 64, 1023, 1024, 1025, 1039, 1040, 4096, 65_537, 3_000_001]
    async with connected(valkey) as store:
        for size in sizes + [rng.randrange(1_025, 20_000) for _ in range(40)]:
            data = rng.randbytes(size)
            with raw(valkey) as client:
                client.set(store._prefix + b"key", data)
            (found,) = await store._one(LOOK(store._names("key")))
            assert found == [size, mark_of(data).encode(), b""], size


async def test_what_is_not_ours_is_left_alone(valkey: RedisService) -> None:
    """Other prefixes, other types, and names that are no keys."""
    async with connected(valkey, prefix="a*[b]?\\") as store, connected(valkey) as other:
        with raw(valkey) as client:
            prefix = store._prefix
            client.set(b"axbb\\theirs", b"x")
            client.rpush(prefix + b"list", b"x")
            client.hset(prefix + b"hash", b"x", b"y")
            client.set(prefix + b"\xff\xfe", b"x")
            client.set(prefix + b"nul\0", b"x")
            client.set(prefix, b"x")
            client.set(prefix + b"x" * 1_025, b"x")
            await other.put("other", b"x")
            await store.put("mine", b"1")
            try:
                assert [key async for key in store.keys()] == ["mine"]
                assert [info.key async for info in store.list("")] == ["mine"]
                with pytest.raises(CorruptStore, match="no string"):
                    await store.get("list")
                before = set(client.keys())
                assert await store.clear() == 1
                gone = before - set(client.keys())
                assert gone == {prefix + b"mine"}
            finally:
                client.delete(b"axbb\\theirs", *client.keys(rb"a\*\[b\]*"))


@pytest.mark.parametrize("prefix", ["a\0b"])
def test_what_is_no_prefix(valkey: RedisService, prefix: str) -> None:
    with pytest.raises(ConfigError, match="NUL"):
        connected(valkey, prefix=prefix)


async def test_listing_while_others_change(valkey: RedisService) -> None:
    """Each key that is there all the time comes once, also where the table grows and shrinks."""
    async with connected(valkey) as store:
        stay = {f"stay-{number}" for number in range(1_500)}
        await store.put_many((key, b"") for key in stay)
        await store.put_many((f"go-{number}", b"") for number in range(6_000))
        found: list[str] = []
        async for info in store.list():
            found.append(info.key)
            if len(found) == 500:
                await store.delete_many(f"go-{number}" for number in range(6_000))
            if len(found) == 900:
                await store.put_many((f"come-{number}", b"") for number in range(3_000))
        assert len(found) == len(set(found))
        assert stay <= set(found)
        await store.clear()


def test_keys_that_come_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Seen, "MOST", 3)
    seen = Seen()
    assert [key for key in "abcabcdeafdga" if seen.first(key)] == list("abcdefga")


async def test_pieces_of_a_stream_expire(valkey: RedisService) -> None:
    """What a killed writer leaves behind goes by itself, and is no object until then."""
    async with connected(valkey) as store:
        writer = store.open_writer("key")
        await writer.__aenter__()
        await writer.write(bytes(5_000_000))
        (piece,) = below(valkey, store._prefix.decode())
        assert piece.startswith(b"\0upload:")
        with raw(valkey) as client:
            assert 0 < client.pttl(store._prefix + piece) <= 3_600_000
        assert [key async for key in store.keys()] == []
        await writer.abort()
        assert below(valkey, store._prefix.decode()) == set()


async def test_pieces_that_have_gone(valkey: RedisService) -> None:
    async with connected(valkey) as store:
        await store.put("key", b"old")
        with pytest.raises(ConnectionError, match="gone"):
            async with store.open_writer("key") as writer:
                await writer.write(bytes(5_000_000))
                with raw(valkey) as client:
                    client.delete(
                        *(
                            store._prefix + n
                            for n in below(valkey, store._prefix.decode())
                            if n != b"key"
                        )
                    )
        assert await store.get("key") == b"old"


async def test_what_is_too_long_is_refused_before_it_is_sent(
    valkey: RedisService, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage._async.backends.redis import writing

    monkeypatch.setattr(writing, "LONGEST", 5_000_000)
    async with connected(valkey) as store:
        for value in (bytes(5_000_001), iter([bytes(4_500_000), bytes(500_001)])):
            with pytest.raises(NoSpace, match="5000000"):
                await store.put("key", value)
        assert below(valkey, store._prefix.decode()) == set()
        await store.put("key", bytes(5_000_000))


async def test_a_server_that_has_forgotten_the_scripts(valkey: RedisService) -> None:
    async with connected(valkey) as store:
        await store.put("key", b"1")
        with raw(valkey) as client:
            client.script_flush()
        await asyncio.gather(*(store.put(f"key{n}", b"%d" % n) for n in range(5)))
        with raw(valkey) as client:
            client.script_flush()
        await store.put("stream", iter([bytes(3_000_000)] * 2))
        assert len([key async for key in store.keys()]) == 7
        await store.clear()


async def test_lifetimes(valkey: RedisService) -> None:
    async with connected(valkey, ttl=100) as store:
        with raw(valkey) as client:

            def left(key: str) -> list[int]:
                name = store._prefix + key.encode()
                return [round(client.pttl(each) / 1000) for each in (name, name + b"\0about")]

            await store.put("short", b"")
            assert left("short") == [100, 0]
            await store.put("long", LONG)
            await store.with_ttl(50).put("stream", iter([bytes(3_000_000)] * 2))
            assert [left("long"), left("stream")] == [[100, 100], [50, 50]]
            await store.copy("long", "copied")
            await store.move("stream", "moved")
            assert [left("copied"), left("moved")] == [[100, 100], [50, 50]]
            await store.with_ttl(None).put("long", LONG)
            assert left("long") == [0, 0]
            await store.with_ttl(0).put("long", LONG)
            with pytest.raises(ObjectNotFound):
                await store.get("long")
            await store.with_ttl(0.03).put_many({"many": b"x"})
            assert await store.exists("many")
            await asyncio.sleep(0.05)
            assert not await store.exists("many")
            assert sorted([key async for key in store.keys()]) == ["copied", "moved", "short"]
            await store.clear()
        for wrong in (-1, "1", True):
            with pytest.raises(ConfigError, match="ttl"):
                store.with_ttl(wrong)
