"""The commands of README.md, which stand nowhere else.

A command is the one line of the code block that follows an HTML comment with its name.
Usage: python3 tests/repository/readme.py NAME
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def command(name: str) -> str:
    """The command of the block marked `<!-- NAME -->`."""
    block = rf"^<!-- {re.escape(name)} -->\n```sh\n(.+)\n```$"
    found: list[str] = re.findall(block, README.read_text("utf-8"), re.MULTILINE)
    if len(found) != 1:
        raise LookupError(f"README.md has {len(found)} blocks of one line marked {name}")
    return found[0]


if __name__ == "__main__":
    sys.stdout.write(command(sys.argv[1]) + "\n")
