"""The command, in this process (where coverage sees it) and in one of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from storage.cli import main
from tests.cli.stores import install

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """What a run of the command came to."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.raw.decode()

    @property
    def sums(self) -> dict[str, int]:
        """The table of a sync: how many objects became what."""
        found = re.findall(r"^ *([\d,]+) ([a-z]+(?:,? [a-z]+)*)", self.out, re.MULTILINE)
        return {what: int(count.replace(",", "")) for count, what in found}

    @property
    def complaint(self) -> str:
        """The one line on standard error, without the command's name."""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("storage: ")
        return self.err.removeprefix("storage: ").rstrip()


#: Takes the words after `storage`.
Run = Callable[..., Done]


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for `sys.path` that makes the schemes of `stores.py` known."""
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, an empty one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where journals of remote targets go."""
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    return state


@pytest.fixture
def run(
    folder: Path,
    plugin: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    """Run the command in this process."""
    monkeypatch.syspath_prepend(str(plugin))

    def run_here(*words: object) -> Done:
        code = main([str(word) for word in words])
        out, err = capfdbinary.readouterr()
        return Done(code, out, err.decode())

    return run_here


@pytest.fixture
def environment(plugin: Path, state: Path) -> dict[str, str]:
    """The environment of a process of the command."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, plugin)))}


#: Takes the words after `storage`, `stdin`, `stdout`, and variables for the environment.
Start = Callable[..., "subprocess.Popen[bytes]"]

COMMAND = (sys.executable, "-W", "error", "-m", "storage")


@pytest.fixture
def start(folder: Path, environment: dict[str, str], hears_interrupts: None) -> Start:
    """Start the command in a process of its own; every warning is an error there."""

    def start_process(
        *words: object,
        stdin: int = subprocess.PIPE,
        stdout: int = subprocess.PIPE,
        **variables: str,
    ) -> subprocess.Popen[bytes]:
        command = [*COMMAND, *map(str, words)]
        env = {**environment, **variables}
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=env
        )

    return start_process
