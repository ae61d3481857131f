"""The words of the translation: which name stands for which, in code and in docstrings."""

from __future__ import annotations

import re

from .source import Origin

RENAMES = {
    "AsyncObjectStore": "ObjectStore",
    "AsyncReader": "Reader",
    "AsyncWriter": "Writer",
    "aclose": "close",
}
"""Names whose blocking form is written by hand; one that nothing needs is an error."""

NOT_FORWARDED = frozenset(
    {
        "inline",
        *("__repr__", "__str__", "__del__", "__eq__", "__hash__"),
        *("__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__init_subclass__"),
    }
)
"""Public members that twins have from `storage._core.bridge`, or not at all."""

HELPERS = {
    "AbstractContextManager": Origin("contextlib", "AbstractContextManager"),
    "Callable": Origin("collections.abc", "Callable"),
    "Any": Origin("typing", "Any"),
    "ClassVar": Origin("typing", "ClassVar"),
    "Iterable": Origin("collections.abc", "Iterable"),
    "Iterator": Origin("collections.abc", "Iterator"),
    "ObjectStore": Origin(("_core", "protocol"), "ObjectStore"),
    "Reader": Origin(("_core", "files"), "Reader"),
    "TYPE_CHECKING": Origin("typing", "TYPE_CHECKING"),
    "Twin": Origin(("_core", "bridge"), "Twin"),
    "Writer": Origin(("_core", "files"), "Writer"),
    "cast": Origin("typing", "cast"),
    "each": Origin(("_core", "window"), "each"),
    "iterate": Origin(("_core", "runner"), "iterate"),
    "run": Origin(("_core", "runner"), "run"),
    "to_async": Origin(("_core", "adapt"), "to_async"),
    "to_async_all": Origin(("_core", "adapt"), "to_async_all"),
    "to_async_function": Origin(("_core", "adapt"), "to_async_function"),
    "to_async_handler": Origin(("_core", "adapt"), "to_async_handler"),
    "to_async_rows": Origin(("_core", "adapt"), "to_async_rows"),
    "to_async_values": Origin(("_core", "adapt"), "to_async_values"),
}
"""What generated code uses beyond what its source imports."""

_SPECIAL = re.compile(r"__a(enter|exit|iter|next)__")
_WORDS = re.compile(r"\b(?:Async[A-Z]\w*|async_[a-z]\w*|aclose)\b")
_GRAMMAR = (
    (re.compile(r"\basync (with|for|def)\b"), r"\1"),
    (re.compile(r"\bawait (?=\w)"), ""),
)


class Names:
    """Which name of the async side is which on the blocking one.

    Args:
        twins: The public names under ``_async`` that get a twin.
    """

    def __init__(self, twins: set[str]) -> None:
        self._twins = twins
        self._used: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._twins or name in RENAMES

    def of(self, name: str) -> str:
        """The blocking form of a name; the name itself where it has none."""
        if name in RENAMES:
            self._used.add(name)
            return RENAMES[name]
        if name in self._twins:
            return name.removeprefix("Async").removeprefix("async_")
        return _SPECIAL.sub(r"__\1__", name)

    def in_text(self, text: str) -> str:
        """A docstring for the blocking side."""
        text = _WORDS.sub(lambda match: self.of(match[0]), text)
        for pattern, replacement in _GRAMMAR:
            text = pattern.sub(replacement, text)
        return text

    def unused(self) -> list[str]:
        """The rules that nothing needed."""
        return sorted(RENAMES.keys() - self._used)
