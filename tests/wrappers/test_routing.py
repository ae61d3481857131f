"""One store made of several, each with a part of the keys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import (
    AsyncIdentityStore,
    AsyncJsonStore,
    AsyncRetryStore,
    AsyncRoutingStore,
    AsyncTextEncodingStore,
)
from storage.object import (
    AsyncDictStore,
    BulkError,
    Capability,
    DictStore,
    InvalidKey,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    RefusedKey,
    StoreError,
    StoreNotFound,
)
from storage.utils import RoutingStore
from tests.stores import BlockingStore, ForeignStore


def test_a_prefix_is_a_text() -> None:
    wrong: Any = [(None, AsyncDictStore())]
    with pytest.raises(TypeError, match="prefix"):
        AsyncRoutingStore(wrong)


@pytest.mark.parametrize("around", [None, AsyncIdentityStore, AsyncRetryStore])
async def test_stores_of_different_values(around: Any) -> None:
    below = AsyncDictStore()
    routes = [("json/", AsyncJsonStore(below)), ("text/", AsyncTextEncodingStore(below))]
    store: Any = AsyncRoutingStore([*routes, ("", below)])
    store = store if around is None else around(store)
    values = {"json/a": {"a": 1}, "json/b": [1, 2], "json/c": "c", "text/a": "é", "a": b"1"}
    for key, value in values.items():
        await store.put(key, value)
        assert await store.get(key) == value
    await store.put("b", [b"1", b"2"])
    await store.put("c", iter([b"1", b"2"]))
    assert await store.get("b") == await store.get("c") == b"12"
    before = dict(below.objects)
    for key, wrong in (
        ("a", "text"),
        ("a", {"a": 1}),
        ("a", [1]),
        ("text/a", b"1"),
        ("text/a", [1]),
    ):
        with pytest.raises(TypeError):
            await store.put(key, wrong)
    assert below.objects == before
    plain: Any = AsyncRoutingStore([("text/", AsyncTextEncodingStore(below)), ("", below)])
    with pytest.raises(TypeError):
        await plain.put("a", 3)


async def test_the_first_prefix_decides() -> None:
    a, b, rest = AsyncDictStore(), AsyncDictStore(), AsyncDictStore()
    store = AsyncRoutingStore([("a/b/", b, True), ("a/", a)])
    store.add_route("", rest)
    for key in ("a/b/x", "a/x", "x"):
        assert (await store.put(key, key.encode())).key == key
    assert (set(a.objects), set(b.objects), set(rest.objects)) == ({"a/x"}, {"x"}, {"x"})
    assert [key async for key in store.keys()] == ["a/b/x", "a/x", "x"]
    assert await store.get("a/b/x") == b"a/b/x"
    await store.delete("a/b/x")
    assert b.objects == {}


async def test_what_no_route_leads_to_does_not_exist() -> None:
    store = AsyncRoutingStore([("a/", AsyncDictStore())])
    assert await store.exists("b") is False
    assert await AsyncIdentityStore(store).exists("b") is False
    verbs: list[Any] = [
        store.get("b"),
        store.put("b", b""),
        store.delete("b", missing_ok=True),
        store.copy("a/x", "b"),
        store.open_writer("b").__aenter__(),
    ]
    for verb in verbs:
        with pytest.raises(KeyError, match="no route begins") as caught:
            await verb
        assert isinstance(caught.value, RefusedKey)
    with pytest.raises(RefusedKey):
        await AsyncRoutingStore().get("a")
    assert [key async for key in AsyncRoutingStore().keys()] == []


async def test_what_leads_elsewhere_is_neither_listed_nor_removed() -> None:
    a = AsyncDictStore({"a/x": b"", "b/x": b"", "x": b""})
    b = AsyncDictStore({"x": b"", "y" * 1023: b""})
    store = AsyncRoutingStore([("b/", b, True), ("a/", a)])
    assert [key async for key in store.keys()] == ["a/x", "b/x"]
    assert [key async for key in store.keys("b/", start_after="b/w")] == ["b/x"]
    assert await store.clear() == 2
    assert set(a.objects) == {"b/x", "x"}
    assert set(b.objects) == {"y" * 1023}


KEYS = st.text("ab/", min_size=1, max_size=5)
ROUTES = st.lists(st.tuples(st.text("ab/", max_size=3), st.booleans()), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    routes=ROUTES,
    keys=st.sets(KEYS, max_size=8),
    strange=st.sets(KEYS, max_size=3),
    prefix=st.text("ab/", max_size=3),
    after=st.text("ab/", max_size=3),
    delimiter=st.sampled_from(["/", "a", "b/"]),
)
def test_listings_are_those_of_one_store(
    routes: list[tuple[str, bool]],
    keys: set[str],
    strange: set[str],
    prefix: str,
    after: str,
    delimiter: str,
) -> None:
    children = [DictStore() for _ in routes]
    router = RoutingStore(
        [(name, child, strip) for (name, strip), child in zip(routes, children, strict=True)]
    )
    for child in children:
        for key in strange:
            child.put(key, b"")
    plain = DictStore()
    for key in router.keys():  # what the strange keys mean here
        plain.put(key, b"")
    for key in keys:
        try:
            router.put(key, b"")
        except InvalidKey:
            assert not any(key.startswith(name) for name, _ in routes) or any(
                strip and key == name for name, strip in routes
            )
        else:
            plain.put(key, b"")
    assert list(router.keys()) == list(plain.keys())
    found = [info.key for info in router.list(prefix, start_after=after)]
    assert found == list(plain.keys(prefix, start_after=after))
    level, expected = (s.list_with_delimiter(prefix, delimiter) for s in (router, plain))
    assert level.prefixes == expected.prefixes
    assert [info.key for info in level.objects] == [info.key for info in expected.objects]
    for key in router.keys():
        router.get(key)
    assert router.clear(prefix) == plain.clear(prefix)
    assert list(router.keys()) == list(plain.keys())


async def test_copies_and_moves_between_stores(tmp_path: Path) -> None:
    a, b = AsyncDictStore(), AsyncFilesystemStore(tmp_path)
    store = AsyncRoutingStore([("a/", a), ("b/", b, True)])
    await store.put("a/1", b"one")
    assert (await store.copy("a/1", "b/x/1")).key == "b/x/1"
    with pytest.raises(ObjectExists):
        await store.copy("a/1", "b/x/1", if_absent=True)
    assert (await store.move("b/x/1", "a/2")).key == "a/2"
    assert {key async for key in store.keys()} == {"a/1", "a/2"}
    assert await store.get("a/2") == b"one"
    assert (await store.move("a/2", "a/3")).key == "a/3"
    with pytest.raises(ObjectNotFound) as caught:
        await store.copy("b/none", "a/1")
    assert (caught.value.key, caught.value.store) == ("b/none", repr(store))


async def test_many_are_removed_store_by_store() -> None:
    asked: list[list[str]] = []

    class Bulk(AsyncDictStore):
        async def _delete_many(
            self, keys: Any, missing_ok: bool
        ) -> AsyncGenerator[tuple[str, Exception | None], None]:
            asked.append(list(keys))
            for key in asked[-1]:
                yield key, ObjectNotFound("none", key=key) if key == "none" else None

    store = AsyncRoutingStore([("a/", Bulk(), True), ("b/", Bulk(), True)])
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a/1", "b/1", "c", "a/none", "b/2"], missing_ok=False)
    assert asked == [["1", "none"], ["1", "2"]]
    assert set(caught.value.errors) == {"a/none", "c"}
    lost = caught.value.errors["a/none"]
    assert isinstance(lost, StoreError)
    assert lost.key == "a/none"


async def test_it_does_what_all_of_its_stores_do(tmp_path: Path) -> None:
    both = AsyncRoutingStore(
        [("a", AsyncDictStore()), ("b", AsyncFilesystemStore(tmp_path, attributes=False))]
    )
    assert both.capabilities == ~Capability.ATTRIBUTES
    assert both.inline
    foreign = AsyncRoutingStore([("a", AsyncDictStore()), ("b", ForeignStore())])
    assert foreign.capabilities == Capability.NONE
    with pytest.raises(NotSupported):
        await foreign.put("a", b"", if_absent=True)
    assert not foreign.inline
    await foreign.put("b", b"1")
    assert [key async for key in foreign.keys()] == ["b"]


async def test_a_missing_store_is_no_empty_one(tmp_path: Path) -> None:
    store = AsyncRoutingStore(
        [("a", AsyncDictStore()), ("b", AsyncFilesystemStore(tmp_path / "b"))]
    )
    with pytest.raises(StoreNotFound):
        [key async for key in store.keys()]
    assert [key async for key in store.keys("a")] == []


async def test_stores_are_entered_once_and_left() -> None:
    one, two = ForeignStore(), ForeignStore()
    lifted = AsyncIdentityStore(one)
    async with AsyncRoutingStore([("a", lifted), ("b", lifted, True), ("c", two)]) as store:
        assert (one.entered, two.entered) == (1, 1)
        await store.put("bx", b"")
    assert (one.entered, two.entered) == (0, 0)
    assert list(one.objects) == ["x"]


def test_blocking_stores_of_both_kinds() -> None:
    ours, theirs = DictStore(), BlockingStore()
    store = RoutingStore([("a/", ours), ("b/", theirs, True)])
    store.add_route("c/", DictStore())
    store.put_many({"a/1": b"1", "b/2": b"2", "c/3": b"3"})
    assert list(ours.keys()) == ["a/1"]
    assert list(theirs.keys()) == ["2"]
    assert set(store.keys()) == {"a/1", "b/2", "c/3"}
    assert repr(store).startswith("RoutingStore([('a/', DictStore(1 objects)), ('b/', ")


def test_the_stores_come_back_as_they_were_passed() -> None:
    ours, theirs, late = DictStore(), BlockingStore(), DictStore()
    store = RoutingStore([("a/", ours), ("b/", theirs, True)])
    store.add_route("c/", late)
    assert store.children == (ours, theirs, late)
