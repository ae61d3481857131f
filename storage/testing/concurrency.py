"""Many tasks at once see whole objects only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from .._async.base import AsyncBaseStore
from .._core.errors import NotSupported, ObjectNotFound, PreconditionFailed, StoreTimeout
from .base import Conformance

SIZE = 300_000
ROUNDS = 12


def _version(number: int) -> bytes:
    """Contents of one byte each, and of different lengths: a mixture is seen at once."""
    return bytes([number % 255 + 1]) * (SIZE + number % 7 * 1_000)


def _is_whole(data: bytes) -> bool:
    return len(set(data[:: max(1, len(data) // 997)]) | {data[0], data[-1]}) == 1 and (
        data == _version(data[0] - 1)
    )


class ConcurrencyChecks(Conformance):
    """Readers and writers, at once."""

    async def test_readers_see_whole_objects(self, store: AsyncBaseStore) -> None:
        async def overwrite(number: int) -> None:
            await store.put("key", _version(number))

        await self._read_during(store, overwrite)

    async def test_readers_see_whole_streams(self, store: AsyncBaseStore) -> None:
        async def overwrite(number: int) -> None:
            data = _version(number)
            await store.put("key", (data[at : at + 50_000] for at in range(0, len(data), 50_000)))

        await self._read_during(store, overwrite)

    async def test_readers_see_whole_copies(self, store: AsyncBaseStore) -> None:
        for number in range(4):
            await store.put(f"source{number}", _version(number))

        async def overwrite(number: int) -> None:
            await store.copy(f"source{number % 4}", "key")

        await self._read_during(store, overwrite)

    async def _read_during(
        self, store: AsyncBaseStore, overwrite: Callable[[int], Awaitable[None]]
    ) -> None:
        await overwrite(0)
        done = False

        async def read(how: int) -> int:
            count = 0
            while not done or not count:
                try:
                    data = await self._read(store, how)
                except PreconditionFailed:
                    assert how in (1, 2), "a plain get does not fail because of an overwrite"
                    await asyncio.sleep(0)
                    continue
                assert _is_whole(data), "a reader has seen a part of a write"
                assert await store.exists("key"), "the object vanished while it was replaced"
                count += 1
                await asyncio.sleep(0)  # not every store ever waits
            return count

        async def write() -> None:
            nonlocal done
            try:
                for number in range(1, ROUNDS):
                    await overwrite(number)
            finally:
                done = True

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            for how in range(4):
                group.create_task(read(how))

    @staticmethod
    async def _read(store: AsyncBaseStore, how: int) -> bytes:
        if how == 1:
            return b"".join([piece async for piece in store.stream("key")])
        if how == 2:
            async with store.open_reader("key") as reader:
                return await reader.read(1_000) + await reader.read()
        return await store.get("key")

    async def test_listing_sees_whole_objects(self, store: AsyncBaseStore) -> None:
        """While an object is replaced, it is listed once, with a size that it had."""
        await store.put("key", _version(0))
        sizes = {len(_version(number)) for number in range(7)} | {None}
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._overwrite(store))
            while not writing.done():
                infos = [info async for info in store.list()]
                assert [info.key for info in infos] == ["key"]
                assert infos[0].size in sizes
                await asyncio.sleep(0)
        await self.clean(store)

    @staticmethod
    async def _overwrite(store: AsyncBaseStore) -> None:
        for number in range(ROUNDS):
            data: list[bytes] = [_version(number)]
            await store.put("key", data[0] if number % 2 else iter(data))

    async def test_writers_of_one_key(self, store: AsyncBaseStore) -> None:
        puts = [
            store.put("key", _version(n) if n % 2 else iter([_version(n)[:5], _version(n)[5:]]))
            for n in range(10)
        ]
        await asyncio.gather(*puts)
        assert _is_whole(await store.get("key"))
        assert [key async for key in store.keys()] == ["key"]
        await self.clean(store)

    async def test_many_at_once(self, store: AsyncBaseStore) -> None:
        values = {f"dir{n % 7}/key{n}": b"%d" % n * 100 for n in range(100)}
        await asyncio.gather(*(store.put(key, value) for key, value in values.items()))
        got = await asyncio.gather(*(store.get(key) for key in values))
        assert got == list(values.values())
        gone = sorted(values)[::2]
        await asyncio.gather(*(store.delete(key) for key in gone))
        assert sorted(await self.contents(store)) == sorted(set(values) - set(gone))

    async def test_puts_against_deletes(self, store: AsyncBaseStore) -> None:
        async def put() -> None:
            for number in range(ROUNDS):
                await store.put("dir/key", _version(number)[:50_000])

        async def delete() -> None:
            for _ in range(ROUNDS):
                await store.delete("dir/key", missing_ok=True)

        async def read() -> None:
            for _ in range(ROUNDS):
                try:
                    data = await store.get("dir/key")
                except ObjectNotFound:
                    continue
                assert len(data) == 50_000
                assert len(set(data)) == 1

        await asyncio.gather(put(), delete(), put(), read(), delete(), read())
        await store.put("dir/key", b"last")
        assert await self.contents(store) == {"dir/key": b"last"}
        await self.clean(store)

    async def test_deadline(self, store: AsyncBaseStore) -> None:
        """An operation that takes too long ends in time, and leaves all as it was."""
        await store.put("key", _version(0))

        async def hurried(timeout: float) -> None:
            async with self.opened(self.hurried, self._origin(store), timeout) as other:
                for attempt in (
                    lambda: other.get("key"),
                    lambda: other.put("key", _version(1)),
                    lambda: other.put("key", iter([_version(1)])),
                    lambda: other.copy("key", "copy"),
                    other.list_with_delimiter,
                ):
                    begin = time.monotonic()
                    with suppress(StoreTimeout):
                        await attempt()
                    assert time.monotonic() - begin < timeout + 10
                    assert await store.get("key") in (_version(0), _version(1))
                    await self.clean(store)

        for timeout in (1e-9, 0.001, 0.01):
            try:
                await hurried(timeout)
            except StoreTimeout:
                continue  # it could not even be opened
            except NotSupported:
                break
