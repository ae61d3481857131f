"""Who may send requests: what ``google-auth`` finds or is told, a token, or nobody."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from ...._core import calls
from ...._core.errors import AccessDenied, ConfigError, MissingExtra, NotSupported, StoreUnavailable
from ...._core.text import Secret
from .._cloud.requests import Request, encoded

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
Credentials: TypeAlias = Any
"""The path of a JSON file, its contents, or an object of ``google.auth.credentials``."""


class Signer:
    """Gives requests a token.

    Args:
        credentials: See `Credentials`; None: those of this machine or its user.
        token: A token in their place.
        anonymous: Whether there is to be none of both.
    """

    def __init__(
        self, credentials: Credentials = None, token: str | None = None, anonymous: bool = False
    ) -> None:
        if (credentials is not None) + (token is not None) + anonymous > 1:
            raise ConfigError("credentials, a token and anonymous exclude each other")
        self._told = credentials
        self._token = None if token is None else Secret(token)
        self.anonymous = anonymous
        self._found: Any = None
        self.project: str | None = None
        """That of the credentials, when they were used."""
        self._lock = threading.Lock()

    @property
    def secret(self) -> bool:
        """Whether there is anything to keep from others."""
        return self._token is not None or self._told is not None

    @property
    def identity(self) -> Hashable:
        """What two have in common if the same one asks."""
        told = self._told
        plain = isinstance(told, str | bytes)
        return self.anonymous, self._token, hash(told) if plain else id(told)

    async def sign(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL and the headers of a request that the service accepts."""
        headers = dict(request.headers)
        # Or what is stored compressed would be sent in another form than it is stored in.
        headers["Accept-Encoding"] = "gzip"
        if not self.anonymous:
            headers["Authorization"] = f"Bearer {await self._bearer()}"
        return request.target, headers

    async def _bearer(self) -> str:
        if self._token is not None:
            return self._token.reveal()
        found = self._found
        if found is None or not found.valid:
            found = await calls.call(self._fresh)
        return str(found.token)

    def _fresh(self) -> Any:
        """Credentials that are valid; blocks."""
        with self._lock:
            try:
                if self._found is None:
                    self._found, self.project = _load(self._told)
                if not self._found.valid:
                    from google.auth.transport.requests import Request as Transport

                    self._found.refresh(Transport())
            except (ConfigError, MissingExtra):
                raise
            except ImportError as error:
                raise MissingExtra.named("google-auth", "gcs") from error
            except Exception as error:
                # The error itself may tell what was sent.
                name = type(error).__name__
                kind = StoreUnavailable if name == "TransportError" else AccessDenied
                raise kind(f"no token from google-auth: {name}") from None
            return self._found

    async def signed_url(self, method: str, url: str, query: Mapping[str, str], expiry: int) -> str:
        """A URL that does one thing for some seconds (signature version 4)."""
        if self.anonymous or self._token is not None:
            raise NotSupported("only the credentials of a service account sign URLs")
        return await calls.call(self._sign_url, method, url, query, expiry)

    def _sign_url(self, method: str, url: str, query: Mapping[str, str], expiry: int) -> str:
        with self._lock:
            if self._found is None:
                self._found, self.project = _load(self._told)
        signer = self._found
        if not hasattr(signer, "sign_bytes") or not getattr(signer, "signer_email", None):
            raise NotSupported("only the credentials of a service account sign URLs")
        now = datetime.now(UTC)
        scope = f"{now:%Y%m%d}/auto/storage/goog4_request"
        parts = urlsplit(url)
        query = {
            **query,
            "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
            "X-Goog-Credential": f"{signer.signer_email}/{scope}",
            "X-Goog-Date": f"{now:%Y%m%dT%H%M%SZ}",
            "X-Goog-Expires": str(expiry),
            "X-Goog-SignedHeaders": "host",
        }
        text = encoded(dict(sorted(query.items())))
        request = "\n".join(
            [method, parts.path, text, f"host:{parts.netloc}", "", "host", "UNSIGNED-PAYLOAD"]
        )
        digest = hashlib.sha256(request.encode()).hexdigest()
        to_sign = "\n".join(["GOOG4-RSA-SHA256", query["X-Goog-Date"], scope, digest])
        signature = signer.sign_bytes(to_sign.encode()).hex()
        return f"{url}?{text}&X-Goog-Signature={signature}"


def _load(told: Credentials) -> tuple[Any, str | None]:
    """The object of ``google-auth`` that was meant, and its project."""
    try:
        import google.auth
    except ImportError as error:
        raise MissingExtra.named("google-auth", "gcs") from error
    if told is None:
        found: Any = google.auth.default
        return found(scopes=[SCOPE])  # type: ignore[no-any-return]
    if hasattr(told, "refresh"):
        needs = getattr(told, "requires_scopes", False)
        project = getattr(told, "project_id", None)
        return told.with_scopes([SCOPE]) if needs else told, project
    return _of(_contents(told))


def _of(known: dict[str, Any]) -> tuple[Any, str | None]:
    """Credentials of the two kinds that are just keys.

    Others name programs that are run, and places that are asked: who trusts such ones makes the
    object.
    """
    if known.get("type") == "service_account":
        from google.oauth2 import service_account

        kind: Any = service_account.Credentials
        made = kind.from_service_account_info(known, scopes=[SCOPE])
    elif known.get("type") == "authorized_user":
        from google.oauth2 import credentials

        kind = credentials.Credentials
        made = kind.from_authorized_user_info(known, scopes=[SCOPE])
    else:
        raise ConfigError("credentials are of a service_account or an authorized_user")
    return made, known.get("project_id")


def _contents(told: Any) -> dict[str, Any]:
    """The JSON of credentials, which are never shown."""
    try:
        if isinstance(told, Mapping):
            return dict(told)
        if isinstance(told, bytes) or (isinstance(told, str) and told.lstrip().startswith("{")):
            return dict(json.loads(told))
        with open(os.fspath(told), "rb") as file:
            return dict(json.load(file))
    except OSError as error:
        raise ConfigError(f"the file of the credentials: {error.strerror}") from None
    except (TypeError, ValueError):
        raise ConfigError("the credentials are no JSON of Google's") from None
