"""Requests: who is asked, with which credentials, how often, and where a redirect may lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...._core.errors import AccessDenied, MalformedResponse, NotSupported, StoreError
from ...._core.perloop import PerLoop
from ...._core.text import Secret
from .._web.answers import Answer
from .._web.retries import Budget, Tries
from .._web.sessions import Wire, ask, session, translated
from .answers import GIVES, failure
from .targets import BadURL, Target

if TYPE_CHECKING:
    pass

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_COMMON = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "storage"}


@dataclass(frozen=True, slots=True)
class Manners:
    """How a store asks.

    Args:
        credentials: Headers for the origin that is asked first, and for no other one.
        redirects: How many are followed in a row.
        retries: How often a request is sent again.
        keep_encoded: Whether content that is sent encoded is taken as it is.
    """

    credentials: Mapping[str, Secret]
    redirects: int
    retries: int
    keep_encoded: bool


class Requests:
    """Sends the requests of one store; safe to use from several loops and threads.

    Args:
        wire: How connections are made.
        manners: How a store asks.
    """

    def __init__(self, wire: Wire, manners: Manners) -> None:
        self.sessions = PerLoop(partial(session, wire))
        self._manners = manners
        self._budget = Budget()

    def tries(self) -> Tries:
        """The tries of one piece of work."""
        return Tries(self._budget, self._manners.retries)

    async def __call__(
        self, method: str, target: Target, headers: Mapping[str, str], *also: int
    ) -> Answer:
        """Ask for an object, again where that may help.

        Args:
            method: ``GET`` or ``HEAD``.
            target: Where it is.
            headers: What else is said.
            also: Statuses that are no errors, besides those that come with an object.

        Raises:
            StoreError: What the status means, or that there was no answer.
        """
        tries = self.tries()
        while True:
            try:
                answer = await self._follow(method, target, headers)
                if answer.status not in GIVES and answer.status not in also:
                    answer.close()
                    raise failure(answer.status, answer.headers)
            except StoreError as error:
                await tries.after(error)
            else:
                tries.won()
                return answer

    async def _follow(self, method: str, target: Target, headers: Mapping[str, str]) -> Answer:
        """Send a request, and again to where its answer points."""
        sent = {**_COMMON, **headers}
        trusted, seen = True, {target}
        while True:
            answer = await self._send(method, target, sent, trusted)
            if answer.status not in REDIRECTS:
                return answer
            answer.close()
            further = self._led(target, answer.headers.get("Location", ""), len(seen))
            if further in seen:
                raise MalformedResponse("the server redirects in a circle")
            seen.add(further)
            trusted = trusted and further.origin == target.origin
            target = further

    def _led(self, target: Target, location: str, count: int) -> Target:
        """Where a redirect leads, if it may be followed."""
        if not self._manners.redirects:
            raise NotSupported("the server redirects, and this store follows no redirects")
        if count > self._manners.redirects:
            raise MalformedResponse(f"more than {count - 1} redirects in a row")
        try:
            further = target.led_to(location)
        except BadURL as error:
            raise AccessDenied(f"the server redirects to what is not followed: {error}") from None
        if target.encrypted and not further.encrypted:
            raise AccessDenied(f"the server redirects away from TLS, to {further.origin}")
        return further

    async def _send(
        self, method: str, target: Target, headers: Mapping[str, str], trusted: bool
    ) -> Answer:
        if trusted:
            own = {name: value.reveal() for name, value in self._manners.credentials.items()}
            headers = {**headers, **own}
        opened = await self.sessions.get()
        with translated():
            response = await ask(opened, method, target.url, headers)
        answer = Answer(response)
        coding = response.headers.get("Content-Encoding", "").strip().lower() or "identity"
        if coding != "identity" and response.status in GIVES and not self._manners.keep_encoded:
            answer.close()
            raise NotSupported(
                f"the server sends the content in {coding[:40]} though it was not asked to: "
                "keep_encoded=True gives it like that"
            )
        return answer
