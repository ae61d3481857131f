"""``python -m storage`` is the command ``storage``."""

from .cli.process import command

command()
