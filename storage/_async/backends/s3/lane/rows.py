"""Listings in their usual form: rows of plain fields, which a pattern reads in half the time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, overload

from ....._core.errors import MalformedResponse
from . import xml

_BEGIN, _END = "<Contents>", "</Contents>"
_NONE = f"{_BEGIN}<Key></Key>{_END}"

_TEXT = "([ -%'-;=?-~]*+)"
"""Printable ASCII, which means the same with and without a parser."""
_QUOTES = "&#34;", "&quot;"
"""The only references that usual rows have: those around each etag."""
_FIELD = re.compile("<([A-Za-z0-9]+)>")
_FORMS = {"Size": "([0-9]{1,18}+)"}
_MOST = 12


class Table(Sequence[xml.Entry]):
    """Rows as the client has them, each made when it is asked for: its columns do for most.

    Args:
        columns: The values of all rows by the names of their fields, in order.
    """

    def __init__(self, columns: Mapping[str, list[Any]]) -> None:
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns["Key"])

    @overload
    def __getitem__(self, index: int) -> xml.Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[xml.Entry]: ...
    def __getitem__(self, index: int | slice) -> xml.Entry | list[xml.Entry]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        return {name: column[index] for name, column in self.columns.items()}


class Rows(NamedTuple):
    """A listing that was in its usual form."""

    rest: xml.Document
    """The document, with a row that says nothing in place of all."""
    columns: dict[str, tuple[str, ...]]
    """The texts of all rows by the names of their fields, in order."""

    def table(self, reads: Mapping[str, Callable[[str], Any]]) -> Table:
        """The rows; of the fields that somebody reads only."""
        return Table(
            {
                name: list(column if reads[name] is str else map(reads[name], column))
                for name, column in self.columns.items()
                if name in reads
            }
        )


def split(content: bytes) -> Rows | None:
    """Take a listing's rows out of the document; None: the parser has to look at all of it.

    What is left is parsed, so that nothing is taken for rows that the parser would not.
    """
    begin, end = content.find(_BEGIN.encode()), content.rfind(_END.encode())
    if not 0 <= begin < end:
        return None
    end += len(_END)
    try:
        text = content[begin:end].decode("ascii")
    except UnicodeDecodeError:
        return None
    for quote in _QUOTES:
        if "&" in text:
            text = text.replace(quote, '"')
    names = tuple(_FIELD.findall(text, len(_BEGIN), text.index(_END)))
    if len(set(names)) != len(names) or not {"Key", "Size"} <= set(names) or len(names) > _MOST:
        return None
    columns = dict(zip(names, zip(*_form(names).findall(text), strict=True), strict=True))
    if not all(columns["Size"]):
        return None  # there was something else
    try:
        rest = xml.parse(content[:begin] + _NONE.encode() + content[end:])
    except MalformedResponse:
        return None
    return Rows(rest, columns) if rest.entries.get("Contents") == [{"Key": ""}] else None


@lru_cache(8)
def _form(names: tuple[str, ...]) -> re.Pattern[str]:
    """What a row matches; all else, up to the end, matches as a row whose size is empty."""
    fields = (f"<{name}>{_FORMS.get(name, _TEXT)}</{name}>" for name in names)
    return re.compile(f"{_BEGIN}{''.join(fields)}{_END}|(?s:.++)")
