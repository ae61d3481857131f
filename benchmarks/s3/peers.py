"""All clients: ours on its lanes, the others, and a command."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from benchmarks.s3.others import Aiobotocore, Boto3, Obstore, Opendal, S3fs
from benchmarks.s3.peer import PARTS, Peer
from benchmarks.s3.tasks import READ, read_key


class Ours(Peer):
    """`AsyncBucketStore` on one of its lanes."""

    lane: str | None = None

    def options(self) -> dict[str, Any]:
        """Of `connect`."""
        lane = {"lane": self.lane} if self.lane else {}
        return lane | {
            "endpoint_url": self.endpoint, "region_name": "us-east-1",
            "aws_access_key_id": self.key, "aws_secret_access_key": self.secret,
        }  # fmt: skip

    async def enter(self) -> None:
        from storage.s3 import AsyncBucketStore

        store = AsyncBucketStore.connect(self.bucket, **self.options())
        self.store = await self.stack.enter_async_context(store)
        self.get, self.head, self.put = self.store.get, self.store.head, self.store.put

    async def delete(self, key: str) -> None:
        await self.store.delete(key, missing_ok=True)

    async def download(self, key: str, path: str) -> None:
        await self.store.download(key, path)

    async def upload(self, key: str, path: str) -> None:
        await self.store.upload(key, path)

    async def list(self, prefix: str) -> int:
        return sum([1 async for _ in self.store.list(prefix)])

    def get_many(self) -> int:
        from storage.s3 import BucketStore

        with BucketStore.connect(self.bucket, **self.options()) as store:
            return sum(1 for _ in store.get_many(read_key(number) for number in range(READ)))


class OursOnAiohttp(Ours):
    lane = "aiohttp"


class OursOnClient(Ours):
    lane = "client"


class S5cmd(Peer):
    """A command: only whole copies."""

    async def _run(self, *arguments: str) -> None:
        environment = os.environ | {
            "AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            "s5cmd", "--endpoint-url", self.endpoint, "--log", "error", "cp",
            "--concurrency", str(PARTS), "--part-size", "8", *arguments, env=environment,
        )  # fmt: skip
        if await process.wait():
            raise RuntimeError("s5cmd failed")

    async def download(self, key: str, path: str) -> None:
        await self._run(f"s3://{self.bucket}/{key}", path)

    async def upload(self, key: str, path: str) -> None:
        await self._run(path, f"s3://{self.bucket}/{key}")


PEERS: dict[str, tuple[type[Peer], str]] = {
    "storage": (Ours, "storage"),
    "storage, aiohttp lane": (OursOnAiohttp, "aiohttp"),
    "storage, client lane": (OursOnClient, "aiobotocore"),
    "obstore": (Obstore, "obstore"),
    "opendal": (Opendal, "opendal"),
    "aiobotocore": (Aiobotocore, "aiobotocore"),
    "s3fs": (S3fs, "s3fs"),
    "boto3 in threads": (Boto3, "boto3"),
    "s5cmd": (S5cmd, "s5cmd"),
}
"""The clients by name, each with the module or command that it needs; the first is ours."""
