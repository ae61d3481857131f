"""Files that make no sense: each error names the file, the line and the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.config_builder import ConfigError, StoreFactory
from storage.object import DictStore
from tests.config.making import built, refused

pytest.importorskip("yaml")

WHOLE = [
    ("a: [", r":1: no YAML"),
    ("a: \x07", r": no YAML"),
    ("", r": it is empty"),
    ("- a\n", r":1: a configuration is a mapping, not a list"),
    ("main: a\n", r":1: there is no 'stores'"),
    ("stores: [a]\n", r":1: stores: 'stores' is a mapping, not a list"),
    ("stores: {1: {type: DictStore}}\n", "a name here is a text, not 1"),
    ("stores: {a: {type: DictStore}}\n", r":1: there is no 'main'"),
    ("stores: {}\nmain: b\n", r":2: main: no store is called 'b'"),
    ("stores: {}\nmain: [a]\n", r":2: main: this is a text"),
    ("stores: {a: {type: X}}\nmain: a\nstores: {}\n", r":3: stores: .* twice; first in line 1"),
]
HEAD = "stores:\n  a: {type: DictStore}\n  c: {type: AsyncDictStore}\n  "
ONE = [
    ("a: {type: DictStore}", r":4: stores\.a: it stands here twice; first in line 2"),
    ("b: {}", r":4: stores\.b: a store has a 'type' or a 'url'"),
    ("b: DictStore", r":4: stores\.b: a store is a mapping, not a text"),
    ("b: {type: DictStore, url: 'memory://'}", "and not both"),
    ("b: {type: DictStore, confg: {}}", r":4: stores\.b\.confg: a store has no 'confg'"),
    ("b: {url: 'memory://', base: a}", r"stores\.b\.base: .*'url' has no 'base'"),
    ("b: {type: DictStore, async: true}", r"'type' has no 'async'"),
    ("b: {url: 'memory://', async: 1}", "'async' is true or false"),
    ("b: {url: 'memry://'}", r":4: stores\.b\.url: no store has the scheme"),
    ("b: {url: 'gzp+memory://'}", r":4: stores\.b\.url: no wrapper is called 'gzp'"),
    ("b: {type: [DictStore]}", r":4: stores\.b\.type: this is a text"),
    ("b: {type: DictStor}", r":4: stores\.b\.type: .*did you mean 'DictStore'"),
    ("b: {type: BaseStore}", "no store class is called 'BaseStore'"),
    ("b: {type: ObjectStore}", "no store class is called 'ObjectStore'"),
    (
        "b:\n    type: DictStore\n    config:\n      object: {}",
        r":7: stores\.b\.config\.object: DictStore has no argument 'object'; .* 'objects'",
    ),
    ("b: {type: DictStore, config: {zzz: 1}}", "; it has objects, max_size, "),
    ("b: {type: DictStore, config: [a]}", "'config' is a mapping, not a list"),
    ("b: {type: DictStore, config: {objects: 3}}", "a mapping or nothing, not 3"),
    ("b: {type: DictStore, config: {timeout: true}}", "a number or nothing, not True"),
    ("b: {type: DictStore, config: {timeout: -1}}", r":4: stores\.b: timeout is a number"),
    ("b: {type: DictStore, base: a}", "DictStore is not made of one store"),
    ("b: {type: PrefixStore, base: [a], config: {prefix: x}}", "list of stores"),
    ("b: {type: PrefixStore, base: 1, config: {prefix: x}}", "this is a text"),
    ("b: {type: PrefixStore, base: {stor: a}}", "takes no store as 'stor'"),
    ("b: {type: PrefixStore, base: a}", "PrefixStore needs prefix in 'config'"),
    ("b: {type: CachingStore, base: {main_store: a}}", "needs cache_store in 'base'"),
    ("b: {type: PrefixStore, config: {store: a, prefix: x}}", "named in 'base'"),
    ("b: {type: FanoutStore, base: [a, d]}", r"stores\.b\.base\.1: no store is called 'd'"),
    ("b: {type: FanoutStore, base: {children: a}}", "this is a list"),
    ("b: {type: RoutingStore, base: [a]}", r"base\.0: a route is a list"),
    ("b: {type: RoutingStore, base: [[x, a, 1]]}", r"base\.0\.2: this is true or false"),
    ("b: {type: KeyValidatingStore, base: a, config: {validator: x}}", "only code can give"),
    (
        "b: {type: RegexValidatingStore, base: a, config: {pattern: (}}",
        r":4: stores\.b: '\(' is no regular expression",
    ),
    ("b: {type: IdentityStore, base: c}", r"base: 'c' is async, and IdentityStore takes"),
]


def _refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "stores.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        StoreFactory(file).build()
    assert str(caught.value).startswith(str(file))


@pytest.mark.parametrize(("text", "message"), WHOLE)
def test_documents_that_are_none(tmp_path: Path, text: str, message: str) -> None:
    _refused(tmp_path, text, message)


@pytest.mark.parametrize(("definition", "message"), ONE)
def test_definitions_that_are_none(tmp_path: Path, definition: str, message: str) -> None:
    _refused(tmp_path, f"{HEAD}{definition}\nmain: b\n", message)


def test_a_store_made_of_itself_is_refused() -> None:
    text = """
stores:
  one: {type: IdentityStore, base: two}
  two: {type: FanoutStore, base: [three, one]}
  three: {type: DictStore}
main: two
"""
    message = refused(text)
    assert message.startswith("the configuration:3: stores.one.base: ")
    assert message.endswith("two -> one -> two")
    assert "one -> two -> one" in refused(text, "one")
    assert isinstance(built(text, "three"), DictStore)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file"):
        StoreFactory(tmp_path / "none.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match=r"binary\.yaml: it is not UTF-8"):
        StoreFactory(tmp_path / "binary.yaml")


def test_a_file_may_begin_with_a_mark(tmp_path: Path) -> None:
    file = tmp_path / "stores.yaml"
    file.write_text("stores: {é: {type: DictStore}}\nmain: é\n", "utf-8-sig")
    assert isinstance(StoreFactory(file).build(), DictStore)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
HOSTILE = [
    (f"{BOMB}stores: {{}}\n", "with its aliases it has more than"),
    ("stores: &a\n  b: *a\n", "an alias is within what it stands for"),
    ("stores:\n  a: {type: !!python/name:os.system x}\n", "no YAML: could not determine"),
    ("stores: !!python/object/apply:os.system [x]\n", r":1: stores: the tag .* is not allowed"),
    ("stores: !!set {a}\n", "the tag 'tag:yaml.org,2002:set' is not allowed"),
    ("stores: {[a]: 1}\n", "a name is a text"),
    ("stores: !!int x\n", "no value of the type"),
    ("stores: {<<: [a]}\n", "what is merged is a mapping"),
    ("a: 1\n---\nstores: {}\n", "found another document"),
    ("[" * 1_200 + "\n", "nested too deep"),
    ("#" * 1_100_000 + "\n", "larger than"),
]


@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=[m for _, m in HOSTILE])
def test_hostile_documents(tmp_path: Path, text: str, message: str) -> None:
    _refused(tmp_path, text, message)


def test_a_mapping_that_holds_itself() -> None:
    loop: dict[str, object] = {"stores": {}}
    loop["self"] = loop
    with pytest.raises(ConfigError, match="nested too deep"):
        StoreFactory(loop)
