"""Generates the blocking layer, ``storage/_sync``, from the async one, ``storage/_async``.

Run ``python -m storage._tools.generate`` after a change under ``_async``; with ``--check`` nothing
is written, and what differs is printed.

A class ``AsyncX`` and a function ``async_x`` get a blocking form, and so does everything that a
module names in its ``__all__``; other names, and those with an underscore, are the async layer's
own. What cannot be translated is an error with its file and line.
"""

from __future__ import annotations

import argparse
import difflib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from .modules import Generator, banner
from .source import GenerateError, read_sources

PACKAGE = Path(__file__).parents[1]


def generate(root: Path, *, strict: bool = False) -> dict[str, str]:
    """The blocking layer of a package.

    Args:
        root: The package's folder, which holds ``_async``.
        strict: Refuse rules of the translation that nothing needs.

    Returns:
        The text of each file, by its path within ``_sync``.

    Raises:
        GenerateError: Something has no blocking form, or a rule is unused.
    """
    generator = Generator(read_sources(root))
    raw = {"/".join(module.twin[1:]) + ".py": text for module, text in generator.texts()}
    unused = generator.names.unused()
    if strict and unused:
        raise GenerateError(f"storage/_tools/rules.py: nothing needs {', '.join(unused)}")
    for folder in {folder for path in raw for folder in Path(path).parents}:
        path = (folder / "__init__.py").as_posix()
        raw[path] = banner(f"storage/_async/{path}")
    return formatted(raw)


def formatted(texts: dict[str, str]) -> dict[str, str]:
    """The files as ruff writes them, whatever its configuration here."""
    ruff = [sys.executable, "-m", "ruff"] if find_spec("ruff") else [shutil.which("ruff") or "ruff"]
    options = ["--isolated", "--no-cache", "--quiet", "--line-length=100", "--target-version=py311"]
    with tempfile.TemporaryDirectory() as folder:
        for path, text in texts.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        for command in (["check", "--select=I", "--fix"], ["format"]):
            subprocess.run([*ruff, *command, *options, folder], check=True)  # noqa: S603 - ours
        return {path: Path(folder, path).read_text(encoding="utf-8") for path in sorted(texts)}


def differences(texts: dict[str, str], output: Path) -> Iterator[str]:
    """What differs between the files and those in a folder, as a unified diff."""
    there = {
        path.relative_to(output).as_posix(): path.read_text(encoding="utf-8")
        for path in output.rglob("*.py")
    }
    for path in sorted(texts.keys() | there.keys()):
        old, new = there.get(path), texts.get(path)
        if new is None:
            yield f"{path}: a stray file, which has no source\n"
        elif old != new:
            lines, fresh = (old or "").splitlines(keepends=True), new.splitlines(keepends=True)
            yield from difflib.unified_diff(lines, fresh, f"{path} (there)", f"{path} (generated)")


def write(texts: dict[str, str], output: Path) -> None:
    """Make a folder's Python files be these and no others."""
    for path in output.rglob("*.py"):
        if path.relative_to(output).as_posix() not in texts:
            path.unlink()
    for name, text in texts.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m storage._tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, print what differs")
    parser.add_argument("--output", type=Path, default=PACKAGE / "_sync", metavar="DIR")
    chosen = parser.parse_args(arguments)
    try:
        texts = generate(PACKAGE, strict=True)
    except GenerateError as error:
        print(error, file=sys.stderr)
        return 1
    if not chosen.check:
        write(texts, chosen.output)
        return 0
    diff = list(differences(texts, chosen.output))
    sys.stdout.writelines(diff)
    return 1 if diff else 0


if __name__ == "__main__":
    sys.exit(main())
