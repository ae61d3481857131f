"""The JSON Schema of files: it takes what the factory takes, and refuses what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from storage import aioutils, utils
from storage.config_builder import StoreFactory, register_store, schema
from storage.object import DictStore
from tests.config.test_faults import HEAD, ONE

yaml = pytest.importorskip("yaml")

GOOD = """
stores:
  memory: {type: DictStore, config: {objects: {a: b}}}
  null_config: {type: DictStore, config: null}
  bucket:
    type: AsyncBucketStore
    config: {bucket_name: b, endpoint_url: http://h, lacking: [ordered], part_size: "${SIZE}"}
  files: {type: FilesystemStore, config: {root_path: "${ROOT:-/srv}", durable: "${D:-false}"}}
  hashed: {type: HashPrefixStore, base: memory, config: {hash_length: 4}}
  pattern: {type: RegexValidatingStore, base: {store: memory}, config: {pattern: "^a"}}
  many: {type: FanoutStore, base: [memory, hashed]}
  named: {type: FanoutStore, base: {children: [memory, hashed]}}
  cached: {type: CachingStore, base: {main_store: memory, cache_store: hashed}}
  routes: {type: RoutingStore, base: [[a/, memory], ["", hashed, true]]}
  other: {url: "memory://", async: true}
  chosen: {type: "${KIND}", config: {anything: 1}}
main: memory
more: {}
"""
# What no schema can know: names of other stores, texts of URLs, patterns, repeated names.
ONLY_WHEN_MADE = ("no store is called", "twice", "memry", "gzp", "no regular", "is async, and")


@pytest.fixture(scope="module")
def validator() -> Any:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    json.dumps(made)
    return jsonschema.Draft202012Validator(made)


def faults(validator: Any, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


def test_a_good_file_is_good(validator: Any) -> None:
    assert faults(validator, GOOD) == []
    assert isinstance(StoreFactory(GOOD).build("routes"), utils.RoutingStore)


def _seen_in_advance() -> Iterator[str]:
    for definition, message in ONE:
        if not any(word in definition + message for word in ONLY_WHEN_MADE):
            yield definition


@pytest.mark.parametrize("definition", list(_seen_in_advance()))
def test_a_bad_file_is_bad(validator: Any, definition: str) -> None:
    if "timeout: -1" in definition:
        pytest.skip("a type tells no bounds")
    assert faults(validator, f"{HEAD}{definition}\nmain: b\n")


def test_every_store_is_in_it(validator: Any) -> None:
    rules = validator.schema["$defs"]["store"]["allOf"]
    names = {rule["if"]["properties"]["type"]["const"] for rule in rules}
    for module in (utils, aioutils):
        assert {name for name in module.__all__ if name.endswith("Store")} <= names
    assert {"DictStore", "AsyncBucketStore", "SqliteStore", "AsyncZipStore"} <= names
    assert names.isdisjoint({"BaseStore", "AsyncBaseStore", "ObjectStore", "AsyncObjectStore"})


def test_descriptions_and_defaults_come_from_the_classes(validator: Any) -> None:
    rules = validator.schema["$defs"]["store"]["allOf"]
    (rule,) = (r for r in rules if r["if"]["properties"]["type"]["const"] == "HashPrefixStore")
    length = rule["then"]["properties"]["config"]["properties"]["hash_length"]
    assert length["default"] == 8
    assert length["description"].startswith("Hexadecimal digits")
    assert {"type": "integer"} in length["anyOf"]


def test_classes_of_users_are_in_it() -> None:
    @register_store
    class OwnStore(DictStore):
        """Somebody's.

        Args:
            size: How
                large.
        """

        def __init__(self, size: int, store: Any = None) -> None:
            super().__init__()

    validator = jsonschema.Draft202012Validator(schema())
    assert faults(validator, "stores: {a: {type: OwnStore, config: {size: 3}}}") == []
    assert faults(validator, "stores: {a: {type: OwnStore, config: {size: x}}}")
    assert faults(validator, "stores: {a: {type: OwnStore}}")
    assert "How large." in json.dumps(validator.schema)
