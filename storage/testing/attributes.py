"""Content types and metadata are kept, or refused."""

from __future__ import annotations

from .._async.base import AsyncBaseStore
from .._core.errors import StoreError
from .._core.info import Capability, ObjectInfo
from .base import Conformance

TYPE = "text/plain; charset=utf-8"
PAIRS = {"author": "somebody", "purpose": "a test, with spaces; and = signs", "empty": ""}
STRANGE: tuple[dict[str, str], ...] = (
    {"name": "été 日本"}, {"name": " spaces "}, {"name": "a\nb"}, {"name": "%41"},
    {"Upper": "case"}, {"été": "x"}, {"a b": "x"}, {"name": "x" * 5_000},
)  # fmt: skip


class AttributeChecks(Conformance):
    """Content types and metadata."""

    async def _has(self, store: AsyncBaseStore) -> bool:
        return await self.promises(
            store,
            Capability.ATTRIBUTES,
            lambda: store.put("key", b"", content_type=TYPE),
            lambda: store.put("key", b"", metadata=PAIRS),
            lambda: store.put("key", iter([b""]), metadata=PAIRS),
            lambda: store.open_writer("key", content_type=TYPE),
        )

    async def test_attributes(self, store: AsyncBaseStore) -> None:
        if not await self._has(store):
            return
        told = [await store.put("key", b"value", content_type=TYPE, metadata=PAIRS)]
        told += [await store.head("key"), (await store.get_with_info("key"))[1]]
        async with store.open_reader("key") as reader:
            told.append(reader.info)
        for info in told:
            _check(info)
        async for info in store.list():
            assert info.content_type in (TYPE, None)
            assert info.metadata in (PAIRS, None)
        assert await store.get("key") == b"value"

    async def test_attributes_of_streams(self, store: AsyncBaseStore) -> None:
        if not await self._has(store):
            return
        pieces = [bytes(100_000)] * 3
        _check(await store.put("streamed", iter(pieces), content_type=TYPE, metadata=PAIRS))
        async with store.open_writer("written", content_type=TYPE, metadata=PAIRS) as writer:
            await writer.write(b"value")
        for key in ("streamed", "written"):
            _check(await store.head(key))

    async def test_attributes_go_with_the_object(self, store: AsyncBaseStore) -> None:
        if not await self._has(store):
            return
        await store.put("key", b"value", content_type=TYPE, metadata=PAIRS)
        await store.copy("key", "copied")
        _check(await store.head("copied"))
        await store.move("key", "moved")
        _check(await store.head("moved"))
        await store.copy("moved", "moved")
        _check(await store.head("moved"))
        await store.put("moved", b"without")
        info = await store.head("moved")
        assert info.content_type != TYPE, "attributes have outlived their object"
        assert not info.metadata, "attributes have outlived their object"
        await store.delete("copied")
        await store.put("copied", b"without")
        assert not (await store.head("copied")).metadata

    async def test_attributes_alone(self, store: AsyncBaseStore) -> None:
        if not await self._has(store):
            return
        await store.put("typed", b"", content_type=TYPE)
        info = await store.head("typed")
        assert (info.content_type, info.metadata or {}) == (TYPE, {})
        await store.put("paired", b"", metadata=PAIRS)
        assert (await store.head("paired")).metadata == PAIRS

    async def test_no_attributes(self, store: AsyncBaseStore) -> None:
        """Nothing to keep is nothing to refuse."""
        await store.put("key", b"value", content_type=None, metadata={})
        assert await store.get("key") == b"value"

    async def test_strange_attributes(self, store: AsyncBaseStore) -> None:
        """What cannot be kept exactly is refused."""
        if not await self._has(store):
            return
        for pairs in STRANGE:
            try:
                await store.put("key", b"value", metadata=pairs)
            except StoreError:
                assert not await store.exists("key")
                continue
            assert (await store.head("key")).metadata == pairs
            await store.delete("key")

    async def test_metadata_is_taken_at_once(self, store: AsyncBaseStore) -> None:
        if not await self._has(store):
            return
        pairs = {"name": "as it was"}
        await store.put("key", b"", metadata=pairs)
        pairs["name"] = "now other"
        assert (await store.head("key")).metadata == {"name": "as it was"}


def _check(info: ObjectInfo) -> None:
    assert info.content_type == TYPE
    assert info.metadata == PAIRS
