"""Classes of users in files, and secrets in what goes wrong there."""

# ruff: noqa: ANN001, ANN003, ANN204 - users need not annotate

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from storage.config_builder import ConfigError, StoreFactory, register_store
from storage.object import DictStore, MissingExtra, ObjectStore
from storage.utils import CachingStore, FanoutStore, IdentityStore
from tests.config.making import built, refused

pytest.importorskip("yaml")

# -- classes of users -----------------------------------------------------------------------


def test_a_store_of_one_s_own() -> None:
    @register_store
    class OwnStore(ObjectStore):
        def get(self, key: str) -> bytes:
            return b"own"

        def put(self, key: str, data: Any) -> None: ...

        def exists(self, key: str) -> bool:
            return True

        def delete(self, key: str) -> None: ...

        def keys(self) -> Iterator[str]:
            return iter(["k"])

    store = built(
        """
stores:
  own: {type: OwnStore}
  wrapped: {type: PrefixStore, base: own, config: {prefix: k}}
  all: {type: AsyncFanoutStore, base: [own]}
main: own
"""
    )
    assert isinstance(store, OwnStore)
    assert store.get("any") == b"own"


def test_own_wrappers_need_no_annotations() -> None:
    @register_store
    class LoudStore(IdentityStore):
        def __init__(self, before, after, store):  # type: ignore[no-untyped-def]
            super().__init__(store)
            self.before, self.inner = before, store

    @register_store
    class MirrorStore(FanoutStore):
        def __init__(self, log_prefix, children):  # type: ignore[no-untyped-def]
            super().__init__(children)
            self.log_prefix = log_prefix

    @register_store
    class CountingCachingStore(CachingStore):
        def __init__(self, metric_prefix, main_store, cache_store, **more):  # type: ignore[no-untyped-def]
            super().__init__(main_store, cache_store)
            self.given = (metric_prefix, more)

    factory = StoreFactory(
        """
stores:
  a: {type: DictStore}
  b: {type: DictStore}
  loud: {type: LoudStore, base: a, config: {before: "START:", after: 3}}
  mirror: {type: MirrorStore, base: [a, b], config: {log_prefix: M}}
  cache:
    type: CountingCachingStore
    base: {main_store: loud, cache_store: b}
    config: {metric_prefix: C, other: 1}
"""
    )
    loud = factory.build("loud")
    assert (loud.before, loud.inner) == ("START:", factory.build("a"))
    mirror = factory.build("mirror")
    mirror.put("k", b"1")
    assert mirror.log_prefix == "M"
    assert factory.build("b").get("k") == b"1"
    assert factory.build("cache").given == ("C", {"other": 1})


def test_what_can_be_registered() -> None:
    with pytest.raises(TypeError, match="has no put, exists, delete"):
        register_store(dict)
    with pytest.raises(TypeError, match="only a class"):
        register_store(DictStore())  # type: ignore[type-var]

    def made() -> type[Any]:
        @register_store
        class Twice(DictStore):
            pass

        return Twice

    assert made() is not made()
    other = type("Twice", (DictStore,), {})
    with pytest.raises(ConfigError, match="another store class Twice"):
        register_store(other)
    register_store(type("DictStore", (DictStore,), {}))
    assert "these names: DictStore" in refused("{stores: {a: {type: DictStore}}, main: a}")


# -- secrets --------------------------------------------------------------------------------

SECRET = "hunter2/+&'x"


@pytest.mark.parametrize(
    "definition",
    [
        "{type: '${TOP_SECRET}'}",
        "{url: '${TOP_SECRET}://x'}",
        "{url: 's3://me:${TOP_SECRET}@/x?nope=1'}",
        "{url: 'memory://?password=${TOP_SECRET}'}",
        "{url: 'prefix+memory://?prefix.prefix=a&prefix.timeout=${TOP_SECRET}'}",
        "{type: IdentityStore, base: '${TOP_SECRET}'}",
        "{type: DictStore, config: {timeout: '${TOP_SECRET}'}}",
        "{type: DictStore, config: {objects: '${TOP_SECRET}'}}",
        "{type: TellingStore, config: {password: '${TOP_SECRET}'}}",
        "{type: TellingStore, config: {password: hunter2/+&''x}}",
        "{type: TellingStore, config: {password: {deep: ['${TOP_SECRET}']}}}",
    ],
)
def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch, definition: str) -> None:
    @register_store
    class TellingStore(DictStore):
        """Says too much when it fails."""

        def __init__(self, password: Any) -> None:
            super().__init__()
            raise ValueError(f"wrong password: {password!r}, {password}")

    monkeypatch.setenv("TOP_SECRET", SECRET)
    with pytest.raises((ConfigError, MissingExtra)) as caught:
        built(f"stores:\n  a: {definition}\nmain: a\n")
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    lines = [line for line in shown.splitlines() if "hunter2" in line]
    assert lines == []


def test_a_harmless_cause_is_kept() -> None:
    with pytest.raises(ConfigError) as caught:
        built("stores: {a: {type: DictStore, config: {timeout: 0}}}\nmain: a\n")
    assert isinstance(caught.value.__cause__, ConfigError)
