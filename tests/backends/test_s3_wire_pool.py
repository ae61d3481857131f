"""The connections of the transports: how many, for whom, and what cancelling does to them."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import subprocess
import sys
import threading
import traceback
from collections.abc import Coroutine
from typing import Any

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("httptools")

from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import (
    ConnectError,
    Request,
    Transport,
    TransportError,
)
from storage.testing.harness import descriptors, interrupt_everywhere, nothing_forgotten
from tests.backends import wires
from tests.backends.wires import HELLO, KINDS, OK, Kind, Line, answering, connected, fetch, get

BODY = b"0123456789abcdef" * 40_000
LARGE = OK + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
lean_only = pytest.mark.parametrize("kind", KINDS[:1])


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A transport."""
    return request.param  # type: ignore[no-any-return]


async def echo(line: Line) -> None:
    """Answer with the target of the request, so that a mixed-up answer shows."""
    while (request := await line.request())[0]:
        target = request[0].split(" ")[1].encode()
        await line.say(OK + b"Content-Length: %d\r\n\r\n" % len(target) + target)


async def test_connections_are_limited_and_kept(kind: Kind) -> None:
    async with connected(kind, echo, limit=4) as (transport, server):
        answers = await asyncio.gather(*(fetch(transport, get(f"/{n}")) for n in range(100)))
        assert answers == [(200, b"/%d" % n) for n in range(100)]
        assert (server.opened, server.most) == (4, 4)


@lean_only
async def test_slots_are_given_in_the_order_of_asking(kind: Kind) -> None:
    seen: list[str] = []

    async def handler(line: Line) -> None:
        while head := await line.head():
            seen.append(head.split(" ")[1])
            await line.say(HELLO)

    async with connected(kind, handler, limit=1) as (transport, _):
        await asyncio.gather(*(fetch(transport, get(f"/{n}")) for n in range(20)))
    assert seen == [f"/{n}" for n in range(20)]


@lean_only
async def test_the_latest_connection_is_used_first(kind: Kind) -> None:
    async with connected(kind, echo, limit=8) as (transport, server):
        await asyncio.gather(*(fetch(transport) for _ in range(8)))
        assert len(server.open) == 8
        pool = transport._pool  # type: ignore[attr-defined]
        last = pool._idle[-1]
        for _ in range(3):
            await fetch(transport)
            assert pool._idle[-1] is last


