"""Answers of servers, of which the head is there and the body comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .sessions import translated

if TYPE_CHECKING:
    import aiohttp

CHUNK = 256 * 1024
"""Bytes of a body that are taken at once, at most."""


class Answer:
    """The head of an answer, and its body as it comes."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    async def read(self) -> bytes:
        """Some more of the body; nothing at its end."""
        with translated():
            return await self._response.content.read(CHUNK)

    def close(self) -> None:
        """Give the connection back if the body was read to its end, or else close it."""
        self._response.close()
