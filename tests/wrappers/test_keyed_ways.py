"""Validators, transformers of users, and routes of patterns."""

from __future__ import annotations

from typing import Any

import pytest

from storage.aioutils import (
    AsyncKeyTransformingStore,
    AsyncKeyValidatingStore,
    AsyncPrefixStore,
    AsyncRegexRoutingStore,
    AsyncRegexValidatingStore,
    AsyncUrlEncodingStore,
)
from storage.object import (
    AsyncDictStore,
    BaseStore,
    BulkError,
    Capability,
    DictStore,
    InvalidKey,
    NotSupported,
    RefusedKey,
    StoreError,
)
from storage.utils import (
    KeyTransformer,
    KeyTransformingStore,
    PrefixKeyTransformer,
    PrefixStore,
    UrlEncodingKeyTransformer,
)
from tests.stores import AskedStore, BlockingStore, ForeignStore, fill

# -- validators -----------------------------------------------------------------------------


async def test_what_a_validator_refuses_is_a_key_error_and_an_invalid_key() -> None:
    def validator(key: str) -> None:
        if not key.startswith("valid_"):
            raise KeyError(f"not valid: {key}")

    child = AsyncDictStore()
    store = AsyncKeyValidatingStore(child, validator)
    await store.put("valid_1", b"1")
    assert await store.get("valid_1") == b"1"
    for verb in (store.put("x", b""), store.get("x"), store.exists("x"), store.delete("x")):
        with pytest.raises(KeyError) as caught:
            await verb
        assert isinstance(caught.value, RefusedKey)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value.__cause__, KeyError)
        assert "'x' in AsyncKeyValidatingStore" in str(caught.value)
        assert str(caught.value).endswith("not valid: x")
    with pytest.raises(KeyError):
        await store.copy("valid_1", "x")
    assert list(child.objects) == ["valid_1"]


async def test_a_refused_key_is_no_missing_one() -> None:
    store = AsyncRegexValidatingStore(AsyncDictStore(fill("a")), "[a-z]")
    with pytest.raises(BulkError) as caught:
        [pair async for pair in store.get_many(["a", "b", "1"], missing_ok=True)]
    assert set(caught.value.errors) == {"1"}


async def test_an_error_of_the_validator_itself_is_not_hidden() -> None:
    def broken(key: str) -> None:
        raise AttributeError("oh")

    store = AsyncKeyValidatingStore(AsyncDictStore(fill("a")), broken)
    with pytest.raises(AttributeError):
        await store.get("a")
    with pytest.raises(AttributeError):
        [key async for key in store.keys()]


# -- transformers of users ------------------------------------------------------------------


async def test_a_way_without_return_writes_and_reads_and_does_not_list() -> None:
    class OneWay(KeyTransformer):
        def transform_key(self, key: str) -> str:
            return f"h{hash(key)}"

        def reverse_transform_key(self, key: str) -> str:
            raise NotImplementedError

    store = AsyncKeyTransformingStore(AsyncDictStore(), OneWay())
    await store.put("a", b"1")
    assert await store.get("a") == b"1"
    assert await store.delete_many(["a"]) == 1
    await store.put("a", b"1")
    for listing in (store.keys(), store.list()):
        with pytest.raises(NotSupported, match="cannot be reversed"):
            await anext(listing)
    with pytest.raises(NotSupported):
        await store.list_with_delimiter()


async def test_any_object_with_the_two_methods_transforms() -> None:
    class Duck:
        def transform_key(self, key: str) -> str:
            return f"{key}.obj"

        def reverse_transform_key(self, key: str) -> str:
            return key.removesuffix(".obj")

    duck: Any = Duck()
    child = AsyncDictStore(fill("x"))
    store = AsyncKeyTransformingStore(child, duck)
    await store.put("a", b"1")
    assert set(child.objects) == {"x", "a.obj"}
    assert [key async for key in store.keys("a")] == ["a"]
    assert Capability.ORDERED not in store.capabilities


