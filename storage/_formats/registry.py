"""Which handler reads and writes an object: by its extension, or by its value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .base import DataHandler

REMEMBERED = 1024
"""Extensions of which it is remembered who knows them; keys have others, too."""


class Handlers:
    """Handlers, the one to be taken first in front.

    That is the one of the highest priority, and among equals the one that was registered last.
    Safe to use from several threads: what is iterated over is never changed. A handler is asked
    for an extension once, as a rule: listings ask for that of every key.
    """

    def __init__(self, handlers: Iterable[DataHandler] = ()) -> None:
        self._handlers: tuple[DataHandler, ...] = ()
        self._known: dict[str, tuple[DataHandler, ...]] = {}
        for handler in handlers:
            self.register(handler)

    def __iter__(self) -> Iterator[DataHandler]:
        return iter(self._handlers)

    def register(self, handler: DataHandler) -> None:
        """Add a handler.

        Raises:
            TypeError: It is no instance of `DataHandler`.
            ValueError: Its extensions are none: what it wrote would not be found again.
        """
        if not isinstance(handler, DataHandler):
            raise TypeError(f"a handler is an instance of DataHandler, not {handler!r}")
        told = list(handler.extensions)
        if not told or any(one != one.lower() or not one.startswith(".") for one in told):
            raise ValueError(f"extensions are like '.log', in lower case and at least one: {told}")
        others = (known for known in self._handlers if known is not handler)
        # The sort is stable: it stays in front of its equals.
        self._set(sorted([handler, *others], key=lambda one: -one.priority))

    def unregister(self, handler: DataHandler | type[DataHandler]) -> bool:
        """Remove a handler, or all of a class; tells whether there was one."""
        before = self._handlers
        self._set(one for one in before if one is not handler and type(one) is not handler)
        return len(self._handlers) < len(before)

    def copy(self) -> Handlers:
        """The same handlers, to be changed apart."""
        new = Handlers()
        new._set(self._handlers)
        return new

    def extension_of(self, key: str) -> str:
        """The longest suffix of a key that a handler knows, in lower case; empty if there is none.

        `a/b.pydantic.json` has `.pydantic.json`, and `v1.2` none. An extension is its own.
        """
        return next((suffix for suffix in _suffixes(key) if self._knowing(suffix)), "")

    def for_extension(self, key: str) -> DataHandler | None:
        """The handler for the longest known suffix of a key, or for an extension with its dot."""
        extension = self.extension_of(key)
        return self._knowing(extension)[0] if extension else None

    def for_value(self, value: Any, extension: str | None = None) -> DataHandler | None:
        """The handler that can write a value.

        Args:
            extension: One that the handler has to know (with its dot); None for any.
        """
        known = self if extension is None else self._knowing(extension.lower())
        return next((handler for handler in known if handler.can_handle_data(value)), None)

    def _set(self, handlers: Iterable[DataHandler]) -> None:
        self._handlers = tuple(handlers)
        # After them: who takes the new dict sees the new handlers.
        self._known = {}

    def _knowing(self, extension: str) -> tuple[DataHandler, ...]:
        known = self._known
        found = known.get(extension)
        if found is None:
            found = tuple(one for one in self._handlers if one.can_handle_extension(extension))
            if len(known) >= REMEMBERED:
                known.clear()
            known[extension] = found
        return found


def _suffixes(key: str) -> Iterator[str]:
    """The suffixes of a key's last part, the longest first."""
    name = key.rpartition("/")[2].lower()
    start = name.find(".")
    while start >= 0:
        yield name[start:]
        start = name.find(".", start + 1)
