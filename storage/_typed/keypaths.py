"""The words of paths: pathlib's, on keys."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from .blocking import AutoStore

Other: TypeAlias = "str | os.PathLike[str]"


class KeyPath:
    """What a `StorePath` is but for the objects."""

    def __init__(self, store: AutoStore, path: Other = "") -> None:
        self.store = store
        text = os.fspath(path).replace("\\", "/")
        scheme, found, rest = text.partition("://")
        host, _, rest = rest.partition("/") if found else ("", "", text)
        self._base = f"{scheme}://{host}" if found else ""
        self._path = PurePosixPath(rest.strip("/"))

    def _with(self, path: PurePosixPath) -> Self:
        return type(self)(self.store, f"{self._base}/{path}" if self._base else path)

    # -- the path -----------------------------------------------------------------------------

    @property
    def path(self) -> str:
        """The key, with forward slashes; empty for the store itself."""
        text = "" if self._path == PurePosixPath() else str(self._path)
        return "/".join(part for part in (self._base, text) if part)

    @property
    def name(self) -> str:
        """The last part."""
        return self._path.name

    @property
    def stem(self) -> str:
        """The last part without its last extension."""
        return self._path.stem

    @property
    def suffix(self) -> str:
        """The last extension, with its dot."""
        return self._path.suffix

    @property
    def suffixes(self) -> list[str]:
        """All extensions."""
        return self._path.suffixes

    @property
    def parent(self) -> Self:
        """The path without its last part."""
        return self._with(self._path.parent)

    @property
    def parents(self) -> list[Self]:
        """The parent, its parent, and so on."""
        return [self._with(path) for path in self._path.parents]

    def joinpath(self, *others: Other) -> Self:
        """This path with others behind it."""
        texts = (os.fspath(other).replace("\\", "/").lstrip("/") for other in others)
        return self._with(self._path.joinpath(*texts))

    def __truediv__(self, other: Other) -> Self:
        return self.joinpath(other)

    def with_name(self, name: str) -> Self:
        """With another last part."""
        return self._with(self._path.with_name(name))

    def with_stem(self, stem: str) -> Self:
        """With another last part and the same extension."""
        return self._with(self._path.with_stem(stem))

    def with_suffix(self, suffix: str) -> Self:
        """With another last extension."""
        return self._with(self._path.with_suffix(suffix))

    def match(self, pattern: str) -> bool:
        """Whether a pattern of pathlib matches the end of the path."""
        return self._path.match(pattern)

    def relative_to(self, other: Other | KeyPath) -> str:
        """The path from another one on. Raises ``ValueError`` if it is not below that."""
        base = other if isinstance(other, KeyPath) else type(self)(self.store, other)
        if base._base != self._base:
            raise ValueError(f"{self} is not below {base}")
        return str(self._path.relative_to(base._path))

    def resolve(self) -> Self:
        """The path itself: a store has no links."""
        return self

    def is_absolute(self) -> bool:
        """Whether it is a full URL."""
        return bool(self._base)

    def as_posix(self) -> str:
        """The key."""
        return self.path

    def as_uri(self) -> str:
        """The URL, as far as the store was made of one."""
        if self._base:
            return self.path
        return f"{self.store.list_active_backends()[0].rstrip('/')}/{self.path}"

    def __fspath__(self) -> str:
        # A relative one would mean another file to `open` and to all others that take a path.
        return f"/{self.path}" if self.store._async._root == Path("/") else self.path

    def __str__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, KeyPath):
            return NotImplemented
        return (self.store, self.path) == (other.store, other.path)

    def __hash__(self) -> int:
        return hash((id(self.store), self.path))
