"""Answers that are odd, wrong or made to deceive: the right bytes or an error, and never a hang."""

from __future__ import annotations

import asyncio
import http.client
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("aiohttp")
pytest.importorskip("httptools")

from storage._async.backends.s3.lane import heads
from storage._async.backends.s3.lane.aiohttp_transport import AiohttpTransport
from storage._async.backends.s3.lane.framing import Framing
from storage._async.backends.s3.lane.lean import LeanTransport
from storage._async.backends.s3.lane.transport import AnswerError, TransportError
from storage.testing.harness import fuzz, profile
from tests.backends import wires
from tests.backends.wires import HELLO, KINDS, OK, Kind, Line, answering, connected, fetch, get

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


HOSTILE: dict[str, bytes] = {
    "another-protocol": b"220 ready when you are\r\n",
    "nothing-known": b"\x00\x01\x02\x03",
    "tls-alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "empty-lines-first": b"\r\n\r\n" + HELLO,
    "http2": HELLO.replace(b"1.1", b"2.0"),
    "http1.2": HELLO.replace(b"1.1", b"1.2"),
    "http0.9": HELLO.replace(b"1.1", b"0.9"),
    "small-letters": HELLO.replace(b"HTTP", b"http"),
    "two-digits": HELLO.replace(b"200", b"20"),
    "four-digits": HELLO.replace(b"200", b"2000"),
    "status-600": HELLO.replace(b"200", b"600"),
    "status-099": HELLO.replace(b"200", b"099"),
    "no-status": HELLO.replace(b"200", b""),
    "switching": b"HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + HELLO,
    "endless-interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + HELLO,
    "line-feeds-only": HELLO.replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "folded": OK + b"X-A: b\r\n c\r\nContent-Length: 5\r\n\r\nhello",
    "folded-length": OK + b"Content-Length: 5\r\n 0\r\n\r\nhello",
    "folded-first": OK + b" X-A: b\r\nContent-Length: 5\r\n\r\nhello",
    "name-with-space": OK + b"Content-Length : 5\r\n\r\nhello",
    "no-name": OK + b": 5\r\n\r\nhello",
    "no-colon": OK + b"Content-Length\r\n\r\nhello",
    "nul": OK + b"X-A: \0\r\nContent-Length: 5\r\n\r\nhello",
    "return-in-status": HELLO.replace(b" OK", b"\r"),
    "return-after-status": HELLO.replace(b" OK", b"\r\r"),
    "bare-return": OK + b"X-A: b\rContent-Length: 3\r\nContent-Length: 5\r\n\r\nhello",
    "two-lengths": OK + b"Content-Length: 5\r\nContent-Length: 4\r\n\r\nhello",
    "the-same-length-twice": OK + b"Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello",
    "listed-lengths": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "negative": OK + b"Content-Length: -5\r\n\r\nhello",
    "plus": OK + b"Content-Length: +5\r\n\r\nhello",
    "hexadecimal": OK + b"Content-Length: 0x5\r\n\r\nhello",
    "underscore": OK + b"Content-Length: 0_5\r\n\r\nhello",
    "no-digits": OK + b"Content-Length: \r\n\r\nhello",
    "words": OK + b"Content-Length: five\r\n\r\nhello",
    "two-numbers": OK + b"Content-Length: 5 5\r\n\r\nhello",
    "other-digits": OK + "Content-Length: \u0665\r\n\r\nhello".encode(),
    "enormous": OK + b"Content-Length: 99999999999999999999\r\n\r\nhello",
    "length-and-chunks": CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "chunks-and-length": OK + b"Content-Length: 5\r\n" + CHUNKED.removeprefix(OK) + b"0\r\n\r\n",
    "chunked-1.0": CHUNKED.replace(b"1.1", b"1.0") + b"5\r\nhello\r\n0\r\n\r\n",
    "chunked-twice": CHUNKED.replace(b"chunked", b"chunked, chunked") + b"0\r\n\r\n",
    "zipped": CHUNKED.replace(b"chunked", b"gzip, chunked") + b"5\r\nhello\r\n0\r\n\r\n",
    "other-coding": OK + b"Transfer-Encoding: xchunked\r\n\r\nhello",
    "coding-in-two": CHUNKED[:-2] + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunk-negative": CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "chunk-plus": CHUNKED + b"+5\r\nhello\r\n0\r\n\r\n",
    "chunk-0x": CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "chunk-space": CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "chunk-no-size": CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "chunk-line-feed": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "chunk-too-long": CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n",
    "chunk-too-short": CHUNKED + b"5\r\nhell\r\n0\r\n\r\n",
    "chunk-overflow": CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "chunk-long-extension": CHUNKED + b"5;" + b"e" * 2**20,
    "chunk-long-trailer": CHUNKED + b"0\r\n" + b"X-T: t\r\n" * 2**17,
    "long-line": b"HTTP/1.1 200 " + b"O" * 2**17 + b"\r\n\r\n",
    "long-header": OK + b"X-A: " + b"a" * 2**17 + b"\r\n\r\n",
    "many-headers": OK + b"X-A: a\r\n" * 1000 + b"Content-Length: 5\r\n\r\nhello",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
async def test_what_is_not_clear_is_refused(raw: bytes) -> None:
    async with connected(LeanTransport, answering(raw), limit=1) as (transport, server):
        for n in range(2):
            with pytest.raises(AnswerError) as caught:
                await fetch(transport)
            assert caught.value.sent
            await server.idle()
            assert server.opened == n + 1


async def test_what_is_not_clear_hangs_nobody() -> None:
    """aiohttp takes some of it, more or less of it by its version; it must come to an end."""

    async def handler(line: Line) -> None:
        head = await line.head()
        await line.say(HOSTILE[head.split(" ")[1][1:]])

    async with connected(AiohttpTransport, handler, read_timeout=0.5) as (transport, _):
        requests = (fetch(transport, get(f"/{name}")) for name in HOSTILE)
        for came in await asyncio.gather(*requests, return_exceptions=True):
            assert isinstance(came, (tuple, TransportError))


def test_however_it_comes() -> None:
    for name, raw in HOSTILE.items():
        assert outcome(raw, [raw]) == "refused", name
        if len(raw) < 4096:
            assert outcome(raw, [bytes([byte]) for byte in raw]) == "refused", name


async def test_a_head_that_never_ends() -> None:
    """Not every version of aiohttp minds."""

    async def handler(line: Line) -> None:
        await line.request()
        await line.say(OK)
        while not line.writer.transport.is_closing():
            await line.say(b"X-A: " + b"a" * 5000 + b"\r\n")

    async with connected(LeanTransport, handler) as (transport, _):
        with pytest.raises(AnswerError):
            await fetch(transport)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    """A transport."""
    return request.param  # type: ignore[no-any-return]


def outcome(raw: bytes, pieces: list[bytes], method: str = "GET") -> object:
    """What comes of an answer after which the connection ends: status and body, or no answer."""
    framing = Framing(method)
    try:
        for piece in pieces:
            framing.feed(piece)
    except AnswerError:
        return "refused"
    if not framing.feed_end():
        return "cut"
    return framing.status, b"".join(framing.pieces)


def split(raw: bytes, cuts: list[int]) -> list[bytes]:
    """Bytes in pieces."""
    ends = sorted({cut % (len(raw) + 1) for cut in cuts} | {len(raw)})
    starts = [0, *ends]
    return [raw[start:end] for start, end in zip(starts, ends, strict=False) if start < end]


SEEDS = [
    HELLO,
    OK + b'ETag: "x"\r\nX-Amz-Meta-A: b\r\nContent-Length: 12\r\nDate: x\r\n\r\nhello, world',
    CHUNKED + b'5\r\nhello\r\n7;a="b"\r\n, world\r\n0\r\nX-T: y\r\n\r\n',
    b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!",
]
WORDS = [
    *(b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b";", b",", b"0", b"5", b"-", b"\0"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.1 200 OK\r\n", b"chunked", b"\xff", b"\x85", b"f"),
]
changes = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(0, 3),
        st.one_of(st.sampled_from(WORDS), st.binary(max_size=3)),
    ),
    max_size=4,
)
cuts = st.lists(st.integers(0, 200), max_size=6)


