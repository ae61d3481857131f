"""Pages of listings, which are checked before anything in them is believed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, fromstring

from ...._core.errors import MalformedResponse
from ...._core.info import ObjectInfo
from .._cloud.errors import understood
from .._cloud.requests import Request, Requests
from .._cloud.service import UNTOLD, Page
from .attributes import checksum, date

PAGE = "1000"


async def pages(
    send: Requests, url: str, prefix: str, delimiter: str
) -> AsyncGenerator[Page, None]:
    """The pages of a listing.

    Args:
        send: Sends the requests.
        url: The container's.
        prefix: What all names begin with.
        delimiter: What ends a level; empty for all levels.
    """
    query = {"restype": "container", "comp": "list", "maxresults": PAGE}
    query |= {"prefix": prefix} if prefix else {}
    query |= {"delimiter": delimiter} if delimiter else {}
    seen: set[str] = set()
    marker = ""
    while True:
        more = {"marker": marker} if marker else {}
        with understood(of_object=False):
            reply = await send(Request("GET", url, query | more))
        page, marker = _read(reply.body, prefix)
        if marker in seen:
            raise MalformedResponse("a listing that does not say anew where it goes on")
        seen.add(marker)
        yield page
        if not marker:
            return


def _read(body: bytes, prefix: str) -> tuple[Page, str]:
    """A page, and where the next one begins."""
    root = _parsed(body)
    blobs, marker = root.find("Blobs"), root.find("NextMarker")
    if root.tag != "EnumerationResults" or blobs is None or marker is None:
        raise MalformedResponse("the server's answer is no whole listing")
    page = Page([], [])
    for element in blobs:
        name = _name(element)
        if not name.startswith(prefix):
            raise MalformedResponse(f"a listing with names that do not begin with {prefix!r}")
        if element.tag == "BlobPrefix":
            page.prefixes.append(name)
        elif element.tag == "Blob":
            page.objects.append(_info(name, element))
    return page, marker.text or ""


def _parsed(body: bytes) -> Element:
    if b"<!" in body[:1024]:  # entities would follow
        raise MalformedResponse("a listing with a document type")
    try:
        return fromstring(body)  # noqa: S314 - see above
    except ParseError:
        raise MalformedResponse("the server's answer is no listing") from None


def _name(element: Element) -> str:
    found = element.find("Name")
    if found is None or not found.text:
        raise MalformedResponse("a listing with a blob that has no name")
    return unquote(found.text) if found.get("Encoded") == "true" else found.text


def _info(name: str, element: Element) -> ObjectInfo:
    told = {each.tag: each.text or "" for each in element.iterfind("Properties/*")}
    size, etag = told.get("Content-Length", ""), told.get("Etag") or told.get("ETag")
    if not size.isdecimal() or not etag:
        raise MalformedResponse("a listing with a blob that has no length or no etag")
    content_type = told.get("Content-Type") or None
    return ObjectInfo(
        name,
        int(size),
        etag.strip('"'),
        date(told.get("Last-Modified")),
        None if content_type == UNTOLD else content_type,
        checksum=checksum(told.get("Content-MD5")),
    )
