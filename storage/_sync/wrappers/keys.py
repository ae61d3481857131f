# Generated from storage/_async/wrappers/keys.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The ways to transform keys, and to refuse them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import ClassVar

from ..._async.wrappers.keys import (
    AsyncHashPrefixStore,
    AsyncKeyValidatingStore,
    AsyncPrefixStore,
    AsyncRegexRoutingStore,
    AsyncRegexValidatingStore,
    AsyncUrlEncodingStore,
    AsyncUrlValidatingStore,
)
from ..._core.adapt import to_async
from ..._core.keytransforms import KeyTransformer
from ..._core.protocol import ObjectStore
from .keyed import KeyTransformingStore


class KeyValidatingStore(KeyTransformingStore):
    """Takes only the keys that a function likes; others in the child stay out of sight.

    Args:
        store: A store of ours, or any object with the five async verbs.
        validator: Called with each key on the event loop, so it must not block; raises
            ``KeyError`` (or ``ValueError``) for a bad one, and the verb raises `RefusedKey`.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncKeyValidatingStore
    _async_type: ClassVar[type[AsyncKeyValidatingStore]] = AsyncKeyValidatingStore

    def __init__(
        self,
        store: ObjectStore,
        validator: Callable[[str], object],
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), validator, timeout=timeout))


class RegexValidatingStore(KeyValidatingStore):
    r"""Takes only the keys at whose start a pattern matches.

    Args:
        store: A store of ours, or any object with the five async verbs.
        pattern: A regular expression; end it with ``\Z`` to match whole keys.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncRegexValidatingStore
    _async_type: ClassVar[type[AsyncRegexValidatingStore]] = AsyncRegexValidatingStore

    def __init__(
        self, store: ObjectStore, pattern: str | re.Pattern[str], *, timeout: float | None = None
    ) -> None:
        self._hold(self._async_type(to_async(store), pattern, timeout=timeout))


class UrlValidatingStore(KeyValidatingStore):
    """Takes only keys that are URLs of HTTP or HTTPS.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncUrlValidatingStore
    _async_type: ClassVar[type[AsyncUrlValidatingStore]] = AsyncUrlValidatingStore

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))


class PrefixStore(KeyTransformingStore):
    """A part of a store: the objects whose keys begin with a prefix, without it.

    Args:
        store: A store of ours, or any object with the five async verbs.
        prefix: What is put before each key, as it is: with its ``/`` if you want one, and a
            ``..`` in it or in a key means nothing.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncPrefixStore
    _async_type: ClassVar[type[AsyncPrefixStore]] = AsyncPrefixStore

    def __init__(self, store: ObjectStore, prefix: str, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), prefix, timeout=timeout))


class HashPrefixStore(KeyTransformingStore):
    """Puts digits of its hash before each key, for stores that are slow where keys are alike.

    Every listing reads the child's whole listing, and is in no order.

    Args:
        store: A store of ours, or any object with the five async verbs.
        hash_length: Hexadecimal digits of the key's SHA-256, up to 64.
        separator: What stands between them and the key.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncHashPrefixStore
    _async_type: ClassVar[type[AsyncHashPrefixStore]] = AsyncHashPrefixStore

    def __init__(
        self,
        store: ObjectStore,
        hash_length: int = 8,
        separator: str = "/",
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), hash_length, separator, timeout=timeout))


class UrlEncodingStore(KeyTransformingStore):
    """Keeps each object under its key as URLs write it, in ASCII; slashes stay.

    Listings are in no order.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncUrlEncodingStore
    _async_type: ClassVar[type[AsyncUrlEncodingStore]] = AsyncUrlEncodingStore

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))


class RegexRoutingStore(KeyTransformingStore):
    """Transforms each key by the transformer of the first pattern that is found in it.

    A key that no pattern is found in does not exist, and every verb but ``exists`` raises
    `RefusedKey` for it. Every listing reads the child's whole listing, and is in no order.

    Args:
        store: A store of ours, or any object with the five async verbs.
        routes: Pairs of regular expression and `KeyTransformer`; ``^`` begins one that shall
            match at the key's start only.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncRegexRoutingStore
    _async_type: ClassVar[type[AsyncRegexRoutingStore]] = AsyncRegexRoutingStore

    def __init__(
        self,
        store: ObjectStore,
        routes: Iterable[tuple[str | re.Pattern[str], KeyTransformer]] | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), routes, timeout=timeout))

    def add_route(self, pattern: str | re.Pattern[str], transformer: KeyTransformer) -> None:
        """Ask one more pattern, after all others."""
        self._async.add_route(pattern, transformer)
