"""What the JSON API of Google Cloud Storage does with one bucket.

An etag of ours is the object's generation, which is what the service holds conditions by.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

from ...._core.errors import (
    ConfigError,
    InvalidKey,
    MalformedResponse,
)
from ...._core.info import Capability, ObjectInfo, WriteOptions
from .._cloud.digests import in_base64, md5_of
from .._cloud.errors import Refusal, understood
from .._cloud.requests import Answer, Reply, Request, Requests
from .._cloud.service import TOKEN, Origin, Page, Service, Step, Upload
from .credentials import Signer
from .objects import (
    about,
    checked,
    checksum,
    generation_of,
    info_of,
    page_of,
    parsed,
    resource,
    writing,
)
from .uploads import Session

PAGE = "1000"
FIELDS = "name,size,generation,updated,contentType,md5Hash"


class GoogleBucket(Service):
    """One bucket.

    Args:
        send: Sends the requests.
        signer: Signs them.
        endpoint: The URL of the service.
        bucket: The name.
        project: Where the bucket would be made.
        location: Likewise.
        lacking: What this server cannot do, though Google's can.
    """

    suffixes = True
    attributes_told = False

    def __init__(
        self,
        send: Requests,
        signer: Signer,
        endpoint: str,
        bucket: str,
        *,
        project: str | None = None,
        location: str | None = None,
        lacking: Capability = Capability.NONE,
    ) -> None:
        super().__init__(send)
        self.capabilities = ~Capability.NONE & ~lacking
        self.signer = signer
        self.endpoint = endpoint
        self.bucket = bucket
        self._project = project
        self._location = location
        self.url = f"{endpoint}/storage/v1/b/{quote(bucket, safe='')}"
        self._uploads = f"{endpoint}/upload/storage/v1/b/{quote(bucket, safe='')}/o"

    def check(self, name: str) -> None:
        """See `Service`."""
        if "\r" in name or "\n" in name or name in (".", ".."):
            raise InvalidKey("Google keeps no object whose name is a dot or two, or has line ends")
        if name.startswith(".well-known/acme-challenge/"):
            raise InvalidKey("Google keeps names under .well-known/acme-challenge/ for itself")
        if len(name.encode()) > 1024:
            raise InvalidKey("Google takes names of 1,024 bytes at most")

    def at(self, name: str) -> str:
        """The URL of an object."""
        return f"{self.url}/o/{quote(name, safe='')}"

    # -- reading ----------------------------------------------------------------------------

    async def head(self, name: str) -> ObjectInfo:
        """See `Service`."""
        return (await self.owner(name))[0]

    async def owner(self, name: str) -> tuple[ObjectInfo, str | None]:
        """See `Service`."""
        reply = await self._present(Request("GET", self.at(name)))
        found = resource(reply)
        return info_of(found, name), (found.get("metadata") or {}).get(TOKEN)

    def download(self, name: str, if_match: str | None, if_none_match: str | None) -> Request:
        """See `Service`."""
        query = {"alt": "media"}
        if if_match is not None:
            query["ifGenerationMatch"] = generation_of(if_match)
        if if_none_match is not None:
            query["ifGenerationNotMatch"] = generation_of(if_none_match)
        return Request("GET", self.at(name), query)

    def told(self, name: str, answer: Answer, size: int) -> ObjectInfo:
        """See `Service`."""
        generation = answer.headers.get("X-Goog-Generation", "")
        if not generation.isdecimal():
            raise MalformedResponse("the server's answer lacks the object's generation")
        told = [text for head, text in answer.headers.items() if head.lower() == "x-goog-hash"]
        md5 = re.search(r"\bmd5=([\w+/]+=*)", ",".join(told))
        return ObjectInfo(name, size, generation, checksum=checksum(md5[1] if md5 else None))

    @asynccontextmanager
    async def opened(self, request: Request) -> AsyncIterator[Answer]:
        """See `Service`."""
        try:
            async with self.send.open(request) as answer:
                yield answer
        except Refusal as error:
            await self._look(error)
            raise error.meaning() from None

    async def _present(self, request: Request, *, if_absent: bool = False) -> Reply:
        """Send what an object has to be there for."""
        try:
            return await self.send(request)
        except Refusal as error:
            await self._look(error)
            raise error.meaning(if_absent=if_absent) from None

    async def _look(self, error: Refusal) -> None:
        """Find out whether it is the bucket that is missing."""
        if error.status == 404 and not (error.no_store or error.no_object):
            query = {"maxResults": "1", "fields": "kind"}
            with understood(of_object=False):
                await self.send(Request("GET", f"{self.url}/o", query))

    # -- writing ----------------------------------------------------------------------------

    async def put(
        self, name: str, data: bytes | memoryview, options: WriteOptions, token: str | None
    ) -> ObjectInfo:
        """See `Service`."""
        md5 = await md5_of(data)
        told = {**about(name, options, token), "md5Hash": in_base64(md5)}
        mark = secrets.token_hex(16)
        body = (
            f"--{mark}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n".encode(),
            json.dumps(told).encode(),
            f"\r\n--{mark}\r\nContent-Type: {told['contentType']}\r\n\r\n".encode(),
            data,
            f"\r\n--{mark}--\r\n".encode(),
        )
        request = Request(
            "POST",
            self._uploads,
            {"uploadType": "multipart", **writing(options)},
            {"Content-Type": f"multipart/related; boundary={mark}"},
            body,
        )
        with understood(of_object=False, if_absent=options.if_absent):
            reply = await self.send(request)
        return checked(resource(reply), name, len(data), md5)

    async def upload(self, name: str, options: WriteOptions, token: str | None) -> Upload:
        """See `Service`."""
        told = about(name, options, token)
        request = Request(
            "POST",
            self._uploads,
            {"uploadType": "resumable", "name": name, **writing(options)},
            {
                "Content-Type": "application/json; charset=UTF-8",
                "X-Upload-Content-Type": told["contentType"],
            },
            (json.dumps(told).encode(),),
        )
        with understood(of_object=False, if_absent=options.if_absent):
            reply = await self.send(request)
        # Only the endpoint that was told gets our token, whatever the server calls itself.
        place = urlsplit(reply.headers.get("Location", ""))
        if "upload_id=" not in place.query:
            raise MalformedResponse("the server's answer lacks the place of the upload")
        at = f"{self.endpoint}{place.path}?{place.query}"
        return Session(self.send, name, options, at, told["contentType"])

    async def delete(self, name: str, missing_ok: bool, etag: str | None) -> None:
        """See `Service`."""
        query = {} if etag is None else {"ifGenerationMatch": generation_of(etag)}
        request = Request("DELETE", self.at(name), query, again=missing_ok)
        try:
            await self.send(request)
        except Refusal as error:
            await self._look(error)
            await self.accept_gone(error, name, missing_ok, etag)

    @property
    def identity(self) -> Hashable:
        """See `Service`."""
        return "gcs", self.endpoint, self.signer.identity

    async def copy(
        self, origin: Origin, target: str, options: WriteOptions, step: Step
    ) -> ObjectInfo:
        """See `Service`."""
        assert isinstance(origin.service, GoogleBucket)
        source = origin.service.at(origin.name)
        url = f"{source}/rewriteTo/b/{quote(self.bucket, safe='')}/o/{quote(target, safe='')}"
        query = writing(options)
        if origin.etag is not None:
            query["ifSourceGenerationMatch"] = generation_of(origin.etag)
        again = not options.conditional
        while True:
            request = Request("POST", url, query, again=again)
            answer = parsed(await step(self._present(request, if_absent=options.if_absent)))
            if answer.get("done") is True and isinstance(answer.get("resource"), dict):
                return info_of(answer["resource"], target)
            if not answer.get("rewriteToken"):
                raise MalformedResponse("the server's answer does not say how the copy goes on")
            query = {**query, "rewriteToken": str(answer["rewriteToken"])}

    # -- the bucket -------------------------------------------------------------------------

    async def pages(
        self, prefix: str, start_after: str, delimiter: str
    ) -> AsyncGenerator[Page, None]:
        """See `Service`."""
        query = {"maxResults": PAGE, "fields": f"kind,nextPageToken,prefixes,items({FIELDS})"}
        told = {"prefix": prefix, "startOffset": start_after, "delimiter": delimiter}
        query |= {name: text for name, text in told.items() if text}
        seen: set[str] = set()
        while True:
            with understood(of_object=False):
                answer = parsed(await self.send(Request("GET", f"{self.url}/o", query)))
            if answer.get("kind") != "storage#objects":
                raise MalformedResponse("the server's answer is no listing")
            yield page_of(answer, prefix)
            token = answer.get("nextPageToken")
            if not token:
                return
            if not isinstance(token, str) or token in seen:
                raise MalformedResponse("a listing that does not say anew where it goes on")
            seen.add(token)
            query["pageToken"] = token

    async def create(self) -> None:
        """See `Service`."""
        project = self._project or self.signer.project
        if not project:
            raise ConfigError("to make a bucket, a project has to be told")
        told = {"name": self.bucket} | ({"location": self._location} if self._location else {})
        request = Request(
            "POST",
            f"{self.endpoint}/storage/v1/b",
            {"project": project},
            {"Content-Type": "application/json"},
            (json.dumps(told).encode(),),
        )
        try:
            await self.send(request)
        except Refusal as error:
            if error.status != 409:
                raise error.meaning(of_object=False) from None
