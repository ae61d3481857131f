"""Bodies read into memory of the reader's: the same bytes as otherwise, and as safe."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("httptools")

from storage._async.backends.s3.lane.answers import DIRECT, Answer
from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import TransportError
from tests.backends.wires import KINDS, OK, Kind, Line, connected, get

KIB = 1024
SIZE = 900 * KIB + 7
DATA = random.Random(5).randbytes(SIZE)
HEAD = OK + b"Content-Length: %d\r\n\r\n" % SIZE
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
lean_only = pytest.mark.parametrize("kind", KINDS[:1])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A transport."""
    return request.param  # type: ignore[no-any-return]


async def fill(response: Any, *sizes: int) -> bytes:
    """The body, read into memory of these sizes in turn, which is dirty before."""
    found, turn = bytearray(), 0
    while True:
        room = memoryview(bytearray(b"?" * sizes[turn % len(sizes)]))
        turn += 1
        count = await response.read_into(room)
        if not count:
            return bytes(found)
        assert not room[count:].tobytes().strip(b"?"), "bytes beyond what was told"
        found += room[:count]


def speaker(*pieces: bytes) -> Any:
    """A server that says the same to each request."""

    async def handler(line: Line) -> None:
        while await line.head():
            await line.say(*pieces)

    return handler


@pytest.mark.parametrize("sizes", [(1,), (SIZE,), (2 * SIZE,), (DIRECT, 3), (300 * KIB, 1)])
async def test_whatever_the_room(kind: Kind, sizes: tuple[int, ...]) -> None:
    begin = SIZE - 3000 if sizes == (1,) else 0
    head = OK + b"Content-Length: %d\r\n\r\n" % (SIZE - begin)
    async with connected(kind, speaker(head, DATA[begin:])) as (transport, _):
        assert await fill(await transport.send(get()), *sizes) == DATA[begin:]


async def test_pieces_of_any_length(kind: Kind) -> None:
    cuts = sorted(random.Random(6).sample(range(SIZE), 40))
    pieces = [DATA[a:b] for a, b in zip([0, *cuts], [*cuts, SIZE], strict=True)]
    async with connected(kind, speaker(HEAD, *pieces)) as (transport, server):
        for _ in range(2):
            assert await fill(await transport.send(get()), 200 * KIB) == DATA
        assert server.opened == 1, "the connection is used again"


@lean_only
async def test_most_comes_in_unseen(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    unseen, placed = 0, Answer.placed

    def count(answer: Answer, size: int) -> None:
        nonlocal unseen
        unseen += size
        placed(answer, size)

    monkeypatch.setattr(Answer, "placed", count)
    async with connected(kind, speaker(HEAD, DATA)) as (transport, _):
        assert await fill(await transport.send(get()), SIZE) == DATA
    assert unseen > SIZE // 4


async def test_chunks_go_through_the_parser(kind: Kind) -> None:
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (SIZE, DATA)
    async with connected(kind, speaker(CHUNKED, chunked)) as (transport, _):
        assert await fill(await transport.send(get()), 256 * KIB) == DATA


async def test_in_turn_with_the_other_way(kind: Kind) -> None:
    async with connected(kind, speaker(HEAD, DATA)) as (transport, _):
        response = await transport.send(get())
        found = bytearray()
        while len(found) < SIZE:
            found += await response.read(100_000)
            room = memoryview(bytearray(150_000))
            found += room[: await response.read_into(room)]
        assert bytes(found) == DATA


@lean_only
async def test_what_follows_the_end_is_seen(kind: Kind) -> None:
    """What a server says too much is never taken for the answer to somebody else's request."""
    async with connected(kind, speaker(HEAD + DATA + b"HTTP/1.1 200 OK\r\n")) as (
        transport,
        server,
    ):
        for _ in range(2):
            assert await fill(await transport.send(get()), 2 * SIZE) == DATA
        assert server.opened == 2


async def test_a_body_that_is_cut(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        await line.say(HEAD + DATA[:-1000])
        line.writer.close()

    async with connected(kind, handler) as (transport, _):
        response = await transport.send(get())
        with pytest.raises(TransportError):
            await fill(response, 256 * KIB)
        await response.aclose()


@lean_only
async def test_a_cancelled_reader_lets_go_of_its_memory(kind: Kind) -> None:
    more = asyncio.Event()

    async def handler(line: Line) -> None:
        if "second" in await line.head():
            await line.say(HEAD + DATA)
            return
        await line.say(HEAD + DATA[: DIRECT // 2])
        await more.wait()
        await line.say(DATA[DIRECT // 2 :])

    async with connected(kind, handler) as (transport, server):
        assert isinstance(transport, LeanTransport)
        response = await transport.send(get())
        room = memoryview(bytearray(SIZE))
        came = await response.read_into(room)
        reading = asyncio.create_task(response.read_into(room[came:]))
        await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        before = room.tobytes()
        more.set()
        assert await fill(await transport.send(get("/second")), 256 * KIB) == DATA
        assert room.tobytes() == before
        assert server.opened == 2


async def test_whole_afterwards(kind: Kind) -> None:
    async with connected(kind, speaker(HEAD, DATA)) as (transport, _):
        response = await transport.send(get())
        room = memoryview(bytearray(DIRECT))
        count = await response.read_into(room)
        assert room[:count].tobytes() + await _rest(response) == DATA


async def _rest(response: Any) -> bytes:
    """All that is left."""
    return bytes(await response.read())
