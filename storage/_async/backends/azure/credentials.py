"""Who may send requests: an account by its key, a signature in the URL, or a token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import inspect
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from ...._core import calls
from ...._core.errors import AccessDenied, ConfigError, NotSupported
from ...._core.text import Secret
from .._cloud.requests import Request, encoded

VERSION = "2021-12-02"
"""Of the REST API."""
SCOPE = "https://storage.azure.com/.default"
EARLY = 120.0
"""Seconds before a token's end when it is renewed."""
_SIGNED = (
    "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
    "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    """A storage account and what opens it; nothing opens what everybody may read.

    Args:
        name: Of the account.
        key: Its key, in Base64.
        sas: The query of a URL with a shared access signature.
        credential: An object with ``get_token``, as ``azure-identity`` has them.
    """

    name: str
    key: Secret | None = None
    sas: Secret | None = None
    credential: Any = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.key, self.sas, self.credential)) > 1:
            raise ConfigError("an account key, a SAS token and a credential exclude each other")
        if self.key is not None:
            _secret(self.key)

    @property
    def secret(self) -> bool:
        """Whether there is anything to keep from others."""
        return self.key is not None or self.sas is not None or self.credential is not None


class Signer:
    """Signs the requests of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._lock = threading.Lock()
        self._token: tuple[Secret, float] | None = None

    async def sign(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL and the headers of a request that the service accepts."""
        account = self.account
        headers = {
            **request.headers,
            "x-ms-date": format_datetime(datetime.now(UTC), usegmt=True),
            "x-ms-version": VERSION,
        }
        target = request.target
        if account.key is not None:
            text = _text(account.name, request, headers)
            headers["Authorization"] = f"SharedKey {account.name}:{_signature(account.key, text)}"
        elif account.sas is not None:
            target = self.opened(target)
        elif account.credential is not None:
            headers["Authorization"] = f"Bearer {await self._bearer()}"
        return target, headers

    def opened(self, url: str) -> str:
        """A URL with the account's shared access signature, if it has one."""
        if self.account.sas is None:
            return url
        return f"{url}{'&' if '?' in url else '?'}{self.account.sas.reveal().lstrip('?')}"

    async def _bearer(self) -> str:
        known = self._token
        if known is None or known[1] - EARLY < time.time():
            get = self.account.credential.get_token
            try:
                if inspect.iscoroutinefunction(get):
                    found = await get(SCOPE)
                else:
                    found = await calls.call_user(get, SCOPE)
            except Exception as error:
                raise AccessDenied(f"no token: {type(error).__name__}") from None
            known = self._token = Secret(found.token), float(found.expires_on)
        return known[0].reveal()


def presigned(
    account: Account, path: str, url: str, permissions: str, expiry: int, answer: Mapping[str, str]
) -> str:
    """A URL of a blob with a signature of its own.

    Args:
        account: It needs a key.
        path: Container and blob, as they are named.
        url: The blob's.
        permissions: What it is for: ``r``, ``cw``, ``d``.
        expiry: Seconds.
        answer: Headers of the answer: ``rscd`` and ``rsct``.
    """
    if account.key is None:
        raise NotSupported("only an account key signs URLs")
    end = (datetime.now(UTC) + timedelta(seconds=expiry)).strftime("%Y-%m-%dT%H:%M:%SZ")
    protocol = urlsplit(url).scheme
    protocol = "https" if protocol == "https" else "https,http"
    fields = [
        permissions, "", end, f"/blob/{account.name}/{path}", "", "", protocol, VERSION, "b", "",
        "", "", answer.get("rscd", ""), "", "", answer.get("rsct", ""),
    ]  # fmt: skip
    query = {
        "sp": permissions, "se": end, "spr": protocol, "sv": VERSION, "sr": "b", **answer,
        "sig": _signature(account.key, "\n".join(fields)),
    }  # fmt: skip
    return f"{url}?{encoded(query)}"


def connection_string(text: str) -> dict[str, str]:
    """The parts of a connection string.

    Raises:
        ConfigError: It is none.
    """
    parts = [part.partition("=") for part in text.split(";") if part]
    if not all(equals for _, equals, _ in parts):
        raise ConfigError("a connection string is made of name=value;name=value")
    return {name: value for name, _, value in parts}


def _text(account: str, request: Request, headers: dict[str, str]) -> str:
    """What a signature by an account's key is made of."""
    length = str(request.length or "")
    told = {**headers, "Content-Length": length}
    lines = [request.method, *(told.get(name, "") for name in _SIGNED)]
    own = {name.lower(): value for name, value in headers.items()}
    lines += [f"{name}:{own[name]}" for name in sorted(own) if name.startswith("x-ms-")]
    query = "".join(f"\n{name.lower()}:{request.query[name]}" for name in sorted(request.query))
    return "\n".join(lines) + f"\n/{account}{urlsplit(request.url).path}{query}"


def _signature(key: Secret, text: str) -> str:
    return base64.b64encode(hmac.digest(_secret(key), text.encode(), hashlib.sha256)).decode()


def _secret(key: Secret) -> bytes:
    try:
        return base64.b64decode(key.reveal(), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("an account key is text in Base64") from None
