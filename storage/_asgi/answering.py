"""One answer, whatever happens while it is made."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from .replies import ClientGone, Refusal, refusal_of, refused
from .sending import Outgoing

_log = logging.getLogger("storage.asgi")


async def answered(outgoing: Outgoing, work: Coroutine[Any, Any, None]) -> None:
    """Do the work that answers, and tell the client of an error where that is still possible.

    What is wrong with an answer that has begun is raised: then the server cuts the connection, and
    nobody takes a part for the whole.
    """
    try:
        await work
    except ClientGone:
        return
    except Exception as error:
        refusal = refusal_of(error)
        _note(error, refusal)
        if outgoing.begun:
            raise
        try:
            await outgoing.whole(refused(refusal))
        except ClientGone:
            return


def _note(error: Exception, refusal: Refusal) -> None:
    """Tell whoever runs the service what the client is not told."""
    if refusal.status == 500:
        _log.error("a request failed", exc_info=error)
    elif refusal.status > 500 and not isinstance(error, Refusal):
        _log.warning("a request was answered with %d: %s", refusal.status, error)
