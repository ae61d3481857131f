"""What a request costs: the transports of the S3 lane against a server that thinks nothing.

Times on the processor are those of the client alone; the server is another process.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks.harness import Limit, Race, installed

IN_FLIGHT = 32
REQUESTS = 320
SMALL = 4096
LARGE = 64 * 1024 * 1024
HEADERS = [
    ("Host", "127.0.0.1"),
    ("X-Amz-Date", "20261121T100000Z"),
    ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"),
    ("Authorization", f"AWS4-HMAC-SHA256 Credential={'A' * 50}, Signature={'f' * 64}"),
]
BLOCKING = "http.client, one at a time"


def races(folder: Path) -> Iterator[Race]:
    """All races; nothing is written into the folder."""
    with null_server() as port, ExitStack() as stack:
        ways: dict[str, Callable[..., object]] = {}
        absent = []
        for name, needed, kind, loop in _transports():
            if all(map(installed, needed)):
                ways[name] = stack.enter_context(_running(kind, port, loop))
            else:
                absent.append(name)
        ways[BLOCKING] = partial(_blocking, port)
        limit = Limit("lean", ratio=0.5) if "lean" in ways and "aiohttp" in ways else None
        for title, arguments in (
            (f"GET of 4 KiB, {IN_FLIGHT} in flight", ("GET", f"/{SMALL}", b"")),
            (f"PUT of 4 KiB, {IN_FLIGHT} in flight", ("PUT", "/", b"x" * SMALL)),
        ):
            calls = {name: partial(way, *arguments, REQUESTS) for name, way in ways.items()}
            yield Race(f"{title}: time", calls, operations=REQUESTS, absent=absent)
            yield Race(
                f"{title}: on the client's processor",
                calls,
                operations=REQUESTS,
                clock=process_time,
                limit=limit,
                absent=absent,
            )
        yield _large(ways, "GET of 64 MiB", ("GET", f"/{LARGE}", b""))
        yield _large(ways, "PUT of 64 MiB", ("PUT", "/", b"x" * LARGE))


def _large(ways: dict[str, Callable[..., object]], title: str, arguments: tuple[Any, ...]) -> Race:
    calls = {name: partial(way, *arguments, 1) for name, way in ways.items()}
    return Race(f"{title}: time", calls, clock=perf_counter)


def _transports() -> Iterator[tuple[str, tuple[str, ...], str, str]]:
    lane = "storage._async.backends.s3.lane"
    yield "aiohttp", ("aiohttp",), f"{lane}.aiohttp_transport:AiohttpTransport", "asyncio"
    yield "lean", ("aiohappyeyeballs", "httptools"), f"{lane}.lean:LeanTransport", "asyncio"
    needed = ("aiohappyeyeballs", "httptools", "uvloop")
    yield "lean, on uvloop", needed, f"{lane}.lean:LeanTransport", "uvloop"


@contextmanager
def null_server() -> Iterator[int]:
    """The port of a server in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.nullserver"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()


@contextmanager
def _running(kind: str, port: int, loop: str) -> Iterator[Callable[..., None]]:
    """A function that sends the same request again and again, on a loop of its own."""
    from storage._async.backends.s3.lane.transport import Endpoint, Request

    module, _, name = kind.partition(":")
    transport = getattr(installed(module), name)(Endpoint("127.0.0.1", port))

    async def send(method: str, target: str, body: bytes, times: int) -> None:
        for _ in range(times):
            request = Request(method, target, HEADERS, [body] if body else ())
            response = await transport.send(request)
            try:
                while await response.read(2**20):
                    pass
            finally:
                await response.aclose()

    async def many(method: str, target: str, body: bytes, times: int) -> None:
        each = max(1, times // IN_FLIGHT)
        await asyncio.gather(*(send(method, target, body, each) for _ in range(times // each)))

    with asyncio.Runner(loop_factory=installed(loop).new_event_loop) as runner:
        try:
            yield lambda *arguments: runner.run(many(*arguments))
        finally:
            runner.run(transport.aclose())


def _blocking(port: int, method: str, target: str, body: bytes, times: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    for _ in range(times):
        connection.request(method, target, body or None, dict(HEADERS))
        connection.getresponse().read()
    connection.close()
