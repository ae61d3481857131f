"""How connections are made: names looked up, several addresses tried, TLS."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from ....._core.errors import MissingExtra
from .transport import REMEMBERED, ConnectError, Endpoint

try:
    from aiohappyeyeballs import start_connection
except ImportError as error:
    raise MissingExtra.named("aiohappyeyeballs", "s3") from error

Address: TypeAlias = tuple[Any, Any, int, str, Any]
"""As ``getaddrinfo`` gives them."""
P = TypeVar("P", bound=asyncio.BaseProtocol)

HEAD_START = 0.25
"""Seconds that an address has before the next one is tried as well."""


class Dialer:
    """Makes connections to one server, on one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._addresses: list[Address] = []
        self._until = 0.0
        self._lock = asyncio.Lock()  # many want the first connection at once

    async def dial(self, factory: Callable[[], P]) -> P:
        """Make a connection.

        Raises:
            ConnectError: There is none within the time, or its certificate is not right.
        """
        endpoint = self._endpoint
        where = f"{endpoint.host}:{endpoint.port}"
        try:
            async with asyncio.timeout(endpoint.connect_timeout):
                return await self._connect(factory)
        except TimeoutError as error:
            message = f"no connection to {where} within {endpoint.connect_timeout:g} s"
            raise ConnectError(message, sent=False) from error
        except (OSError, ValueError) as error:  # ValueError: not the name of a host
            self._addresses = []
            raise ConnectError(f"no connection to {where}: {error}", sent=False) from error

    async def _connect(self, factory: Callable[[], P]) -> P:
        addresses = await self._look_up()
        loop = asyncio.get_running_loop()
        sock = await start_connection(addresses, happy_eyeballs_delay=HEAD_START, loop=loop)
        tls = self._endpoint.tls
        name = self._endpoint.host if tls is not None else None
        # The socket is closed with the transport from here on, be it that TLS fails.
        _, protocol = await loop.create_connection(
            factory, sock=sock, ssl=tls, server_hostname=name
        )
        return protocol

    async def _look_up(self) -> list[Address]:
        loop = asyncio.get_running_loop()
        async with self._lock:
            if not self._addresses or loop.time() > self._until:
                host, port = self._endpoint.host, self._endpoint.port
                self._addresses = _literal(host, port) or await loop.getaddrinfo(
                    host, port, type=socket.SOCK_STREAM
                )
                self._until = loop.time() + REMEMBERED
            return self._addresses


def _literal(host: str, port: int) -> list[Address]:
    """An address that needs no looking up, which would take a thread."""
    with suppress(OSError):
        socket.inet_pton(socket.AF_INET, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
    with suppress(OSError):
        socket.inet_pton(socket.AF_INET6, host)
        return [(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, 0))]
    return []
