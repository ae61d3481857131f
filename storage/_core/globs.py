"""Which keys a list of patterns matches: one pass over a key, however many patterns there are.

What the patterns mean stands in `globsyntax`. All of them together are one automaton: a set of
places in the patterns, kept as the bits of an integer, moves on by a character with a few
operations. What it does is remembered, so that most characters of most keys cost one look into a
dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import reduce
from operator import getitem

from .globsyntax import Pattern

MEMORY = 32_000_000
"""Bits of remembered states, and at most one state for a thousand of them."""


class Globs:
    """A list of patterns, of which the last one that matches decides.

    Args:
        patterns: Each as `globsyntax` describes them.

    Raises:
        ConfigError: A pattern makes no sense, or is longer than 4,096 characters.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self.patterns = tuple(patterns)
        self._program = _Program()
        self._states: dict[int, _State] = {}
        self._start: _State
        self._last: tuple[str, _State]
        self._heads: set[str] = set()
        for pattern in map(Pattern, self.patterns):
            self._program.add(pattern)
            if pattern.positive:
                self._heads.add(pattern.head)
        self._forget()

    def __reduce__(self) -> tuple[type[Globs], tuple[tuple[str, ...]]]:
        return Globs, (self.patterns,)

    def __bool__(self) -> bool:
        return bool(self.patterns)

    def matches(self, key: str) -> bool:
        """Whether the last pattern that matches the key is one without ``!``."""
        return bool(self.decide(key))

    def decide(self, key: str) -> bool | None:
        """What the last pattern that matches says: True, or False for one with ``!``.

        Returns:
            None where no pattern matches.
        """
        cut = key.rfind("/") + 1
        folder, state = self._last  # keys of one folder come in a row
        if key[:cut] != folder:
            folder = key[:cut]
            state = self._start.after(folder)
            self._last = folder, state
        return state.after(key[cut:]).verdict

    def prefixes(self) -> tuple[str, ...]:
        """What keys begin with that patterns without ``!`` can match; ``""`` for any."""
        return tuple(sorted(self._heads))

    def _forget(self) -> None:
        self._states = {}
        self._start = self._state(self._program.start())
        self._last = "", self._start

    def _state(self, places: int) -> _State:
        found = self._states.get(places)
        if found is None:
            if len(self._states) > MEMORY // (1000 + self._program.size):
                self._forget()
            found = _State(self, places, self._program.verdict(places))
            self._states[places] = found
        return found

    def _moved(self, places: int, letter: str) -> _State:
        return self._state(self._program.move(places, letter))


_following: Callable[[_State, str], _State] = getitem  # no call of Python's for a known letter


class _State(dict[str, "_State"]):
    """Where each character leads to from a set of places; found out when it is first asked."""

    __slots__ = ("_globs", "_places", "verdict")

    def __init__(self, globs: Globs, places: int, verdict: bool | None) -> None:
        self._globs = globs
        self._places = places
        self.verdict = verdict

    def after(self, text: str) -> _State:
        """The state that a text leads to."""
        return reduce(_following, text, self)

    def __missing__(self, letter: str) -> _State:
        following = self[letter] = self._globs._moved(self._places, letter)
        return following


class _Program:
    """All places of all patterns; each attribute that is a number is a set of them.

    From a place that takes a character one gets to the next one; at one that keeps it one stays;
    a place that is skipped is left without any.
    """

    def __init__(self) -> None:
        self.size = 0
        self._starts = 0
        self._takes: dict[str, int] = {}
        self._takes_any = 0
        self._sets: list[tuple[int, re.Pattern[str]]] = []
        self._keeps_all = 0
        self._keeps_any = 0
        self._skips = 0
        self._skips_two = 0
        self._accepts = 0
        self._positive = 0
        self._known: dict[str, int] = {}

    # -- running ----------------------------------------------------------------------------

    def start(self) -> int:
        """Where one can be before the first character."""
        return self._closed(self._starts)

    def move(self, places: int, letter: str) -> int:
        """Where one can be after a character."""
        keeps = self._keeps_all if letter == "/" else self._keeps_all | self._keeps_any
        return self._closed(((places & self._taking(letter)) << 1) | (places & keeps))

    def verdict(self, places: int) -> bool | None:
        """What the last pattern says whose end is among the places."""
        ends = places & self._accepts
        return bool(self._positive >> (ends.bit_length() - 1) & 1) if ends else None

    def _taking(self, letter: str) -> int:
        found = self._known.get(letter)
        if found is None:
            found = self._takes.get(letter, 0)
            if letter != "/":
                found |= self._takes_any
                for place, members in self._sets:
                    found |= place if members.match(letter) else 0
            self._known[letter] = found
        return found

    def _closed(self, places: int) -> int:
        while True:
            more = places | (places & self._skips) << 1 | (places & self._skips_two) << 2
            if more == places:
                return places
            places = more

    # -- reading ----------------------------------------------------------------------------

    def add(self, pattern: Pattern) -> None:
        """Take one more pattern in."""
        self._starts |= self._place
        for kind, value in pattern.tokens:
            self._add_token(kind, value)
        if not pattern.below:
            self._takes["/"] = self._takes.get("/", 0) | self._place
            self._end(pattern.positive)
        self._keeps_all |= self._place
        self._end(pattern.positive)

    @property
    def _place(self) -> int:
        return 1 << self.size

    def _add_token(self, kind: str, value: str) -> None:
        place = self._place
        match kind:
            case "letter":
                self._takes[value] = self._takes.get(value, 0) | place
            case "any":
                self._takes_any |= place
            case "set":
                self._sets.append((place, re.compile(value, re.DOTALL)))
            case "star":
                self._keeps_any |= place
                self._skips |= place
            case "all":
                self._keeps_all |= place
                self._skips |= place
            case "directories":  # none, or one that ends with the slash which leaves the next place
                self._skips |= place
                self._skips_two |= place
                self._keeps_all |= place << 1
                self._takes["/"] = self._takes.get("/", 0) | place << 1
                self.size += 1
        self.size += 1

    def _end(self, positive: bool) -> None:
        self._accepts |= self._place
        self._positive |= self._place if positive else 0
        self.size += 1
