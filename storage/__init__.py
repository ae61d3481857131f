"""Object storage for asyncio, and blocking for scripts: one protocol, many stores."""

from typing import TYPE_CHECKING

from ._registry import open_async_store, open_store

__all__ = ["__version__", "open_async_store", "open_store"]

__version__: str

# Not for type checkers: they would take any name for one that this module has.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> str:
        # Looked up when asked for: a package's metadata takes longer to read than all imports.
        if name != "__version__":
            raise AttributeError(f"module 'storage' has no attribute {name!r}")
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("storage")
        except PackageNotFoundError:
            # Imported from a clone that nobody has installed.
            return "0+unknown"
