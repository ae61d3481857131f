"""The plain classes that transform and refuse keys."""

from __future__ import annotations

import os
import pickle
import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.fs import FilesystemKeyTransformer, hashpath
from storage.object import ConfigError, InvalidKey, RefusedKey
from storage.utils import (
    HashPrefixKeyTransformer,
    KeyTransformer,
    PrefixKeyTransformer,
    RegexValidator,
    UrlEncodingKeyTransformer,
    ValidatingKeyTransformer,
    validate_http_url_key,
)

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
TRANSFORMERS = [
    KeyTransformer(),
    PrefixKeyTransformer("a/../"),
    HashPrefixKeyTransformer(),
    HashPrefixKeyTransformer(4, "::"),
    UrlEncodingKeyTransformer(),
    FilesystemKeyTransformer(),
    ValidatingKeyTransformer(len),
]
every = pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)


@every
@given(key=KEYS, other=KEYS)
def test_each_key_has_a_place_of_its_own_and_a_way_back(
    transformer: KeyTransformer, key: str, other: str
) -> None:
    inner = transformer.transform_key(key)
    assert transformer.reverse_transform_key(inner) == key
    if key != other:
        assert transformer.transform_key(other) != inner


@every
@given(prefix=KEYS, rest=KEYS)
def test_transformed_prefixes_begin_transformed_keys(
    transformer: KeyTransformer, prefix: str, rest: str
) -> None:
    inner = transformer.transform_key(prefix + rest)
    above = transformer.transform_prefix(prefix)
    assert inner.startswith(above)
    if transformer.keeps_levels:
        assert inner.removeprefix(above) == rest


@every
@given(key=KEYS, other=KEYS)
def test_order_is_kept_where_that_is_said(
    transformer: KeyTransformer, key: str, other: str
) -> None:
    if transformer.keeps_order:
        first, second = transformer.transform_key(key), transformer.transform_key(other)
        assert (first < second) is (key < other)
        assert (first > transformer.transform_prefix(other)) is (key > other)


@every
@given(inner=KEYS)
def test_what_is_no_transformed_key_is_refused_or_told_by_the_round_trip(
    transformer: KeyTransformer, inner: str
) -> None:
    try:
        key = transformer.reverse_transform_key(inner)
        again = transformer.transform_key(key)
    except (ValueError, KeyError):
        return
    assert transformer.reverse_transform_key(again) == key


def test_another_way_inherits_no_promises() -> None:
    class Lower(PrefixKeyTransformer):
        def transform_key(self, key: str) -> str:
            return super().transform_key(key.lower())

    class Louder(Lower):
        keeps_order = True

    lower = Lower("p/")
    assert (lower.keeps_order, lower.keeps_levels) == (False, False)
    assert lower.transform_prefix("x") == ""
    assert PrefixKeyTransformer("p/").transform_prefix("x") == "p/x"
    assert Louder("p/").keeps_order


def test_known_forms() -> None:
    digest = sha256(b"k/1").hexdigest()
    assert HashPrefixKeyTransformer(4, "-").transform_key("k/1") == f"{digest[:4]}-k/1"
    url = UrlEncodingKeyTransformer()
    assert url.transform_key("a b/é#~") == "a%20b/%C3%A9%23~"
    names = FilesystemKeyTransformer()
    assert names.transform_key("a/b") == "MEXWE___"
    assert hashpath("k/1") == os.path.join(digest[:2], digest[2:4], digest[4:6], digest[6:])
    assert hashpath("k/1", width=3, depth=1) == os.path.join(digest[:3], digest[3:])
    assert hashpath("k/1", depth=0) == digest


@given(KEYS)
def test_names_of_files_are_safe_everywhere(key: str) -> None:
    name = FilesystemKeyTransformer().transform_key(key)
    assert re.fullmatch("[A-Z2-7]+_*", name)
    assert not re.fullmatch("CON|PRN|AUX|NUL|(COM|LPT)[0-9]", name.rstrip("_"))


@pytest.mark.parametrize("name", ["mexwe___", "MEXWE", "MEXWE===", "a/b", "_", "77______"])
def test_names_that_no_key_has(name: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of base 32, of UTF-8 or of ours
        FilesystemKeyTransformer().reverse_transform_key(name)


def test_a_refused_key_is_a_key_error_and_a_bad_value() -> None:
    for refuse in (RegexValidator("^[a-z]+$"), validate_http_url_key):
        with pytest.raises(KeyError) as caught:
            refuse("1")
        assert isinstance(caught.value, InvalidKey)
        assert isinstance(caught.value, ValueError)
        again = pickle.loads(pickle.dumps(caught.value))
        assert type(again) is RefusedKey
        assert str(again) == str(caught.value)


@pytest.mark.parametrize("key", ["http://host", "HTTPS://host/a b?c", "https://h#x"])
def test_urls(key: str) -> None:
    validate_http_url_key(key)


@pytest.mark.parametrize(
    "key",
    ["", "host/x", "ftp://host", "file:///x", "http:", "http:///x", "ht\ntp://x", "http:// x"],
)
def test_what_is_no_url(key: str) -> None:
    with pytest.raises(RefusedKey):
        validate_http_url_key(key)


def test_patterns_match_at_the_start() -> None:
    RegexValidator("ab")("abc")
    with pytest.raises(RefusedKey, match="does not match 'ab'"):
        RegexValidator("ab")("cab")
    again = pickle.loads(pickle.dumps(RegexValidator("ab")))
    with pytest.raises(RefusedKey):
        again("x")


def test_senseless_arguments_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="no regular expression"):
        RegexValidator("(")
    with pytest.raises(ConfigError, match="hash_length"):
        HashPrefixKeyTransformer(65)
    with pytest.raises(ConfigError, match="a prefix is a str"):
        PrefixKeyTransformer(b"p")  # type: ignore[arg-type]


def test_a_validator_is_a_function() -> None:
    wrong: Any = "^a"
    with pytest.raises(TypeError, match="function"):
        ValidatingKeyTransformer(wrong)
