"""Crowds of clients, of bare sockets: what they take shows in no figure of the service."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

KEY = "object"
WINDOW = 32 * 1024
"""Bytes that may be under way to a client that does not read, in each buffer."""


@dataclass(frozen=True)
class Crowd:
    """Clients that all come at once.

    Args:
        name: What they do.
        pieces: In how many pieces each takes the object.
        pause: Seconds between two of them.
        leaves: After how many pieces each breaks the connection; None: it does not.
    """

    name: str
    pieces: int
    pause: float = 0
    leaves: int | None = None

    async def come(self, port: int, data: bytes, count: int) -> Mapping[str, float]:
        """Let them come; gives seconds, and how many got all that they wanted."""
        begin = perf_counter()
        got = await asyncio.gather(*(self._client(port, data) for _ in range(count)))
        return {"seconds": perf_counter() - begin, "good": sum(got), "bytes": len(data)}

    async def _client(self, port: int, data: bytes) -> bool:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=plain, limit=WINDOW)
        try:
            writer.write(f"GET /{KEY} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            return head.startswith(b"HTTP/1.1 200 ") and await self._take(reader, data)
        except (ConnectionError, asyncio.IncompleteReadError):
            return False
        finally:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, data: bytes) -> bool:
        size = -(-len(data) // self.pieces)
        for number, at in enumerate(range(0, len(data), size)):
            if number == self.leaves:
                break
            wanted = data[at : at + size]
            if await reader.readexactly(len(wanted)) != wanted:
                return False
            await asyncio.sleep(self.pause)
        return True


CROWDS = (
    Crowd("as fast as it goes", 1),
    Crowd("slow: 16 pieces, 0.1 s apart", 16, 0.1),
    Crowd("gone after a quarter", 16, 0.01, leaves=4),
)


@dataclass(frozen=True)
class Seen:
    """What a crowd was to the service.

    Args:
        crowd: Who came.
        clients: How many.
        before: What the service told of itself before: ``memory`` in bytes.
        done: What the clients tell.
        after: What the service tells: its ``peak`` of memory in bytes; of its loop the longest
            ``step`` and the most ``busy`` turn (the steps of all that are ready), in seconds on the
            processor, and how ``late`` it was for others, in seconds; and the ``connections`` to S3
            that are still in use.
    """

    crowd: Crowd
    clients: int
    before: Mapping[str, float]
    done: Mapping[str, float]
    after: Mapping[str, float]
