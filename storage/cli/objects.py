"""The verbs on objects: ls, cat, put, get, rm, cp."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from .._registry import open_async_store
from .main import shown

STORE = click.argument("store")
KEY = click.argument("key")


@click.command()
@click.option("-l", "long", is_flag=True, help="Also sizes (in bytes) and times.")
@STORE
@click.argument("prefix", default="")
def ls(store: str, prefix: str, long: bool) -> None:
    """List the keys of STORE, or those that begin with PREFIX."""
    asyncio.run(_ls(store, prefix, long))


async def _ls(url: str, prefix: str, long: bool) -> None:
    async with open_async_store(url) as store:
        if not long:
            async for key in store.keys(prefix):
                click.echo(shown(key))
            return
        async for info in store.list(prefix):
            size = "-" if info.size is None else info.size
            when = f"{info.modified:%Y-%m-%d %H:%M:%S}" if info.modified else "-"
            click.echo(f"{size:>12}  {when:19}  {shown(info.key)}")


@click.command()
@STORE
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
def cat(store: str, keys: tuple[str, ...]) -> None:
    """Write objects to standard output."""
    asyncio.run(_cat(store, keys))


async def _cat(url: str, keys: tuple[str, ...]) -> None:
    output = sys.stdout.buffer
    async with open_async_store(url) as store:
        for key in keys:
            async for chunk in store.stream(key):
                await asyncio.to_thread(output.write, chunk)
    await asyncio.to_thread(output.flush)


@click.command()
@click.option("--no-clobber", is_flag=True, help="Fail where there is an object already.")
@STORE
@KEY
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True), default="-")
def put(store: str, key: str, file: str, no_clobber: bool) -> None:
    """Store FILE (or standard input) under KEY."""
    asyncio.run(_put(store, key, file, no_clobber))


async def _put(url: str, key: str, file: str, no_clobber: bool) -> None:
    import aiofiles

    async with open_async_store(url) as store:
        if file == "-":
            await store.put(key, sys.stdin.buffer, if_absent=no_clobber)
            return
        async with aiofiles.open(file, "rb") as source:
            await store.put(key, source, if_absent=no_clobber)


@click.command()
@STORE
@KEY
@click.argument("file", type=click.Path(dir_okay=False))
def get(store: str, key: str, file: str) -> None:
    """Write the object to FILE, which appears (or is replaced) only when it is whole."""
    asyncio.run(_get(store, key, Path(file)))


async def _get(url: str, key: str, file: Path) -> None:
    async with open_async_store(url) as store, open_async_store(file.parent) as folder:
        await folder.put(file.name, store.stream(key))


@click.command()
@click.option("-f", "--force", is_flag=True, help="No error for a key without an object.")
@STORE
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
def rm(store: str, keys: tuple[str, ...], force: bool) -> None:
    """Remove objects."""
    asyncio.run(_rm(store, keys, force))


async def _rm(url: str, keys: tuple[str, ...], force: bool) -> None:
    async with open_async_store(url) as store:
        await store.delete_many(keys, missing_ok=force)


@click.command()
@STORE
@KEY
@click.argument("target")
@click.argument("target_key", default=None, required=False)
def cp(store: str, key: str, target: str, target_key: str | None) -> None:
    """Copy the object KEY of STORE to the store TARGET, under the same key or TARGET_KEY."""
    asyncio.run(_cp(store, key, target, target_key or key))


async def _cp(url: str, key: str, target_url: str, target_key: str) -> None:
    async with open_async_store(url) as source:
        if target_url == url:
            await source.copy(key, target_key)
            return
        async with open_async_store(target_url) as target:
            await target.put(target_key, source.stream(key))
