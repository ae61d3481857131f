"""The ends of a synchronisation: directories, buckets and databases, made empty for each run."""

from __future__ import annotations

import asyncio
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from benchmarks.s3.peer import bounded
from benchmarks.sync.trees import Tree
from tests.services import buckets
from tests.services.process import S3Service
from tests.services.seaweedfs import SeaweedFS


class Place(ABC):
    """One end."""

    kind: ClassVar[str]
    url: str
    """What our command knows it by."""

    @abstractmethod
    def make(self) -> None:
        """Be there, empty."""

    @abstractmethod
    def remove(self) -> None:
        """Be gone, with all that is in it."""

    @abstractmethod
    def holds(self) -> tuple[int, int]:
        """How many objects are there, and how many bytes; told by nothing that takes part."""

    def fill(self, tree: Tree, keys: Sequence[str]) -> None:
        """Make some files of a tree its contents; a source does that."""
        raise NotImplementedError


class Directory(Place):
    """A directory."""

    kind = "directory"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = str(path)

    def make(self) -> None:
        self.path.mkdir()

    def remove(self) -> None:
        shutil.rmtree(self.path)

    def holds(self) -> tuple[int, int]:
        files = [path for path in self.path.rglob("*") if path.is_file()]
        return len(files), sum(path.stat().st_size for path in files)

    def fill(self, tree: Tree, keys: Sequence[str]) -> None:
        assert self.path == tree.root  # the tree is the place: there is nothing to do


class Database(Place):
    """A database of ours."""

    kind = "SQLite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite://{path}"

    def make(self) -> None:
        pass

    def remove(self) -> None:
        for path in self.path.parent.glob(f"*{self.path.name}*"):
            path.unlink()

    def holds(self) -> tuple[int, int]:
        from storage.db import SqliteStore

        with SqliteStore(self.path) as store:
            found = [info.size or 0 for info in store.list()]
        return len(found), sum(found)


class Bucket(Place):
    """A bucket of a server that runs here."""

    kind = "S3"

    def __init__(self, service: S3Service, name: str) -> None:
        self.service, self.name = service, name
        self.url = f"s3://{name}"

    def make(self) -> None:
        client = buckets.client(self.service)
        client.create_bucket(Bucket=self.name)
        # The first object of a bucket waits for a volume of its own: no client's fault.
        client.put_object(Bucket=self.name, Key="first")
        client.delete_object(Bucket=self.name, Key="first")

    def remove(self) -> None:
        buckets.client(self.service).delete_bucket(Bucket=self.name)

    def holds(self) -> tuple[int, int]:
        pages = buckets.client(self.service).get_paginator("list_objects_v2")
        found = [
            entry["Size"]
            for page in pages.paginate(Bucket=self.name)
            for entry in page.get("Contents", ())
        ]
        return len(found), sum(found)

    def fill(self, tree: Tree, keys: Sequence[str]) -> None:
        asyncio.run(self._fill(tree, keys))

    async def _fill(self, tree: Tree, keys: Sequence[str]) -> None:
        from storage.s3 import AsyncBucketStore

        connect = partial(AsyncBucketStore.connect, endpoint_url=self.service.endpoint_url)
        async with connect(
            self.name, region_name=self.service.region,
            aws_access_key_id=self.service.access_key,
            aws_secret_access_key=self.service.secret_key,
        ) as store:  # fmt: skip
            await bounded(lambda key: store.upload(key, tree.root / key), keys, 16)


class Weed(SeaweedFS):
    """The server; a bucket of it may be removed with all that is in it, at once."""

    def command(self) -> list[str]:
        """The program and its arguments."""
        words = super().command()
        words[words.index("-s3.allowDeleteBucketNotEmpty=false")] = (
            "-s3.allowDeleteBucketNotEmpty=true"
        )
        return words
