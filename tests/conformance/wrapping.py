"""Wrappers put to the conformance kit: each async over memory, and blocking over files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, ClassVar

from storage._core.info import Capability
from tests.conformance.stores import MEDIA
from tests.conformance.test_stores import MediumConformance, Place

OVER = (("memory", False), ("filesystem", True))
"""The media below a wrapper, and whether it is the blocking twin that is tested there."""

QUICK = {
    "thorough": False,
    "own_keys": False,
    "many": 120,
    "examples": 16,
    "steps": 20,
    "seconds": 0.05,
}
"""The media have their own full runs; here it is about what a wrapper adds to them."""


def wrapper(name: str, blocking: bool) -> type[Any]:
    """A wrapper's class, or its blocking twin, by the twin's name."""
    module = import_module("storage.utils" if blocking else "storage.aioutils")
    kind: type[Any] = getattr(module, name if blocking else f"Async{name}")
    return kind


class WrappedConformance(MediumConformance):
    """Puts one wrapper around a store of one medium to the kit."""

    __test__ = False
    on_disk = False
    name: ClassVar[str]
    wrap: ClassVar[Callable[[type[Any], Any], Any]]

    def _at(self, place: Place, *, timeout: float | None = None) -> Any:
        child = self.medium.make(self.medium.load(self.blocking), place)
        store = type(self).wrap(wrapper(self.name, self.blocking), child)
        if timeout is not None:
            getattr(store, "_async", store)._timeout = timeout
        self._places[id(store)] = place
        self._stores.append(store)
        return store


def conforming(
    module: str,
    name: str,
    wrap: Callable[[type[Any], Any], Any] = lambda kind, child: kind(child),
    *,
    lacks: Capability = Capability.NONE,
    over: Sequence[tuple[str, bool]] = OVER,
    base: type[WrappedConformance] = WrappedConformance,
    title: str | None = None,
    **hints: Any,
) -> dict[str, type[WrappedConformance]]:
    """The test classes of one wrapper, for the globals of a test module.

    Args:
        module: The test module's name.
        name: The class in `storage.utils`; with Async before it, the one in `storage.aioutils`.
        wrap: Makes the wrapper of a class around a store.
        lacks: Capabilities that it takes away.
        over: Names of media, and whether the blocking twin is meant.
        base: Where checks that do not apply are overridden.
        title: Distinguishes several settings of one wrapper.
        hints: Attributes of `StoreConformance`.
    """
    made = {}
    for medium_name, blocking in over:
        medium = MEDIA[medium_name]
        full = f"Test{title or name}Over{medium_name.title()}{'Blocking' if blocking else ''}"
        members = {
            "__module__": module,
            "__test__": True,
            "name": name,
            "wrap": staticmethod(wrap),
            "medium": medium,
            "blocking": blocking,
            "capabilities": medium.capabilities & ~lacks,
            **medium.hints,
            **QUICK,
            **hints,
        }
        made[full] = type(full, (base,), members)
    return made
