"""Backends for all stores of a process, registered by the classes' own methods."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from . import backends


class Registering:
    """What `AutoStore` and `AsyncAutoStore` are asked for without a store."""

    @classmethod
    def register_backend(cls, scheme: str, backend_class: Any) -> None:
        """Let all stores open URLs of a scheme by a backend.

        Args:
            scheme: Such as ``"s3"``.
            backend_class: `S3Backend`, `LocalFileBackend`, a subclass of `StorageBackend`, or an
                async store class with a ``from_url``.
        """
        backends.register(scheme, backend_class)

    @classmethod
    def register_scheme(cls, scheme: str, module_path: str) -> None:
        """The same with ``"package.module.Class"``, which is imported at once."""
        module, _, name = module_path.replace(":", ".").rpartition(".")
        backends.register(scheme, getattr(import_module(module), name))

    @classmethod
    def unregister_backend(cls, scheme: str) -> None:
        """Open a scheme's URLs as if nothing had been registered for it."""
        backends.unregister(scheme)

    @classmethod
    def get_supported_backends(cls) -> list[str]:
        """All schemes of URLs, sorted."""
        return backends.schemes()
