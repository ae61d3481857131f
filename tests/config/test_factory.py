"""Stores made as a file says, and what is said about files that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.aiofs import AsyncFilesystemStore
from storage.aioutils import AsyncCachingStore, AsyncPrefixStore
from storage.config_builder import ConfigError, StoreFactory
from storage.db import SqliteStore
from storage.object import AsyncDictStore, DictStore
from storage.s3 import AsyncBucketStore
from storage.utils import (
    CachingStore,
    FanoutStore,
    HashPrefixStore,
    IdentityStore,
    PrefixStore,
    RoutingStore,
    UrlEncodingStore,
)
from tests.config.making import built, refused

pytest.importorskip("yaml")


# -- what is made ---------------------------------------------------------------------------


def test_a_tree_of_stores(tmp_path: Path) -> None:
    file = tmp_path / "stores.yaml"
    file.write_text(
        """
stores:
  one: {type: DictStore}
  two:
    type: DictStore
    config:
      objects: {item: !!binary YXBwbGU=}
  url: {type: UrlEncodingStore, base: one}
  hashed:
    type: HashPrefixStore
    base: url
    config: {hash_length: 10, separator: "/"}
  cached:
    type: CachingStore
    base: {main_store: hashed, cache_store: two}
  part: {type: PrefixStore, base: two, config: {prefix: part/}}
  mirror:
    type: MirroringStore
    base: [cached, part]
main: mirror
other: {ignored: true}
"""
    )
    factory = StoreFactory(file)
    store = factory.build()
    assert isinstance(store, FanoutStore)
    store.put("a key", b"Hello")
    assert store.get("a key") == b"Hello"
    assert isinstance(factory.build("cached"), CachingStore)
    assert isinstance(factory.build("url"), UrlEncodingStore)
    (inner,) = factory.build("one").keys()
    assert inner.endswith("/a%20key")
    assert set(factory.build("two").keys()) == {"item", "a key", "part/a key"}
    assert StoreFactory(str(file)).build("two").get("item") == b"apple"
    assert "stores.yaml" in repr(factory)


def test_a_name_is_one_store() -> None:
    factory = StoreFactory(
        """
stores:
  shared: {type: DictStore}
  a: {type: PrefixStore, base: shared, config: {prefix: a/}}
  b: {type: PrefixStore, base: shared, config: {prefix: b/}}
  all: {type: FanoutStore, base: [a, b]}
"""
    )
    factory.build("all").put("k", b"1")
    assert set(factory.build("shared").keys()) == {"a/k", "b/k"}
    assert factory.build("a") is factory.build("a")


async def test_async_stores(tmp_path: Path) -> None:
    factory = StoreFactory(
        f"""
stores:
  files: {{type: AsyncFilesystemStore, config: {{root_path: {tmp_path}, durable: false}}}}
  memory: {{url: "memory://"}}
  blocking: {{type: DictStore}}
  part: {{type: AsyncPrefixStore, base: files, config: {{prefix: p/}}}}
  cached: {{type: AsyncCachingStore, base: {{main_store: part, cache_store: memory}}}}
  over: {{type: AsyncPrefixStore, base: blocking, config: {{prefix: x/}}}}
main: cached
"""
    )
    store = factory.build()
    assert isinstance(store, AsyncCachingStore)
    async with store:
        await store.put("k", b"1")
        assert await store.get("k") == b"1"
    assert (tmp_path / "p" / "k").read_bytes() == b"1"
    assert isinstance(factory.build("part"), AsyncPrefixStore)
    assert isinstance(factory.build("files"), AsyncFilesystemStore)
    assert isinstance(factory.build("memory"), DictStore)
    await factory.build("over").put("k", b"2")
    assert factory.build("blocking").get("x/k") == b"2"


def test_urls(tmp_path: Path) -> None:
    factory = StoreFactory(
        f"""
stores:
  file: {{url: "sqlite://{tmp_path}/x.sqlite?durable=false"}}
  async: {{url: "memory://", async: true}}
  wrapped: {{url: "prefix+memory://?prefix.prefix=${{TENANT:-t}}/"}}
"""
    )
    assert isinstance(factory.build("file"), SqliteStore)
    assert isinstance(factory.build("async"), AsyncDictStore)
    wrapped = factory.build("wrapped")
    assert isinstance(wrapped, PrefixStore)
    assert "'t/'" in repr(wrapped)


def test_routes() -> None:
    store = built(
        """
