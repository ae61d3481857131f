"""What the REST API of Azure Blob Storage does with one container."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

from ...._core.errors import InvalidKey, NotSupported, StoreError
from ...._core.info import Capability, ObjectInfo, WriteOptions
from .._cloud.digests import in_base64, md5_of
from .._cloud.errors import Refusal, understood
from .._cloud.requests import Answer, Request, Requests
from .._cloud.service import Origin, Page, Service, Step, Upload
from .attributes import info_of, to_headers, token_of
from .credentials import Signer
from .listing import pages

BLOCKS = 50_000
"""Of which a blob is made at most."""
_NOT = re.compile(r"[\x00-\x1f\x7f\\\ufffe\uffff]|\.(/|$)")
"""Azure makes a slash of a backslash, and takes dots from the end of each part."""


class AzureContainer(Service):
    """One container.

    Args:
        send: Sends the requests.
        signer: Signs them, and the sources of copies.
        endpoint: The URL of the account's blobs.
        container: The name.
        public: Whether, if it is made, everybody may read.
    """

    capabilities = ~Capability.NONE & ~Capability.ORDERED
    suffixes = False

    def __init__(
        self, send: Requests, signer: Signer, endpoint: str, container: str, *, public: bool = False
    ) -> None:
        super().__init__(send)
        self.signer = signer
        self.endpoint = endpoint
        self.container = container
        self.url = f"{endpoint}/{quote(container)}"
        self._public = public

    def check(self, name: str) -> None:
        """See `Service`."""
        if found := _NOT.search(name):
            raise InvalidKey(f"Azure keeps no blob whose name has {found[0]!r} there")
        if len(name) > 1024 or name.count("/") > 253:
            raise InvalidKey("Azure takes names of 1,024 characters and 254 parts at most")

    def at(self, name: str) -> str:
        """The URL of a blob."""
        return f"{self.url}/{quote(name)}"

    # -- reading ----------------------------------------------------------------------------

    async def head(self, name: str) -> ObjectInfo:
        """See `Service`."""
        return (await self.owner(name))[0]

    async def owner(self, name: str) -> tuple[ObjectInfo, str | None]:
        """See `Service`."""
        with understood():
            reply = await self.send(Request("HEAD", self.at(name)))
        size = int(reply.headers.get("Content-Length", "0"))
        return info_of(name, reply.headers, size), token_of(reply.headers)

    def download(self, name: str, if_match: str | None, if_none_match: str | None) -> Request:
        """See `Service`."""
        return Request("GET", self.at(name), headers=_conditions(if_match, if_none_match))

    def told(self, name: str, answer: Answer, size: int) -> ObjectInfo:
        """See `Service`."""
        return info_of(name, answer.headers, size)

    @asynccontextmanager
    async def opened(self, request: Request) -> AsyncIterator[Answer]:
        """See `Service`."""
        with understood():
            async with self.send.open(request) as answer:
                yield answer

    # -- writing ----------------------------------------------------------------------------

    async def put(
        self, name: str, data: bytes | memoryview, options: WriteOptions, token: str | None
    ) -> ObjectInfo:
        """See `Service`."""
        digest = await md5_of(data)
        headers = {
            **to_headers(options.content_type, options.metadata, token),
            **_writing(options),
            "Content-MD5": in_base64(digest),
            "x-ms-blob-type": "BlockBlob",
        }
        with understood(of_object=False, if_absent=options.if_absent):
            reply = await self.send(Request("PUT", self.at(name), headers=headers, body=(data,)))
        return _stored(name, len(data), digest, options, reply.headers)

    async def upload(self, name: str, options: WriteOptions, token: str | None) -> Upload:
        """See `Service`."""
        return _Blocks(self, name, options, token)

    async def delete(self, name: str, missing_ok: bool, etag: str | None) -> None:
        """See `Service`."""
        headers = {"x-ms-delete-snapshots": "include", **_conditions(etag, None)}
        request = Request("DELETE", self.at(name), headers=headers, again=missing_ok)
        try:
            await self.send(request)
        except Refusal as error:
            await self.accept_gone(error, name, missing_ok, etag)

    @property
    def identity(self) -> Hashable:
        """See `Service`."""
        return "azure", self.endpoint, self.signer.account

    async def copy(
        self, origin: Origin, target: str, options: WriteOptions, step: Step
    ) -> ObjectInfo:
        """See `Service`."""
        assert isinstance(origin.service, AzureContainer)
        source = origin.service.signer.opened(origin.service.at(origin.name))
        headers = {"x-ms-copy-source": source, **_writing(options)}
        if origin.etag is not None:
            headers["x-ms-source-if-match"] = _quoted(origin.etag)
        again = not options.conditional
        with understood(if_absent=options.if_absent):
            reply = await step(self.send(Request("PUT", self.at(target), {}, headers, again=again)))
        status, pause = reply.headers.get("x-ms-copy-status", "success"), 0.05
        while status == "pending":
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)
            with understood():
                reply = await step(self.send(Request("HEAD", self.at(target))))
            status = reply.headers.get("x-ms-copy-status", "success")
        if status != "success":
            raise StoreError(f"the service's copy ended with {status!r}")
        return await step(self.head(target))

    # -- the container ----------------------------------------------------------------------

    def pages(self, prefix: str, start_after: str, delimiter: str) -> AsyncGenerator[Page, None]:
        """See `Service`."""
        return pages(self.send, self.url, prefix, delimiter)

    async def create(self) -> None:
        """See `Service`."""
        headers = {"x-ms-blob-public-access": "container"} if self._public else {}
        try:
            await self.send(Request("PUT", self.url, {"restype": "container"}, headers))
        except Refusal as error:
            if error.code != "ContainerAlreadyExists":
                raise error.meaning(of_object=False) from None


class _Blocks(Upload):
    """A blob in blocks; those that are never committed go by themselves after a week."""

    def __init__(
        self, container: AzureContainer, name: str, options: WriteOptions, token: str | None
    ) -> None:
        self._container = container
        self._name = name
        self._options = options
        self._headers = to_headers(options.content_type, options.metadata, token)
        # Blocks of all who write this blob lie together: each takes names of its own.
        self._mark = secrets.token_bytes(12)
        self._ids: list[str] = []
        self._size = 0

    async def part(self, data: bytes) -> None:
        """See `Upload`."""
        if len(self._ids) == BLOCKS:
            raise NotSupported(f"a stream of more than {BLOCKS} parts: take a larger part_size")
        block = base64.b64encode(self._mark + len(self._ids).to_bytes(4)).decode()
        digest = await md5_of(data)
        request = Request(
            "PUT",
            self._container.at(self._name),
            {"comp": "block", "blockid": block},
            {"Content-MD5": in_base64(digest)},
            (data,),
        )
        with understood(of_object=False):
            await self._container.send(request)
        self._ids.append(block)
        self._size += len(data)

    async def finish(self, data: bytes, md5: bytes) -> ObjectInfo:
        """See `Upload`."""
        await self.part(data)
        names = "".join(f"<Latest>{block}</Latest>" for block in self._ids)
        body = f"<?xml version='1.0' encoding='utf-8'?><BlockList>{names}</BlockList>".encode()
        headers = {
            **self._headers,
            **_writing(self._options),
            "x-ms-blob-content-md5": in_base64(md5),
            "Content-Type": "application/xml",
        }
        request = Request(
            "PUT", self._container.at(self._name), {"comp": "blocklist"}, headers, (body,)
        )
        with understood(of_object=False, if_absent=self._options.if_absent):
            reply = await self._container.send(request)
        return _stored(self._name, self._size, md5, self._options, reply.headers)

    async def abort(self) -> None:
        """See `Upload`."""


def _conditions(if_match: str | None, if_none_match: str | None) -> dict[str, str]:
    found = {} if if_match is None else {"If-Match": _quoted(if_match)}
    return found | ({} if if_none_match is None else {"If-None-Match": _quoted(if_none_match)})


def _writing(options: WriteOptions) -> dict[str, str]:
    return {"If-None-Match": "*"} if options.if_absent else _conditions(options.if_match, None)


def _quoted(etag: str) -> str:
    """An etag as a header has it; what can be none matches nothing."""
    text = etag.strip('"')
    return f'"{text}"' if re.fullmatch(r"[!#-~]+", text) else '"0x0"'


def _stored(
    name: str, size: int, md5: bytes, options: WriteOptions, headers: Mapping[str, str]
) -> ObjectInfo:
    info = info_of(name, headers, size)
    pairs = dict(options.metadata or {})
    return ObjectInfo(
        name, size, info.etag, info.modified, options.content_type, pairs, f"md5:{md5.hex()}"
    )
