"""Between the keys of a store and those of its child."""

from __future__ import annotations

from typing import Any

from ..._core.errors import InvalidKey, NotSupported, RefusedKey
from ..._core.keys import check_key


class KeyMap:
    """Asks a transformer, and keeps foreign keys apart.

    Args:
        transformer: Anything with ``transform_key`` and ``reverse_transform_key``; what it does
            not promise about listings is not relied on.
    """

    __slots__ = ("_transformer", "keeps_levels", "keeps_order")

    def __init__(self, transformer: Any) -> None:
        self._transformer = transformer
        self.keeps_order = bool(getattr(transformer, "keeps_order", False))
        self.keeps_levels = bool(getattr(transformer, "keeps_levels", False))

    def inner(self, key: str) -> str:
        """The child's key.

        Raises:
            InvalidKey: The transformer does not take this one.
        """
        try:
            inner: Any = self._transformer.transform_key(key)
        except InvalidKey as error:
            error.key = key
            raise
        except (LookupError, ValueError) as error:
            raise RefusedKey(str(error.args[0] if error.args else error), key=key) from error
        if not isinstance(inner, str):
            raise InvalidKey(f"it is transformed to {type(inner).__name__}, no str", key=key)
        return inner

    def outer(self, inner: str) -> str | None:
        """Our key of one of the child's; None if it is not exactly what we would make.

        Raises:
            NotSupported: The transformer has no way back.
        """
        try:
            key = check_key(self._transformer.reverse_transform_key(inner))
            return key if self._transformer.transform_key(key) == inner else None
        except NotImplementedError as error:
            raise NotSupported("its keys cannot be reversed, so they are not listed") from error
        except (LookupError, ValueError):
            return None

    def prefix(self, prefix: str) -> str:
        """What all child's keys begin with whose own begin with ``prefix``."""
        transform = getattr(self._transformer, "transform_prefix", None)
        found: str = "" if transform is None else transform(prefix)
        return found

    def start(self, start_after: str) -> str:
        """Where a child's listing may start; at its beginning if nothing is known."""
        return self.prefix(start_after) if start_after and self.keeps_order else ""
