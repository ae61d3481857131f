"""Keys that have broken stores, and a strategy that finds more."""

from __future__ import annotations

from hypothesis import strategies as st

LONG = 1_024

IMPOSSIBLE: tuple[str, ...] = (
    "",
    "\0",
    "a\0b",
    "\ud800",
    "a\udfffb",
    "x" * (LONG + 1),
    "é" * (LONG // 2) + "x",
    "x" * 2_000,
    "\U0001f600" * 257,
)
"""What is no key in any store."""

HOSTILE: tuple[str, ...] = (
    # leaving the root
    "../x", "../../x", "..", ".", "./a", "a/../b", "a/./b", "a/..", "x/../../y",
    "/storage-conformance/abs", "/", "//", "//host/share", "a//b", "a/", "a//", "/a",
    "..\\x", "a\\b", "\\", "C:\\x", "C:/x", "C:", "~", "~root/x", "file:///x", "$HOME", "`id`",
    # one beside the other
    "a", "a/b", "a/b/c", "A", "A/b", "a/B", "a.", "a ", " a", "a\u0300", "\u00e0", "\u00c0",
    "\ufb01", "fi", "\u0131", "I", "i", "\u0130", "\u212b", "\u00c5", "ss", "\u00df", "\u1e9e",
    "\u03c3", "\u03c2", "\u200b", "a\u200b", "\ufeffa", "\uac00", "\u1100\u1161",
    # encodings
    "%2e", "%2e%2e/x", "%2E", "a%", "%", "%%", "%41", "%00", "a%2fb", "a%2Fb", "a+b", "a b",
    "&amp;", "<key>", "\"'", "a?b", "a#b", "a=b&c", "a;b", "a:b", "a|b", "a*b", "a@b", "{a}", "[a]",
    "_", "a_b", "axb", "=?utf-8?q?a?=", "a,b",
    # control characters
    "\t", "a\tb", "\n", "a\nb", "a\r\nb", "\r", "\x01", "\x1b[31m", "\x7f", "\x85", "\u2028",
    " ", "  ", "a  b", "-", "--help", "-rf",
    # names that mean something elsewhere
    "con", "CON", "nul.txt", "aux", "lpt1", ".tmp", ".tmp/x", "tmp", ".git/config", ".hidden",
    "lost+found", "desktop.ini", ".DS_Store", "x.tmp", "x~", ".x.swp", "META-INF/", "__MACOSX/x",
    "index", "objects", "metadata", "uploads", "a.meta", "a.json", "a.lock", "a.part", "a-journal",
    # plain, in many scripts
    "0", "None", "null", "\u00e9t\u00e9", "\u65e5\u672c\u8a9e", "\u0645\u0631\u062d\u0628\u0627",
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\uffff", "\ufffd", "\U0010ffff",
    "\U00010000", "\uff5a", "\u202eabc",
    # long
    "x" * 255, "y" * 256, "z" * 255 + "/x", "w" * 256 + "/x", "\u00e9" * 127, "\u00e9" * 128,
    "n" * LONG, "d/" * (LONG // 2 - 1) + "e", "\U0001f600" * 256, "%" * LONG, " " * 1_000 + "x",
    "s/" + "t" * 240 + "." * 16, "L" * 255, "." * 255, "../" * 100 + "x",
)  # fmt: skip
"""Legal keys, each of which a store keeps exactly or refuses."""

_PARTS = st.sampled_from(
    [".", "..", "/", "//", "\\", "%", "%2e", "%2F", "~", " ", ":", "a", "A", "tmp", ".tmp",
     "\u0300", "\u00e9", "\U0001f600",
     "\uffff", "\n", "\0", "\ud800", "con", "*", "_", "'", '"', "#", "?"]
)  # fmt: skip
_CHARACTERS = st.characters(codec=None)


def any_key() -> st.SearchStrategy[str]:
    """Texts of every kind, most of them keys."""
    pieces = st.lists(_PARTS | _CHARACTERS, max_size=12).map("".join)
    text = st.text(_CHARACTERS, max_size=40)
    ascii_text = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=20)
    long = st.tuples(st.sampled_from("xé😀/."), st.integers(200, 2_000)).map(lambda t: t[0] * t[1])
    return st.one_of(pieces, text, ascii_text, long)


def possible(key: str) -> bool:
    """Whether this is a key at all."""
    try:
        return 0 < len(key.encode()) <= LONG and "\0" not in key
    except UnicodeEncodeError:
        return False
