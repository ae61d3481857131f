"""Signature Version 4 of AWS, in the way of S3."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from .transport import Headers

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
"""Stands for the digest of a body that is not signed; only TLS keeps such a body as it was sent."""
EMPTY = hashlib.sha256().hexdigest()
"""The digest of no body."""

MOST_FORMS = 64
"""That are kept; where headers differ with every request, they are of no use."""

Pairs = Iterable[tuple[str, str]]


class Keys(NamedTuple):
    """Credentials, as they are at one moment."""

    access_key: str
    secret_key: str
    token: str | None = None

    def __repr__(self) -> str:
        return f"Keys({self.access_key!r})"


def encoded(text: str, safe: str = "") -> str:
    """Percent-encoded as a signature wants it: all but letters, digits and ``-_.~``.

    Args:
        text: Any text.
        safe: What else stays as it is: ``"/"`` in a path.
    """
    return quote(text, safe=safe)


def query_of(pairs: Pairs) -> str:
    """A query string in the order and the encoding that are signed."""
    known = sorted((encoded(name), encoded(value)) for name, value in pairs)
    return "&".join([f"{name}={value}" for name, value in known])


class Form:
    """A signature but for what it is the signature of: one for all requests with the same headers.

    Args:
        headers: All but the signature itself, as they are sent.
        canonical: What is signed behind the query.
        text: What is signed before the digest of the request.
        key: With what it is signed.
        told: The header of the signature, up to the signature.
    """

    __slots__ = ("_canonical", "_key", "_text", "_told", "headers")

    def __init__(self, headers: Headers, canonical: str, text: str, key: Key, told: str) -> None:
        self.headers = headers
        self._canonical, self._text, self._key, self._told = canonical, text, key, told

    def sign(self, method: str, path: str, query: str) -> str:
        """The ``authorization`` of a request.

        Args:
            method: Such as ``GET``.
            path: Percent-encoded, as it goes over the wire.
            query: As `query_of` gives it.
        """
        canonical = f"{method}\n{path}\n{query}\n{self._canonical}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return f"{self._told}{self._key.sign(f'{self._text}{digest}'.encode())}"


class Key:
    """A key of HMAC-SHA256, with all done that is the same for every message."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        block = key.ljust(64, b"\0")  # that of a day has 32 bytes
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def sign(self, message: bytes) -> str:
        """The signature in hexadecimal."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.hexdigest()


class Signer:
    """Signs the requests to one region; may be used by any number of threads.

    Args:
        region: Such as ``eu-west-1``.
        service: Whose requests they are.
        clock: What tells the seconds since 1970.
        unsigned: Headers that go with every request and need no signature.
    """

    def __init__(
        self,
        region: str,
        service: str = "s3",
        clock: Callable[[], float] = time.time,
        unsigned: Pairs = (),
    ) -> None:
        self._clock = clock
        self._scope = f"{region}/{service}/aws4_request"
        self._parts = region.encode(), service.encode()
        self._unsigned = tuple(unsigned)
        self._key: tuple[str, str, Key] = ("", "", Key(b""))
        self._known: tuple[int, str, dict[object, Form]] = (-1, "", {})
        self.skew = 0.0
        """Seconds that the server's clock is ahead of ours."""

    def form(self, headers: tuple[tuple[str, str], ...], payload: str, keys: Keys) -> Form:
        """What signs requests, in this second.

        Args:
            headers: All that are to be signed, ``host`` among them; names in small letters.
            payload: The digest of the body in hexadecimal, or `UNSIGNED`.
            keys: The credentials.
        """
        second = int(self._clock() + self.skew)
        before, stamp, forms = self._known
        if before != second:
            stamp, forms = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second)), {}
            self._known = second, stamp, forms
        asked = headers, payload, keys
        form = forms.get(asked)
        if form is None:
            form = self._form(headers, payload, keys, stamp)
            if len(forms) < MOST_FORMS:
                forms[asked] = form
        return form

    def _form(
        self, headers: Sequence[tuple[str, str]], payload: str, keys: Keys, stamp: str
    ) -> Form:
        signed = [*headers, ("x-amz-content-sha256", payload), ("x-amz-date", stamp)]
        if keys.token:
            signed.append(("x-amz-security-token", keys.token))
        signed.sort()
        names = ";".join([name for name, _ in signed])
        lines = "\n".join(
            [f"{name}:{_trimmed(value) if ' ' in value else value}" for name, value in signed]
        )
        scope = f"{stamp[:8]}/{self._scope}"
        return Form(
            Headers((*signed, *self._unsigned)),
            f"{lines}\n\n{names}\n{payload}",
            f"{ALGORITHM}\n{stamp}\n{scope}\n",
            self._key_of(stamp[:8], keys.secret_key),
            f"{ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature=",
        )

    def _key_of(self, day: str, secret: str) -> Key:
        known_day, known_secret, key = self._key
        if known_day != day or known_secret != secret:
            raw = f"AWS4{secret}".encode()
            for part in (day.encode(), *self._parts, b"aws4_request"):
                raw = hmac.digest(raw, part, "sha256")
            key = Key(raw)
            self._key = day, secret, key
        return key


def _trimmed(value: str) -> str:
    """A header's value without spaces around it, and with one where there are several."""
    return " ".join(value.split())
