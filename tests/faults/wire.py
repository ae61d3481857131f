"""HTTP/1.1 as it goes over the wire, no more of it than the fault proxy needs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

BROKEN = (ConnectionError, asyncio.IncompleteReadError)


@dataclass
class Request:
    """One request, as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)


@dataclass
class Response:
    """One answer of the server; change it as you like before it is sent."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def encode(self) -> bytes:
        """As it goes over the wire; the length is told anew unless the headers tell one."""
        headers = {"content-length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Some Reason", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    head = b""
    with suppress(*BROKEN):
        head = await reader.readuntil(b"\r\n\r\n")
    if not head:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    told = headers(lines)
    if told.get("expect") == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    known = {"content-length", "transfer-encoding"} & told.keys()
    content = await body(reader, told) if known else b""
    # Sent on in one piece, on a connection of its own that the server closes.
    dropped = ("connection", "content-length", "expect", "transfer-encoding")
    kept = [line for line in lines if line.partition(":")[0].lower() not in dropped]
    kept += (
        ["Connection: close", f"Content-Length: {len(content)}"] if known else ["Connection: close"]
    )
    raw = "\r\n".join([first, *kept, "", ""]).encode("latin-1") + content
    return Request(method, target, told, content, raw)


def headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.lower(): value.strip() for name, _, value in pairs}


async def body(reader: asyncio.StreamReader, told: dict[str, str]) -> bytes:
    if "content-length" in told:
        return await reader.readexactly(int(told["content-length"]))
    if told.get("transfer-encoding") != "chunked":
        return await reader.read()
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return b"".join(parts)
