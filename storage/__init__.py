"""Object storage for Python, asyncio first: one small contract over many media."""

from __future__ import annotations

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    # Reading a distribution's metadata costs more than the rest of this module: on demand only.
    if name == "__version__":
        from importlib.metadata import version

        return version("storage")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
