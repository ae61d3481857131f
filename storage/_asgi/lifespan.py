"""The server's start and end, for an application that stands alone."""

from __future__ import annotations

from .._async.base import AsyncBaseStore
from .messages import Receive, Send


async def lifespan(store: AsyncBaseStore, receive: Receive, send: Send) -> None:
    """Open the store when the server starts, and close it when it ends."""
    await receive()
    try:
        await store.__aenter__()
    except Exception as error:
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    try:
        await store.__aexit__(None, None, None)
    except Exception as error:
        await send({"type": "lifespan.shutdown.failed", "message": str(error)})
        return
    await send({"type": "lifespan.shutdown.complete"})
