"""The application: one store as a web service."""

from __future__ import annotations

import re
from collections.abc import Collection

from .._async.base import AsyncBaseStore
from .._async.foreign import lift
from .._core.errors import ConfigError, NotSupported, StoreNotFound
from .._core.info import Capability
from .._core.protocol import AsyncObjectStore, SupportsPresign
from . import browsing, listing, origins, paths, writing
from .answering import answered
from .lifespan import lifespan
from .listing import Page, Question
from .messages import Receive, Request, Scope, Send
from .reading import Manner, Reading
from .replies import Refusal, Reply
from .sending import Outgoing, unless_gone

GIB = 1024**3

_KNOWN = {"POST", "PATCH", "CONNECT", "TRACE"}


class StoreApp:
    """An ASGI application that serves the objects of a store.

    It is mounted in Starlette or FastAPI, or runs by itself; then the server's start and end open
    and close the store. Paths are keys, percent-encoded: ``/a%2Fb`` and ``/a/b`` name the same key,
    ``/../a`` and ``//a`` name just what they say, and where something on the way does not let such
    paths pass, ``/?key=..%2Fa`` does the same. The path ``/`` is the collection of all objects.

    Objects are read by ``GET`` and ``HEAD``, in parts and on conditions as in RFC 9110, and with
    ``writable`` written by ``PUT`` and ``DELETE``. Nobody is asked who they are: put what does that
    around it, and let it look at the parameter ``key`` as at the path. Nor is it asked by which
    name the service is called: on a local address, put what checks ``Host`` around it, too, or any
    site can make its own name mean that address, and read what is there (DNS rebinding).

    Args:
        store: Any async store.
        prefix: What the keys of all objects that are served begin with; no path shows it.
        writable: Whether objects may be put and deleted.
        listing: Whether ``GET /`` lists the keys as JSON, by the parameters ``prefix``,
            ``delimiter``, ``limit`` and ``start_after`` (the ``next`` of the page before).
        browse: Whether browsers get a page to look around, and all of ``listing``.
        presign_redirect: Whether ``GET`` of an object is answered by a redirect (307) to the store
            itself, where it gives out such URLs; it is not asked whether there is an object. With
            ``?download=1`` it is sent from here, since only then a browser surely saves it.
        presign_expiry: Seconds that such a URL works.
        max_upload: Bytes that an object may have that is put; None: any number.
        page_size: Entries that a page of a listing has at most.
        cache_control: That header's value, for objects; None: no such header.
        trusted: Whether objects may run scripts as pages of this site. Without it every one is
            shown in a sandbox.
        origins: Other sites whose pages may write, such as ``"https://app.example.org"``. What
            browsers want to hear before (CORS) is said by a middleware around this.
        patience: Seconds that a client may take for each piece; None: for ever. Then the store's
            object is closed; the server closes the connection when it wants to.
        title: The name of the whole, on the page.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        *,
        prefix: str = "",
        writable: bool = False,
        listing: bool = False,
        browse: bool = False,
        presign_redirect: bool = False,
        presign_expiry: int = 300,
        max_upload: int | None = GIB,
        page_size: int = 1000,
        cache_control: str | None = "no-cache",
        trusted: bool = False,
        origins: Collection[str] = (),
        patience: float | None = 60,
        title: str = "Objects",
    ) -> None:
        if isinstance(origins, str):
            raise ConfigError("origins is a collection of texts, not one text")
        if page_size < 1 or (max_upload is not None and max_upload < 0):
            raise ConfigError("page_size is at least 1, and max_upload at least 0")
        if patience is not None and patience <= 0:
            raise ConfigError("patience is above 0 seconds, or None")
        self._store: AsyncBaseStore = lift(store)
        self._prefix = prefix
        self._writable = writable
        self._lists, self._browses = listing or browse, browse
        self._expiry = presign_expiry if presign_redirect else None
        self._max_upload = max_upload
        self._page_size = page_size
        self._manner = Manner(cache_control, trusted)
        self._saved = Manner(cache_control, trusted, attachment=True)
        self._origins = frozenset(origins)
        self._patience = patience
        self._title = title

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the specification of ASGI."""
        if scope["type"] == "lifespan":
            await lifespan(self._store, receive, send)
        elif scope["type"] == "http":
            request = Request(scope)
            outgoing = Outgoing(request, send, self._patience)
            await answered(outgoing, self._respond(request, receive, outgoing))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"no such thing is served: {scope['type']}")

    async def _respond(self, request: Request, receive: Receive, outgoing: Outgoing) -> None:
        key = request.key()
        if request.method not in self._allowed(key):
            await self._decline(request, key, outgoing)
        elif request.reads:
            work = self._read(request, key, outgoing) if key else self._list(request, outgoing)
            await unless_gone(receive, outgoing, work)
        else:
            # Until a body is read to its end, what follows on the connection is not a request.
            outgoing.final = request.method == "PUT"
            origins.check(request, self._origins)
            await self._change(request, key, receive, outgoing)

    def _allowed(self, key: str) -> tuple[str, ...]:
        """The methods that work there."""
        reads = ("GET", "HEAD") if key or self._lists else ()
        return (*reads, "PUT", "DELETE") if key and self._writable else reads

    async def _decline(self, request: Request, key: str, outgoing: Outgoing) -> None:
        """Answer a method that does not work there, or that asks which ones do."""
        allow = (("allow", ", ".join((*self._allowed(key), "OPTIONS"))),)
        if request.method == "OPTIONS":
            await outgoing.whole(Reply(204, allow))
            return
        if request.reads:
            raise Refusal(404, "nothing is listed here")
        known = request.method in _KNOWN or request.method in ("PUT", "DELETE")
        outgoing.final = True
        if known:
            raise Refusal(405, "", allow)
        raise Refusal(501, "there is no such method")

    async def _read(self, request: Request, key: str, outgoing: Outgoing) -> None:
        store, full = self._store, self._prefix + key
        saves = request.query().get("download") not in (None, "0")
        if self._expiry is not None and request.method == "GET" and not saves:
            url = await _presigned(store, full, self._expiry)
            if url is not None:
                headers = (("location", url), ("cache-control", "no-store"))
                await outgoing.whole(Reply(307, headers))
                return
        manner = self._saved if saves else self._manner
        await Reading(store, full, request, manner).answer(outgoing)

    async def _change(
        self, request: Request, key: str, receive: Receive, outgoing: Outgoing
    ) -> None:
        full = self._prefix + key
        if request.method == "DELETE":
            await outgoing.whole(await writing.delete(self._store, full, request))
            return
        upload = writing.Upload(request, receive, self._max_upload, self._patience)
        try:
            reply = await writing.put(self._store, full, request, upload)
        finally:
            outgoing.final = not upload.read
        await outgoing.whole(reply)

    async def _list(self, request: Request, outgoing: Outgoing) -> None:
        query = request.query()
        if not (self._browses and _wants_page(request)):
            question = Question.of(query, self._page_size)
            found = await listing.page(self._store, self._prefix, question)
            await outgoing.whole(listing.told(question, found))
            return
        question, status, notice = Question.of(query, self._page_size, "/"), 200, ""
        try:
            found = await listing.page(self._store, self._prefix, question)
        except StoreNotFound:
            found, status = Page([], more=False), 503
            notice = "The store is not there yet."
        view = browsing.View(
            self._title, paths.root_of(request.scope), question, found, self._writable,
            Capability.IF_ABSENT in self._store.capabilities, self._max_upload, notice,
        )  # fmt: skip
        await outgoing.whole(browsing.shown(view, status))


async def _presigned(store: AsyncBaseStore, key: str, expiry: int) -> str | None:
    """A URL of the store's own; None where it gives out none."""
    try:
        return (
            await store.presigned_get(key, expiry) if isinstance(store, SupportsPresign) else None
        )
    except NotSupported:  # a wrapper's child gives out none
        return None


def _wants_page(request: Request) -> bool:
    """Whether the client would rather have HTML than JSON."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    for choice in (request.header("accept") or "").lower().split(","):
        kind, *parameters = (part.strip() for part in choice.split(";"))
        if kind in weights:
            weights[kind] = _weight(parameters)
    return weights["text/html"] > weights["application/json"]


def _weight(parameters: list[str]) -> float:
    text = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    return float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text) else 0.0