stores:
  a: {type: DictStore}
  b: {type: DictStore}
  listed: {type: RoutingStore, base: [[a/, a, true], ["", b]]}
  named: {type: RoutingStore, base: {routes: [[b/, b]]}}
  both: {type: FanoutStore, base: {children: [listed, named]}, config: {timeout: 5}}
""",
        "listed",
    )
    assert isinstance(store, RoutingStore)
    store.put("a/x", b"")
    assert list(store.keys()) == ["a/x"]


def test_buckets_are_connected_by_name() -> None:
    pytest.importorskip("aiobotocore")
    store = built(
        """
stores:
  s3:
    type: AsyncBucketStore
    config:
      endpoint_url: http://127.0.0.1:9
      s3_access_key: X
      s3_secret_key: ${SECRET:-Y}
      bucket_name: test-bucket
      region_name: eu-west-1
      lacking: [ordered, copy_if_absent]
      part_size: ${SIZE:-6000000}
main: s3
"""
    )
    assert isinstance(store, AsyncBucketStore)
    assert store.bucket_name == "test-bucket"
    assert "127.0.0.1" in repr(store)


def test_a_mapping_and_a_text_are_configurations_too() -> None:
    definitions = {"a": {"type": "DictStore"}, "b": {"type": "IdentityStore", "base": "a"}}
    store = StoreFactory({"stores": definitions, "main": "b"}).build()
    assert isinstance(store, IdentityStore)
    assert isinstance(built("{stores: {a: {type: DictStore}}, main: a}"), DictStore)
    with pytest.raises(ConfigError, match=r"stores\.a\.base: no store is called 'nope'"):
        StoreFactory({"stores": {"a": {"type": "IdentityStore", "base": "nope"}}}).build("a")


def test_names_written_once_can_be_used_again() -> None:
    store = built(
        """
defaults: &hash
  hash_length: 4
  separator: "-"
stores:
  a: {type: DictStore}
  b:
    type: HashPrefixStore
    base: a
    config:
      <<: *hash
      separator: "::"
main: b
"""
    )
    assert isinstance(store, HashPrefixStore)
    assert repr(store) == "HashPrefixStore(DictStore(0 objects), 4, '::')"


# -- variables ------------------------------------------------------------------------------


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAR1", "apple")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("VAR3", raising=False)
    objects = built(
        """
stores:
  s:
    type: DictStore
    config:
      objects:
        set: ${VAR1}
        set_with_default: ${VAR1:-banana}
        missing: ${VAR3:-blueberry}
        empty: ${EMPTY:-default}
        nothing: ${VAR3:-}
        colons: ${VAR3:-http://localhost:8080/api:v1}
        within: "<${VAR1}, ${VAR3:-fig}>"
        literal: $${VAR1} $VAR1 $ {VAR1}
        nested: {list: [static, "${VAR1}", {deep: "${VAR1}"}]}
        number: 7
main: s
"""
    ).objects
    assert objects == {
        "set": "apple",
        "set_with_default": "apple",
        "missing": "blueberry",
        "empty": "",
        "nothing": "",
        "colons": "http://localhost:8080/api:v1",
        "within": "<apple, fig>",
        "literal": "${VAR1} $VAR1 $ {VAR1}",
        "nested": {"list": ["static", "apple", {"deep": "apple"}]},
        "number": 7,
    }


def test_a_missing_variable_matters_only_where_it_is_needed() -> None:
    text = """
stores:
  a: {type: DictStore}
  b:
    type: PrefixStore
    base: a
    config:
      prefix: "${NOT_SET_AT_ALL}/"
main: a
"""
    assert isinstance(built(text), DictStore)
    message = refused(text, "b")
    assert message.startswith("the configuration:8: stores.b.config.prefix: ")
    assert "NOT_SET_AT_ALL" in message
    assert "${NOT_SET_AT_ALL:-default}" in message


def test_values_of_variables_get_the_type_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LENGTH", "3")
    text = """
stores:
  a: {type: DictStore, config: {timeout: "2.5"}}
  b: {type: HashPrefixStore, base: a, config: {hash_length: "${LENGTH}"}}
main: b
"""
    assert repr(built(text)).endswith(", 3, '/')")
    monkeypatch.setenv("LENGTH", "three")
    message = refused(text)
    assert "stores.b.config.hash_length: it is a whole number, not '${LENGTH}'" in message
