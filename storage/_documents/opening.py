"""Documents by URL."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .. import open_async_store
from .._async.documents.backend import AsyncDocumentBackend, checked
from .._async.documents.codecs import is_codec
from .._async.documents.keyed import AsyncObjectBackend
from .._async.documents.onefile import AsyncFileBackend
from .._async.documents.ready import FOR_ALL, owning
from .._async.documents.storage import AsyncStorage
from .._core.errors import ConfigError
from .._sync.documents.storage import Storage


def open_async_documents(url: str, settings: Mapping[str, Any] | None = None) -> AsyncStorage:
    """Make the documents that a URL means; nothing is touched before they are opened or used.

    Args:
        url: ``json:///path/notes.json`` is a collection in one file, and ``ftp+json://host/notes``
            one in an object of another store, in JSON; ``yaml``, ``ini``, ``msgpack`` and what
            `register_codec` has added stand in the place of ``json``. The last part of the path is
            the object's key, unless the option ``key`` says it. Any other URL is that of a store,
            such as ``sqlite:///notes.sqlite`` or ``s3://bucket/notes``, where each value is an
            object. What is in ``memory://`` is gone when it is closed.
        settings: As for `AsyncStorage`: limits, ``copies``, and of a collection in one object
            ``lock``, ``lock_wait`` and ``lease``.

    Raises:
        ConfigError: The URL or a setting makes no sense.
        MissingExtra: A package is not installed.
    """
    given = dict(settings or {})
    limits = {name: given.pop(name) for name in FOR_ALL if name in given}
    return AsyncStorage(_backend(url, given), limits)


def open_documents(url: str, settings: Mapping[str, Any] | None = None) -> Storage:
    """The same for blocking callers; arguments and errors are `open_async_documents`'s."""
    return Storage.around(open_async_documents(url, settings))


def _backend(url: str, settings: dict[str, Any]) -> AsyncDocumentBackend:
    scheme, _, rest = url.partition("://")
    outer, _, codec = scheme.rpartition("+")
    if rest and is_codec(codec):
        place, key = _cut(f"{outer or 'file'}://{rest}")
        remake = partial(open_async_store, place)
        options = checked(AsyncFileBackend, settings)
        return owning(AsyncFileBackend(remake(), key, codec=codec, **options), remake)
    remake = partial(open_async_store, url)
    return owning(AsyncObjectBackend(remake(), **checked(AsyncObjectBackend, settings)), remake)


def _cut(url: str) -> tuple[str, str]:
    """The URL of the store, and the key within it."""
    parts = urlsplit(url)
    if parts.fragment:
        raise ConfigError("a URL of documents has no fragment: write '#' as %23")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    host, path, key = parts.netloc, parts.path, options.pop("key", None)
    if key is None and parts.scheme == "file" and not path:
        host, key = ".", unquote(host)
    elif key is None:
        path, name = posixpath.split(path)
        key = unquote(name)
    if not key:
        raise ConfigError("the URL names no object: end its path with one, or give the option key")
    query = f"?{urlencode(options, quote_via=quote)}" if options else ""
    return f"{parts.scheme}://{host}{path}{query}", key
