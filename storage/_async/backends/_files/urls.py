"""Which path a URL means."""

from __future__ import annotations

from ...._core.errors import ConfigError
from ...._core.urls import StoreURL


def path_of(url: StoreURL) -> str:
    """The path that a URL means: ``file:///absolute`` or ``file://relative/to/here``.

    Raises:
        ConfigError: It has none, or a user.
    """
    if url.user is not None or url.password is not None:
        raise ConfigError(f"a {url.scheme} URL has no user: write '@' in a path as %40")
    path = url.path if url.host in ("", "localhost") else url.host + url.path
    if not path:
        raise ConfigError(f"a {url.scheme} URL has a path: {url.scheme}:///absolute/directory")
    return path
