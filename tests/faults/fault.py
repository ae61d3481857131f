"""The ways in which the fault proxy goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.faults.proxy import Exchange, Fault
from tests.faults.wire import Response


async def passed(exchange: Exchange) -> None:
    """Nothing goes wrong."""
    await exchange.send((await exchange.forward()).encode())


async def reset(exchange: Exchange) -> None:
    """The connection is reset, and the server never hears of the request."""
    await exchange.reset()


async def hang(exchange: Exchange) -> None:
    """The server never hears of the request, and the client never of anything."""
    await asyncio.Event().wait()


async def lost_answer(exchange: Exchange) -> None:
    """The server does what it is asked for, but the client never hears."""
    await exchange.forward()
    await exchange.reset()


def answered(status: int, body: bytes = b"", **headers: str) -> Fault:
    """This answer, and the server never hears of the request."""

    async def fault(exchange: Exchange) -> None:
        await exchange.send(Response(status, headers, body).encode())

    return fault


def refused(status: int, code: str) -> Fault:
    """An error as S3 tells it, and the server never hears of the request."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>on purpose</Message></Error>"
    return answered(status, text.encode(), **{"content-type": "application/xml"})


def late(seconds: float) -> Fault:
    """The request goes on after a while."""

    async def fault(exchange: Exchange) -> None:
        await asyncio.sleep(seconds)
        await passed(exchange)

    return fault


def changed(change: Callable[[Response], object]) -> Fault:
    """The server's answer, with something changed in it."""

    async def fault(exchange: Exchange) -> None:
        response = await exchange.forward()
        change(response)
        await exchange.send(response.encode())

    return fault


def cut(size: int, *, by_reset: bool = False) -> Fault:
    """The server's answer ends after ``size`` bytes of its body."""

    async def fault(exchange: Exchange) -> None:
        response = await exchange.forward()
        whole = response.encode()
        await exchange.send(whole[: len(whole) - max(0, len(response.body) - size)])
        if by_reset:
            await exchange.reset()
        else:
            exchange.close()

    return fault


def slow(piece: int, seconds: float) -> Fault:
    """The server's answer comes in pieces of so many bytes with pauses of so many seconds."""

    async def fault(exchange: Exchange) -> None:
        whole = (await exchange.forward()).encode()
        for start in range(0, len(whole), piece):
            await exchange.send(whole[start : start + piece])
            await asyncio.sleep(seconds)

    return fault
