"""The lane itself: operations are addressed, signed, sent, sent again, and their answers read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from ....._core import calls
from . import results, xml
from .bodies import Body, finish
from .errors import ERROR_BYTES, Refused, TooLong, late_refusal, metadata, refusal
from .identity import Identity
from .parameters import Buffer, Call
from .retries import Attempts, Budget, Gate, throttled
from .sign import EMPTY, UNSIGNED, Keys, Signer, encoded, query_of
from .transport import Headers, Request, Response, Transport
from .unread import Unread

LARGE = 1024 * 1024
"""Bytes from which a digest is worth a thread, and an early "no" worth waiting for."""
DOCUMENT_BYTES = 64 * 1024 * 1024
"""Bytes of an answer's document that are read."""
SKEW = 240.0
"""Seconds by which clocks must differ before a refusal that gives no reason is laid to that."""

_EXPIRED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
)
_ELSEWHERE = frozenset({"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect"})
_CONDITIONS = frozenset({"if-match", "if-none-match"})


class Elsewhere(Exception):
    """The bucket is in another region: the client knows how to follow."""


class Lane:
    """Sends operations on one bucket, on one event loop.

    Args:
        identity: Who sends them, and where to.
        transport: Over what.
        budget: What retries cost.
    """

    def __init__(self, identity: Identity, transport: Transport, budget: Budget) -> None:
        self._identity = identity
        self._transport = transport
        self._budget = budget
        self._gate = Gate(identity.limit)
        self._signer = Signer(identity.region, unsigned=_PLAIN)
        self._asked = (("host", identity.host),)
        self._asked_object = (*self._asked, *_CHECKED) if identity.checked else self._asked
        self._under = identity.under
        self._closed = False

    @property
    def region(self) -> str:
        """That the requests are signed for."""
        return self._identity.region

    async def aclose(self) -> None:
        """Close all connections."""
        self._closed = True
        await self._transport.aclose()

    async def send(self, call: Call) -> Mapping[str, Any]:
        """Send an operation, and again where that promises success.

        Returns:
            What the client returns.

        Raises:
            Refused: The server refused it.
            TransportError: There was no answer.
            Elsewhere: The bucket is in another region.
            StoreError: The answer is not what S3 answers, or there are no credentials.
        """
        reading = call.operation.method in ("GET", "HEAD")
        attempts = Attempts(self._budget, self._identity.attempts, time.monotonic(), reading)
        mended: set[str] = set()
        payload = await self._digest(call.body) if call.body else EMPTY
        while True:
            keys = await self._identity.credentials.current()
            try:
                answer = await self._once(call, keys, payload, attempts.retries)
            except Exception as error:
                if await self._mend(error, keys, mended):
                    attempts.retries += 1
                elif self._closed or not await attempts.again(error):
                    raise
            else:
                attempts.succeeded()
                return answer

    async def _once(
        self, call: Call, keys: Keys | None, payload: str, retries: int
    ) -> Mapping[str, Any]:
        gate, slower = self._gate, None
        epoch = gate.epoch if gate.passes() else await gate.enter()
        try:
            response = await self._transport.send(self._request(call, keys, payload))
            retries += response.resent
            slower = False
            if response.status < 300:
                return await self._answer(call, response, retries)
            error = await self._refusal(response, retries)
            slower = throttled(error)
            raise error
        finally:
            gate.leave(epoch, slower=slower)

    def _request(self, call: Call, keys: Keys | None, payload: str) -> Request:
        operation, body = call.operation, call.body
        path = self._identity.path if call.key is None else self._under + encoded(call.key, "/~")
        query = query_of(call.query) if call.query else ""
        target = f"{path}?{query}" if query else path
        asked = self._asked_object if operation.name == "get_object" else self._asked
        headers = (*asked, *call.headers) if call.headers else asked
        own: list[tuple[str, str]] = []
        if keys is None:
            common = Headers((*headers, *_PLAIN))
        else:
            form = self._signer.form(headers, payload, keys)
            common = form.headers
            own.append(("authorization", form.sign(operation.method, path, query)))
        if not body:
            return Request(operation.method, target, own, common=common)
        # Worth a way to the server and back only where a "no" is to be expected.
        expect = len(body) >= LARGE and any(name in _CONDITIONS for name, _ in call.headers)
        return Request(operation.method, target, own, (memoryview(body),), expect, common)

    async def _digest(self, body: Buffer) -> str:
        if not self._identity.signs_bodies:
            return UNSIGNED
        if len(body) < LARGE:
            return hashlib.sha256(body).hexdigest()
        return (await calls.call(hashlib.sha256, body)).hexdigest()

    async def _answer(self, call: Call, response: Response, retries: int) -> Mapping[str, Any]:
        name, headers = call.operation.name, response.headers
        try:
            answer = results.of_headers(name, headers)
            answer["ResponseMetadata"] = metadata(response.status, headers, retries)
            if name == "get_object":
                answer["Body"] = Body(response)
                return answer
            content = await _content(response, DOCUMENT_BYTES)
        except BaseException:
            finish(response)
            raise
        finish(response)
        if name not in results.DOCUMENTS and not content.lstrip().startswith(b"<"):
            return answer
        if name == "list_objects_v2" and Unread.suits(content):
            return Unread(content, lambda text: answer | results.of_listing(text))
        document = xml.parse(content)
        if document.root == "Error":
            raise late_refusal(headers, document, retries)
        return answer | results.of_document(name, document)

    async def _refusal(self, response: Response, retries: int) -> Refused:
        try:
            content = await _content(response, ERROR_BYTES)
        finally:
            finish(response)
        error = refusal(response.status, response.headers, content, retries)
        away = error.region not in (None, self._identity.region)
        if error.code in _ELSEWHERE or (away and error.status in (301, 307, 400)):
            raise Elsewhere(error.code) from error
        return error

    async def _mend(self, error: Exception, keys: Keys | None, mended: set[str]) -> bool:
        """Whether the reason of a refusal was one that could be removed; each is but once."""
        if not isinstance(error, Refused) or keys is None:
            return False
        if "clock" not in mended and (skew := self._skew(error)) is not None:
            mended.add("clock")
            self._signer.skew = skew
            return True
        # To a HEAD no reason is given.
        untold = error.status == 400 and error.code == "400" and keys.token is not None
        if "keys" not in mended and (error.code in _EXPIRED or untold):
            mended.add("keys")
            return await self._identity.credentials.renew(keys)
        return False

    def _skew(self, error: Refused) -> float | None:
        """How far the server's clock is ahead, if that is why it refused."""
        if error.status != 403 or error.code not in ("403", "RequestTimeTooSkewed"):
            return None
        try:
            theirs = results.http_date(error.headers.get("date", "")).timestamp()
        except ValueError:
            return None
        skew = theirs - time.time()
        far = abs(skew - self._signer.skew) > SKEW
        return skew if far or error.code != "403" else None


_CHECKED = (("x-amz-checksum-mode", "ENABLED"),)
_PLAIN = (("accept-encoding", "identity"), ("user-agent", "storage"))


async def _content(response: Response, most: int) -> bytes:
    """All of an answer's body.

    Raises:
        TooLong: It is longer than that.
    """
    length = response.headers.get("content-length", "")
    if len(length) < 7 and length.isdecimal():
        return await response.read()
    parts, size = [], 0
    while data := await response.read(LARGE):
        parts.append(data)
        size += len(data)
        if size > most:
            raise TooLong(f"the server's answer is longer than {most} bytes")
    return b"".join(parts)
