"""Stores that refuse one half of what can be done."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, NoReturn

from ..._core.errors import NotSupported
from ..._core.info import Capability
from ..base import Keys, Outcome
from .identity import AsyncIdentityStore

_CHANGES = frozenset(
    {"put", "open_writer", "put_many", "delete", "delete_many", "clear"}
    | {"copy", "move", "presigned_put"}
)
_READS = frozenset(
    {"get", "get_range", "get_ranges", "get_many", "stream", "open_reader", "head", "exists"}
    | {"keys", "list", "list_with_delimiter", "clear", "copy", "move", "presigned_get"}
)


class _AsyncRefusingStore(AsyncIdentityStore):
    """Refuses some verbs, before their arguments are looked at and anything is asked."""

    _refused: frozenset[str] = frozenset()
    _state = ""
    _lacks = Capability.NONE

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself, less what is refused."""
        return super().capabilities & ~self._lacks

    def _check(self, operation: str, key: str) -> None:
        if operation in self._refused:
            self._refuse(operation, key)
        super()._check(operation, key)

    def _check_open(self, operation: str) -> None:
        super()._check_open(operation)
        if operation in self._refused:
            self._refuse(operation)

    def _refuse(self, operation: str, key: str | None = None) -> NoReturn:
        raise NotSupported(
            f"the store is {self._state}", operation=operation, store=repr(self), key=key
        )


class AsyncReadonlyStore(_AsyncRefusingStore):
    """Reads and lists as its child does, and changes nothing.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.

    Raises:
        NotSupported: By every verb that would change something.
    """

    _state = "read-only"
    _refused = _CHANGES
    _lacks = (
        Capability.IF_ABSENT
        | Capability.IF_MATCH
        | Capability.DELETE_IF_MATCH
        | Capability.COPY_IF_ABSENT
    )

    def _as_value(self, data: Any) -> Any:
        return data

    def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        self._refuse("delete_many")  # parents call this without a verb in between


class AsyncWriteonlyStore(_AsyncRefusingStore):
    """Takes and removes objects as its child does, and tells nothing of what it holds.

    A copy reads, so it is refused as well.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.

    Raises:
        NotSupported: By every verb that reads or lists.
    """

    _state = "write-only"
    _refused = _READS
    _lacks = (
        Capability.ORDERED
        | Capability.READ_CONDITIONS
        | Capability.RANGES
        | Capability.COPY_IF_ABSENT
    )
