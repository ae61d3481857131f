"""Object storage for asyncio, and blocking for scripts: one protocol, many stores."""

# Known to type checkers by its name; to load `typing` would take longer than all of this.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ._registry import open_async_store, open_store

__all__ = ["__version__", "open_async_store", "open_store"]

__version__: str

# Not for type checkers: they would take any name for one that this module has.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # Looked up when asked for: a package's metadata takes longer to read than all imports, and
        # whoever imports `storage.fs` needs no registry.
        if name not in __all__:
            raise AttributeError(f"module 'storage' has no attribute {name!r}")
        if name != "__version__":
            from . import _registry

            return getattr(_registry, name)
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("storage")
        except PackageNotFoundError:
            # Imported from a clone that nobody has installed.
            return "0+unknown"
