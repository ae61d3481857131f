r"""What a pattern for keys says, much as in a ``.gitignore``.

========== =================================================================================
``*``      any characters but ``/``
``?``      one character but ``/``
``[a-z]``  one of these, ``[!a-z]`` or ``[^a-z]`` one of the others; never ``/``
``**``     any characters; as a whole segment (``a/**/b``) any number of segments, also none
``/``      in front or within: the pattern begins at the root, otherwise at any segment
``x/``     at the end: only what is below ``x``; without it, the object ``x`` and all below
``!``      in front: takes back what patterns before it match; the last that matches decides
``\``      the next character as it is
========== =================================================================================

Upper and lower case differ. Unlike git, an excluded directory can be had again in part, since
stores have no directories, and ``**`` crosses slashes wherever it stands, as in rsync and rclone.
``{a,b}`` and ``[:alpha:]``, which some tools know, are refused instead of being taken for letters.
"""

from __future__ import annotations

import re
from itertools import takewhile

from .errors import ConfigError
from .text import shorten

MAX_PATTERN = 4096
"""Characters of one pattern; the longest key has a quarter of that."""

_TOKEN = re.compile(
    r"(?P<directories>(?:^|(?<=/))\*\*+/(?=.))|(?P<all>\*\*+)|(?P<star>\*)|(?P<any>\?)"
    r"|\[(?P<negated>[!^]?)(?P<set>\]?+(?:\\.|[^\]\\/])*)\]|\\(?P<escaped>.)|(?P<letter>[^\\\[{])",
    re.DOTALL,
)
_MEMBER = re.compile(r"\\?(.)(?:-\\?(.))?", re.DOTALL)


class Pattern:
    """One pattern, read.

    Args:
        text: As the user wrote it.
    """

    def __init__(self, text: str) -> None:
        if len(text) > MAX_PATTERN:
            raise ConfigError(f"a pattern has at most {MAX_PATTERN} characters: {_shown(text)}")
        body = text.removeprefix("!")
        self.positive = body == text
        self.below = body.endswith("/")
        self.rooted = "/" in body[:-1]
        self.tokens = [] if self.rooted else [("directories", "")]
        self._read(body.removeprefix("/"), text)

    def _read(self, body: str, text: str) -> None:
        if not body:
            raise ConfigError(f"a pattern with nothing to match: {text!r}")
        place = 0
        while place < len(body):
            match = _TOKEN.match(body, place)
            if match is None:
                raise ConfigError(_complaint(body[place], text))
            place = match.end()
            token = _token(match, text)
            if token != ("directories", "") or self.tokens[-1:] != [token]:
                self.tokens.append(token)

    @property
    def head(self) -> str:
        """What all that it matches begins with."""
        letters = takewhile(lambda token: token[0] == "letter", self.tokens)
        return "".join(value for _, value in letters)


def _token(match: re.Match[str], text: str) -> tuple[str, str]:
    match match.lastgroup:
        case "letter" | "escaped" as kind:
            return "letter", match[kind]
        case "set":
            return "set", _members(match["set"], bool(match["negated"]), text)
        case kind:
            return str(kind), ""


def _members(body: str, negated: bool, text: str) -> str:
    """The regular expression of one character of a set."""
    if "[:" in body:
        raise ConfigError(f"[:classes:] by name are not known here: {_shown(text)}")
    parts = []
    for first, last in _MEMBER.findall(body):
        if last and last < first:
            raise ConfigError(f"no letters are between {first} and {last}: {_shown(text)}")
        parts.append(re.escape(first) + (f"-{re.escape(last)}" if last else ""))
    return f"[{'^' if negated else ''}{''.join(parts)}]"


def _complaint(letter: str, text: str) -> str:
    if letter == "{":
        reason = "alternatives in braces are several patterns here, and a brace is \\{"
    elif letter == "[":
        reason = "a [set] without its end, or with a slash in it; a bracket is \\["
    else:
        reason = "a backslash with nothing behind it"
    return f"{reason}: {_shown(text)}"


def _shown(text: str) -> str:
    return shorten(repr(text))


def read_patterns(text: str) -> list[str]:
    """The patterns in a file: one a line, without empty lines and those that begin with ``#``.

    Spaces at the end of a line do not count, unless there is a backslash in front.
    """
    lines = (re.sub(r"(?<!\\) +$", "", line.rstrip("\r")) for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]
