"""Signature Version 4 of AWS, in the way of S3."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
"""Stands for the digest of a body that is not signed; only TLS keeps such a body as it was sent."""
EMPTY = hashlib.sha256().hexdigest()
"""The digest of no body."""

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


class Signer:
    """Signs the requests to one region; may be used by any number of threads.

    Args:
        region: Such as ``eu-west-1``.
        service: Whose requests they are.
        clock: What tells the seconds since 1970.
    """

    def __init__(
        self, region: str, service: str = "s3", clock: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._scope = f"{region}/{service}/aws4_request"
        self._parts = region.encode(), service.encode()
        self._key: tuple[str, str, bytes] = ("", "", b"")
        self._stamp: tuple[int, str] = (-1, "")
        self.skew = 0.0
        """Seconds that the server's clock is ahead of ours."""

    def sign(
        self,
        method: str,
        path: str,
        query: str,
        headers: Sequence[tuple[str, str]],
        payload: str,
        keys: Keys,
    ) -> list[tuple[str, str]]:
        """The headers of a request, with those that sign it.

        Args:
            method: Such as ``GET``.
            path: Percent-encoded, as it goes over the wire.
            query: As `query_of` gives it.
            headers: All that are to be signed, ``host`` among them; names in small letters.
            payload: The digest of the body in hexadecimal, or `UNSIGNED`.
            keys: The credentials.
        """
        stamp = self._now()
        signed = [*headers, ("x-amz-content-sha256", payload), ("x-amz-date", stamp)]
        if keys.token:
            signed.append(("x-amz-security-token", keys.token))
        signed.sort()
        names = ";".join([name for name, _ in signed])
        lines = "\n".join(
            [f"{name}:{_trimmed(value) if ' ' in value else value}" for name, value in signed]
        )
        canonical = f"{method}\n{path}\n{query}\n{lines}\n\n{names}\n{payload}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        scope = f"{stamp[:8]}/{self._scope}"
        text = f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}"
        key = self._key_of(stamp[:8], keys.secret_key)
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        told = f"Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        signed.append(("authorization", f"{ALGORITHM} {told}"))
        return signed

    def _now(self) -> str:
        second = int(self._clock() + self.skew)
        known, stamp = self._stamp
        if known != second:
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
            self._stamp = second, stamp
        return stamp

    def _key_of(self, day: str, secret: str) -> bytes:
        known_day, known_secret, key = self._key
        if known_day != day or known_secret != secret:
            key = f"AWS4{secret}".encode()
            for part in (day.encode(), *self._parts, b"aws4_request"):
                key = hmac.digest(key, part, "sha256")
            self._key = day, secret, key
        return key


def _trimmed(value: str) -> str:
    """A header's value without spaces around it, and with one where there are several."""
    return " ".join(value.split())
