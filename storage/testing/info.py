"""What is known of an object is true, and the same wherever it is said."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import UTC, datetime, timedelta

from .._async.base import AsyncBaseStore
from .._core.info import Capability, ObjectInfo
from .base import Conformance

_NEEDS_ETAGS = Capability.IF_MATCH | Capability.DELETE_IF_MATCH | Capability.READ_CONDITIONS


class InfoChecks(Conformance):
    """`ObjectInfo`, field by field."""

    async def test_capabilities(self, store: AsyncBaseStore) -> None:
        assert isinstance(store.capabilities, Capability)
        if self.capabilities is not None:
            assert store.capabilities == self.capabilities

    async def test_fields(self, store: AsyncBaseStore) -> None:
        data = b"some content"
        now = datetime.now(UTC)
        for info in (await store.put("a/key", data), await store.head("a/key")):
            assert isinstance(info, ObjectInfo)
            assert info.key == "a/key"
            assert info.size in (len(data), None)
            assert isinstance(info.etag, str | None)
            assert info.etag != ""
            if info.modified is not None:
                assert info.modified.tzinfo is not None
                # An hour, because a server has a clock of its own.
                assert abs(info.modified - now) < timedelta(hours=1)
            self._check_digest(info, data)
        if self.tells_sizes:
            assert (await store.head("a/key")).size == len(data)

    @staticmethod
    def _check_digest(info: ObjectInfo, data: bytes) -> None:
        if info.checksum is None:
            return
        algorithm, _, digest = info.checksum.partition(":")
        assert digest == digest.lower()
        if algorithm in hashlib.algorithms_available:
            assert digest == hashlib.new(algorithm, data).hexdigest()

    async def test_said_alike(self, store: AsyncBaseStore) -> None:
        """All verbs that tell of an object agree, in whatever they know."""
        await store.put("other", b"something else")
        for key, size in (("a", 0), ("b/c", 1), ("large", 3_000_000)):
            told = [await store.put(key, bytes(size)), await store.head(key)]
            told += [(await store.get_with_info(key))[1]]
            told += [(await store.get_with_info(key, start=0, end=1))[1]]
            told += [info async for info in store.list(key) if info.key == key]
            told += [o for o in (await store.list_with_delimiter(key)).objects if o.key == key]
            async with store.open_reader(key) as reader:
                told.append(reader.info)
            assert len(told) == 7
            _check_agreement(told)
            if store.capabilities & _NEEDS_ETAGS:
                assert all(info.etag for info in told), "a store with conditions tells etags"

    async def test_streamed_put_tells_alike(self, store: AsyncBaseStore) -> None:
        info = await store.put("streamed", iter([bytes(100_000)] * 3))
        _check_agreement([info, await store.head("streamed")])
        async with store.open_writer("written") as writer:
            await writer.write(b"something")
        _check_agreement([writer.info, await store.head("written")])
        copied = await store.copy("streamed", "copied")
        _check_agreement([copied, await store.head("copied")])
        moved = await store.move("copied", "moved")
        _check_agreement([moved, await store.head("moved")])

    async def test_etag_follows_the_content(self, store: AsyncBaseStore) -> None:
        """Writes in quick succession, and of the same size, are told apart."""
        etags = []
        for number in range(30):
            info = await store.put("key", b"%04d" % number)
            if await self._has_no_etags(store, info):
                return
            etags.append(info.etag)
            assert (await store.head("key")).etag == info.etag
        assert len(set(etags)) == len(etags), "an etag stayed while the content changed"

    async def test_etag_follows_every_kind_of_write(self, store: AsyncBaseStore) -> None:
        info = await store.put("key", b"0000")
        await store.put("source", b"3333")
        if await self._has_no_etags(store, info):
            return
        etags = [info.etag, (await store.put("key", iter([b"11", b"11"]))).etag]
        async with store.open_writer("key") as writer:
            await writer.write(b"2222")
        etags.append((await store.head("key")).etag)
        await store.copy("source", "key")
        etags.append((await store.head("key")).etag)
        await store.delete("key")
        etags.append((await store.put("key", b"4444")).etag)
        await store.move("source", "key")
        await store.put("key", b"5555")
        etags.append((await store.head("key")).etag)
        assert len(set(etags)) == len(etags), "an etag stayed while the content changed"

    async def test_etag_is_stable(self, store: AsyncBaseStore) -> None:
        info = await store.put("key", b"content")
        if await self._has_no_etags(store, info):
            return
        await store.get("key")
        await store.put("key2", b"another")
        await store.delete("key2")
        await store.copy("key", "key3")
        assert (await store.head("key")).etag == info.etag

    async def _has_no_etags(self, store: AsyncBaseStore, info: ObjectInfo) -> bool:
        if info.etag is None:
            info = await store.head("key")
        assert info.etag is not None or not store.capabilities & _NEEDS_ETAGS
        return info.etag is None


def _check_agreement(told: list[ObjectInfo]) -> None:
    for field in fields(ObjectInfo):
        known = {
            str(value) for info in told if (value := getattr(info, field.name)) not in (None, {})
        }
        assert len(known) <= 1, f"{field.name} is told in several ways: {known}"
