# Generated from storage/_async/wrappers/keyed.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores whose keys are other ones in their child."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.keyed import AsyncKeyTransformingStore
from ..._core.adapt import to_async
from ..._core.info import Capability
from ..._core.keytransforms import KeyTransformer
from ..._core.protocol import ObjectStore
from .addressing import AddressingStore
from .identity import IdentityStore


class KeyTransformingStore(AddressingStore, IdentityStore):
    """Keeps each object under the key that a transformer makes of its own.

    What else is in the child stays out of sight and untouched: a key of it is ours only if it can
    be reversed, and if the reverse is transformed to exactly this key again.

    Args:
        store: A store of ours, or any object with the five async verbs.
        transformer: Says which key becomes which. None: all stay as they are.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncKeyTransformingStore
    _async_type: ClassVar[type[AsyncKeyTransformingStore]] = AsyncKeyTransformingStore

    def __init__(
        self,
        store: ObjectStore,
        transformer: KeyTransformer | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), transformer, timeout=timeout))

    @property
    def transformer(self) -> KeyTransformer:
        """Says which key becomes which."""
        return self._async.transformer

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself; in order only if the transformer keeps it."""
        return self._async.capabilities

    def transform_key(self, key: str) -> str:
        """The child's key of one of ours."""
        return self._async.transform_key(key)

    def reverse_transform_key(self, key: str) -> str:
        """Our key of one of the child's. Raises ``ValueError`` where there is none."""
        return self._async.reverse_transform_key(key)
