"""Side by side with minimalkv itself: the same calls, results and kinds of errors."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import kv

original = pytest.importorskip("minimalkv", reason="minimalkv is not installed")
pytest.importorskip("minimalkv.fs")

KEYS = st.sampled_from(["a", "b", "a-1", "a-2", "!x", "", "é", "a b", "a/b", "~"])
VALUES = st.sampled_from([b"", b"1", b"22", "text", bytearray(b"3"), None])
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, VALUES),
        st.tuples(st.just("put_file"), KEYS, st.binary(max_size=4)),
        st.tuples(st.sampled_from(["get", "delete", "open", "get_file", "in"]), KEYS),
        st.tuples(st.sampled_from(["copy", "move"]), KEYS, KEYS),
        st.tuples(st.sampled_from(["keys", "iter_keys"]), st.sampled_from(["", "a", "a-", "z"])),
        st.tuples(
            st.just("iter_prefixes"), st.sampled_from(["-", "1"]), st.sampled_from(["", "a"])
        ),
    ),
    max_size=25,
)
ERRORS = (ValueError, KeyError, OSError, NotImplementedError, AttributeError)
PAIRS: dict[str, tuple[Callable[[Any, str], Any], str]] = {
    "memory": (lambda module, place: module.DictStore(), "memory"),
    "fs": (lambda module, place: module.FilesystemStore(place), "fs"),
    "prefix": (lambda m, place: m.PrefixDecorator("p-", m.DictStore()), "decorator memory"),
    "quoted": (lambda m, place: m.URLEncodeKeysDecorator(m.DictStore()), "decorator memory"),
    "readonly": (
        lambda m, place: m.ReadOnlyDecorator(m.DictStore({"a": b"1"})),
        "decorator memory",
    ),
    "cache": (lambda m, place: m.CacheDecorator(m.DictStore(), m.DictStore()), "cache memory"),
}
MENDED = {("quoted", "move"), ("prefix", "move"), ("cache", "move"), ("cache", "copy")}
"""What minimalkv does wrong here."""


def names(modules: str) -> Any:
    """The classes of some of minimalkv's modules, as they would be imported."""
    from importlib import import_module

    found: dict[str, Any] = {}
    for module in modules.split():
        found |= vars(import_module(f"minimalkv.{module}"))
    return type("Names", (), found)


def answer(store: Any, verb: str, *arguments: Any) -> Any:
    """What a call gives: a result that can be compared, or the kind of its error."""
    try:
        match verb:
            case "open":
                with store.open(*arguments) as file:
                    return file.read()
            case "get_file":
                target = io.BytesIO()
                store.get_file(arguments[0], target)
                return target.getvalue()
            case "put_file":
                return store.put_file(arguments[0], io.BytesIO(arguments[1]))
            case "in":
                return arguments[0] in store
            case "keys" | "iter_keys" | "iter_prefixes":
                return sorted(getattr(store, verb)(*arguments))
            case "delete" | "copy" | "move":
                getattr(store, verb)(*arguments)
                return None
        return getattr(store, verb)(*arguments)
    except ERRORS as error:
        return next(kind for kind in ERRORS if isinstance(error, kind))


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=40)
@given(calls=CALLS)
def test_the_same_answers(name: str, calls: list[tuple[Any, ...]]) -> None:
    make, modules = PAIRS[name]
    with tempfile.TemporaryDirectory() as place:
        theirs = make(names(modules), str(Path(place, "theirs")))
        ours = make(kv, os.path.join(place, "ours"))
        for call in calls:
            # A copy onto itself is an error of shutil's there, but only over files.
            if (name, call[0]) in MENDED or call[1:2] == call[2:3]:
                continue
            assert answer(ours, *call) == answer(theirs, *call), call


def test_each_reads_what_the_other_wrote(tmp_path: Path) -> None:
    ours = kv.HMACDecorator(b"secret", kv.FilesystemStore(tmp_path))
    module = names("crypt fs")
    theirs = module.HMACDecorator(b"secret", module.FilesystemStore(str(tmp_path)))
    ours.put("a", b"1")
    theirs.put("b", b"2")
    assert (theirs.get("a"), ours.get("b")) == (b"1", b"2")
    assert sorted(theirs.keys()) == sorted(ours.keys()) == ["a", "b"]