@lean_only
async def test_idle_connections_are_closed(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage._async.backends.s3.lane.pool.IDLE", 0.04)
    async with connected(kind, echo) as (transport, server):
        await asyncio.gather(*(fetch(transport) for _ in range(3)))
        await server.idle()
        await asyncio.sleep(0)
        assert transport._pool._timer is None or not transport._pool._all  # type: ignore[attr-defined]
        await fetch(transport)
        assert server.opened == 4


def whole(transport: Transport) -> None:
    """Nothing is taken, waited for or busy."""
    if isinstance(transport, LeanTransport) and transport._pool is not None:
        pool = transport._pool
        assert (pool._taken, len(pool._waiters)) == (0, 0)
        assert set(pool._idle) == {each for each in pool._all if not each.closed}
        assert all(each._answer is None for each in pool._idle)


WORK: dict[str, Request] = {
    "get": get("/plain"),
    "large": get("/large"),
    "put": get("/put", method="PUT", body=[BODY, memoryview(BODY)]),
    "expecting": get("/put", method="PUT", body=[b"x" * 100], expect=True),
}


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_cancelling_anywhere(kind: Kind, name: str, warm: bool) -> None:
    async def handler(line: Line) -> None:
        while head := await line.head():
            if "100-continue" in head:
                await line.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            if "Content-Length: " in head:
                await line.reader.readexactly(int(head.split("Content-Length: ")[1].split()[0]))
            await line.say(LARGE if "/large" in head else HELLO)

    with wires.serving_apart(handler) as server:
        transport: Transport = kind(wires.endpoint(server, limit=2))
        expected = BODY if name == "large" else b"hello"

        async def prepare() -> None:
            nonlocal transport
            if not warm:
                await transport.aclose()
                transport = kind(wires.endpoint(server, limit=2))

        async def work() -> None:
            response = await transport.send(WORK[name])
            try:
                assert await response.read(3)
                await response.read()
            finally:
                await response.aclose()

        async def check() -> None:
            for _ in range(2):
                assert await fetch(transport, WORK[name]) == (200, expected)
            whole(transport)

        await interrupt_everywhere(work, prepare=prepare, check=check, seconds=0.2)
        await transport.aclose()


@lean_only
async def test_cancelling_while_addresses_are_tried(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def three_addresses(host: str, port: int, **more: Any) -> list[Any]:
        right = await real("127.0.0.1", port, **more)
        nobody = [(*entry[:4], ("127.0.0.1", 1)) for entry in right]
        return [*nobody, *nobody, *right]

    monkeypatch.setattr(loop, "getaddrinfo", three_addresses)
    with wires.serving_apart(echo) as server, nothing_forgotten():
        target = wires.endpoint(server, host="example.invalid", limit=1)
        transports: list[Transport] = []

        async def work() -> None:
            assert await fetch(transports[-1]) == (200, b"/a")

        async def check() -> None:
            assert await fetch(transports[-1]) == (200, b"/a")
            whole(transports[-1])
            await transports[-1].aclose()

        async def prepare() -> None:
            transports.append(kind(target))

        await interrupt_everywhere(work, prepare=prepare, check=check, seconds=0.3)


async def test_those_who_wait_can_be_cancelled(kind: Kind) -> None:
    release = asyncio.Event()

    async def handler(line: Line) -> None:
        while await line.head():
            await release.wait()
            await line.say(HELLO)

    async with connected(kind, handler, limit=2) as (transport, server):
        tasks = [asyncio.create_task(fetch(transport)) for _ in range(50)]
        while server.opened < 2:
            await asyncio.sleep(0.001)
        for task in tasks[2::2]:
            task.cancel()
        await asyncio.sleep(0)
        if isinstance(transport, LeanTransport):
            assert len(transport._pool._waiters) == 24  # type: ignore[union-attr]
        release.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results.count((200, b"hello")) == 26
        whole(transport)


@lean_only
async def test_a_slot_given_to_one_who_is_cancelled_goes_to_the_next(kind: Kind) -> None:
    async with connected(kind, echo, limit=1) as (transport, server):
        response = await transport.send(get("/first"))
        assert response.status == 200
        await response.aclose()
        pool = transport._pool  # type: ignore[attr-defined]
        held = await pool.acquire()
        waiting = [asyncio.create_task(fetch(transport, get(f"/{n}"))) for n in range(3)]
        await asyncio.sleep(0)
        pool.release(held)
        waiting[0].cancel()  # it has the connection, but has not gone on
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError)
        assert results[1:] == [(200, b"/1"), (200, b"/2")]
        assert server.opened == 1
        whole(transport)


@lean_only
async def test_ten_thousand_cancelled_gets_leave_the_pool_whole(kind: Kind) -> None:
    chance = random.Random(1)

    async def handler(line: Line) -> None:
        while (request := await line.request())[0]:
            target = request[0].split(" ")[1].encode()
            answer = OK + b"Content-Length: %d\r\n\r\n" % len(target) + target
            if chance.random() < 0.5:
                await asyncio.sleep(0)
            await line.say(answer)

    before = await asyncio.to_thread(descriptors)
    async with connected(kind, handler, limit=16) as (transport, server):
        for _ in range(20):
            tasks = [asyncio.create_task(fetch(transport)) for _ in range(500)]
            for _ in range(chance.randrange(6)):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            whole(transport)
        answers = await asyncio.gather(*(fetch(transport, get(f"/{n}")) for n in range(200)))
        assert answers == [(200, b"/%d" % n) for n in range(200)]
        whole(transport)
    await server.idle()
    assert len(await asyncio.to_thread(descriptors)) <= len(before)


async def test_random_cancels_never_mix_up_answers(kind: Kind) -> None:
    chance = random.Random(2)
    async with connected(kind, echo, limit=4) as (transport, _):
        wrong: list[tuple[int, bytes]] = []

        async def one(n: int) -> None:
            answer = await fetch(transport, get(f"/{n}"))
            if answer != (200, b"/%d" % n):
                wrong.append(answer)

        for turn in range(40):
            tasks = [asyncio.create_task(one(turn * 100 + n)) for n in range(20)]
            for _ in range(chance.randrange(8)):
                await asyncio.sleep(0)
            for task in chance.sample(tasks, 10):
                task.cancel()
            await asyncio.wait(tasks)
            assert [t for t in tasks if not t.cancelled() and t.exception()] == []
        assert wrong == []
        whole(transport)


async def test_closing_ends_what_is_in_flight(kind: Kind) -> None:
    async def handler(line: Line) -> None:
        await line.head()
        await line.gone()

    with nothing_forgotten():
        async with wires.serving(handler) as server:
            transport = kind(wires.endpoint(server, limit=2))
            tasks = [asyncio.create_task(fetch(transport)) for _ in range(5)]
            while server.opened < 2:
                await asyncio.sleep(0.001)
            await transport.aclose()
            await transport.aclose()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert [isinstance(result, TransportError) for result in results] == [True] * 5
            with pytest.raises(ConnectError):
                await transport.send(get())
            await server.idle()


async def test_closing_leaves_nothing_behind(kind: Kind) -> None:
    before, tasks = await asyncio.to_thread(descriptors), asyncio.all_tasks()
    with nothing_forgotten():
        async with connected(kind, answering(LARGE), limit=3) as (transport, _):
            given_up = await transport.send(get())
            assert await given_up.read(10)
            for _ in range(3):
                await fetch(transport)
        await given_up.aclose()
        del transport, given_up
        gc.collect()
    assert asyncio.all_tasks() == tasks
    assert len(await asyncio.to_thread(descriptors)) <= len(before)


async def test_a_transport_that_was_never_used_is_closed(kind: Kind) -> None:
    async with wires.serving(echo) as server:
        transport = kind(wires.endpoint(server))
        await transport.aclose()
        with pytest.raises(ConnectError):
            await transport.send(get())


@lean_only
async def test_no_more_garbage_for_the_collector(kind: Kind) -> None:
    """Requests leave no cycles behind, which would cost more than the requests."""
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with connected(kind, answering(HELLO, chunked)) as (transport, _):
        await fetch(transport)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await fetch(transport)
            objects = sum(type(each).__name__ == "Answer" for each in gc.get_objects())
        finally:
            gc.enable()
        assert objects == 0


def test_two_loops_at_once(kind: Kind) -> None:
    """One transport each, against one server."""
    done: list[int] = []

    async def many() -> None:
        async with connected(kind, echo, limit=3) as (transport, _):
            for turn in range(5):
                await asyncio.gather(*(fetch(transport, get(f"/{n}")) for n in range(20)))
                done.append(turn)

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted([*range(5), *range(5)])


def test_a_transport_of_another_loop_is_refused(kind: Kind) -> None:
    async def first() -> Transport:
        async with wires.serving(echo) as server:
            transport = kind(wires.endpoint(server))
            await fetch(transport)

            def elsewhere() -> str:
                with pytest.raises(RuntimeError, match="another event loop"):
                    asyncio.run(run(transport.send(get())))
                return "refused"

            assert await asyncio.to_thread(elsewhere) == "refused"
            await transport.aclose()
            return transport

    async def run(work: Coroutine[Any, Any, Any]) -> Any:
        return await work

    asyncio.run(first())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
async def test_a_forked_child_starts_anew(kind: Kind) -> None:
    async with connected(kind, echo, limit=1) as (transport, server):
        await fetch(transport)

        async def in_child() -> None:
            assert await fetch(transport, get("/child")) == (200, b"/child")
            await transport.aclose()

        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                asyncio.set_event_loop(None)
                asyncio.run(in_child())
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            await asyncio.sleep(0.005)
            assert await fetch(transport, get("/parent")) == (200, b"/parent")
        assert await fetch(transport, get("/parent")) == (200, b"/parent")
        assert server.opened == 2


EXIT = """
import asyncio, sys
from tests.backends import wires

async def main():
    async def handler(line):
        while await line.head():
            await line.say(wires.HELLO)

    async with wires.serving(handler) as server:
        transport = wires.KINDS[int(sys.argv[1])](wires.endpoint(server))
        await wires.fetch(transport)
        if sys.argv[2] == "closed":
            await transport.aclose()
        else:
            sys.modules["kept"] = transport
            response = await transport.send(wires.get())
            server.open.clear()
            sys.exit(7)

asyncio.run(main())
"""


@lean_only
@pytest.mark.parametrize("how", ["closed", "unclosed"])
@pytest.mark.allow_blocking("waits for a process")
def test_exit(how: str, kind: Kind) -> None:
    """Silent where it was closed, and never a hang."""
    number = str(KINDS.index(kind))
    strict = ["-W", "error", "-X", "dev"] if how == "closed" else []
    result = subprocess.run(
        [sys.executable, *strict, "-c", EXIT, number, how],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=os.getcwd(),
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert result.returncode == (0 if how == "closed" else 7), result.stderr
    if how == "closed":
        assert result.stderr == ""
