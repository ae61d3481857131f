"""Buckets that are listed in several parts at once, by what a journal knows of their keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiobotocore")

from storage._async.backends.memory import AsyncDictStore
from storage._async.backends.s3 import listing as s3_listing
from storage._async.transfer import divided, listing
from storage.aioutils import async_sync_stores
from tests.backends.s3 import own_corner
from tests.services.plugin import NewBucket
from tests.services.process import S3Service

KEYS = [f"{number % 7}/{number:03}" for number in range(120)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Small pages and parts; what was asked for of listings."""
    for module, name, value in (
        (divided, "PART", 9), (divided, "PARTS", 4), (s3_listing, "PAGE", 10),
        (listing, "FIRST_PAGE", 1), (listing, "PAGE", 10),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    requests: list[dict[str, Any]] = []
    answer = s3_listing.Listing._answer

    async def noted(self: s3_listing.Listing, token: str | None) -> Any:
        requests.append({**self._parameters, "token": token})
        return await answer(self, token)

    monkeypatch.setattr(s3_listing.Listing, "_answer", noted)
    return requests


def parts(asked: list[dict[str, Any]]) -> list[str]:
    """After which keys parts were asked for, less the store's prefix."""
    return [each["StartAfter"].partition("/")[2] for each in asked if "StartAfter" in each]


@pytest.mark.parametrize("side", ["source", "target"])
async def test_a_bucket_in_parts(
    moto: S3Service,
    shared_bucket: NewBucket,
    tmp_path: Path,
    asked: list[dict[str, Any]],
    side: str,
) -> None:
    other = AsyncDictStore()
    async with own_corner(moto, shared_bucket, ordered=True) as bucket:
        source, target = (bucket, other) if side == "source" else (other, bucket)
        for key in KEYS:
            await source.put(key, key.encode())

        async def synced() -> tuple[int, int, int]:
            asked.clear()
            report = await async_sync_stores(
                source, target, delete=True, journal=tmp_path / "journal"
            )
            assert report.complete
            return report.copied, report.identical, report.deleted

        assert await synced() == (120, 0, 0)
        assert parts(asked) == []
        assert await synced() == (0, 120, 0)
        found = parts(asked)
        assert len(found) >= 8
        assert found == sorted(set(found))  # nothing is asked for twice
        assert len(asked) <= 16  # and each part with one request, but for the first
        for key in KEYS[::13]:
            await source.delete(key)
            await source.put(f"{key}+", b"new")
        assert await synced() == (10, 110, 10)
        assert parts(asked)
        assert await synced() == (0, 120, 0)
        keys = [key async for key in target.keys()]
        assert keys == [key async for key in source.keys()]
        assert len(keys) == 120
