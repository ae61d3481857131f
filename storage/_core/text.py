"""Text for messages: short, printable, and without secrets."""

from __future__ import annotations

from typing import Self


def shorten(text: str, limit: int = 120) -> str:
    """``text``, cut in its middle where it is longer than ``limit`` characters."""
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


class Secret(str):
    """A string that prints as ``***``; ``reveal()`` gives the text itself."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        # str() of a secret is its mask; a secret made of one keeps what it hides.
        return super().__new__(cls, text.reveal() if isinstance(text, Secret) else text)

    def __repr__(self) -> str:
        return "'***'"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return str.__str__(self)
