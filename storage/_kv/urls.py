"""What URLs of key-value stores say, as the parameters of `get_store`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from .._core.errors import ConfigError
from .._core.text import Secret
from .._core.urls import BOOLEANS, StoreURL

Parameters = dict[str, Any]


def url2dict(url: str, raise_on_extra_params: bool = False) -> Parameters:
    """Take a URL apart.

    Args:
        url: See `get_store_from_url`.
        raise_on_extra_params: Whether an option that is not known is a `ConfigError`; else it is
            left out.

    Returns:
        The arguments of `get_store`: ``type``, perhaps ``wrap`` and ``create_if_missing``, and
        the others of that type.

    Raises:
        ConfigError: The URL, or a value in it, makes no sense (a ``ValueError``).
    """
    text, _, fragment = url.partition("#")
    parsed = StoreURL.parse(text)
    parsed.scheme, *outermost_first = parsed.scheme.split("+")
    wrappers = _wrappers(outermost_first, fragment)
    known: Parameters = {"type": parsed.scheme}
    if wrappers:
        known["wrap"] = "+".join(wrappers)
    create = parsed.option("create_if_missing", bool)
    if create is not None:
        known["create_if_missing"] = create
    found = _reader(parsed.scheme)(parsed)
    if raise_on_extra_params:
        parsed.finish()
    return known | {name: value for name, value in found.items() if value is not None}


def extract_params(
    scheme: str,
    host: str | None,
    port: int | None,
    path: str,
    query: dict[str, list[str]],
    userinfo: str | None,
) -> Parameters:
    """What `url2dict` takes from a URL's parts; the last value of each option counts."""
    user, _, password = (userinfo or "").partition(":")
    netloc = f"{host or ''}:{port}" if port else host or ""
    options = {name: values[-1] for name, values in query.items()}
    url = StoreURL(
        scheme.partition("+")[0],
        netloc,
        path,
        user or None,
        Secret(password) if password else None,
        options,
    )
    found = _reader(url.scheme)(url)
    return {name: value for name, value in found.items() if value is not None}


def _wrappers(outermost_first: list[str], fragment: str) -> list[str]:
    """The wrappers, innermost first: in a scheme the first is outermost, after ``#wrap:`` the last.

    Both orders are those that users of such URLs know.
    """
    chosen = [part.removeprefix("wrap:") for part in fragment.split("#") if part[:5] == "wrap:"]
    innermost_first = chosen[-1].split("+") if chosen and chosen[-1] else []
    if outermost_first and innermost_first:
        raise ConfigError("a URL names wrappers in its scheme or after #wrap:, not in both")
    return outermost_first[::-1] or innermost_first


def _reader(scheme: str) -> Callable[[StoreURL], Parameters]:
    known = _READERS.get(scheme) or _READERS.get(scheme.removeprefix("h"))
    if known is None:
        raise ConfigError(f"unknown type of key-value store: {scheme!r}")
    return known


def is_known(scheme: str) -> bool:
    """Whether a scheme is one of key-value stores."""
    return scheme in _READERS or scheme.removeprefix("h") in _READERS


def _nothing(url: StoreURL) -> Parameters:
    if url.host or url.path:
        raise ConfigError(f"a URL of {url.scheme} is just {url.scheme}://")
    return {}


def _files(url: StoreURL) -> Parameters:
    perm = url.option("perm", lambda text: int(text, 8))
    return {"path": url.host + url.path, "perm": perm}


def _redis(url: StoreURL) -> Parameters:
    host, port = _place(url.host)
    user, password = url.user, url.password
    if user and password is None:  # redis://password@host
        user, password = None, Secret(url.user or "")
    database = url.path.strip("/")
    if database and not database.isdecimal():
        raise ConfigError(f"a redis URL ends with the number of a database, not with {database!r}")
    return {
        "host": host or "localhost",
        "port": port,
        "db": int(database) if database else None,
        "username": user,
        "password": password,
    }


def _s3(url: StoreURL) -> Parameters:
    return {
        "host": url.host,
        "bucket": url.path.strip("/"),
        "access_key": url.user,
        "secret_key": url.password,
        "force_bucket_suffix": url.option("force_bucket_suffix", bool),
        "is_secure": url.option("is_secure", bool),
        "object_prefix": url.option("object_prefix", str),
        "public": url.option("public", bool),
        "region_name": url.option("region_name", str),
        "session_token": url.option("session_token", str),
        "url_valid_time": url.option("url_valid_time", int),
        "verify": url.option("verify", _verify),
    }


def _azure(url: StoreURL) -> Parameters:
    if url.user is None or url.password is None:
        raise ConfigError("a URL of azure is azure://account:key@container")
    return {
        "account_name": url.user,
        "account_key": url.password,
        "container": url.host,
        "use_sas": url.option("use_sas", _flag),
        "max_connections": url.option("max_connections", int),
        "max_block_size": url.option("max_block_size", _product),
        "max_single_put_size": url.option("max_single_put_size", _product),
        "socket_timeout": url.option("socket_timeout", float),
        "checksum": url.option("checksum", bool),
    }


def _gcs(url: StoreURL) -> Parameters:
    try:
        credentials = base64.b64decode(url.user or "", b"-_", validate=True) or None
    except (binascii.Error, ValueError):
        raise ConfigError("the credentials in a URL of gcs are JSON in URL-safe Base64") from None
    return {
        "bucket_name": url.host,
        "credentials": credentials,
        "bucket_creation_location": url.option("bucket_creation_location", str),
        "project": url.option("project", str),
    }


def _place(host: str) -> tuple[str, int | None]:
    name, colon, port = host.rpartition(":")
    if not colon:
        return host, None
    if not port.isdecimal():
        raise ConfigError(f"the port in {host!r} is no number")
    return name, int(port)


def _flag(text: str) -> bool:
    """An option that is on where it just stands there."""
    return BOOLEANS[text.lower()] if text else True


def _verify(text: str) -> bool | str:
    """Whether certificates are checked, or the path of those that are trusted."""
    return BOOLEANS.get(text.lower(), text)


def _product(text: str) -> int:
    """A number of bytes, such as ``4*1024*1024``."""
    product = 1
    for factor in text.split("*"):
        product *= int(factor)
    return product


_READERS: dict[str, Callable[[StoreURL], Parameters]] = {
    "azure": _azure,
    "boto": _s3,
    "file": _files,
    "fs": _files,
    "gcs": _gcs,
    "memory": _nothing,
    "redis": _redis,
    "s3": _s3,
}
