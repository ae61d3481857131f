"""Fail a test in which the package blocks an event loop, be it in a background thread.

A test that does so on purpose says why: `@pytest.mark.allow_blocking("the reason")`.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import ClassVar

import blockbuster.blockbuster
import pytest
from blockbuster import BlockBuster, BlockBusterFunction, BlockingError

# What blockbuster does not know, though it waits for a disk, a process or a name server.
MORE_FUNCTIONS = (
    "io.open",
    "builtins.open",
    "fcntl.flock",
    "fcntl.lockf",
    "os.chmod",
    "os.copy_file_range",
    "os.fdatasync",
    "os.fsync",
    "os.ftruncate",
    "os.lstat",
    "os.makedirs",
    "os.open",
    "os.pread",
    "os.preadv",
    "os.pwrite",
    "os.pwritev",
    "os.truncate",
    "os.utime",
    "socket.getaddrinfo",
    "sqlite3.connect",
    "subprocess.Popen.wait",
)

# Who may block, whatever calls it: (end of the file name, functions).
ALLOWED = (
    # A module is loaded once in the life of a process.
    ("<frozen importlib._bootstrap>", {"_find_and_load"}),
    # A command's loop has nothing else to do, and looks at the clock.
    ("storage/_core/devoted.py", {"run"}),
    # Source lines for a traceback or a warning.
    ("linecache.py", {"checkcache", "updatecache"}),
    ("<frozen linecache>", {"checkcache", "updatecache"}),
    # Where a log record goes is the application's choice.
    ("logging/__init__.py", {"handle"}),
    # It asks what an address means, and nobody for a name.
    ("asyncssh/misc.py", {"_normalize_scoped_ip"}),
    # The tools that watch the tests.
    ("coverage/control.py", {"_should_trace"}),
    ("coverage/python.py", {"get_python_source", "read_python_source"}),
    ("_pytest/assertion/rewrite.py", {"exec_module"}),
)


@cache
def _detector() -> BlockBuster:
    """The patches, made once: to build them costs more than to switch them on."""
    detector = BlockBuster("storage")
    # It computes, and asks for the working directory at most: no disk is waited for.
    detector.functions.pop("os.path.abspath", None)
    for name in MORE_FUNCTIONS:
        detector.functions[name] = BlockBusterFunction(None, name, scanned_modules="storage")
    for function in detector.functions.values():
        for file, names in ALLOWED:
            function.can_block_in(file, names)
    return detector


class _Recorded(BlockingError):
    """Notes where it was raised: an `except Exception` must not hide one."""

    seen: ClassVar[list[str]] = []

    def __init__(self, function: str) -> None:
        super().__init__(function)
        frames = traceback.format_stack(limit=12)[:-2]
        self.seen.append(f"{function} blocks the event loop\n{''.join(frames)}")


_on = False


def _switch(on: bool) -> bool:
    """Let blocking calls raise, or let them be; gives what was before."""
    global _on
    before, _on = _on, on
    if on and not before:
        blockbuster.blockbuster.BlockingError = _Recorded  # type: ignore[misc, assignment]
        _detector().activate()
    elif before and not on:
        _detector().deactivate()
    return before


@contextmanager
def no_blocking() -> Iterator[list[str]]:
    """Let blocking calls raise, and collect them."""
    before = _switch(True)
    outer, _Recorded.seen = _Recorded.seen, []
    try:
        yield _Recorded.seen
    finally:
        _Recorded.seen = outer
        _switch(before)


def _allowed(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("allow_blocking")
    if marker is None:
        return False
    reason = marker.args[0] if marker.args else marker.kwargs.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise pytest.UsageError(f"{item.nodeid}: allow_blocking needs a reason")
    return True


@pytest.fixture(autouse=True)
def _guard_event_loops(request: pytest.FixtureRequest) -> Iterator[None]:
    # What is measured must not be slowed down by the guard.
    if "benchmark" in request.fixturenames or _allowed(request.node):
        before = _switch(False)
        yield
        _switch(before)
        return
    _switch(True)  # and it stays so for the next test: to switch costs as much as a short test
    with no_blocking() as seen:
        yield
    if seen:
        pytest.fail("\n".join(seen), pytrace=False)
