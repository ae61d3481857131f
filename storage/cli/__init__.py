"""The command ``storage``; each family of verbs is a file, loaded when it is called."""

from .main import main
from .process import command

__all__ = ["command", "main"]
