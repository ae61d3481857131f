"""Every twin has the signatures of its async source, with the words changed and nothing else."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import storage._async
import storage._sync
from storage._core.bridge import Twin

SPECIAL = {
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "close": "aclose",
    "__iter__": "__aiter__",
    "__next__": "__anext__",
}


def modules(package: Any) -> Iterator[Any]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def twins() -> Iterator[tuple[str, Any, Any]]:
    """Each public class and function of the blocking layer with its source."""
    for module in modules(storage._sync):
        source = importlib.import_module(module.__name__.replace("._sync", "._async"))
        for name, thing in vars(module).items():
            if getattr(thing, "__module__", None) == module.__name__ and not name.startswith("_"):
                prefix = "Async" if inspect.isclass(thing) else "async_"
                yield name, thing, getattr(source, prefix + name)


PAIRS = list(twins())
CLASSES = [pair for pair in PAIRS if inspect.isclass(pair[1])]
FUNCTIONS = [pair for pair in PAIRS if not inspect.isclass(pair[1])]


def blocking(annotation: Any) -> Any:
    """What an annotation should be on the blocking side."""
    if not isinstance(annotation, str):
        return annotation
    # What an async handler may give to be awaited, a blocking one just gives.
    plain = re.sub(r"\bAwaitable\[(\w+)\](?: \| \1)?", r"\1", annotation)
    plain = re.sub(r"\bAsync(?=[A-Z])", "", plain)
    # What may come either way there may come in the one way here.
    return re.sub(r"\b(\w+\[\w+\]) \| \1", r"\1", plain)


def compare(twin: Any, source: Any) -> None:
    ours, theirs = inspect.signature(twin), inspect.signature(source)
    assert list(ours.parameters) == list(theirs.parameters)
    for name, parameter in ours.parameters.items():
        expected = theirs.parameters[name]
        assert parameter.default == expected.default
        assert parameter.annotation == blocking(expected.annotation)
        if twin.__name__ != "__exit__":
            assert parameter.kind == expected.kind
    assert ours.return_annotation == blocking(theirs.return_annotation)


@pytest.mark.parametrize(("name", "twin", "source"), FUNCTIONS, ids=[f[0] for f in FUNCTIONS])
def test_functions(name: str, twin: Any, source: Any) -> None:
    assert not inspect.iscoroutinefunction(twin)
    compare(twin, source)


@pytest.mark.parametrize(("name", "twin", "source"), CLASSES, ids=[c[0] for c in CLASSES])
def test_classes(name: str, twin: Any, source: Any) -> None:
    assert twin._async_type is source
    assert issubclass(twin, Twin)
    compared = 0
    for member, thing in vars(twin).items():
        # Not everything that closes does so under the other name.
        itself = inspect.getattr_static(source, member, None)
        original = inspect.getattr_static(source, SPECIAL.get(member, member), itself)
        if isinstance(thing, classmethod | staticmethod):
            compare(thing.__func__, original.__func__)
        elif inspect.isfunction(thing):
            assert not inspect.iscoroutinefunction(thing)
            compare(thing, original)
        elif not isinstance(thing, property):
            continue
        compared += 1
    assert compared or not _public(source)


@pytest.mark.parametrize(("name", "twin", "source"), CLASSES, ids=[c[0] for c in CLASSES])
def test_nothing_public_is_missing(name: str, twin: Any, source: Any) -> None:
    back = {special: blocking for blocking, special in SPECIAL.items()}
    missing = [each for each in dir(source) if not each.startswith("_")]
    missing = [each for each in missing if not hasattr(twin, back.get(each, each))]
    # Only stores say whether they need a loop.
    assert missing == (["inline"] if hasattr(source, "inline") else [])


def _public(source: Any) -> list[str]:
    own = {"inline", "capabilities"}  # what a twin asks its source for
    return [each for each in vars(source) if not each.startswith("_") and each not in own]


def test_there_are_twins_to_compare() -> None:
    assert {"BaseStore", "DictStore", "StoreVerbs"} <= {name for name, _, _ in CLASSES}
