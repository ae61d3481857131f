"""Media types, and names of files in headers."""

from __future__ import annotations

import mimetypes
import re
from urllib.parse import quote

UNKNOWN = "application/octet-stream"

mimetypes.init()  # here, and not while a request waits: it reads files

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word
_KIND = re.compile(rf"{_TOKEN}/{_TOKEN}(?:[ \t]*;[\x20-\x7e]*)?")
_ENCODED = {
    "br": "application/x-brotli",
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}
_UNSAFE = re.compile(r'[^\x20-\x7e]|["%\\]')
# attr-char of RFC 8187, less the letters and digits that are never quoted.
_ATTRIBUTE = "!#$&+-.^_`|~"


def is_kind(text: str) -> bool:
    """Whether a text is a media type."""
    return _KIND.fullmatch(text) is not None


def kind_of(told: str | None, key: str) -> str:
    """An object's media type: what was told of it, else what its name says."""
    if told is not None and is_kind(told):
        return told
    kind, encoding = mimetypes.guess_type(f"./{name_of(key)}")
    if encoding is not None:
        return _ENCODED.get(encoding, UNKNOWN)
    return kind or UNKNOWN


def name_of(key: str) -> str:
    """The last part of a key: a file's name."""
    return key.rstrip("/").rpartition("/")[2] or "object"


def disposition(name: str, *, attachment: bool) -> str:
    """The header's value, with the name in ASCII, too, for those who know no other."""
    form = "attachment" if attachment else "inline"
    plain = _UNSAFE.sub("_", name)
    if plain == name:
        return f'{form}; filename="{name}"'
    return f"{form}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTRIBUTE)}"
