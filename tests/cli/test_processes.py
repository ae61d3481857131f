"""The command among processes: signals, pipes, terminals."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import open_store
from tests.cli.conftest import COMMAND, Start
from tests.stores import numbered


def wait_until(holds: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait for something that a process does."""
    end = time.monotonic() + 30
    while not holds():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def interrupt(process: subprocess.Popen[bytes], number: int = signal.SIGINT) -> str:
    """Press Ctrl-C; the process says one line, which is returned, and ends soon."""
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err.startswith(b"storage: interrupted")
    assert err.count(b"\n") == 1
    return err.decode()


# -- Ctrl-C ----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["click.globals", "asyncio.events", "storage._async.base"])
def test_an_interrupt_while_it_is_loaded(folder: Path, start: Start, module: str) -> None:
    process = start("sync", "data", "copy", PYTHONPROFILEIMPORTTIME="1")
    assert process.stderr is not None
    while module not in (line := process.stderr.readline().decode()).split():
        assert line, "it was never loaded"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    told = [line for line in err.splitlines() if not line.startswith(b"import time:")]
    assert told == [b"storage: interrupted"]


@pytest.mark.parametrize(
    ("target", "number"), [("copy", signal.SIGINT), ("sqlite://copy.sqlite", signal.SIGTERM)]
)
def test_an_interrupted_sync_leaves_whole_objects_and_says_what_is_done(
    start: Start, folder: Path, target: str, number: int
) -> None:
    process = start("sync", "slow://?objects=5000&delay=0.02", target)
    if target == "copy":
        wait_until(lambda: Path("copy").exists() and len(os.listdir("copy")) > 50, process)
    else:
        wait_until(lambda: keys(start, target) > 50, process)
    told = re.fullmatch(
        r"storage: interrupted: ([\d,]+) copied \([\d.]+ kB\); run it again to go on\n",
        interrupt(process, number),
    )
    assert told
    with open_store(target) as store:
        found = dict(store.get_many(list(store.keys())))
    assert 50 < len(found) < 5000
    assert int(told[1].replace(",", "")) <= len(found)
    assert found.items() <= numbered(5000, 1000).items()
    assert not [name for name in os.listdir(folder) if "tmp" in name]


def keys(start: Start, store: str) -> int:
    """How many objects a store has."""
    return start("ls", store).communicate(timeout=60)[0].count(b"\n")


def test_an_interrupted_put_from_a_pipe_leaves_nothing(start: Start, folder: Path) -> None:
    process = start("put", "data", "key")
    assert process.stdin is not None
    process.stdin.write(b"a beginning")
    process.stdin.flush()
    wait_until(lambda: os.path.exists("data") and os.listdir("data"), process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    assert os.listdir("data") == []
    assert process.communicate()[1] == b"storage: interrupted\n"


def test_an_interrupted_put_from_a_terminal_leaves_nothing(start: Start, folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = start("put", "data", "key", stdin=theirs)
    wait_until(lambda: os.path.exists("data") and os.listdir("data"), process)
    interrupt(process)
    assert os.listdir("data") == []
    os.close(ours)
    os.close(theirs)


def test_what_is_typed_is_put(start: Start, folder: Path) -> None:
    ours, theirs = pty.openpty()
    process = start("put", "data", "key", stdin=theirs)
    os.write(ours, b"a line\n\x04")
    assert process.communicate(timeout=20) == (b"", b"")
    assert (folder / "data" / "key").read_bytes() == b"a line\n"
    os.close(ours)
    os.close(theirs)


LONG = [
    ("ls", "slow://?objects=20000"),
    ("ls", "-l", "slow://?objects=20000"),
    ("cat", "slow://?objects=1&size=1000000", "key-00000"),
]
"""Commands that have more to say than a pipe holds."""


@pytest.mark.parametrize("words", LONG)
def test_a_command_whose_reader_stopped_reading_can_be_interrupted(
    start: Start, words: tuple[str, ...]
) -> None:
    process = start(*words)
    assert process.stdout is not None
    assert process.stdout.read(1)
    time.sleep(0.2)  # the pipe is full by now
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 130
    process.communicate()


# -- pipes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [*LONG, ("--help",), ("ls", "memory://", "--help")])
def test_a_reader_that_leaves_is_no_error(start: Start, words: tuple[str, ...]) -> None:
    process = start(*words)
    assert process.stdout is not None
    assert process.stderr is not None
    if words in LONG:  # the others have all said before anybody could leave
        os.read(process.stdout.fileno(), 10)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=20) == 0
    process.communicate()


@pytest.mark.parametrize("words", [("ls", "data"), ("cat", "data", "a"), ("--help",)])
def test_a_full_disk_is_one(start: Start, folder: Path, words: tuple[str, ...]) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "a").write_bytes(b"1")
    with open("/dev/full", "wb") as full:
        process = start(*words, stdout=full.fileno())
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (2, b"storage: [Errno 28] No space left on device\n")


def test_letters_that_the_terminal_does_not_have_are_escaped(start: Start, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "é").touch()
    process = start("ls", "data", PYTHONIOENCODING="ascii")
    assert process.communicate(timeout=20) == (b"\\xe9\n", b"")


def test_no_standard_output_is_no_error(folder: Path, environment: dict[str, str]) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "a").touch()
    script = f"exec {sys.executable} -W error -m storage sync data copy >&-"
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=environment, capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert (folder / "copy" / "a").exists()


def test_a_shell_is_told_the_verbs(start: Start) -> None:
    process = start(_STORAGE_COMPLETE="bash_complete", COMP_WORDS="storage sy", COMP_CWORD="1")
    assert process.communicate(timeout=20) == (b"plain,sync\n", b"")


# -- progress --------------------------------------------------------------------------------


def test_no_bar_without_a_terminal(start: Start) -> None:
    process = start("sync", "slow://?objects=100", "copy")
    out, err = process.communicate(timeout=20)
    assert out.startswith(b"      100 copied")
    assert err == b""


def test_one_line_with_objects_bytes_and_rate_on_a_terminal(
    folder: Path, environment: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [*COMMAND, "sync", "--transfers=4", "slow://?objects=200", "copy"]
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.PIPE, env=environment)
    os.close(theirs)
    shown = read_terminal(ours).decode()
    line = (
        r"\rsync: \d+ of 200 objects, [\d.]+ k?B of [\d.]+ k?B, [\d.]+ k?B/s.*, \d in flight\x1b\[K"
    )
    assert re.search(line, shown), shown
    assert "\n" not in shown
    assert shown.endswith("\r\x1b[K"), "it is wiped off at the end"
    assert process.communicate(timeout=20)[0].startswith(b"      200 copied")


def read_terminal(terminal: int) -> bytes:
    """All that is shown on a terminal until everybody has left it."""
    shown = b""
    while select.select([terminal], [], [], 30)[0]:
        try:
            shown += os.read(terminal, 4096)
        except OSError:  # how Linux says that the other end is closed
            break
    os.close(terminal)
    return shown
