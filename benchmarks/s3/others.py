"""The other clients, each imported where it is used."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.s3.peer import PART, PARTS, Peer, bounded
from benchmarks.s3.tasks import READ, read_key


class Aiobotocore(Peer):
    async def enter(self) -> None:
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        making = get_session().create_client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.key, aws_secret_access_key=self.secret,
            config=AioConfig(max_pool_connections=128, s3={"addressing_style": "path"}),
        )  # fmt: skip
        self.client: Any = await self.stack.enter_async_context(making)

    async def get(self, key: str) -> bytes:
        answer = await self.client.get_object(Bucket=self.bucket, Key=key)
        async with answer["Body"] as body:
            return bytes(await body.read())

    async def put(self, key: str, data: bytes) -> None:
        await self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    async def head(self, key: str) -> None:
        await self.client.head_object(Bucket=self.bucket, Key=key)

    async def delete(self, key: str) -> None:
        await self.client.delete_object(Bucket=self.bucket, Key=key)

    async def list(self, prefix: str) -> int:
        pages = self.client.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return sum([len(page.get("Contents", ())) async for page in found])

    async def download(self, key: str, path: str) -> None:
        size = (await self.client.head_object(Bucket=self.bucket, Key=key))["ContentLength"]
        with open(path, "wb", 0) as file:

            async def part(start: int) -> None:
                wanted = f"bytes={start}-{min(size, start + PART) - 1}"
                answer = await self.client.get_object(Bucket=self.bucket, Key=key, Range=wanted)
                os.pwrite(file.fileno(), await answer["Body"].read(), start)

            await bounded(part, range(0, size, PART), PARTS)

    async def upload(self, key: str, path: str) -> None:
        where = {"Bucket": self.bucket, "Key": key}
        where["UploadId"] = (await self.client.create_multipart_upload(**where))["UploadId"]
        size, etags = os.path.getsize(path), {}
        with open(path, "rb", 0) as file:

            async def part(start: int) -> None:
                number = start // PART + 1
                data = os.pread(file.fileno(), PART, start)
                answer = await self.client.upload_part(**where, PartNumber=number, Body=data)
                etags[number] = answer["ETag"]

            await bounded(part, range(0, size, PART), PARTS)
        parts = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
        await self.client.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})


class Obstore(Peer):
    async def enter(self) -> None:
        from obstore.store import S3Store

        self.store = S3Store(
            self.bucket, endpoint=self.endpoint, access_key_id=self.key, region="us-east-1",
            secret_access_key=self.secret, virtual_hosted_style_request=False,
            client_options={"allow_http": True},
        )  # fmt: skip

    async def get(self, key: str) -> bytes:
        return bytes(await (await self.store.get_async(key)).bytes_async())

    async def put(self, key: str, data: bytes) -> None:
        await self.store.put_async(key, data, use_multipart=False)

    async def head(self, key: str) -> None:
        await self.store.head_async(key)

    async def delete(self, key: str) -> None:
        await self.store.delete_async(key)

    async def list(self, prefix: str) -> int:
        return sum([len(batch) async for batch in self.store.list(prefix)])

    async def download(self, key: str, path: str) -> None:
        size = (await self.store.head_async(key))["size"]
        with open(path, "wb", 0) as file:

            async def part(start: int) -> None:
                end = min(size, start + PART)
                data = await self.store.get_range_async(key, start=start, end=end)
                os.pwrite(file.fileno(), data, start)

            await bounded(part, range(0, size, PART), PARTS)

    async def upload(self, key: str, path: str) -> None:
        await self.store.put_async(key, Path(path), chunk_size=PART, max_concurrency=PARTS)

    def get_many(self) -> int:
        get = self.store.get
        with ThreadPoolExecutor(32) as pool:
            keys = map(read_key, range(READ))
            return sum(1 for _ in pool.map(lambda key: bytes(get(key).bytes()), keys))


class Opendal(Peer):
    async def enter(self) -> None:
        from opendal import AsyncOperator  # pyright: ignore[reportMissingImports]

        self.operator = AsyncOperator(
            "s3", bucket=self.bucket, endpoint=self.endpoint, access_key_id=self.key,
            secret_access_key=self.secret, region="us-east-1",
        )  # fmt: skip

    async def get(self, key: str) -> bytes:
        return bytes(await self.operator.read(key))

    async def put(self, key: str, data: bytes) -> None:
        await self.operator.write(key, data)

    async def head(self, key: str) -> None:
        await self.operator.stat(key)

    async def delete(self, key: str) -> None:
        await self.operator.delete(key)

    async def list(self, prefix: str) -> int:
        return sum([1 async for _ in await self.operator.list(prefix)])


class S3fs(Peer):
    async def enter(self) -> None:
        import s3fs  # pyright: ignore[reportMissingImports]

        self.fs = s3fs.S3FileSystem(
            key=self.key, secret=self.secret, endpoint_url=self.endpoint, asynchronous=True,
            use_listings_cache=False, skip_instance_cache=True,
            config_kwargs={"max_pool_connections": 128},
        )  # fmt: skip
        session = await self.fs.set_session()
        self.stack.push_async_callback(session.close)

    async def get(self, key: str) -> bytes:
        return bytes(await self.fs._cat_file(f"{self.bucket}/{key}"))

    async def put(self, key: str, data: bytes) -> None:
        await self.fs._pipe_file(f"{self.bucket}/{key}", data)

    async def head(self, key: str) -> None:
        await self.fs._info(f"{self.bucket}/{key}")

    async def delete(self, key: str) -> None:
        await self.fs._rm_file(f"{self.bucket}/{key}")

    async def list(self, prefix: str) -> int:
        return len(await self.fs._find(f"{self.bucket}/{prefix.rstrip('/')}"))

    async def download(self, key: str, path: str) -> None:
        await self.fs._get_file(f"{self.bucket}/{key}", path)

    async def upload(self, key: str, path: str) -> None:
        await self.fs._put_file(path, f"{self.bucket}/{key}")


class Boto3(Peer):
    """In threads, as many as there are requests in flight."""

    async def enter(self) -> None:
        import boto3
        from botocore.config import Config

        self.client = boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1",
            aws_access_key_id=self.key, aws_secret_access_key=self.secret,
            config=Config(max_pool_connections=128, s3={"addressing_style": "path"}),
        )  # fmt: skip
        self.pool = self.stack.enter_context(ThreadPoolExecutor(128))

    async def _call(self, call: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, call)

    def read(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    async def get(self, key: str) -> None:
        await self._call(lambda: self.read(key))

    async def put(self, key: str, data: bytes) -> None:
        await self._call(lambda: self.client.put_object(Bucket=self.bucket, Key=key, Body=data))

    async def head(self, key: str) -> None:
        await self._call(lambda: self.client.head_object(Bucket=self.bucket, Key=key))

    async def delete(self, key: str) -> None:
        await self._call(lambda: self.client.delete_object(Bucket=self.bucket, Key=key))

    async def list(self, prefix: str) -> int:
        pages = self.client.get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.bucket, Prefix=prefix)
        return sum(len(page.get("Contents", ())) for page in found)

    async def download(self, key: str, path: str) -> None:
        await self._call(lambda: self.client.download_file(self.bucket, key, path))

    async def upload(self, key: str, path: str) -> None:
        await self._call(lambda: self.client.upload_file(path, self.bucket, key))

    def get_many(self) -> int:
        with ThreadPoolExecutor(32) as pool:
            return sum(1 for _ in pool.map(self.read, map(read_key, range(READ))))
