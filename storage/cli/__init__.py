"""The command ``storage``; each family of verbs is a file, loaded when it is called."""

from .main import main

__all__ = ["main"]
