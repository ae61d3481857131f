"""Where credentials come from, at each request anew."""

from __future__ import annotations

import asyncio
import inspect
import os
from time import monotonic
from typing import Any, Protocol

from .sign import Keys

RENEWAL = 60.0
"""Seconds in which credentials are not renewed again: then it was not their age."""


class Credentials(Protocol):
    """Gives the credentials that are good now."""

    async def current(self) -> Keys | None:
        """The credentials; None: requests are not signed."""
        ...

    async def renew(self, refused: Keys) -> bool:
        """Have others than those that the server says have expired; whether there are any."""
        ...


class Fixed:
    """Credentials that stay.

    Args:
        keys: The credentials; None for anonymous access.
    """

    def __init__(self, keys: Keys | None) -> None:
        self._keys = keys

    async def current(self) -> Keys | None:
        """See `Credentials`."""
        return self._keys

    async def renew(self, refused: Keys) -> bool:
        """See `Credentials`."""
        return False


class Environment:
    """Credentials in the variables of the environment, read again when they have expired."""

    def __init__(self) -> None:
        self._keys = of_environment()

    async def current(self) -> Keys | None:
        """See `Credentials`."""
        return self._keys

    async def renew(self, refused: Keys) -> bool:
        """See `Credentials`."""
        self._keys = of_environment() or self._keys
        return self._keys != refused


def of_environment() -> Keys | None:
    """The credentials that the environment holds."""
    found = os.environ.get
    access_key, secret_key = found("AWS_ACCESS_KEY_ID"), found("AWS_SECRET_ACCESS_KEY")
    token = found("AWS_SECURITY_TOKEN") or found("AWS_SESSION_TOKEN")
    return Keys(access_key, secret_key, token or None) if access_key and secret_key else None


class Borrowed:
    """The credentials of a client, which refreshes them itself.

    Args:
        lender: The object in botocore's or aiobotocore's manner.
    """

    def __init__(self, lender: Any) -> None:
        self._lender = lender
        self._lock = asyncio.Lock()
        self._renewed = float("-inf")

    async def current(self) -> Keys | None:
        """See `Credentials`."""
        frozen = self._lender.get_frozen_credentials()
        if inspect.isawaitable(frozen):
            frozen = await frozen
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    async def renew(self, refused: Keys) -> bool:
        """See `Credentials`."""
        refresh = getattr(self._lender, "_protected_refresh", None)
        async with self._lock:  # all that were on their way with the old ones come here
            renewed = await self.current() != refused
            if renewed or not inspect.iscoroutinefunction(refresh):
                return renewed
            if monotonic() - self._renewed < RENEWAL:
                return False
            await refresh(is_mandatory=True)
            self._renewed = monotonic()
            return await self.current() != refused
