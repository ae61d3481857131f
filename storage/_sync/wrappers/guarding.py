# Generated from storage/_async/wrappers/guarding.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores that refuse one half of what can be done."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.guarding import AsyncReadonlyStore, AsyncWriteonlyStore
from ..._core.info import Capability
from .identity import IdentityStore


class ReadonlyStore(IdentityStore):
    """Reads and lists as its child does, and changes nothing.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.

    Raises:
        NotSupported: By every verb that would change something.
    """

    _async: AsyncReadonlyStore
    _async_type: ClassVar[type[AsyncReadonlyStore]] = AsyncReadonlyStore

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself, less what is refused."""
        return self._async.capabilities


class WriteonlyStore(IdentityStore):
    """Takes and removes objects as its child does, and tells nothing of what it holds.

    A copy reads, so it is refused as well.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.

    Raises:
        NotSupported: By every verb that reads or lists.
    """

    _async: AsyncWriteonlyStore
    _async_type: ClassVar[type[AsyncWriteonlyStore]] = AsyncWriteonlyStore

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself, less what is refused."""
        return self._async.capabilities
