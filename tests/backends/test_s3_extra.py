"""The S3 store without its optional dependency."""

from __future__ import annotations

import subprocess
import sys

LIGHT = """
import sys
from storage._async.backends.s3 import AsyncBucketStore
heavy = {"aiobotocore", "aiohttp", "botocore", "boto3"} & set(sys.modules)
assert not heavy, heavy
"""
MISSING = """
import asyncio, sys
sys.modules["aiobotocore"] = None
from storage._async.backends.s3 import AsyncBucketStore
from storage._core.errors import MissingExtra
try:
    AsyncBucketStore.connect("bucket")
except MissingExtra as error:
    assert "pip install 'storage[s3]'" in str(error), error
else:
    raise AssertionError
"""


def run(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_importing_the_store_loads_nothing_heavy() -> None:
    run(LIGHT)


def test_what_is_missing_is_named() -> None:
    run(MISSING)
