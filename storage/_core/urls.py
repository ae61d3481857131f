"""URLs of stores: their parts, and options that are typed and known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload
from urllib.parse import parse_qsl, unquote, urlsplit

from .errors import ConfigError
from .text import Secret

T = TypeVar("T")
D = TypeVar("D")

BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass
class StoreURL:
    """The parts of a URL, unquoted.

    A backend takes each option that it knows with `option`; `finish` then refuses the rest.
    """

    scheme: str
    host: str = ""
    """Host and port as they stand, without user and password."""
    path: str = ""
    user: str | None = None
    password: Secret | None = None
    options: dict[str, str] = field(default_factory=dict, repr=False)
    _known: list[str] = field(default_factory=list, repr=False)

    @classmethod
    def parse(cls, text: str) -> StoreURL:
        """Take a URL apart.

        Raises:
            ConfigError: It is none, has a fragment, or gives an option twice.
        """
        parts = urlsplit(text)
        if not parts.scheme:
            raise ConfigError(f"no URL: it has no scheme: {cls._harmless(text)}")
        if parts.fragment:
            raise ConfigError("a store's URL has no fragment: write '#' as %23")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        options = dict(pairs)
        if len(options) < len(pairs):
            raise ConfigError(f"an option stands twice in the URL of {parts.scheme}")
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        return cls(
            parts.scheme,
            unquote(parts.netloc.rpartition("@")[2]),
            unquote(parts.path),
            unquote(user) if user else None,
            Secret(unquote(password)) if password else None,
            options,
        )

    @staticmethod
    def _harmless(text: str) -> str:
        return repr(text.rpartition("@")[2].partition("?")[0])

    @overload
    def option(self, name: str, kind: Callable[[str], T], default: D) -> T | D: ...
    @overload
    def option(self, name: str, kind: Callable[[str], T]) -> T | None: ...
    def option(self, name: str, kind: Callable[[str], Any], default: Any = None) -> Any:
        """Take an option.

        Args:
            name: Its name.
            kind: ``str``, ``int``, ``float``, ``bool`` or another function of the text; `bool`
                takes true, false, yes, no, 1 and 0.
            default: What it is where the URL does not say.

        Raises:
            ConfigError: The text does not mean such a value.
        """
        self._known.append(name)
        if name not in self.options:
            return default
        text = self.options[name]
        try:
            return BOOLEANS[text.lower()] if kind is bool else kind(text)
        except (ValueError, KeyError):
            wanted = getattr(kind, "__name__", "value")
            raise ConfigError(
                f"option {name!r} of a {self.scheme} URL is a {wanted}: it cannot be {text!r}"
            ) from None

    def finish(self) -> None:
        """Refuse the options that nobody took.

        Raises:
            ConfigError: It names them, and those that are known.
        """
        unknown = sorted(set(self.options) - set(self._known))
        if unknown:
            known = ", ".join(sorted(self._known)) or "none"
            raise ConfigError(
                f"a {self.scheme} URL has no option {', '.join(map(repr, unknown))}; known: {known}"
            )
