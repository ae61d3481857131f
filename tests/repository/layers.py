"""The layers of the package, and which imports they allow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.repository.source import ROOT, Import, imports, modules

# From the top down: a module imports from its own room and from lower rooms only.
LAYERS = (
    "cli",
    "testing",
    "config_builder",
    "_config",
    "typed",
    "_typed",
    "documents",
    "_documents",
    "asgi",
    "_asgi",
    "kv",
    "_kv",
    "__init__",
    "_registry",
    "_wrapping",
    "façades",
    "_sync",
    "_async",
    "_formats",
    "_core",
)
# Its code runs where the package may not even import: it knows nothing of it.
APART = "_tools"
# Rooms in which each module (or folder) stands alone.
NEIGHBOURS = (("_async", "backends"), ("_sync", "backends"))


def room(parts: tuple[str, ...]) -> str:
    """The layer of a module, by its name below the package."""
    if not parts:
        return "__init__"
    # `python -m storage` is the command.
    if parts[0] == "__main__":
        return "cli"
    if parts[0] == APART or parts[0] in LAYERS:
        return parts[0]
    return "façades"


def broken(edge: Import) -> str | None:
    """Which rule an import breaks, if any."""
    above, below = room(edge.source.parts), room(edge.parts)
    if APART in {above, below}:
        return None if above == below else f"{APART} stands apart"
    if above == below:
        if above == "façades":
            return "façades do not import each other"
        for neighbours in NEIGHBOURS:
            if _lives_in(edge.source.parts, neighbours) and _strays(edge, neighbours):
                return f"{'/'.join(neighbours)} do not import each other"
        return None
    if {above, below} == {"cli", "testing"}:
        return "cli and testing stand side by side"
    if LAYERS.index(below) < LAYERS.index(above):
        return f"{above} is below {below}"
    return None


def violations(root: Path = ROOT) -> Iterator[str]:
    """Every import of the package that points the wrong way."""
    for module in modules(root).values():
        for edge in imports(module, root):
            reason = broken(edge)
            if reason:
                yield f"{edge}: {reason}"


def _lives_in(parts: tuple[str, ...], folder: tuple[str, ...]) -> bool:
    return parts[: len(folder)] == folder and len(parts) > len(folder)


def _strays(edge: Import, folder: tuple[str, ...]) -> bool:
    """Whether the target is of the same folder, but belongs to another one of its inhabitants.

    What begins with an underscore there is nobody's backend, but common ground.
    """
    if edge.parts[: len(folder)] != folder:
        return False
    depth = len(folder) + 1
    common = "".join(edge.parts[depth - 1 : depth]).startswith("_")
    return not common and edge.parts[:depth] != edge.source.parts[:depth]
