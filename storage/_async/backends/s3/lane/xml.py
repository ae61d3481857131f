"""What XML answers say, by the names of their elements."""

from __future__ import annotations

from typing import Any, NamedTuple

from ....._core.errors import MalformedResponse

Entry = dict[str, Any]


class Document(NamedTuple):
    """What a document says."""

    root: str
    """The name of its outermost element."""
    fields: Entry
    """The texts of its elements by their names."""
    entries: dict[str, list[Entry]]
    """Of its elements that hold others, for each name: what is in each of them."""


def parse(content: bytes) -> Document:
    """Read a document.

    Raises:
        MalformedResponse: It is no XML, or none that S3 would send.
    """
    from xml.etree import ElementTree as ET  # listings are read without it

    try:
        # Answers that take long begin with spaces, by which servers keep the connection.
        text = content.decode().lstrip("\ufeff \t\r\n")
        # Without a document type no entity is ever defined, and none can grow.
        if "<!DOCTYPE" in text:
            raise MalformedResponse("the server's answer has a document type")
        root = ET.fromstring(text)  # noqa: S314
    except (ET.ParseError, UnicodeError) as error:
        raise MalformedResponse(f"the server's answer is no XML: {error}") from None
    names = _Names()
    fields: Entry = {}
    entries: dict[str, list[Entry]] = {}
    for child in root:
        if len(child):
            entry = {names[field.tag]: field.text or "" for field in child}
            entries.setdefault(names[child.tag], []).append(entry)
        else:
            fields[names[child.tag]] = child.text or ""
    return Document(names[root.tag], fields, entries)


class _Names(dict[str, str]):
    """Names of elements without the space that they are of."""

    def __missing__(self, tag: str) -> str:
        name = self[tag] = tag.rpartition("}")[2]
        return name
