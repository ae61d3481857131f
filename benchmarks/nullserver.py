"""A server that thinks nothing: ``python -m benchmarks.nullserver`` prints its port and answers.

A GET of ``/N`` gets N bytes, under a head such as an object store sends; a body is taken to its end
and answered with nothing.
"""

from __future__ import annotations

import asyncio
import sys
from functools import cache
from typing import cast

from benchmarks.harness import installed

HEAD = (
    "HTTP/1.1 200 OK\r\n"
    "Accept-Ranges: bytes\r\n"
    "Content-Length: {size}\r\n"
    "Content-Type: application/octet-stream\r\n"
    'ETag: "620f0b67a91f7f74151bc5be745b7110"\r\n'
    "Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT\r\n"
    "Server: null\r\n"
    "X-Amz-Request-Id: 1763719200000000000\r\n"
    "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
    "\r\n"
)


class NullServer(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._early = b""
        self._body = 0

    def data_received(self, data: bytes) -> None:
        if self._body:
            self._take(len(data))
            return
        head, end, body = (self._early + data).partition(b"\r\n\r\n")
        self._early = b"" if end else head
        if not end:
            return
        _, _, rest = head.lower().partition(b"content-length: ")
        self._body = int(rest.partition(b"\r\n")[0] or 0)
        if self._body:
            self._take(len(body))
        else:
            self._transport.write(answer(int(head.split(b" ", 2)[1][1:])))

    def _take(self, size: int) -> None:
        self._body -= size
        if not self._body:
            self._transport.write(answer(0))


@cache
def answer(size: int) -> bytes:
    """Head and body."""
    return HEAD.format(size=size).encode() + b"x" * size


async def main() -> None:
    """Serve until the standard input ends, as it does with the process that started this one."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(NullServer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop = installed("uvloop")
    with asyncio.Runner(loop_factory=uvloop and uvloop.new_event_loop) as runner:
        runner.run(main())
