"""Requests to a service: signed, sent again where that may help, and answered or failed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from ...._core.errors import MalformedResponse, StoreError
from ...._core.perloop import PerLoop
from .._web import answers as web
from .._web.retries import Budget, Tries
from .._web.sessions import Wire, ask, session, translated
from .errors import Busy, failure

if TYPE_CHECKING:
    import aiohttp

FINE = frozenset({200, 201, 202, 204, 206})
CHUNK = 256 * 1024
JOINED = 64 * 1024
"""Bytes up to which a body is sent in one piece."""
MOST = 64 * 1024 * 1024
"""Bytes of an answer that is read whole: a page of a listing has a few hundred thousand."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Args:
        method: Of HTTP.
        url: Without a query, encoded.
        query: Its parts, not encoded.
        headers: Without those that sign it.
        body: What is sent, in one piece or several.
        again: Whether it may have been done already when it is sent again.
        also: Statuses that are no failures, besides those of success.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: tuple[bytes | memoryview, ...] = ()
    again: bool = True
    also: frozenset[int] = frozenset()

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return sum(map(len, self.body))

    @property
    def target(self) -> str:
        """The URL with its query."""
        return self.url + (f"?{encoded(self.query)}" if self.query else "")


def encoded(query: Mapping[str, str]) -> str:
    """A query as it stands in a URL."""
    return "&".join(
        f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in query.items()
    )


class Signer(Protocol):
    """Who may send requests."""

    async def sign(self, request: Request) -> tuple[str, dict[str, str]]:
        """The URL and the headers of a request that the service accepts."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Answer(web.Answer):
    """The same, where it may be read whole."""

    async def whole(self) -> bytes:
        """All of the body."""
        pieces, size = [], 0
        while piece := await self.read():
            pieces.append(piece)
            size += len(piece)
            if size > MOST:
                raise MalformedResponse(f"an answer of more than {MOST} bytes")
        return b"".join(pieces)


class Requests:
    """Sends the requests of one store; safe to use from several loops and threads.

    Args:
        signer: Signs them.
        wire: How connections are made.
        retries: How often a request is sent again that the service could not answer.
    """

    def __init__(self, signer: Signer, wire: Wire, retries: int) -> None:
        self.signer = signer
        self.sessions = PerLoop(partial(_session, wire))
        self._retries = retries
        self._budget = Budget()

    def tries(self) -> Tries:
        """The tries of one piece of work."""
        return Tries(self._budget, self._retries)

    async def __call__(self, request: Request) -> Reply:
        """The answer to a request, read whole.

        Raises:
            Refusal: The service will not do it.
            StoreError: There was no answer, or none that could be used.
        """
        tries = self.tries()
        while True:
            try:
                answer = await self._once(request)
                try:
                    reply = Reply(answer.status, answer.headers, await answer.whole())
                finally:
                    answer.close()
            except StoreError as error:
                await self._after(tries, request, error)
            else:
                tries.won()
                return reply

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncIterator[Answer]:
        """The answer to a request, its body still to come; arguments and errors as for a call."""
        tries = self.tries()
        while True:
            try:
                answer = await self._once(request)
            except StoreError as error:
                await self._after(tries, request, error)
            else:
                break
        tries.won()
        try:
            yield answer
        finally:
            answer.close()

    async def _after(self, tries: Tries, request: Request, error: StoreError) -> None:
        """Pause before the next try, unless what was asked for may have been done."""
        if not request.again and not isinstance(error, Busy):
            raise error
        await tries.after(error)

    async def _once(self, request: Request) -> Answer:
        url, headers = await self.signer.sign(request)
        data: Any = None
        if request.length > JOINED:
            data = _slices(request.body)
            headers["Content-Length"] = str(request.length)
        elif request.method not in ("GET", "HEAD", "DELETE"):
            data = b"".join(request.body)
        opened = await self.sessions.get()
        with translated():
            response = await ask(opened, request.method, url, headers, data)
        answer = Answer(response)
        if answer.status in FINE or answer.status in request.also:
            return answer
        try:
            body = await answer.whole()
        except StoreError:
            body = b""
        finally:
            answer.close()
        raise failure(answer.status, answer.headers, body)


async def _slices(body: tuple[bytes | memoryview, ...]) -> AsyncIterator[memoryview]:
    for piece in body:
        view = memoryview(piece)
        for start in range(0, len(view), CHUNK):
            yield view[start : start + CHUNK]


@asynccontextmanager
async def _session(wire: Wire) -> AsyncIterator[aiohttp.ClientSession]:
    async with session(wire) as opened:
        # It would send some requests again by itself, and nobody would know that they may have
        # been done twice.
        opened._retry_connection = False
        yield opened
