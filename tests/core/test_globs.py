"""Patterns decide as documented, and as a slow reading of the same rules does."""

from __future__ import annotations

import pickle
import re
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage._core.errors import ConfigError
from storage._core.globs import Globs
from storage._core.globsyntax import read_patterns

CASES = [
    # A name alone matches at any depth, an object as well as all below a "directory".
    ("foo", ["foo", "foo/x", "a/foo", "a/b/foo/c/d", "/foo"], ["foob", "xfoo", "a/foo.txt", "FOO"]),
    ("foo/", ["foo/x", "a/foo/x/y", "foo/"], ["foo", "a/foo"]),
    ("*.jpg", ["a.jpg", "x/y/b.jpg", ".jpg", "a.jpg/b"], ["a.jpgx", "jpg"]),
    # A slash in front or within binds it to the root.
    ("/foo", ["foo", "foo/x"], ["a/foo"]),
    ("a/b", ["a/b", "a/b/c"], ["x/a/b", "a/bc"]),
    ("a/*.py", ["a/x.py", "a/.py"], ["a/b/x.py", "x.py"]),
    ("/*", ["a", "a/b"], []),
    # Two stars.
    ("**/foo", ["foo", "a/foo", "a/b/foo/c"], ["afoo"]),
    ("a/**", ["a/b", "a/b/c", "a/"], ["a", "b/a/c"]),
    ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a//b"], ["ab", "a/xb", "x/a/b"]),
    ("/a**b", ["ab", "a/x/b", "axb"], ["x/ab"]),
    ("**", ["a", "a/b", "/"], []),
    # One character, sets, and what takes their meaning away.
    ("a?c", ["abc", "x/a.c"], ["ac", "a/c"]),
    ("[a-c]x", ["ax", "cx"], ["dx", "x", "-x"]),
    ("[!a-c]x", ["dx"], ["ax", "/x"[1:]]),
    ("[^a]x", ["bx"], ["ax"]),
    ("[]a]x", ["]x", "ax"], ["bx"]),
    ("[a-]x", ["-x", "ax"], ["bx"]),
    (r"[\]\\]x", ["]x", "\\x"], ["ax"]),
    (r"\*\?\[", ["*?["], ["ab["]),
    (r"\!important", ["!important"], ["important"]),
    (r"\#x", ["#x"], ["x"]),
    ("a b\té", ["a b\té"], ["a b té"]),
    # Keys are opaque: empty segments, dots and line ends are letters.
    ("a//b", ["a//b"], ["a/b"]),
    ("../x", ["../x"], ["x"]),
    ("*", ["a\nb", "\n"], []),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), CASES, ids=[case[0] for case in CASES])
def test_what_a_pattern_means(pattern: str, yes: list[str], no: list[str]) -> None:
    globs = Globs([pattern])
    assert [key for key in yes if not globs.matches(key)] == []
    assert [key for key in no if globs.matches(key)] == []


def test_the_last_pattern_that_matches_decides() -> None:
    globs = Globs(["logs", "!logs/keep", "*.tmp", "!/logs/keep/a.tmp"])
    assert globs.decide("logs/a") is True
    assert globs.decide("logs/keep/a") is False
    assert globs.decide("logs/keep/b.tmp") is True
    assert globs.decide("logs/keep/a.tmp") is False
    assert globs.decide("other") is None
    assert not Globs([]).matches("a")
    assert pickle.loads(pickle.dumps(globs)).decide("logs/keep/a") is False


BAD = {
    "": "nothing to match",
    "!": "nothing to match",
    "/": "nothing to match",
    "a\\": "backslash",
    "[a": "without its end",
    "[]": "without its end",
    "[a/b]": "a slash in it",
    "[b-a]": "no letters are between b and a",
    "[[:alpha:]]": "by name",
    "*.{jpg,png}": "several patterns",
    "a" * 10_000: "at most 4096 characters",
}


@pytest.mark.parametrize(("pattern", "reason"), BAD.items(), ids=[key[:12] for key in BAD])
def test_what_makes_no_sense_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(reason)):
        Globs([pattern])


# -- against a slow reading of the rules -----------------------------------------------------


def slow(pattern: str, key: str) -> bool:
    """The rules, tried out one way after the other."""
    pattern = re.sub(r"\*\*+", "**", pattern)
    body = pattern.removeprefix("/")
    if "/" in pattern[:-1]:
        return tried(body, key, True)
    starts = [0, *(place + 1 for place, letter in enumerate(key) if letter == "/")]
    return any(tried(body, key[start:], True) for start in starts)


