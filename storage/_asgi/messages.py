"""What an ASGI server hands over: the request's head, and the types of its three parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from .paths import decoded, path_of
from .replies import Refusal

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Request:
    """The head of a request.

    Args:
        scope: As the server gives it; of the type ``"http"``.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self._headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            field, text = name.decode("latin-1").lower(), value.decode("latin-1").strip()
            # What comes in several lines is one list.
            known = self._headers.get(field)
            self._headers[field] = text if known is None else f"{known}, {text}"

    def header(self, name: str) -> str | None:
        """A header's value, by its name in lower case; None without one."""
        return self._headers.get(name)

    def has(self, *names: str) -> bool:
        """Whether it has one of some headers."""
        return any(name in self._headers for name in names)

    @property
    def reads(self) -> bool:
        """Whether it asks for an object, or for what is known of it."""
        return self.method in ("GET", "HEAD")

    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        text = self.scope.get("query_string", b"").decode("latin-1")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, errors="strict"))
        except ValueError:
            raise Refusal(400, "the query is not UTF-8") from None

    def key(self) -> str:
        """The key that the path names, or the parameter ``key``; empty: the collection of all."""
        raw = path_of(self.scope)
        return decoded(raw) if raw else self.query().get("key", "")

    @property
    def framed(self) -> bool:
        """Whether the answer's end can be told from a broken connection where it has no length."""
        return self.scope.get("http_version") not in ("0.9", "1.0")

    @property
    def closable(self) -> bool:
        """Whether the answer may tell that it is the connection's last."""
        return str(self.scope.get("http_version", "1.1")).startswith("1")