def changed(raw: bytes, how: list[tuple[int, int, bytes]]) -> bytes:
    """An answer with some bytes put in the place of others."""
    for place, gone, new in how:
        at = place % (len(raw) + 1)
        raw = raw[:at] + new + raw[at + gone :]
    return raw


def as_others_read_it(raw: bytes, method: str) -> object:
    """Status and body as the standard library reads an answer; "cut" where it finds no end."""

    class Socket:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(raw)

    response = http.client.HTTPResponse(Socket(), method=method)  # type: ignore[arg-type]
    try:
        response.begin()
        while 100 < response.status < 200:  # it skips 100 alone
            response.headers = response.msg = None  # type: ignore[assignment]
            response.begin()
        return response.status, response.read()
    except (http.client.HTTPException, ValueError, OverflowError):
        return "cut"


@profile(500, shrinks=True)
@given(st.sampled_from(SEEDS), changes, cuts, st.sampled_from(["GET", "GET", "HEAD"]))
def test_splits_and_others_agree(
    raw: bytes, how: list[tuple[int, int, bytes]], where: list[int], method: str
) -> None:
    """What is taken is what others take it for, and the packets that it comes in do not matter."""
    raw = changed(raw, how)
    whole = outcome(raw, [raw], method)
    assert outcome(raw, split(raw, where), method) == whole
    assert outcome(raw, [raw[n : n + 1] for n in range(len(raw))], method) == whole
    if isinstance(whole, tuple):
        assert as_others_read_it(raw, method) == whole


