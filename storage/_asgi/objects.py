"""One object as the answer of somebody's own handler."""

from __future__ import annotations

from .._async.foreign import lift
from .._core.protocol import AsyncObjectStore
from .answering import answered
from .messages import Receive, Request, Scope, Send
from .reading import Manner, Reading
from .replies import Refusal
from .sending import Outgoing, unless_gone


class ObjectResponse:
    """An object as an answer: what a handler of Starlette returns, or an application of its own.

    It answers ``GET`` and ``HEAD`` with all that `StoreApp` knows of ranges and conditions, and any
    error of the store by its status. Handlers of FastAPI return only its own responses: add one
    like this by ``app.add_route``.

    Args:
        store: Any async store.
        key: The object's key.
        attachment: Whether it is to be saved rather than shown.
        filename: The name to be saved under; None: the last part of the key.
        content_type: In place of the object's own.
        cache_control: That header's value; None: no such header.
        trusted: Whether it may run scripts as a page of this site.
        patience: Seconds that the client may take for each piece; None: for ever.
    """

    # No dict: frameworks that make JSON of what a handler returns must not find the store in it.
    __slots__ = ("_key", "_manner", "_patience", "_store")

    def __init__(
        self,
        store: AsyncObjectStore,
        key: str,
        *,
        attachment: bool = False,
        filename: str | None = None,
        content_type: str | None = None,
        cache_control: str | None = "no-cache",
        trusted: bool = False,
        patience: float | None = 60,
    ) -> None:
        self._store = lift(store)
        self._key = key
        self._manner = Manner(cache_control, trusted, attachment, filename, content_type)
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the specification of ASGI."""
        request = Request(scope)
        outgoing = Outgoing(request, send, self._patience)
        await answered(outgoing, self._respond(request, receive, outgoing))

    async def _respond(self, request: Request, receive: Receive, outgoing: Outgoing) -> None:
        if not request.reads:
            outgoing.final = True
            raise Refusal(405, "", (("allow", "GET, HEAD"),))
        reading = Reading(self._store, self._key, request, self._manner)
        await unless_gone(receive, outgoing, reading.answer(outgoing))


async def send_object(
    scope: Scope,
    receive: Receive,
    send: Send,
    store: AsyncObjectStore,
    key: str,
    *,
    attachment: bool = False,
    filename: str | None = None,
) -> None:
    """Answer a request with an object, from within any ASGI application.

    Args:
        scope: The request, as the server gives it.
        receive: The server's function.
        send: The server's function.
        store: Any async store.
        key: The object's key.
        attachment: Whether it is to be saved rather than shown.
        filename: The name to be saved under; None: the last part of the key.
    """
    response = ObjectResponse(store, key, attachment=attachment, filename=filename)
    await response(scope, receive, send)
