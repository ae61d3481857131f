# Generated from storage/_async/wrappers/content.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores whose objects are kept in another form than they are read in."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.content import AsyncCodecStore, AsyncContentStore
from ..._core.info import Capability
from .identity import IdentityStore


class ContentStore(IdentityStore):
    """The ground of stores that keep objects in another form: what a child tells is of that form.

    Lengths and checksums are left out where they are not known of the content itself; etags,
    times, media types and metadata are the child's. An object is copied and moved as it is kept.
    """

    _async: AsyncContentStore
    _async_type: ClassVar[type[AsyncContentStore]] = AsyncContentStore

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself; to read a part, all before it has to be read."""
        return self._async.capabilities


class CodecStore(ContentStore):
    """The ground of stores that keep bytes as other bytes; streams stay streams.

    A subclass says how, by `_encoder` and `_decoder`.
    """

    _async: AsyncCodecStore
    _async_type: ClassVar[type[AsyncCodecStore]] = AsyncCodecStore  # type: ignore[type-abstract]