async def test_mutated_answers_over_a_socket() -> None:
    """The lean transport gives what was read above; on both, the next answer is not touched."""
    raw = HELLO
    where: list[int] = []

    async def handler(line: Line) -> None:
        head, _ = await line.request()
        if "fine" in head:
            await line.say(HELLO)
        else:
            await line.say(*split(raw, where))
            line.writer.close()

    async with wires.serving(handler) as server:
        target = wires.endpoint(server, read_timeout=1.0, limit=1)
        lean, other = (kind(target) for kind in KINDS)

        async def check(drawn: tuple[bytes, list[tuple[int, int, bytes]], list[int]]) -> None:
            nonlocal raw, where
            raw, where = changed(*drawn[:2]), drawn[2]
            seen: dict[object, object] = {}
            for transport in (lean, other):
                try:
                    seen[transport] = await fetch(transport)
                except TransportError:
                    seen[transport] = None
                assert await fetch(transport, get("/fine")) == (200, b"hello")
            expected = outcome(raw, [raw])
            assert seen[lean] == (expected if isinstance(expected, tuple) else None)

        await fuzz(
            st.tuples(st.sampled_from(SEEDS), changes, cuts), check, profile(60, shrinks=True)
        )
        await lean.aclose()
        await other.aclose()


SOUND: list[Callable[[bytes], bytes]] = [
    lambda body: OK + b"Content-Length: %d\r\n\r\n" % len(body) + body,
    lambda body: CHUNKED + b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in body) + b"0\r\n\r\n",
    lambda body: CHUNKED + b"%X;x=y\r\n" % len(body) + body + b"\r\n0\r\nA: b\r\n\r\n",
]


@pytest.mark.parametrize("sound", SOUND, ids=["length", "small-chunks", "one-chunk"])
@profile(50, shrinks=True)
@given(body=st.binary(min_size=1, max_size=300), where=cuts)
def test_sound_answers_are_always_read(
    sound: Callable[[bytes], bytes], body: bytes, where: list[int]
) -> None:
    raw = sound(body)
    framing = Framing("GET")
    for piece in split(raw, where):
        assert not framing.complete
        framing.feed(piece)
    assert (framing.complete, framing.surplus, framing.keep_alive) == (True, False, True)
    assert b"".join(framing.pieces) == body
    framing.feed(b"H")
    assert framing.surplus


async def test_sound_answers_byte_by_byte(kind: Kind) -> None:
    for raw in SEEDS[:4]:
        handler = answering([raw[n : n + 1] for n in range(len(raw))])
        async with connected(kind, handler) as (transport, server):
            for _ in range(2):
                status, body = await fetch(transport)
                assert (status, body[:5]) == (200, b"hello")
            assert server.opened == 1


def as_the_parser_reads_it(head: bytes) -> object:
    """Status and headers, or why there are none."""
    framing = Framing("GET")
    try:
        status, old = framing._parse(head)
    except AnswerError as error:
        return error
    return None if old else (status, heads.joined(framing._fields))


USUAL = (
    b'HTTP/1.1 200 OK\r\nETag: "x"\r\nX-Amz-Meta-A: b c\r\nContent-Length: 12\r\n'
    b"Date: Sat, 21 Nov 2026 10:00:00 GMT\r\nConnection: keep-alive\r\nVary: Origin\r\n\r\n"
)


def test_a_usual_head_is_read_in_the_short_way() -> None:
    known = as_the_parser_reads_it(USUAL)  # which knows the names from now on
    assert heads.usual(USUAL) == known
    for other in (
        USUAL.replace(b"Vary: Origin", b"Transfer-Encoding: chunked"),
        USUAL.replace(b"Vary", b"Upgrade"),
        USUAL.replace(b"Vary", b"Date"),
        USUAL.replace(b"Vary", b"Never-Seen-Before"),
        USUAL.replace(b"Vary: ", b"Vary:"),
        USUAL.replace(b"Vary: Origin", b"Vary"),
        USUAL.replace(b"Vary: Origin", b"Vary:  "),
        USUAL.replace(b"Vary: ", b" Vary: "),
        USUAL.replace(b"Origin", b"Or\tigin"),
        USUAL.replace(b"Origin", b"\xffrigin"),
        USUAL.replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 100 OK"),
        USUAL.replace(b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK"),
        USUAL.replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 200"),
        USUAL.replace(b"\r\n\r\n", b"\r\n" + b"Vary: x\r\n" * 60 + b"\r\n"),
    ):
        assert heads.usual(other) is None


@profile(500, shrinks=True)
@given(changes)
def test_the_short_way_and_the_parser_agree(how: list[tuple[int, int, bytes]]) -> None:
    head = changed(USUAL, how).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    found = heads.usual(head)
    assert found is None or found == as_the_parser_reads_it(head)
