"""Bodies that worker threads take from the socket: the same bytes as otherwise, and as safe."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import pytest

pytest.importorskip("httptools")
pytest.importorskip("cryptography")

from storage._async.backends.s3.lane.answers import Answer
from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import SilenceError, TransportError
from storage._core import calls
from storage._core.draining import Drain
from storage._core.errors import StoreError
from storage.testing.harness import nothing_forgotten
from tests.backends import wires
from tests.backends.certificates import Authority
from tests.backends.wires import OK, Line, answering, connected, get

KIB = 1024
SIZE = 3000 * KIB + 7
DATA = random.Random(7).randbytes(SIZE)
HEAD = OK + b"Content-Length: %d\r\n\r\n" % SIZE


class Sum:
    """A running sum."""

    def __init__(self) -> None:
        self.value = 0

    def update(self, data: bytes | memoryview) -> None:
        self.value = crc32(data, self.value)


class Held(Drain):
    """Waits for a sign before it moves anything."""

    def __init__(self, file: int, digest: Sum | None) -> None:
        super().__init__(file, digest)
        self.begun, self.on = threading.Event(), threading.Event()

    def move(self, socket: int, most: int) -> int:
        self.begun.set()
        self.on.wait(5)
        return super().move(socket, most)

    async def at_work(self) -> None:
        """Return when a worker thread has come to it."""
        while not self.begun.is_set():
            await asyncio.sleep(0.001)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A file to be written."""
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def drained(answer: Answer, drain: Drain) -> int:
    """Have all of a body drained, and its rest read; how much was drained."""
    total = 0
    while not answer.complete:
        if size := await answer.lend(drain, SIZE):
            total += size
            continue
        room = memoryview(bytearray(100 * KIB))
        await calls.call(drain.put, room[: await answer.read_into(room)])
    while data := await answer.read(SIZE):
        await calls.call(drain.put, memoryview(data))
    return total


@pytest.mark.parametrize("pieces", [1, 2, 40])
async def test_the_same_bytes(file: int, pieces: int) -> None:
    cuts = [0, *sorted(random.Random(8).sample(range(SIZE), pieces - 1)), SIZE]
    parts = [DATA[a:b] for a, b in pairwise(cuts)]
    async with connected(LeanTransport, answering([HEAD, *parts])) as (transport, server):
        for _ in range(3):
            answer, digest = await transport.send(get()), Sum()
            assert isinstance(answer, Answer)
            assert await drained(answer, Drain(file, digest)) > SIZE // 4
            assert os.pread(file, 2 * SIZE, 0) == DATA
            assert digest.value == crc32(DATA)
        assert server.opened == 1, "the connection is used again"


async def test_what_follows_the_end_is_seen(file: int) -> None:
    answers = answering(HEAD + DATA + b"HTTP/1.1 200 OK\r\n")
    async with connected(LeanTransport, answers) as (transport, server):
        for _ in range(2):
            answer = await transport.send(get())
            assert isinstance(answer, Answer)
            await drained(answer, Drain(file, None))
            assert os.pread(file, 2 * SIZE, 0) == DATA
        assert server.opened == 2


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_body_that_is_cut(file: int, by_reset: bool) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        await line.say(HEAD + DATA[: SIZE // 2])
        if by_reset:
            line.reset()
        else:
            line.writer.close()

    async with connected(LeanTransport, handler) as (transport, _):
        answer = await transport.send(get())
        assert isinstance(answer, Answer)
        drain = Drain(file, None)
        with pytest.raises(TransportError):
            await drained(answer, drain)
        assert drain.at <= SIZE // 2
        assert os.pread(file, SIZE, 0) == DATA[: drain.at]
        assert await answer.lend(drain, SIZE) == 0


async def test_a_server_that_falls_silent(file: int) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        await line.say(HEAD + DATA[: SIZE // 2])
        await line.gone()

    async with connected(LeanTransport, handler, read_timeout=0.1) as (transport, server):
        answer = await transport.send(get())
        assert isinstance(answer, Answer)
        with pytest.raises(SilenceError):
            await drained(answer, Drain(file, None))
        await server.idle()


async def test_cancelled_in_the_midst(file: int) -> None:
    with nothing_forgotten():
        async with connected(LeanTransport, answering(HEAD + DATA)) as (transport, server):
            answer = await transport.send(get())
            assert isinstance(answer, Answer)
            drain = Held(file, None)
            work = asyncio.create_task(answer.lend(drain, SIZE))
            await drain.at_work()
            work.cancel()
            await asyncio.sleep(0.01)
            assert not work.done(), "a worker thread still writes"
            drain.on.set()
            with pytest.raises(asyncio.CancelledError):
                await work
            at = drain.at
            await server.idle()  # whose connection nobody can use any more
            assert os.pread(file, SIZE, 0) == DATA[:at]


async def test_closed_in_the_midst(file: int) -> None:
    """The thread reads from a descriptor of its own, never from one that was given away."""
    async with connected(LeanTransport, answering(HEAD + DATA)) as (transport, _):
        answer = await transport.send(get())
        assert isinstance(answer, Answer)
        drain = Held(file, None)
        work = asyncio.create_task(answer.lend(drain, SIZE))
        await drain.at_work()
        await transport.aclose()
        others = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
        drain.on.set()
        await work
        for each in others:
            os.close(each)
        assert os.pread(file, SIZE, 0) == DATA[: drain.at]
        with pytest.raises(TransportError):
            await answer.read_into(memoryview(bytearray(10)))


async def test_a_file_that_takes_nothing(file: int, tmp_path: Path) -> None:
    async with connected(LeanTransport, answering(HEAD + DATA)) as (transport, server):
        answer = await transport.send(get())
        assert isinstance(answer, Answer)
        only_read = os.open(tmp_path / "file", os.O_RDONLY)
        try:
            with pytest.raises(StoreError):
                await answer.lend(Drain(only_read, None), SIZE)
        finally:
            os.close(only_read)
        await server.idle()


async def test_those_who_wait_for_a_thread(file: int) -> None:
    """A body that has come meanwhile is not taken from a connection that serves another."""
    head = OK + b"Content-Length: %d\r\n\r\n" % (400 * KIB)
    async with connected(LeanTransport, answering(head + DATA[: 400 * KIB])) as (transport, _):
        answer = await transport.send(get())
        assert isinstance(answer, Answer)
        assert answer.line is not None
        lending, drain = answer.line.lending, Drain(file, None)
        for _ in range(lending._value):
            await lending.acquire()
        work = asyncio.create_task(answer.lend(drain, SIZE))
        while not answer.complete:
            await asyncio.sleep(0.001)
        lending.release()
        assert await work == 0
        assert await drained(answer, drain) == 0
        assert os.pread(file, SIZE, 0) == DATA[: 400 * KIB]


async def test_tls_stays_on_the_loop(file: int, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls: ssl.SSLContext = authority.server("localhost")
    async with wires.serving(answering(HEAD + DATA), tls) as server:
        transport = LeanTransport(wires.endpoint(server, host="localhost", tls=authority.client()))
        answer = await transport.send(get())
        assert await drained(answer, Drain(file, None)) == 0
        assert os.pread(file, 2 * SIZE, 0) == DATA
        await transport.aclose()
