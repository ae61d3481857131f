"""Wrappers in URLs: one order, two forms, arguments with types."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import open_async_store, open_store
from storage._wrapping import take_layers, wrappers
from storage.aioutils import AsyncPrefixStore
from storage.object import ConfigError, StoreURL
from storage.utils import CachingStore, PrefixStore

FORMS = [
    ("prefix+url-encoding+memory://?prefix.prefix=t/", "memory://?wrap=prefix,url-encoding&prefix.prefix=t/"),
    (
        "hash-prefix+memory://?hash-prefix.hash_length=3&timeout=4&hash-prefix.separator=%26",
        "memory://?wrap=hash-prefix&hash-prefix.separator=%26&timeout=4&hash-prefix.hash_length=3",
    ),
    (
        "prefix+identity+prefix+memory://?prefix.prefix=a&prefix.2.prefix=b",
        "memory://?wrap=prefix,identity,prefix&prefix.2.prefix=b&prefix.prefix=a",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "option"), FORMS)
def test_both_forms_are_the_same(before: str, option: str) -> None:
    shown = repr(open_store(before))
    assert repr(open_store(option)) == shown
    for url in (before, option):
        assert repr(open_async_store(url)).replace("Async", "") == shown


def test_the_first_is_the_outermost(tmp_path: Path) -> None:
    store = open_store(
        f"prefix+url-encoding+prefix+file://{tmp_path}"
        "?durable=false&prefix.prefix=a b/&prefix.2.prefix=in/"
    )
    assert isinstance(store, PrefixStore)
    store.put("k k", b"1")
    assert (tmp_path / "in" / "a%20b" / "k%20k").read_bytes() == b"1"
    assert list(store.keys()) == ["k k"]


async def test_async_stores_are_wrapped_in_async_ones() -> None:
    store = open_async_store("prefix+memory://?prefix.prefix=t/&prefix.timeout=2.5")
    assert isinstance(store, AsyncPrefixStore)
    assert store._timeout == 2.5
    await store.put("k", b"1")
    assert await store.get("k") == b"1"


def test_an_argument_can_be_another_store(tmp_path: Path) -> None:
    store = open_store(f"caching+memory://?caching.cache_store=file://{tmp_path}%3Fdurable=false")
    assert isinstance(store, CachingStore)
    store.put("k", b"1")
    assert any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nope+memory://", "no wrapper is called 'nope'; known: .*prefix"),
        ("memory://?wrap=nope", "no wrapper is called 'nope'"),
        ("+memory://", "no"),
        ("prefix+memory://", "'prefix' in a URL needs the option prefix.prefix"),
        (
            "prefix+memory://?prefix.prefix=a&prefix.tiemout=3",
            "no argument 'tiemout'; it has",
        ),
        ("prefix+memory://?prefix.prefix=a&prefix.store=x", "no argument 'store'"),
        ("prefix+memory://?prefix.prefix=a&prefix.timeout=x", "'prefix.timeout': it is a number"),
        ("prefix+memory://?prefix.prefix=a&prefix.2.prefix=b", "no option 'prefix.2.prefix'"),
        ("identity+memory://?wrap=identity", "not in both"),
        ("memory://?identity.timeout=3", "no option 'identity.timeout'"),
        ("identity+memory://?nope=3", "no option 'nope'"),
        ("identity+nope://", "no store has the scheme 'nope'"),
        ("key-validating+memory://?key-validating.validator=x", "only code can give"),
        ("caching+memory://?caching.cache_store=nope://", "no store has the scheme"),
    ],
)
def test_what_makes_no_sense_is_refused(url: str, message: str) -> None:
    for opener in (open_store, open_async_store):
        with pytest.raises(ConfigError, match=message):
            opener(url)


def test_schemes_of_others_may_have_a_plus() -> None:
    url = StoreURL.parse("prefix+git+ssh://host/x?prefix.prefix=a&depth=1")
    (layer,) = take_layers(url, lambda: {"ssh", "git+ssh"})
    assert (layer.name, layer.texts) == ("prefix", {"prefix": "a"})
    assert (url.scheme, url.options) == ("git+ssh", {"depth": "1"})


def test_texts_of_arguments_are_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        open_store("prefix+memory://?prefix.prefix=a&prefix.timeout=hunter2")
    assert "hunter2" not in str(caught.value)


def test_each_wrapper_has_one_name_on_both_sides() -> None:
    names = wrappers("utils")
    assert names.keys() == wrappers("aioutils").keys()
    assert {"caching", "hash-prefix", "identity", "prefix", "url-encoding"} <= names.keys()
    assert names["hash-prefix"].__name__ == "HashPrefixStore"
