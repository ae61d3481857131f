"""The ways to transform keys, and to refuse them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..._core.keytransforms import (
    HashPrefixKeyTransformer,
    KeyTransformer,
    PrefixKeyTransformer,
    RegexRoutingKeyTransformer,
    RegexValidator,
    UrlEncodingKeyTransformer,
    ValidatingKeyTransformer,
    validate_http_url_key,
)
from ..._core.protocol import AsyncObjectStore
from .keyed import AsyncKeyTransformingStore


class AsyncKeyValidatingStore(AsyncKeyTransformingStore):
    """Takes only the keys that a function likes; others in the child stay out of sight.

    Args:
        store: A store of ours, or any object with the five async verbs.
        validator: Called with each key on the event loop, so it must not block; raises
            ``KeyError`` (or ``ValueError``) for a bad one, and the verb raises `RefusedKey`.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        validator: Callable[[str], object],
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, ValidatingKeyTransformer(validator), timeout=timeout)


class AsyncRegexValidatingStore(AsyncKeyValidatingStore):
    r"""Takes only the keys at whose start a pattern matches.

    Args:
        store: A store of ours, or any object with the five async verbs.
        pattern: A regular expression; end it with ``\Z`` to match whole keys.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        pattern: str | re.Pattern[str],
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, RegexValidator(pattern), timeout=timeout)


class AsyncUrlValidatingStore(AsyncKeyValidatingStore):
    """Takes only keys that are URLs of HTTP or HTTPS.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(store, validate_http_url_key, timeout=timeout)


class AsyncPrefixStore(AsyncKeyTransformingStore):
    """A part of a store: the objects whose keys begin with a prefix, without it.

    Args:
        store: A store of ours, or any object with the five async verbs.
        prefix: What is put before each key, as it is: with its ``/`` if you want one, and a
            ``..`` in it or in a key means nothing.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self, store: AsyncObjectStore, prefix: str, *, timeout: float | None = None
    ) -> None:
        super().__init__(store, PrefixKeyTransformer(prefix), timeout=timeout)
        self._prefix = prefix

    def _locations(self) -> tuple[tuple[str, str], ...]:
        places = super()._locations()
        return tuple((service, path + self._prefix) for service, path in places)


class AsyncHashPrefixStore(AsyncKeyTransformingStore):
    """Puts digits of its hash before each key, for stores that are slow where keys are alike.

    Every listing reads the child's whole listing, and is in no order.

    Args:
        store: A store of ours, or any object with the five async verbs.
        hash_length: Hexadecimal digits of the key's SHA-256, up to 64.
        separator: What stands between them and the key.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        hash_length: int = 8,
        separator: str = "/",
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, HashPrefixKeyTransformer(hash_length, separator), timeout=timeout)


class AsyncUrlEncodingStore(AsyncKeyTransformingStore):
    """Keeps each object under its key as URLs write it, in ASCII; slashes stay.

    Listings are in no order.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(store, UrlEncodingKeyTransformer(), timeout=timeout)


class AsyncRegexRoutingStore(AsyncKeyTransformingStore):
    """Transforms each key by the transformer of the first pattern that is found in it.

    A key that no pattern is found in does not exist, and every verb but ``exists`` raises
    `RefusedKey` for it. Every listing reads the child's whole listing, and is in no order.

    Args:
        store: A store of ours, or any object with the five async verbs.
        routes: Pairs of regular expression and `KeyTransformer`; ``^`` begins one that shall
            match at the key's start only.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        routes: Iterable[tuple[str | re.Pattern[str], KeyTransformer]] | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        self._routing = RegexRoutingKeyTransformer(routes or ())
        super().__init__(store, self._routing, timeout=timeout)

    def add_route(self, pattern: str | re.Pattern[str], transformer: KeyTransformer) -> None:
        """Ask one more pattern, after all others."""
        self._routing.add_route(pattern, transformer)

    def _check_key(self, key: str) -> None:
        # What no route leads to is refused by the verbs' hooks: for `exists` it is just not there.
        if self._routing.route(key) is not None:
            super()._check_key(key)

    async def _exists(self, key: str) -> bool:
        return self._routing.route(key) is not None and await super()._exists(key)
