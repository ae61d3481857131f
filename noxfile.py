"""Everything that is run on this project, each in an environment of its own: `nox -l`.

`nox -s lint typing tests-3.11` is what a change must pass; .ci/run is the same from a bare machine.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
# From the classifiers, so that what is promised is what is tested.
PYTHONS = nox.project.python_versions(PROJECT)
OLDEST, NEWEST = PYTHONS[0], PYTHONS[-1]

nox.needs_version = ">=2025.5"
nox.options.sessions = ["lint", "typing", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=NEWEST)
def lint(session: nox.Session) -> None:
    """Check rules and format."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session(python=OLDEST)
def typing(session: nox.Session) -> None:
    """Check the types of the package, the tests and the benchmarks with two checkers."""
    session.install("-e", ".[dev,bench]")
    session.run("mypy", *session.posargs)
    # Outside of an activated environment pyright would look into another one.
    session.run("pyright", "--pythonpath", f"{session.bin}/python")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests, with real servers and with coverage."""
    session.install("-e", ".[test]")
    session.run("pytest", *(session.posargs or ["-n", "2", "--cov"]))


@nox.session(python=OLDEST)
def tests_no_extras(session: nox.Session) -> None:
    """Run the tests without any optional dependency: nothing may need one unasked."""
    session.install("-e", ".[runner]")
    session.run("pytest", *(session.posargs or ["-n", "2"]), env={"REQUIRE_SERVICES": "0"})


@nox.session(python=OLDEST)
def minimums(session: nox.Session) -> None:
    """Run the tests with the lowest versions that pyproject.toml allows."""
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = list(PROJECT["project"]["dependencies"])
    forms = ("images", "msgspec", "numpy", "orjson", "pandas", "polars", "pydantic", "scipy")
    for extra in ("crypto", "http", "redis", "s3", "zstd", *forms):
        wanted += extras[extra]
    session.install("-e", ".[test]", *map(lowest, wanted))
    session.run("pytest", *(session.posargs or ["-n", "2"]))


@nox.session(python=OLDEST)
def generate(session: nox.Session) -> None:
    """Write storage/_sync anew from storage/_async; `-- --check` only compares."""
    session.install("-e", ".[lint]")
    session.run("python", "-m", "storage._tools.generate", *session.posargs)


@nox.session(python=NEWEST)
def bench(session: nox.Session) -> None:
    """Time the micro-benchmarks, then compare with peers."""
    session.install("-e", ".[test,bench]")
    options = session.posargs or ["--benchmark-enable", "--benchmark-only", "--timeout=0"]
    session.run("pytest", "benchmarks", *options, success_codes=[0, 5])
    session.run("python", "-m", "benchmarks")


@nox.session(python=OLDEST)
def build(session: nox.Session) -> None:
    """Build sdist and wheel, and try the wheel far from the clone."""
    session.install("build", "twine")
    with tempfile.TemporaryDirectory() as folder:
        session.run("python", "-m", "build", "--outdir", folder)
        built = sorted(str(path) for path in Path(folder).iterdir())
        session.run("twine", "check", "--strict", *built)
        wheel = next(path for path in built if path.endswith(".whl"))
        tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
        if {top for top in tops if not top.endswith(".dist-info")} != {"storage"}:
            session.error(f"the wheel holds more than the package: {sorted(tops)}")
        session.install("--force-reinstall", wheel)
        with session.chdir(folder):
            code = "import storage; print(storage.__version__, storage.__file__)"
            session.run("python", "-c", code)
            session.run("storage", "--help", silent=True)


def lowest(requirement: str) -> str:
    """The requirement, held at its lower bound."""
    match = re.fullmatch(r"([\w.-]+)>=([\w.]+)(?:,<[\w.]+)?(?:;.*)?", requirement)
    if match is None:
        raise ValueError(f"no lower bound: {requirement}")
    return f"{match[1]}=={match[2]}"
