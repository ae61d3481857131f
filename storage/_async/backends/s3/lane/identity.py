"""Who sends requests, and where to."""

from __future__ import annotations

import re
import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from .. import defaults
from .credentials import Credentials
from .transport import Endpoint

# Names that can be a part of the server's.
_HOST_PART = r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
_HOST_PARTS = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_IP = r"[\d.]+|.*:.*"
_LOCAL = r"127(\.\d{1,3}){3}|::1|localhost"
_BUCKET = r"[a-zA-Z0-9.\-_]{3,63}"
_SPECIAL = ("--x-s3", "--op-s3", "--xa-s3", "--ol-s3", "-s3alias")
"""Ends of the names of what is no plain bucket."""


class Trust(NamedTuple):
    """What a TLS connection is checked with.

    Args:
        verify: Whether the server's certificate is checked; the path of those that are trusted.
        certificate: The path of ours, or the two of it and of its key.
    """

    verify: bool | str = True
    certificate: str | tuple[str, str] | None = None

    def context(self) -> ssl.SSLContext:
        """What the transport is given; reads files."""
        context = ssl.create_default_context(cafile=self._authorities())
        if self.verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if isinstance(self.certificate, str):
            context.load_cert_chain(self.certificate)
        elif self.certificate is not None:
            context.load_cert_chain(*self.certificate)
        return context

    def _authorities(self) -> str | None:
        """The file that the client would trust, as far as there is one."""
        if isinstance(self.verify, str):
            return self.verify
        if self.verify and find_spec("certifi") is not None:
            import certifi

            return certifi.where()
        found = find_spec("botocore") if self.verify else None
        if found is None or found.origin is None:
            return None
        return str(Path(found.origin).with_name("cacert.pem"))


class Identity(NamedTuple):
    """Who sends requests on one bucket, and where to.

    Args:
        credentials: Where the credentials come from.
        region: That the requests are signed for.
        secure: Whether the connections have TLS.
        name: The server's, as DNS knows it.
        port: Its TCP port.
        host: As the ``Host`` header tells it.
        path: The bucket's, encoded.
        trust: What TLS connections are checked with.
        connect_timeout: Seconds that a connection may take to be made.
        read_timeout: Seconds that the server may be silent.
        limit: Connections at once.
        attempts: How often a request is sent at most.
        checked: Whether bodies are checked where the server tells a checksum.
        signs_bodies: Whether the signature covers the bodies, too.
    """

    credentials: Credentials
    region: str
    secure: bool
    name: str
    port: int
    host: str
    path: str
    trust: Trust = Trust()
    connect_timeout: float = defaults.CONNECT_TIMEOUT
    read_timeout: float = defaults.READ_TIMEOUT
    limit: int = defaults.POOL
    attempts: int = defaults.ATTEMPTS
    checked: bool = True
    signs_bodies: bool = True

    @property
    def under(self) -> str:
        """What the paths of the objects begin with."""
        return self.path if self.path.endswith("/") else f"{self.path}/"

    def endpoint(self) -> Endpoint:
        """What the transport is given; reads files where there is TLS."""
        tls = self.trust.context() if self.secure else None
        return Endpoint(
            self.name, self.port, tls, self.connect_timeout, self.read_timeout, self.limit
        )


class Address(NamedTuple):
    """Where a bucket is reached: the parts of `Identity` that tell it."""

    secure: bool
    name: str
    port: int
    host: str
    path: str

    @property
    def is_safe(self) -> bool:
        """Whether nobody can change a body on its way: there is TLS, or it stays on this machine.

        What of this machine is to be trusted so is told by W3C's Secure Contexts, section 3.1.
        """
        return self.secure or re.fullmatch(_LOCAL, self.name) is not None


def address(url: str, bucket: str, style: str | None, *, given: bool) -> Address | None:
    """Where a bucket is reached.

    Args:
        url: The server's.
        bucket: The bucket's name.
        style: ``"path"``, ``"virtual"``, ``"auto"`` or None: as the client understands them.
        given: Whether somebody named the server; else it is Amazon's own.

    Returns:
        None where only the client knows.
    """
    if not re.fullmatch(_BUCKET, bucket) or bucket.endswith(_SPECIAL) or bucket in (".", ".."):
        return None
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https") or parts.query or "@" in url:
        return None
    secure, base = parts.scheme == "https", parts.path.rstrip("/")
    host, name, port = parts.netloc.lower(), parts.hostname, parts.port
    virtual = style == "virtual" if given else style != "path"
    pattern = _HOST_PART if secure else _HOST_PARTS
    hostable = re.fullmatch(pattern, bucket) and not re.fullmatch(_IP, bucket)
    if virtual and hostable and not re.fullmatch(_IP, name):
        host, name, path = f"{bucket}.{host}", f"{bucket}.{name}", f"{base}/"
    else:
        path = f"{base}/{bucket}"
    usual = 443 if secure else 80
    if port == usual:
        host = host.rpartition(":")[0]
    return Address(secure, name, port or usual, host, path)
