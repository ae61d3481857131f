"""Keys as a store below knows them: plain classes, for the async side and the blocking one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any
from urllib.parse import quote, unquote

from .errors import ConfigError, RefusedKey
from .text import shorten

_DIGITS = 64
"""Characters of a SHA-256 in hexadecimal."""


class KeyTransformer:
    """Gives each key another one, and finds the way back; made to be subclassed.

    Override `transform_key` and `reverse_transform_key`. Each key should get one of its own: two
    that become the same are one object, and a key that the reverse does not lead back to is not
    listed. Neither may block, since both are called on the event loop.

    Listings become faster with `transform_prefix` and the two promises below. A subclass that has
    another `transform_key` does not inherit them, and says for itself what still holds.
    """

    keeps_order: bool = True
    """Whether the transformed keys sort as the keys do; then listings stay in order, and
    `transform_prefix` tells where one starts."""
    keeps_levels: bool = True
    """Whether every key that begins with ``transform_prefix(x)`` is a transformed one, and what
    follows is as it was."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = vars(cls)
        if "transform_key" in own or "reverse_transform_key" in own:
            for name, nothing in _PROMISES.items():
                if name not in own:
                    setattr(cls, name, nothing)

    def transform_key(self, key: str) -> str:
        """The key as the store below has it.

        Raises:
            KeyError: This key is not allowed; so does a ``ValueError``.
        """
        return key

    def reverse_transform_key(self, key: str) -> str:
        """The key that `transform_key` makes this one of.

        Raises:
            ValueError: There is none; so does a ``KeyError``.
            NotImplementedError: Nobody can tell; then there are no listings.
        """
        return key

    def transform_prefix(self, prefix: str) -> str:
        """What all transformed keys begin with whose keys begin with ``prefix``."""
        return prefix

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _nothing_known(self: KeyTransformer, prefix: str) -> str:
    return ""


_PROMISES = {
    "transform_prefix": _nothing_known,
    "keeps_order": False,
    "keeps_levels": False,
}


class ValidatingKeyTransformer(KeyTransformer):
    """Leaves keys as they are, and refuses those that a function does not like.

    Args:
        validator: Called with each key; raises ``KeyError`` or ``ValueError`` for a bad one.
    """

    keeps_order = True

    def __init__(self, validator: Callable[[str], object]) -> None:
        if not callable(validator):
            raise TypeError(f"a validator is a function, not {type(validator).__name__}")
        self.validator = validator

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        self.validator(key)
        return key

    def transform_prefix(self, prefix: str) -> str:
        """See `KeyTransformer`."""
        return prefix

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self.validator, '__name__', self.validator)})"


class PrefixKeyTransformer(KeyTransformer):
    """Puts the same text before every key.

    Args:
        prefix: The text, with its ``/`` if you want one; it is never interpreted.
    """

    keeps_order = True
    keeps_levels = True

    def __init__(self, prefix: str) -> None:
        if not isinstance(prefix, str):
            raise ConfigError(f"a prefix is a str, not {type(prefix).__name__}")
        self.prefix = prefix

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        return self.prefix + key

    def reverse_transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        if not key.startswith(self.prefix):
            raise ValueError(f"it does not begin with {self.prefix!r}")
        return key[len(self.prefix) :]

    def transform_prefix(self, prefix: str) -> str:
        """See `KeyTransformer`."""
        return self.prefix + prefix

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.prefix!r})"


class HashPrefixKeyTransformer(KeyTransformer):
    """Puts the first digits of its own SHA-256 before every key, which spreads neighbours.

    Args:
        hash_length: Hexadecimal digits, up to 64.
        separator: What stands between them and the key.
    """

    def __init__(self, hash_length: int = 8, separator: str = "/") -> None:
        if not 0 <= hash_length <= _DIGITS:
            raise ConfigError(f"hash_length is from 0 to {_DIGITS}, not {hash_length}")
        self.hash_length = hash_length
        self.separator = separator

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        return sha256(key.encode()).hexdigest()[: self.hash_length] + self.separator + key

    def reverse_transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        found = key[self.hash_length + len(self.separator) :]
        if self.transform_key(found) != key:
            raise ValueError("it does not begin with the hash of its rest")
        return found

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.hash_length}, {self.separator!r})"


class UrlEncodingKeyTransformer(KeyTransformer):
    """Writes keys as URLs do, in ASCII with percent signs; slashes stay."""

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        return quote(key, safe="/")

    def reverse_transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        return unquote(key, errors="strict")

    def transform_prefix(self, prefix: str) -> str:
        """See `KeyTransformer`."""
        return quote(prefix, safe="/", errors="surrogatepass")


class RegexRoutingKeyTransformer(KeyTransformer):
    """Leaves each key to the transformer of the first pattern that is found in it.

    Args:
        routes: Pairs of pattern and transformer.
    """

    def __init__(self, routes: Iterable[tuple[str | re.Pattern[str], KeyTransformer]]) -> None:
        self.routes: tuple[tuple[re.Pattern[str], KeyTransformer], ...] = ()
        for pattern, transformer in routes:
            self.add_route(pattern, transformer)

    def add_route(self, pattern: str | re.Pattern[str], transformer: KeyTransformer) -> None:
        """Ask one more pattern, after all others."""
        self.routes += ((compiled(pattern), transformer),)

    def route(self, key: str) -> KeyTransformer | None:
        """The transformer of a key, if any is."""
        return next((found for pattern, found in self.routes if pattern.search(key)), None)

    def transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        found = self.route(key)
        if found is None:
            raise RefusedKey("no route matches this key")
        return found.transform_key(key)

    def reverse_transform_key(self, key: str) -> str:
        """See `KeyTransformer`."""
        for pattern, transformer in self.routes:
            try:
                found = transformer.reverse_transform_key(key)
                if pattern.search(found) and self.transform_key(found) == key:
                    return found
            except (ValueError, LookupError):
                continue
        raise ValueError("no route leads to it")

    def __repr__(self) -> str:
        shown = ", ".join(f"({pattern.pattern!r}, {found!r})" for pattern, found in self.routes)
        return f"{type(self).__name__}([{shown}])"


class RegexValidator:
    r"""Refuses the keys at whose start a pattern does not match, for `KeyValidatingStore`.

    Args:
        pattern: A regular expression; end it with ``\Z`` to match the whole key.
    """

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        self.pattern = pattern
        self._match = compiled(pattern).match

    def __call__(self, key: str) -> None:
        """Raise `RefusedKey`, a ``KeyError``, for a bad key."""
        if not self._match(key):
            raise RefusedKey(f"the key does not match {_text(self.pattern)!r}", key=key)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.pattern,)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_text(self.pattern)!r})"


def validate_http_url_key(key: str) -> None:
    """Raise `RefusedKey`, a ``KeyError``, unless ``key`` is a URL of HTTP or HTTPS with a host."""
    if not _HTTP.match(key):
        raise RefusedKey(f"this is no URL of http or https: {shorten(repr(key))}", key=key)


_HTTP = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """The pattern itself, ready for use.

    Raises:
        ConfigError: It is no regular expression.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"{pattern!r} is no regular expression: {error}") from None


def _text(pattern: str | re.Pattern[str]) -> str:
    return pattern if isinstance(pattern, str) else pattern.pattern
