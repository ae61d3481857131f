"""A client that speaks ASGI itself: what it sends is exactly what the application is given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces)

    @property
    def headers(self) -> dict[str, str]:
        """By name, each at most once."""
        found = dict(self.fields)
        assert len(found) == len(self.fields), self.fields
        return found


def scope_of(
    method: str, target: str, headers: Headers = (), *, root_path: str = "", **more: Any
) -> dict[str, Any]:
    """A request as a server gives it; the target is percent-encoded, with its query."""
    path, _, query = target.partition("?")
    pairs = dict(headers).items() if isinstance(headers, Mapping) else headers
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": root_path,
        "headers": [(str(name).lower().encode(), value.encode("latin-1")) for name, value in pairs],
    } | more


class Client:
    """Sends requests to an application, and holds its answers to the protocol."""

    def __init__(self, app: Any, **scope: Any) -> None:
        self._app = app
        self._scope = scope

    async def __call__(
        self,
        method: str,
        target: str,
        headers: Headers = (),
        body: bytes | Iterable[bytes | None] = b"",
    ) -> Answer:
        """One request; a piece that is None: the client goes away there."""
        answer = Answer()
        scope = scope_of(method, target, headers, **self._scope)
        pieces = iter([body] if isinstance(body, bytes) else body)
        last = object()
        coming: Any = next(pieces, b"")

        async def receive() -> MutableMapping[str, Any]:
            nonlocal coming
            if coming is last:
                await asyncio.get_running_loop().create_future()  # it waits for its answer
            data, coming = coming, next(pieces, last)
            if data is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": data, "more_body": coming is not last}

        async def send(message: MutableMapping[str, Any]) -> None:
            _take(answer, message)

        await self._app(scope, receive, send)
        if answer.ended:
            _check(method, answer)
        return answer


def _take(answer: Answer, message: MutableMapping[str, Any]) -> None:
    if message["type"] == "http.response.start":
        assert answer.status == 0, "an answer begins once"
        answer.status = message["status"]
        assert all(name == name.lower() for name, _ in message["headers"])
        answer.fields = [(n.decode(), v.decode("latin-1")) for n, v in message["headers"]]
    else:
        assert message["type"] == "http.response.body"
        assert answer.status, "an answer begins with its head"
        assert not answer.ended, "an answer ends once"
        answer.pieces.append(message["body"])
        answer.ended = not message["more_body"]


def _check(method: str, answer: Answer) -> None:
    length = answer.headers.get("content-length")
    if method == "HEAD" or answer.status in (204, 304):
        assert answer.body == b""
        assert length is None or answer.status not in (204, 304)
    elif length is not None:
        assert len(answer.body) == int(length)
