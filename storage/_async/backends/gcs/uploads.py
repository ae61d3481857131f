"""Objects that are sent in parts."""

from __future__ import annotations

from ...._core.errors import MalformedResponse
from ...._core.info import ObjectInfo, WriteOptions
from .._cloud.errors import Refusal, understood
from .._cloud.requests import Reply, Request, Requests
from .._cloud.service import Upload
from .objects import checked, resource

_GONE = frozenset({499, 404, 410})
"""What the end of an upload is answered with."""


class Session(Upload):
    """A resumable upload; the service forgets one that is not ended after a week."""

    def __init__(
        self, send: Requests, name: str, options: WriteOptions, place: str, kind: str
    ) -> None:
        self._requests = send
        self._name = name
        self._options = options
        self._place = place
        self._kind = kind
        self._sent = 0

    async def part(self, data: bytes) -> None:
        """See `Upload`."""
        rest = memoryview(data)
        while rest:
            reply = await self._send(rest, "*")
            taken = _kept(reply) - self._sent
            if not 0 < taken <= len(rest):
                raise MalformedResponse("the server does not say what it took of a part")
            rest = rest[taken:]
            self._sent += taken

    async def finish(self, data: bytes, md5: bytes) -> ObjectInfo:
        """See `Upload`."""
        size = self._sent + len(data)
        reply = await self._send(data, str(size))
        if reply.status == 308:
            raise MalformedResponse("the server did not end an upload that was at its end")
        return checked(resource(reply), self._name, size, md5)

    async def _send(self, data: bytes | memoryview, size: str) -> Reply:
        """Send bytes from where we are; sent twice, they are still stored once."""
        end = self._sent + len(data) - 1
        headers = {
            "Content-Range": f"bytes {self._sent}-{end}/{size}",
            "Content-Type": self._kind,
        }
        request = Request("PUT", self._place, headers=headers, body=(data,), also=frozenset({308}))
        with understood(of_object=False, if_absent=self._options.if_absent):
            return await self._requests(request)

    async def abort(self) -> None:
        """See `Upload`."""
        try:
            await self._requests(Request("DELETE", self._place, also=_GONE))
        except Refusal as error:
            raise error.meaning(of_object=False) from None


def _kept(reply: Reply) -> int:
    """How many bytes of an upload the service has by now."""
    if reply.status != 308:
        raise MalformedResponse("the server ended an upload that was not at its end")
    first, _, last = reply.headers.get("Range", "").partition("-")
    return int(last) + 1 if first == "bytes=0" and last.isdecimal() else 0
