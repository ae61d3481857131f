"""The public modules are tables of contents: imports and `__all__`, each name in one of them."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.repository.source import Module, facades, imports, modules

FACADES = facades()
# The words of the contract: what these modules define is public.
CONTRACT = ("storage._core.errors", "storage._core.info", "storage._core.protocol")

each_facade = pytest.mark.parametrize("facade", FACADES, ids=[f.name for f in FACADES])


def exported(facade: Module) -> list[str]:
    """What `__all__` says."""
    for node in facade.tree().body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def imported(facade: Module) -> list[str]:
    """The names that the module binds by importing, less `annotations`."""
    return [
        alias.asname or alias.name
        for node in facade.tree().body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    ]


def definitions(prefix: str) -> set[str]:
    """The classes and functions that the modules below a name define for others."""
    return {
        node.name
        for name, module in modules().items()
        if name == prefix or name.startswith(f"{prefix}.")
        for node in module.tree().body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
    }


# Classes that others are built on inside the package, and nobody is to name.
STEPS = {
    "AsyncAroundStore",
    "AsyncAddressingStore",
    "AsyncBucketHooks",
    "AsyncCodecStore",
    "AsyncContentStore",
    "AsyncBucketExtras",
    "AsyncBucketTransfers",
    "AsyncFileTreeStore",
    "AsyncRemoteLife",
    "AsyncRemoteStore",
    "AsyncCloudStore",
    "AsyncSqliteFile",
    "AsyncForeignStore",
    "AsyncParentStore",
    "AsyncRecodingStore",
    "AsyncPostgresHooks",
    "AsyncPostgresMany",
    "AsyncPostgresReads",
    "AsyncRedisHooks",
    "AsyncRedisMany",
    "AsyncStoreChecks",
    "AsyncStoreHooks",
    "AsyncStoreVerbs",
}
# Tools of backends, which stand beside what they serve.
TOOLS = {"check_delete", "from_oserror", "translate_oserror"}


def promised() -> set[str]:
    """What has to be public: the contract, and all that says of itself that it is async."""
    words = {name for module in CONTRACT for name in definitions(module)}
    asynchronous = {
        name for name in definitions("storage._async") if name.startswith(("Async", "async_"))
    }
    asynchronous -= STEPS
    twins = {name.removeprefix("Async").removeprefix("async_") for name in asynchronous}
    return (words - TOOLS) | asynchronous | (twins & definitions("storage._sync"))


@each_facade
def test_a_facade_holds_imports_and_nothing_else(facade: Module) -> None:
    docstring, *rest = facade.tree().body
    assert isinstance(docstring, ast.Expr), "a façade begins by saying what it is for"
    for node in rest:
        if isinstance(node, ast.Assign):
            assert ast.unparse(node.targets[0]) == "__all__"
        else:
            assert isinstance(node, ast.ImportFrom), ast.unparse(node)
            if node.module != "__future__":
                assert all(alias.name != "*" for alias in node.names)
    private = {edge.parts[0] for edge in imports(facade) if edge.parts}
    assert private <= {
        *("_core", "_async", "_sync", "_config", "_formats"),
        *("_asgi", "_documents", "_kv", "_typed"),
    }


@each_facade
def test_all_is_what_is_imported(facade: Module) -> None:
    names = exported(facade)
    assert names, "no __all__"
    assert Counter(names) == Counter(imported(facade))


def test_each_name_has_one_home() -> None:
    homes: dict[str, list[str]] = {}
    for facade in FACADES:
        for name in exported(facade):
            homes.setdefault(name, []).append(facade.name)
    several = {name: found for name, found in homes.items() if len(found) > 1}
    assert several == {
        "ConfigError": ["storage.config_builder", "storage.object"],
        # Key-value stores have their own names, as their users know them.
        "DictStore": ["storage.kv", "storage.object"],
        "FilesystemStore": ["storage.fs", "storage.kv"],
        "GoogleCloudStore": ["storage.gcs", "storage.kv"],
        "RedisStore": ["storage.kv", "storage.redis"],
    }


def test_nothing_promised_is_forgotten() -> None:
    if not FACADES:
        pytest.skip("there are no façades yet")
    public = {name for facade in FACADES for name in exported(facade)}
    assert promised() - public == set()


@each_facade
def test_async_and_blocking_are_kept_apart(facade: Module) -> None:
    """Where storage.aiofs stands beside storage.fs, each has its own side only."""
    name = facade.parts[0]
    rooms = {edge.parts[0] for edge in imports(facade)}
    if name.startswith("aio"):
        assert f"storage.{name.removeprefix('aio')}" in modules(), "no blocking counterpart"
        assert "_sync" not in rooms
    elif f"storage.aio{name}" in modules():
        assert "_async" not in rooms
