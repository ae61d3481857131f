"""Stores that give their child other keys: what is theirs, and what they say about it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.aioutils import (
    AsyncHashPrefixStore,
    AsyncPrefixStore,
    AsyncRegexRoutingStore,
    AsyncRegexValidatingStore,
    AsyncUrlEncodingStore,
    AsyncUrlValidatingStore,
)
from storage.object import (
    AsyncDictStore,
    BulkError,
    Capability,
    DictStore,
    InvalidKey,
    NotSupported,
    ObjectNotFound,
    StoreUnavailable,
)
from storage.utils import (
    PrefixKeyTransformer,
    PrefixStore,
)
from tests.stores import AskedStore, FlakyStore, fill

# -- what is whose --------------------------------------------------------------------------

FOREIGN: list[tuple[Callable[[Any], Any], str, list[str]]] = [
    (lambda child: AsyncPrefixStore(child, "p/"), "p/k", ["p/", "p", "q/k", "k", "P/k"]),
    (AsyncHashPrefixStore, "8254c329/k", ["k", "00000000/k", "8254c329", "8254C329/k", "x" * 20]),
    (
        AsyncUrlEncodingStore,
        "a%20b",
        ["a b", "a%2", "%zz", "a%c3", "%2F", "a%2fb", "é", "%ff", "+ "],
    ),
    (lambda child: AsyncRegexValidatingStore(child, r"[a-z]\Z"), "k", ["K", "kk", "1", "k\n"]),
    (AsyncUrlValidatingStore, "http://h/x", ["k", "ftp://h/x", "http:/h"]),
    (
        lambda child: AsyncRegexRoutingStore(child, [("^k", PrefixKeyTransformer("r-"))]),
        "r-k",
        ["k", "r-x", "r-"],
    ),
]


@pytest.mark.parametrize(("wrap", "inner", "foreign"), FOREIGN)
async def test_foreign_keys_are_neither_listed_nor_removed(
    wrap: Callable[[Any], Any], inner: str, foreign: list[str]
) -> None:
    child = AsyncDictStore(fill(inner, *foreign))
    store = wrap(child)
    keys = [key async for key in store.keys()]
    assert len(keys) == 1
    assert [info.key async for info in store.list()] == keys
    level = await store.list_with_delimiter()
    assert len(level.prefixes) + len(level.objects) == 1
    assert await store.get(keys[0]) == inner.encode()
    assert await store.clear() == 1
    assert set(child.objects) == set(foreign)
    assert await store.clear() == 0


NAMES = st.text("ab/.", min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    prefixes=st.tuples(NAMES, NAMES).filter(
        lambda pair: not (pair[0].startswith(pair[1]) or pair[1].startswith(pair[0]))
    ),
    steps=st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["put", "delete", "copy", "move", "clear", "stream"]),
            NAMES,
            NAMES,
        ),
        max_size=12,
    ),
)
def test_two_tenants_of_one_store_never_meet(
    prefixes: tuple[str, str], steps: list[tuple[bool, str, str, str]]
) -> None:
    child = DictStore()
    child.put("#other", b"o")
    tenants = [PrefixStore(child, prefix) for prefix in prefixes]
    models: list[dict[str, bytes]] = [{}, {}]
    for which, verb, key, other in steps:
        store, model = tenants[which], models[which]
        if verb == "put":
            store.put(key, other.encode())
            model[key] = other.encode()
        elif verb == "stream":
            store.put(key, iter([other.encode()]))
            model[key] = other.encode()
        elif verb == "clear":
            assert store.clear(key) == len([name for name in model if name.startswith(key)])
            models[which] = {k: v for k, v in model.items() if not k.startswith(key)}
        elif key not in model:
            with pytest.raises(ObjectNotFound):
                store.delete(key) if verb == "delete" else getattr(store, verb)(key, other)
        elif verb == "delete":
            store.delete(key)
            del model[key]
        else:
            getattr(store, verb)(key, other)
            model[other] = model[key] if verb == "copy" else model.pop(key)
        for tenant, expected in zip(tenants, models, strict=True):
            assert dict(tenant.get_many(tenant.keys())) == expected
            assert [info.key for info in tenant.list()] == sorted(expected)
            assert len(tenant.list_with_delimiter().objects) == sum("/" not in k for k in expected)
    assert len(child.objects) == 1 + sum(map(len, models))
    assert child.get("#other") == b"o"


async def test_dots_are_nothing_but_characters() -> None:
    child = AsyncDictStore(fill("secret", "a/secret"))
    store = AsyncPrefixStore(AsyncPrefixStore(child, "a/"), "b/")
    for key in ("../secret", "../../secret", "/secret", "..", "./secret"):
        assert not await store.exists(key)
        await store.put(key, b"mine")
        assert f"a/b/{key}" in child.objects
    assert child.objects["secret"] == b"secret"
    assert len([key async for key in store.keys()]) == 5


# -- how it is asked ------------------------------------------------------------------------


async def test_a_prefix_lists_natively() -> None:
    child = AskedStore(fill("p/a", "p/b/1", "p/b/2", "q"))
    store = AsyncPrefixStore(child, "p/")
    assert [key async for key in store.keys("b/", start_after="b/1")] == ["b/2"]
    assert [info.key async for info in store.list("a")] == ["a"]
    assert child.asked == [("p/b/", "p/b/1"), ("p/a", "")]
    level = await store.list_with_delimiter()
    assert (level.prefixes, [info.key for info in level.objects]) == (("b/",), ["a"])
    assert child.levels == ["p/"]
    assert Capability.ORDERED in store.capabilities


async def test_a_validator_lists_prefixes_natively_and_levels_safely() -> None:
    child = AskedStore(fill("a/1", "b/x", "c"))
    store = AsyncRegexValidatingStore(child, r"[a-z]/[0-9]|c")
    assert [key async for key in store.keys("a", start_after="a/")] == ["a/1"]
    assert child.asked == [("a", "a/")]
    level = await store.list_with_delimiter()
    assert (level.prefixes, [info.key for info in level.objects]) == (("a/",), ["c"])


async def test_encoded_keys_list_prefixes_natively_and_in_no_order() -> None:
    child = AskedStore()
    store = AsyncUrlEncodingStore(child)
    for key in ("é/1", "é/2", "e", "z z", "\U0001f600"):
        await store.put(key, b"")
    assert [key async for key in store.keys("é/", start_after="é/1")] == ["é/2"]
    assert child.asked == [("%C3%A9/", "")]
    assert Capability.ORDERED not in store.capabilities
    assert {key async for key in store.keys(start_after="f")} == {"é/1", "é/2", "z z", "\U0001f600"}


async def test_hashed_keys_are_filtered_from_the_whole_listing() -> None:
    child = AskedStore()
    store = AsyncHashPrefixStore(child, 4)
    await store.put_many(dict.fromkeys(("a/1", "a/2", "b"), b""))
    assert {key async for key in store.keys("a/")} == {"a/1", "a/2"}
    assert child.asked == [("", "")]
    assert all(re.fullmatch("[0-9a-f]{4}/(a/1|a/2|b)", key) for key in child.objects)


async def test_urls_are_signed_for_the_child_s_key() -> None:
    store = AsyncPrefixStore(AskedStore(), "p/")
    assert await store.presigned_get("k", 5) == "get p/k 5"
    with pytest.raises(StoreUnavailable) as caught:
        await store.presigned_put("k")
    assert caught.value.key == "k"
    with pytest.raises(NotSupported):
        await AsyncPrefixStore(AsyncDictStore(), "p/").presigned_get("k")
    with pytest.raises(InvalidKey):
        await store.presigned_get("")


async def test_many_are_removed_by_the_child_s_own_verb() -> None:
    asked: list[list[str]] = []

    class Bulk(AsyncDictStore):
        async def _delete_many(
            self, keys: Any, missing_ok: bool
        ) -> AsyncGenerator[tuple[str, Exception | None], None]:
            asked.append(list(keys))
            for key in asked[-1]:
                lost = StoreUnavailable("gone", key=key) if "bad" in key else None
                yield key, lost

    store = AsyncPrefixStore(Bulk(), "p/")
    with pytest.raises(BulkError) as caught:
        await store.delete_many(["a", "bad", "", "a", "x" * 1024])
    assert asked == [["p/a", "p/a", "p/bad"]]
    assert set(caught.value.errors) == {"bad", "", "x" * 1024}
    lost = caught.value.errors["bad"]
    assert isinstance(lost, StoreUnavailable)
    assert lost.key == "bad"
    assert isinstance(caught.value.errors[""], InvalidKey)


# -- what is said ---------------------------------------------------------------------------


async def test_infos_and_errors_speak_of_our_keys() -> None:
    child = AsyncDictStore()
    store = AsyncPrefixStore(child, "p/")
    put = await store.put("a", b"1", content_type="text/plain", metadata={"m": "1"})
    assert put.key == "a"
    async with store.open_writer("b") as writer:
        await writer.write(b"2")
    infos = [writer.info, (await store.get_with_info("b"))[1], await store.head("b")]
    async with store.open_reader("b") as reader:
        infos.append(reader.info)
    assert {info.key for info in infos} == {"b"}
    assert (await store.copy("a", "c")).key == "c"
    moved = await store.move("c", "d")
    assert (moved.key, moved.content_type, moved.metadata) == ("d", "text/plain", {"m": "1"})
    verbs: list[Callable[[], Any]] = [
        lambda: store.get("nope"),
        lambda: store.head("nope"),
        lambda: store.delete("nope"),
        lambda: store.get_ranges("nope", [(0, 1)]),
        lambda: store.copy("nope", "x"),
        lambda: store.move("nope", "x"),
        lambda: store.open_reader("nope").__aenter__(),
    ]
    for verb in verbs:
        with pytest.raises(ObjectNotFound) as caught:
            await verb()
        assert caught.value.key == "nope"
        assert str(caught.value).count("nope") == 1
        assert caught.value.store == repr(store)
        assert "p/nope" not in str(caught.value)


async def test_an_error_in_the_middle_of_a_stream_speaks_of_our_key() -> None:
    class Breaking(AsyncDictStore):
        def _open(self, key: str, options: Any) -> Any:
            opened = super()._open(key, options)

            class Opened:
                async def __aenter__(self) -> Any:
                    body = await opened.__aenter__()

                    async def chunks() -> AsyncIterator[bytes]:
                        yield b"1"
                        raise StoreUnavailable("it broke", key=key)

                    body.chunks = chunks()
                    return body

                async def __aexit__(self, *exception: object) -> Any:
                    return await opened.__aexit__(None, None, None)

            return Opened()

    store = AsyncPrefixStore(Breaking(fill("p/a")), "p/")
    found = []
    with pytest.raises(StoreUnavailable) as caught:
        async for piece in store.stream("a"):
            found.append(piece)
    assert found == [b"1"]
    assert (caught.value.key, caught.value.store) == ("a", repr(store))


async def test_the_caller_s_own_errors_are_left_alone() -> None:
    child = AsyncDictStore()
    store = AsyncPrefixStore(child, "p/")
    with pytest.raises(ObjectNotFound) as caught:
        async with store.open_writer("x") as writer:
            async for piece in child.stream("p/x"):
                await writer.write(piece)
    assert (caught.value.key, caught.value.store) == ("p/x", repr(child))
    assert child.objects == {}


async def test_what_the_child_refuses_is_refused_before_anything_happens() -> None:
    class Picky(FlakyStore):
        def _check_key(self, key: str) -> None:
            if key.startswith("p/x"):
                raise InvalidKey("not that one")

    child = Picky()
    child.failing = {"get", "put", "delete", "list"}
    store = AsyncPrefixStore(child, "p/")
    pulled = []

    def source() -> Any:
        pulled.append(1)
        yield b"1"

    for verb in (store.put("x", b""), store.put("x", source()), store.get("x"), store.exists("x")):
        with pytest.raises(InvalidKey, match=r"as 'p/x' it is refused: not that one") as caught:
            await verb
        assert caught.value.key == "x"
    with pytest.raises(InvalidKey, match="1026"):
        await store.put("y" * 1024, b"")
    assert pulled == []


async def test_broken_listings_break_here_too() -> None:
    child = FlakyStore(fill("p/a", "p/b"))
    child.list_fails_after = 1
    store = AsyncPrefixStore(child, "p/")
    with pytest.raises(StoreUnavailable):
        [key async for key in store.keys()]
    with pytest.raises(StoreUnavailable):
        await store.clear()
    assert set(child.objects) == {"p/a", "p/b"}