async def test_a_transformer_that_gives_no_text_is_refused() -> None:
    class Bad(KeyTransformer):
        def transform_key(self, key: str) -> Any:
            return {"a": "", "b": ["list"], "c": b"bytes", "d": "\0", "e": 1}[key]

    store = AsyncKeyTransformingStore(AsyncDictStore(), Bad())
    for key in "abcdef":
        with pytest.raises(InvalidKey) as caught:
            await store.put(key, b"")
        assert caught.value.key == key


OWN = "own-"


def _strip(key: str) -> str:
    if not key.startswith(OWN):
        raise ValueError(key)
    return key[len(OWN) :]


async def test_a_subclass_transforms_keys_itself() -> None:
    class Own(AsyncPrefixStore):
        def transform_key(self, key: str) -> str:
            return OWN + super().transform_key(key)

        def reverse_transform_key(self, key: str) -> str:
            return super().reverse_transform_key(_strip(key))

    child = AskedStore(fill("x", "p/x"))
    store = Own(child, "p/")
    await store.put("k", b"1")
    assert "own-p/k" in child.objects
    assert [key async for key in store.keys("k")] == ["k"]
    assert child.asked == [("", "")]
    assert [info.key for info in (await store.list_with_delimiter()).objects] == ["k"]
    assert Capability.ORDERED not in store.capabilities


@pytest.mark.parametrize("child", [DictStore(), BlockingStore()], ids=["ours", "theirs"])
def test_a_blocking_subclass_transforms_keys_itself(child: Any) -> None:
    class Own(KeyTransformingStore):
        def transform_key(self, key: str) -> str:
            return OWN + super().transform_key(key)

        def reverse_transform_key(self, key: str) -> str:
            return super().reverse_transform_key(_strip(key))

    child.put("x", b"")
    store = Own(child)
    store.put("k", b"1")
    assert set(child.objects) == {"x", "own-k"}
    assert list(store.keys()) == ["k"]
    assert isinstance(store, BaseStore)
    assert store.clear() == 1


async def test_children_of_five_verbs_are_enough() -> None:
    child = ForeignStore(x=b"", **{"p/a": b"1"})
    async with AsyncPrefixStore(child, "p/") as store:
        assert child.entered == 1
        await store.put("b", b"2")
        assert sorted([key async for key in store.keys()]) == ["a", "b"]
    assert child.entered == 0
    assert sorted(child.objects) == ["p/a", "p/b", "x"]


# -- routes of patterns ---------------------------------------------------------------------


async def test_the_first_pattern_that_is_found_decides() -> None:
    child = AsyncDictStore(fill("foreign"))
    routes = [(r"\.jpg\Z", PrefixKeyTransformer("img/")), ("^a", UrlEncodingKeyTransformer())]
    store = AsyncRegexRoutingStore(child, routes)
    store.add_route("^b", PrefixKeyTransformer("rest/"))
    for key in ("a x.jpg", "a x", "b"):
        await store.put(key, key.encode())
    assert set(child.objects) == {"foreign", "img/a x.jpg", "a%20x", "rest/b"}
    assert {key async for key in store.keys()} == {"a x.jpg", "a x", "b"}
    assert await store.get("a x") == b"a x"
    assert await store.exists("c") is False
    for verb in (store.get("c"), store.put("c", b""), store.delete("c"), store.copy("b", "c")):
        with pytest.raises(KeyError, match="no route matches"):
            await verb
    assert await store.clear() == 3
    assert set(child.objects) == {"foreign"}


def test_reprs_tell_the_keys() -> None:
    child = AsyncDictStore()
    assert (
        repr(AsyncPrefixStore(child, "p/")) == "AsyncPrefixStore(AsyncDictStore(0 objects), 'p/')"
    )
    assert repr(AsyncUrlEncodingStore(child)) == "AsyncUrlEncodingStore(AsyncDictStore(0 objects))"
    shown = repr(PrefixStore(DictStore(), "p/"))
    assert shown == "PrefixStore(DictStore(0 objects), 'p/')"
    assert "^a" in repr(AsyncRegexRoutingStore(child, [("^a", KeyTransformer())]))
    with pytest.raises(StoreError):
        AsyncRegexRoutingStore(child, [("(", KeyTransformer())])
