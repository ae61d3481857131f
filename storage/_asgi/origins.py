"""Writes from a browser: only from our own pages, or from those that were named."""

from __future__ import annotations

from collections.abc import Collection

from .messages import Request
from .replies import Refusal


def check(request: Request, allowed: Collection[str]) -> None:
    """Refuse a write that another site's page makes with its visitor's credentials.

    Programs send neither header, and pass.

    Args:
        request: What is asked for.
        allowed: Origins of other sites that may, such as ``"https://app.example.org"``.
    """
    origin = request.header("origin")
    if origin is not None and origin in allowed:
        return
    site = request.header("sec-fetch-site")
    if site is None and origin is None:
        return
    if site in ("same-origin", "none") or (site is None and _same(origin or "", request)):
        return
    raise Refusal(403, "another site may not write here")


def _same(origin: str, request: Request) -> bool:
    """Whether it is our host; the scheme may be another one behind a proxy."""
    host = origin.partition("://")[2]
    return host != "" and host == request.header("host")
