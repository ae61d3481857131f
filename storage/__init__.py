"""Object storage for asyncio, and blocking for scripts: one protocol, many stores."""

from ._registry import open_async_store, open_store

__all__ = ["__version__", "open_async_store", "open_store"]


def __getattr__(name: str) -> str:
    # Looked up when asked for: reading a package's metadata takes longer than all other imports.
    if name != "__version__":
        raise AttributeError(f"module 'storage' has no attribute {name!r}")
    from importlib.metadata import version

    return version("storage")
