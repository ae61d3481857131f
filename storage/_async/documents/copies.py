"""Redundant copies of documents in other stores."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ..._core.adapt import is_async, to_async
from ..._core.errors import ConfigError
from ..base import AsyncBaseStore
from ..foreign import lift
from .words import CopyError, CopyOutcome


class Copies:
    """Stores that hold the same as the documents' own, as far as they could be reached.

    Args:
        stores: Stores of either kind, by the names that they are to be reported under (without
            names: ``"0"``, ``"1"`` and so on). They remain the caller's to close.
    """

    def __init__(self, stores: Mapping[str, Any] | Iterable[Any] | None) -> None:
        given = stores or {}
        if isinstance(given, str):
            raise ConfigError("copies are stores, or stores by name")
        named = given if isinstance(given, Mapping) else dict(enumerate(given))
        self._stores = {str(name): either(store) for name, store in named.items()}

    def __len__(self) -> int:
        return len(self._stores)

    @property
    def inline(self) -> bool:
        """Whether all of them need no loop."""
        return all(store.inline for store in self._stores.values())

    async def update(
        self, bring: Callable[[AsyncBaseStore], Awaitable[bool]]
    ) -> tuple[CopyOutcome, ...]:
        """Bring all up to date, one after the other; a failure of one does not stop the others.

        Args:
            bring: Brings one up to date, and tells whether there was anything to do.

        Raises:
            CopyError: After all: it has the error of each that failed, and all outcomes.
        """
        outcomes, errors = [], dict[str, Exception]()
        for name, store in self._stores.items():
            try:
                outcomes.append(CopyOutcome(name, await bring(store)))
            except Exception as error:  # somebody's store may raise anything
                errors[name] = error
                outcomes.append(CopyOutcome(name, written=False, error=error))
        if errors:
            failed = f"{len(errors)} of {len(outcomes)} copies failed"
            all_told = CopyError(f"the documents are safe, but {failed}", errors)
            all_told.outcomes = tuple(outcomes)
            raise all_told
        return tuple(outcomes)


def either(store: Any) -> AsyncBaseStore:
    """A store of either kind, as one of ours."""
    return lift(store if is_async(store) else to_async(store))
