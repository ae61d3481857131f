"""Object storage for Python, asyncio first: one small contract over many media."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["__version__"]

__version__: str

# Not for type checkers: they would take any name for one that this module has.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> str:
        # Reading a distribution's metadata costs more than the rest of this module: on demand.
        if name == "__version__":
            from importlib.metadata import PackageNotFoundError, version

            try:
                return version("storage")
            except PackageNotFoundError:
                # Imported from a clone that nobody has installed.
                return "0+unknown"
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