def tried(body: str, key: str, fresh: bool) -> bool:
    if not body:
        return key == "" or key.startswith("/")
    if body == "/":
        return key.startswith("/")
    if fresh and body.startswith("**/") and body != "**/":
        ends = [0, *(place + 1 for place, letter in enumerate(key) if letter == "/")]
        return any(tried(body[3:], key[end:], True) for end in ends)
    if body.startswith("**"):
        rest = body.lstrip("*")
        return any(tried(rest, key[end:], False) for end in range(len(key) + 1))
    if body[0] == "*":
        reach = len(key.partition("/")[0])
        return any(tried(body[1:], key[end:], False) for end in range(reach + 1))
    if body[0] == "[":
        inside, _, rest = body[1:].partition("]")
        members = inside.removeprefix("!")
        fits = key[:1] not in ("", "/") and (key[0] in members) == (members == inside)
        return fits and tried(rest, key[1:], False)
    fits = key[:1] == body[0] or (body[0] == "?" and key[:1] not in ("", "/"))
    return fits and tried(body[1:], key[1:], body[0] == "/")


PIECES = st.sampled_from(["a", "b", "/", "*", "**", "**/", "/**/", "?", "[a]", "[!a]", "/a", "b/"])
PATTERN = st.lists(PIECES, min_size=1, max_size=7).map("".join).filter(lambda text: text != "/")
KEY = st.text("ab/c", min_size=1, max_size=9)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.booleans(), PATTERN), max_size=4), st.lists(KEY, max_size=8))
def test_it_decides_as_the_slow_reading_does(
    patterns: list[tuple[bool, str]], keys: list[str]
) -> None:
    globs = Globs([("" if positive else "!") + text for positive, text in patterns])
    for key in keys:
        verdicts = [positive for positive, text in patterns if slow(text, key)]
        assert globs.decide(key) == (verdicts[-1] if verdicts else None), key
        if verdicts and verdicts[-1]:
            assert any(key.startswith(prefix) for prefix in globs.prefixes())


# -- time and memory -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "key"),
    [
        ("*a" * 14 + "b", "a" * 60),
        ("**a" * 14 + "b", "a" * 60),
        ("**/" * 1365, "a/" * 500 + "a"),
        ("?" * 4000, "a" * 1024),
        ("[ab]" * 1000 + "*", "ab" * 512),
    ],
    ids=["stars", "crossing", "segments", "any", "sets"],
)
def test_no_pattern_takes_long(pattern: str, key: str) -> None:
    Globs(["x"]).matches("y")
    begun = process_time()
    Globs([pattern]).matches(key)
    assert process_time() - begun < 0.1  # a backtracking matcher needs years for the first


def test_time_grows_with_the_key_and_no_faster() -> None:
    globs = Globs([("*a" * 1000) + "b"])
    times = []
    for length in (250, 500, 1000):
        begun = process_time()
        globs.matches("a" * length)
        times.append(process_time() - begun)
    assert times[2] < 1  # half a million places passed


def test_what_is_remembered_is_bounded() -> None:
    globs = Globs([f"*{letter}??????????????" for letter in "abcdefgh"])
    state = 1
    most = 0
    for _ in range(3000):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        globs.matches("".join("abcdefgh"[state >> shift & 7] for shift in range(0, 30, 2)) * 2)
        most = max(most, len(globs._states))
    assert 10_000 < most < 40_000
    assert globs.matches("abbbbbbbbbbbbbb")


# -- files and prefixes ----------------------------------------------------------------------


def test_patterns_of_a_file() -> None:
    text = "# a comment\n*.tmp  \r\n\n!keep\n\\#x\nname\\ \n  \n"
    assert read_patterns(text) == ["*.tmp", "!keep", "\\#x", "name\\ "]


@pytest.mark.parametrize(
    ("patterns", "prefixes"),
    [
        (["/a"], ("a",)),
        (["logs/2024/*.gz", "!logs/2024/x", r"data/\*x"], ("data/*x", "logs/2024/")),
        (["a/", "x/y"], ("", "x/y")),
        (["/a*"], ("a",)),
        ([], ()),
        (["!a"], ()),
    ],
)
def test_what_matching_keys_begin_with(patterns: list[str], prefixes: tuple[str, ...]) -> None:
    assert Globs(patterns).prefixes() == prefixes
