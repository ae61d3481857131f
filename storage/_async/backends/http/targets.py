"""Where requests go: URLs that are checked, and keys that are paths under one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin, urlsplit

from ...._core.errors import InvalidKey

PORTS = {"http": 80, "https": 443}

_SAFE = "/%!$&'()*+,;=:@-._~"
"""What may stand in a path as it is; an octet that was encoded before stays so."""
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
"""Line breaks would begin headers of their own, and of a backslash some programs make a slash."""
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")


class BadURL(ValueError):
    """Says what is wrong with a URL, without the URL: it may hold secrets."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL of an http or https server.

    Args:
        origin: Scheme, host and port, as ``https://example.org`` or ``http://[::1]:8000``.
        path: Path and query as they are sent; the path begins with ``/``.
    """

    origin: str
    path: str = "/"

    @classmethod
    def parse(cls, text: str, *, redirect: bool = False) -> Target:
        """Take a URL apart, and encode what has to be.

        Args:
            text: The URL.
            redirect: Whether it comes from a server: then it may have a fragment, which is dropped.

        Raises:
            BadURL: It is none, has credentials in it, or could be taken for another one.
        """
        if _FORBIDDEN.search(text):
            raise BadURL("it has a space, a control character or a backslash in it")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise BadURL("it cannot be read") from None
        if parts.scheme not in PORTS:
            raise BadURL("only http and https are spoken here")
        if "@" in parts.netloc:
            raise BadURL("it has a user or a password in it: these belong into auth=")
        if "#" in text and not redirect:
            raise BadURL("it has a fragment, which no server is asked for: write '#' as %23")
        host = _host(parts.hostname or "")
        if port is not None and port != PORTS[parts.scheme]:
            host = f"{host}:{port}"
        path = quote(parts.path or "/", _SAFE)
        query = f"?{quote(parts.query, _SAFE + '?')}" if parts.query else ""
        return cls(f"{parts.scheme}://{host}", path + query)

    @property
    def url(self) -> str:
        """All of it."""
        return self.origin + self.path

    @property
    def encrypted(self) -> bool:
        """Whether it is reached over TLS."""
        return self.origin.startswith("https:")

    def below(self, key: str) -> Target:
        """What a key means under this URL, which ends with ``/``.

        Raises:
            InvalidKey: It would lead out of here, on some servers at least.
        """
        if any(part in (".", "..") for part in re.split(r"[/\\]", key)):
            raise InvalidKey("no server tells '.' and '..' in a path from a way to elsewhere")
        return Target(self.origin, self.path + quote(key, "/"))

    def led_to(self, location: str) -> Target:
        """Where a server sends those who asked here.

        Raises:
            BadURL: It says nothing that can be followed.
        """
        location = location.strip().replace(" ", "%20")
        if not location or _FORBIDDEN.search(location):
            raise BadURL("it says no place")
        try:
            return Target.parse(urljoin(self.url, location), redirect=True)
        except UnicodeError:
            raise BadURL("it is no text") from None


def _host(text: str) -> str:
    """The name or the address of a host, as it is sent."""
    if len(text) > 253:
        return _no_host()
    if ":" in text:
        try:
            return f"[{IPv6Address(text)}]" if "%" not in text else _no_host()
        except ValueError:
            return _no_host()
    try:
        name = text.encode("ascii" if text.isascii() else "idna").decode().lower()
        if _NUMBER.fullmatch(name):  # 127.1 and 0x7f000001 are addresses to some programs
            return str(IPv4Address(name))
    except ValueError:
        return _no_host()
    return name if _HOST.fullmatch(name) else _no_host()


def _no_host() -> str:
    raise BadURL("it names no host")
