"""The verbs on objects: ls, cat, put, get, rm, cp."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from .._core.closing import closing
from .._core.info import ObjectInfo
from .._registry import open_async_store
from .descriptors import pieces, write, write_lines
from .main import run, shown

if TYPE_CHECKING:
    from .._async.base import AsyncBaseStore

STORE = click.argument("store")
KEY = click.argument("key")
KEYS = click.argument("keys", nargs=-1, required=True, metavar="KEY...")


@click.command()
@click.option("-l", "long", is_flag=True, help="Also sizes (in bytes) and local times.")
@STORE
@click.argument("prefix", default="")
def ls(store: str, prefix: str, long: bool) -> None:
    """List the keys of STORE, or those that begin with PREFIX."""
    run(_ls(open_async_store(store), prefix, long))


async def _ls(store: AsyncBaseStore, prefix: str, long: bool) -> None:
    async with store, closing(_lines(store, prefix, long)) as lines:
        await write_lines(sys.stdout, lines)


async def _lines(store: AsyncBaseStore, prefix: str, long: bool) -> AsyncIterator[str]:
    if long:
        async with closing(store.list(prefix)) as infos:
            async for info in infos:
                yield _long_line(info)
    else:
        async with closing(store.keys(prefix)) as keys:
            async for key in keys:
                yield shown(key)


def _long_line(info: ObjectInfo) -> str:
    size = "-" if info.size is None else info.size
    when = f"{info.modified.astimezone():%Y-%m-%d %H:%M:%S}" if info.modified else "-"
    return f"{size:>12}  {when:19}  {shown(info.key)}"


@click.command()
@STORE
@KEYS
def cat(store: str, keys: tuple[str, ...]) -> None:
    """Write objects to standard output."""
    run(_cat(open_async_store(store), keys))


async def _cat(store: AsyncBaseStore, keys: tuple[str, ...]) -> None:
    output = sys.stdout.fileno()
    async with store:
        for key in keys:
            async with closing(store.stream(key)) as chunks:
                async for chunk in chunks:
                    await write(output, chunk)


@click.command()
@click.option("--no-clobber", is_flag=True, help="Fail where there is an object already.")
@STORE
@KEY
@click.argument("file", type=click.File("rb"), default="-")
def put(store: str, key: str, file: BinaryIO, no_clobber: bool) -> None:
    """Store FILE (or standard input) under KEY."""
    run(_put(open_async_store(store), key, file.fileno(), no_clobber))


async def _put(store: AsyncBaseStore, key: str, file: int, no_clobber: bool) -> None:
    async with store:
        await store.put(key, pieces(file), if_absent=no_clobber)


@click.command()
@STORE
@KEY
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def get(store: str, key: str, file: Path) -> None:
    """Write the object to FILE, which appears (or is replaced) only when it is whole."""
    file = file.resolve()  # a link stays one
    if file.exists() and not file.is_file():
        raise click.BadParameter(f"{file} is no regular file: use 'storage cat'.")
    if not file.parent.is_dir():
        raise click.BadParameter(f"there is no directory {file.parent}.")
    run(_get(open_async_store(store), key, open_async_store(file.parent), file.name))


async def _get(store: AsyncBaseStore, key: str, folder: AsyncBaseStore, name: str) -> None:
    async with store, folder:
        await folder.put(name, store.stream(key))


@click.command()
@click.option("-f", "--force", is_flag=True, help="No error for a key without an object.")
@STORE
@KEYS
def rm(store: str, keys: tuple[str, ...], force: bool) -> None:
    """Remove objects."""
    run(_rm(open_async_store(store), keys, force))


async def _rm(store: AsyncBaseStore, keys: tuple[str, ...], force: bool) -> None:
    async with store:
        await store.delete_many(keys, missing_ok=force)


@click.command()
@STORE
@KEY
@click.argument("target")
@click.argument("target_key", required=False)
def cp(store: str, key: str, target: str, target_key: str | None) -> None:
    """Copy the object KEY of STORE to the store TARGET, under the same key or TARGET_KEY."""
    source, new_key = open_async_store(store), key if target_key is None else target_key
    if target == store:
        run(_copy_within(source, key, new_key))
    else:
        run(_copy_over(source, key, open_async_store(target), new_key))


async def _copy_within(store: AsyncBaseStore, key: str, new_key: str) -> None:
    async with store:
        await store.copy(key, new_key)


async def _copy_over(
    source: AsyncBaseStore, key: str, target: AsyncBaseStore, new_key: str
) -> None:
    from .._async.transfer.copying import Copier

    async with source, target, Copier(source, target, at_once=True) as copier:
        await copier.copy(await source.head(key), key=new_key)
