"""Values out of the environment, and what must never be shown."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote, quote_plus

from .documents import Value

_VARIABLE = re.compile(r"\$(?:(\$)\{|\{([A-Za-z_]\w*)(?::-([^}]*))?\})", re.ASCII)
_PRIVATE = re.compile(
    r"secret|passw|token|credential|private|(?:^|[._-])key$|key_?id$", re.IGNORECASE
)
_SHORT = 4
"""Characters from which on a value of the environment is taken for a secret."""


class Secrets:
    """Resolves ``${NAME}`` and ``${NAME:-default}``, and remembers what came out of it."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()

    def plain(self, value: Value) -> Any:
        """A value with all in it, without places.

        Raises:
            ConfigError: A variable is not set, and has no default.
        """
        if isinstance(value.data, dict):
            return {name: self.plain(part) for name, part in value.data.items()}
        if isinstance(value.data, list):
            return [self.plain(part) for part in value.data]
        if not isinstance(value.data, str):
            return value.data
        found = self._resolved(value)
        if is_private(value.place.path):
            self.hide(found)
        return found

    def _resolved(self, value: Value) -> str:
        def found(match: re.Match[str]) -> str:
            if match[1]:
                return "${"
            text = os.environ.get(match[2], match[3])
            if text is None:
                raise value.place.error(
                    f"the environment has no variable {match[2]}; set it, or give a default: "
                    f"${{{match[2]}:-default}}"
                )
            if match[2] in os.environ and (len(text) >= _SHORT or is_private(match[2])):
                self.hide(text)
            return text

        text: str = value.data
        return _VARIABLE.sub(found, text) if "$" in text else text

    def hide(self, text: str) -> None:
        """Never show this."""
        if text:
            self._hidden |= {text, repr(text)[1:-1], quote(text), quote(text, ""), quote_plus(text)}

    def scrubbed(self, text: str) -> str:
        """A message without what is hidden."""
        for hidden in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(hidden, "***")
        return text


def is_private(path: str) -> bool:
    """Whether a name tells that its value is nobody's business."""
    names = [part for part in path.split(".") if not part.isdecimal()]
    return bool(names) and _PRIVATE.search(names[-1]) is not None
